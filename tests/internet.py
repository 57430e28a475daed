"""A small internet on loopback. Its hosts have public addresses, which the guard judges as it judges any.

Only what lies beyond the guard is replaced: the name look-up, and where a connection to such an address ends. So what
reaches the server here passed every wall of the product, and what did not is in `dialled` or nowhere.
"""

from __future__ import annotations

import http.server
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from webmail.demo.certificates import ensure_certificates
from webmail.protocol import guard

PUBLIC = "93.184.215.14"
Body = bytes | list[bytes | float]


@dataclass(frozen=True)
class Asked:
    """A request that arrived."""

    host: str
    path: str
    fields: dict[str, str]
    form: bytes = b""


@dataclass
class Internet:
    """Every name ending in .example is a host.

    Args:
        answers: what is at a path: status, header fields, and octets or pieces with pauses in seconds between them.
        names: addresses of a name, one list for each look-up and the last for all further ones; PUBLIC for others.
        asked: the requests that arrived. dialled: the addresses that a connection was tried to.
        presented: the server names of the TLS handshakes.
    """

    answers: dict[str, tuple[int, dict[str, str], Body]] = field(default_factory=dict)
    names: dict[str, list[list[str]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)
    presented: list[str] = field(default_factory=list)

    def picture(self, path: str, kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
        """Put a picture there; its octets."""
        data = picture(kind, size)
        self.answers[path] = (200, {"Content-Type": f"image/{kind.lower()}", "Set-Cookie": "id=1"}, data)
        return data

    def redirect(self, path: str, to: str) -> None:
        """Lead from there to elsewhere."""
        self.answers[path] = (302, {"Location": to}, b"")


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30)) -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, (0, 90, 160)).save(out, kind)
    return out.getvalue()


@contextmanager
def internet(patch: pytest.MonkeyPatch, directory: Path) -> Iterator[Internet]:
    """The internet, while it lasts."""
    net = Internet()
    servers = [_serve(net, None), _serve(net, directory)]
    ports = {80: servers[0].server_address[1], 443: servers[1].server_address[1]}
    look_up, connect = socket.getaddrinfo, socket.create_connection

    def getaddrinfo(name: Any, port: Any, *rest: Any, **named: Any) -> Any:
        if not str(name).endswith(".example"):
            return look_up(name, port, *rest, **named)
        found = net.names.get(str(name), [[PUBLIC]])
        addresses = found.pop(0) if len(found) > 1 else found[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    def create_connection(address: tuple[str, int], *rest: Any, **named: Any) -> socket.socket:
        if address[1] not in ports:
            return connect(address, *rest, **named)
        net.dialled.append(address)
        sock = connect(("127.0.0.1", ports[address[1]]), *rest, **named)
        far = _Far(sock.family, sock.type, sock.proto, fileno=sock.detach())
        far.settimeout(named.get("timeout") or (rest[0] if rest else None))
        far.peer = address
        return far

    patch.setattr(socket, "getaddrinfo", getaddrinfo)
    patch.setattr(socket, "create_connection", create_connection)
    try:
        yield net
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def trust_its_certificate(patch: pytest.MonkeyPatch, directory: Path) -> None:
    """Take the certificate of the https hosts for good, though it is for localhost."""
    context = ssl.create_default_context(cafile=str(ensure_certificates(directory).ca))
    context.check_hostname = False
    patch.setattr(guard, "tls_context", lambda pem: context)


class _Far(socket.socket):
    """A connection whose other end has a public address."""

    peer: tuple[str, int] = ("", 0)

    def getpeername(self) -> Any:
        return self.peer


def _serve(net: Internet, certificates: Path | None) -> http.server.ThreadingHTTPServer:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            form = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            net.asked.append(Asked(self.headers.get("Host", ""), self.path, dict(self.headers.items()), form))
            status, fields, body = net.answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for piece in [body] if isinstance(body, bytes) else body:
                    if isinstance(piece, float):
                        time.sleep(piece)
                    else:
                        self.wfile.write(piece)
                        self.wfile.flush()
            except OSError:  # they had enough
                return

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Quietly."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # handshakes that were refused
    if certificates is not None:
        files = ensure_certificates(certificates)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(files.certificate, files.key)
        context.sni_callback = _note_name(net)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


def _note_name(net: Internet) -> Callable[..., None]:
    def note(_: object, name: str | None, __: object) -> None:
        net.presented.append(name or "")

    return note
