"""One address for two servers."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.browser.live import end
from webmail.demo.front import Front
from webmail.demo.layout import free_port


def server(name: str) -> ThreadingHTTPServer:
    """A server that says its name, and what it was sent."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said = f"{name} {self.command} {self.path} ".encode() + body
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, daemon=True).start()
    return made


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a front with a server of pages and one of streams behind it."""
    servers = [server("pages"), server("live")]
    port, loop = free_port(), asyncio.new_event_loop()
    front = Front(servers[0].server_port, servers[1].server_port)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(front.listen(port), loop).result(10)
    yield port
    asyncio.run_coroutine_threadsafe(end(listening), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    for made in servers:
        made.shutdown()
        made.server_close()


def test_one_connection_reaches_both_in_turn(port: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for method, path, body, answer in (
        ("GET", "/", b"", b"pages GET / "),
        ("POST", "/sign-in/", b"a=1" * 60_000, b"pages POST /sign-in/ " + b"a=1" * 60_000),
        ("GET", "/live/", b"", b"live GET /live/ "),
        ("GET", "/lively/", b"", b"pages GET /lively/ "),
    ):
        client.request(method, path, body or None)
        assert client.getresponse().read() == answer


def test_a_body_of_unknown_length_is_passed_on(port: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    client.request("POST", "/", iter([b"a", b"b"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    assert client.getresponse().read() == b"pages POST / "


def test_what_is_no_request_ends(port: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    client.connect()
    with contextlib.suppress(ConnectionError):
        client.sock.sendall(b"x" * 200_000)
        assert client.sock.recv(10) == b""
