"""An IMAP server that does what a test tells it: polite by default, hostile on demand, and it remembers every byte.

`PoliteImap` answers what our verbs ask, about one mailbox with three messages. A test bends it: `change` gets every
answer before it goes out, `greeting` and `capabilities` are plain values, and `behave` replaces the whole dialogue.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from webmail.protocol.types import Login, Security, Server

LOGIN = Login("alice@demo.test", "demo")
UIDVALIDITY = 77
UIDS = (11, 12, 15)
BODY = b"Hello Alice,\r\nthe ferry leaves at nine.\r\nBob\r\n"
HEADER = b"Subject: Ferry\r\nFrom: bob@demo.test\r\n\r\n"
STRUCTURE = b'("text" "plain" ("charset" "utf-8") NIL NIL "7bit" %d 3 NIL NIL NIL NIL)' % len(BODY)
CAPABILITIES = (
    b"IMAP4rev1 SASL-IR AUTH=PLAIN ENABLE CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS SPECIAL-USE ESEARCH ID UIDPLUS"
)

_SECTION = re.compile(rb"BODY\.PEEK\[([^\]]*)\](?:<(\d+)\.(\d+)>)?")


@dataclass
class PoliteImap:
    """One server for many connections, each in its own thread."""

    greeting: bytes = b""
    capabilities: bytes = CAPABILITIES
    change: Callable[[str, bytes], bytes] = lambda verb, answer: answer
    behave: Callable[[socket.socket], None] | None = None
    lines: list[bytes] = field(default_factory=list)  # every command line, with its tag
    appended: list[bytes] = field(default_factory=list)  # every literal of an APPEND
    connections: int = 0
    open_now: int = 0

    def __enter__(self) -> PoliteImap:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.hang_up()

    @property
    def server(self) -> Server:
        return Server("127.0.0.1", self.port, Security.NONE, allow_private=True)

    def hang_up(self) -> None:
        """Cut every connection, as a server that restarts does."""
        with self._lock:
            sockets, self._sockets = self._sockets, []
        for sock in sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def tell_all(self, data: bytes) -> None:
        """Say something to every connection, unasked."""
        with self._lock:
            for sock in self._sockets:
                sock.sendall(data)

    def verbs(self) -> list[str]:
        """The commands so far, without tags and arguments."""
        return [_verb(line.partition(b" ")[2]) for line in self.lines]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._sockets.append(sock)
                self.connections += 1
                self.open_now += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            (self.behave or self._dialogue)(sock)
        except OSError:
            pass  # the client hung up, or the test did
        finally:
            with self._lock:
                self.open_now -= 1
            sock.close()

    def _dialogue(self, sock: socket.socket) -> None:
        greeting = self.greeting or b"* OK [CAPABILITY %b] hello\r\n" % self.capabilities
        sock.sendall(self.change("GREETING", greeting))
        with sock.makefile("rb") as file:
            for line in file:
                self.lines.append(line)
                tag, _, command = line.rstrip(b"\r\n").partition(b" ")
                verb = _verb(command)
                if verb == "APPEND":
                    self._take_literal(sock, file, command)
                sock.sendall(self.change(verb, self.answer(tag, verb, command)))
                if verb == "LOGOUT":
                    return

    def _take_literal(self, sock: socket.socket, file: BinaryIO, command: bytes) -> None:
        """Ask for the literal unless it comes unasked, and keep it."""
        literal = re.search(rb"\{(\d+)(\+?)\}\Z", command)
        if literal is None:
            return
        if not literal[2]:
            sock.sendall(self.change("CONTINUE", b"+ go on\r\n"))
        self.appended.append(file.read(int(literal[1])))
        self.lines.append(b"W0 END " + file.readline())

    def answer(self, tag: bytes, verb: str, command: bytes) -> bytes:
        """What a polite server says to `command`."""
        data = b""
        end = b"OK done"
        if verb == "AUTHENTICATE" or verb == "LOGIN":
            end = b"OK [CAPABILITY %b] in" % self.capabilities
        elif verb == "CAPABILITY":
            data = b"* CAPABILITY %b\r\n" % self.capabilities
        elif verb == "LIST":
            data = b'* LIST (\\Subscribed) "/" INBOX\r\n* LIST (\\Sent) "/" "Sent"\r\n'
            data += b"* STATUS INBOX (MESSAGES 3 UNSEEN 1 UIDNEXT 16 UIDVALIDITY 77 HIGHESTMODSEQ 9)\r\n"
            data += b"* STATUS Sent (MESSAGES 0 UNSEEN 0 UIDNEXT 1 UIDVALIDITY 78 HIGHESTMODSEQ 1)\r\n"
        elif verb == "STATUS":
            name = command.split(b" ", 1)[1].rpartition(b" (")[0]
            data = b"* STATUS %b (MESSAGES 3 UNSEEN 1 UIDNEXT 16 UIDVALIDITY 77 HIGHESTMODSEQ 9)\r\n" % name
        elif verb in ("SELECT", "EXAMINE"):
            data = b"* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 77] ok\r\n* OK [UIDNEXT 16] ok\r\n"
            data += b"* OK [HIGHESTMODSEQ 9] ok\r\n"
            end = b"OK [READ-WRITE] selected" if verb == "SELECT" else b"OK [READ-ONLY] selected"
        elif verb in ("FETCH", "UID FETCH"):
            data = b"".join(
                _fetched(number, uid, command) for number, uid in enumerate(UIDS, 1) if _names(command, uid)
            )
        elif verb == "UID SEARCH":
            data = b'* ESEARCH (TAG "%b") UID ALL 11:12,15\r\n' % tag
        elif verb == "APPEND":
            end = b"OK [APPENDUID 77 16] filed"
        elif verb == "LOGOUT":
            data = b"* BYE\r\n"
        return data + tag + b" " + end + b"\r\n"


def _verb(command: bytes) -> str:
    words = command.upper().split()
    if not words:
        return ""
    return (b" ".join(words[:2]) if words[0] == b"UID" else words[0]).decode("ascii", "replace")


def _names(command: bytes, uid: int) -> bool:
    words = command.split()
    if words[0].upper() == b"FETCH":
        return True
    for part in words[2].split(b","):
        low, _, high = part.partition(b":")
        if int(low) <= uid <= (1 << 32 if high == b"*" else int(high or low)):
            return True
    return False


def _fetched(number: int, uid: int, command: bytes) -> bytes:
    items = b"UID %d FLAGS (\\Seen) MODSEQ (9)" % uid
    if b"BODYSTRUCTURE" in command:
        items += b' INTERNALDATE "23-Nov-2026 08:11:07 +0000" RFC822.SIZE 99 BODYSTRUCTURE ' + STRUCTURE
    for section, offset, length in _SECTION.findall(command):
        body = HEADER if section.startswith(b"HEADER") else BODY
        origin = b""
        if length:
            body = body[int(offset) : int(offset) + int(length)]
            origin = b"<%b>" % offset
        items += b" BODY[%b]%b {%d}\r\n%b" % (section, origin, len(body), body)
    return b"* %d FETCH (%b)\r\n" % (number, items)
