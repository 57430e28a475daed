"""A submission server that does what a test tells it: polite by default, cut or bent on demand; it keeps every byte."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from webmail.protocol.types import Security, Server

OFFERS = ("PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8", "DSN", "AUTH PLAIN LOGIN XOAUTH2")
# Where `cut` may say that the connection goes: before the answer to the verb named, or in the middle of the message.
CUTS = ("GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "MIDDLE", "END")


@dataclass
class PoliteSmtp:
    """One server for many connections, each in its own thread.

    Args:
        offers: what EHLO lists. change: gets the line and the answer to it before that goes out.
        cut: a point of CUTS, or "QUIT". tls: a context for implicit TLS or, with `starttls`, for the upgrade.
    """

    offers: tuple[str, ...] = OFFERS
    change: Callable[[bytes, bytes], bytes] = lambda line, answer: answer
    cut: str = ""
    tls: ssl.SSLContext | None = None
    starttls: bool = False
    ca_pem: str = ""
    lines: list[bytes] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)  # as they came, dots and all, in the order they were taken
    connections: int = 0

    def __enter__(self) -> PoliteSmtp:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    @property
    def server(self) -> Server:
        security = Security.STARTTLS if self.starttls else Security.TLS if self.tls else Security.NONE
        return Server("127.0.0.1", self.port, security, self.ca_pem, allow_private=True)

    def verbs(self) -> list[str]:
        """The commands so far, without their arguments."""
        return [line.split(b" ")[0].strip().decode("ascii", "replace").upper() for line in self.lines]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, _Cut):
            if self.tls and not self.starttls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            self._dialogue(sock)
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()

    def _dialogue(self, sock: socket.socket) -> None:
        self._say(sock, "GREETING", b"", b"220 hello\r\n")
        file = sock.makefile("rb")
        while line := file.readline():
            self.lines.append(line)
            verb = line.split(b" ")[0].strip().decode("ascii", "replace").upper()
            if verb == "STARTTLS" and self.tls:
                sock.sendall(b"220 go on\r\n")
                sock = self.tls.wrap_socket(sock, server_side=True)
                file = sock.makefile("rb")
            elif verb == "BDAT":
                self._chunk(sock, file, line)
            else:
                answer = self.answer(verb)
                self._say(sock, verb, line, answer)
                if verb == "DATA" and self.change(line, answer).startswith(b"354"):
                    self._message(sock, file)
            if verb == "QUIT":
                return

    def answer(self, verb: str) -> bytes:
        """What a polite server says."""
        if verb == "EHLO":
            listed = ("demo.test", *self.offers, *(("STARTTLS",) if self.starttls else ()))
            return b"".join(
                b"250%b%b\r\n" % (b" " if number == len(listed) - 1 else b"-", each.encode())
                for number, each in enumerate(listed)
            )
        return {
            "AUTH": b"235 2.7.0 in\r\n",
            "DATA": b"354 go on\r\n",
            "QUIT": b"221 bye\r\n",
        }.get(verb, b"250 2.0.0 ok\r\n")

    def _message(self, sock: socket.socket, file: BinaryIO) -> None:
        octets = b""
        while not octets.endswith(b"\r\n.\r\n") and octets != b".\r\n":
            line = file.readline()
            if not line:
                return
            octets += line
            if self.cut == "MIDDLE" and len(octets) > 100:
                raise _Cut
        self.messages.append(octets)
        self._say(sock, "END", b"", b"250 2.0.0 taken\r\n")

    def _chunk(self, sock: socket.socket, file: BinaryIO, line: bytes) -> None:
        words = line.split()
        self._part = getattr(self, "_part", b"") + file.read(int(words[1]))
        if self.cut == "MIDDLE":
            raise _Cut
        if len(words) > 2:
            self.messages.append(self._part)
            self._part = b""
        self._say(sock, "END" if len(words) > 2 else "BDAT", line, b"250 2.0.0 taken\r\n")

    def _say(self, sock: socket.socket, verb: str, line: bytes, answer: bytes) -> None:
        if self.cut and self.cut == verb:
            raise _Cut
        sock.sendall(self.change(line or verb.encode(), answer))


class _Cut(Exception):
    """The connection goes."""
