"""The bytes of one connection: bounded in line length, literal size, amount and time.

A server is as untrusted as a message. Whatever it sends, reading it ends: with a line, with a literal,
or with an error from `errors`. Nothing is written to a log here, so no password can be.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import struct
import time
import zlib
from dataclasses import dataclass

from .errors import BadAnswer, ConnectionLost, Untrusted

MAX_LINE = 1 << 20  # octets of a line, literals apart (security §5.5)
MAX_LITERAL = 50 << 20  # octets of one literal
MAX_SEGMENTS = 2_000  # literals in one response

_CHUNK = 1 << 18
_RTT_AT = 68  # where struct tcp_info of Linux has tcpi_rtt, in microseconds
_KEPT = 1 << 16  # octets of either end that are kept of a line that is too long
_LITERAL = re.compile(rb"\{(\d{1,20})\+?\}\r?\n\Z")
# Free text may end in what looks like a literal; nothing follows it.
_FREE_TEXT = re.compile(rb"(?:\*|[A-Za-z0-9]+) (?:OK|NO|BAD|BYE|PREAUTH)\b|\+", re.IGNORECASE)
# What a message can make too long, a thousand attachments with long names, must not make its mailbox unreadable.
_FETCH = re.compile(rb"\* \d{1,10} FETCH \(", re.IGNORECASE)
# Whole FETCH responses, one behind the other: a line that ends so announces no literal.
_FETCHES = re.compile(rb"(?:\* \d{1,10} FETCH \(.*\)\r\n)+")


class Cut(list[bytes]):
    """A FETCH response that was too long: one line, whose middle is missing, the last literal, the last line."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What is left of a connection when nobody wants its verbs any more: little, so that thousands can idle.

    Attributes:
        sock: logged in, with its mailbox selected. unread: what had come already. capabilities: in capitals.
    """

    sock: socket.socket
    unread: bytes
    capabilities: frozenset[str]


class Wire:
    """A socket with a buffer, a deadline and a budget.

    Args:
        sock: connected; owned by this object from now on.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.received = 0  # octets so far, for telling "no answer at all" from "half an answer"
        self.commands = 0
        self.round_trips = 0
        self._buffer = b""
        self._at = 0
        self._deadline = time.monotonic()
        self._budget = 0
        self._dropped = 0
        self._deflater: zlib._Compress | None = None
        self._inflater: zlib._Decompress | None = None
        self._deflated = b""  # what came and isn't inflated yet
        self._may_hold_more = False  # the inflater stopped because it had given enough, not for want of input

    def allow(self, seconds: float, octets: int) -> None:
        """Set how long and how much may be read and written from now on.

        Args:
            seconds: until every further wait fails with ConnectionLost.
            octets: until every further read fails with BadAnswer.
        """
        self._deadline = time.monotonic() + seconds
        self._budget = octets

    def send(self, data: bytes) -> None:
        """Write all of `data`.

        Raises:
            ConnectionLost: the other end is gone, or the deadline passed.
        """
        if self._deflater is not None:
            data = self._deflater.compress(data) + self._deflater.flush(zlib.Z_SYNC_FLUSH)
        try:
            self.sock.settimeout(self._remaining())
            self.sock.sendall(data)
        except OSError as error:
            raise ConnectionLost(detail=_reason(error)) from error

    def response(self) -> list[bytes]:
        """One response: its lines and the literals between them, alternating, lines with their line end.

        Of a FETCH response that is too long the middle is dropped as it comes: see `Cut`.

        Raises:
            ConnectionLost: the other end is gone, or the deadline passed.
            BadAnswer: a limit was passed.
        """
        self._dropped = 0
        line = self._line()
        if not self._dropped and line[-2:] != b"}\n" and line[-3:] != b"}\r\n":
            return [line]
        segments = [line]
        if _FREE_TEXT.match(line):
            return segments
        length, cut = len(line), self._dropped > 0
        while literal := _LITERAL.search(line):
            segments.append(self.read(int(literal[1])))
            line = self._line(segments[0])
            length += len(line)
            segments.append(line)
            cut = cut or self._dropped > 0 or length > MAX_LINE or len(segments) > MAX_SEGMENTS
            if cut and not _FETCH.match(segments[0]):
                raise BadAnswer(detail="a response is too long")
            if cut:
                self._drop(sum(map(len, segments[1:-3])))
                segments[1:-3] = []
        if not cut:
            return segments
        if len(segments) < 3:
            raise BadAnswer(detail="a response is too long")
        return Cut([b"".join(segments[:-2]), *segments[-2:]])

    def skip_fetches(self) -> None:
        """Leave out what has come of FETCH responses that nobody wants: STORE of 100,000 messages has as many."""
        if skipped := _FETCHES.match(self._buffer, self._at):
            self._at = skipped.end()

    def readline(self) -> bytes:
        """One line with its line end. Raises as `response` does."""
        self._dropped = 0
        line = self._line()
        if self._dropped:
            raise BadAnswer(detail="a line is too long")
        return line

    def read(self, size: int) -> bytes:
        """Exactly `size` octets. Raises as `response` does."""
        if size > MAX_LITERAL:
            raise BadAnswer(detail=f"a literal of {size} octets")
        end = self._at + size
        if end <= len(self._buffer):
            data = self._buffer[self._at : end]
            self._at = end
            return data
        pieces = [self._buffer[self._at :]]
        missing = size - len(pieces[0])
        while missing > 0:  # what is announced is not allocated before it comes
            data = self._receive()
            if missing < len(data):
                pieces.append(data[:missing])
                self._buffer, self._at = data, missing
                return b"".join(pieces)
            pieces.append(data)
            missing -= len(data)
        self._buffer, self._at = b"", 0
        return b"".join(pieces)

    def start_tls(self, context: ssl.SSLContext, hostname: str) -> None:
        """Go on inside TLS.

        Raises:
            Untrusted: the certificate is not good for `hostname`, or bytes had come before TLS began: they are
                what an attacker would slip in (nostarttls.secvuln.info).
            ConnectionLost: the other end went away.
        """
        if self._at < len(self._buffer):
            raise Untrusted(detail="the server sent data before TLS began")
        try:
            self.sock.settimeout(self._remaining())
            self.sock = context.wrap_socket(self.sock, server_hostname=hostname)
        except ssl.SSLCertVerificationError as error:
            raise Untrusted(detail=error.verify_message) from error
        except ssl.SSLError as error:
            raise Untrusted(detail=error.reason or str(error)) from error
        except ValueError as error:  # a host name that can't be in a certificate
            raise Untrusted(detail=str(error)) from error
        except OSError as error:
            raise ConnectionLost(detail=_reason(error)) from error

    def start_deflate(self) -> None:
        """Go on with both directions compressed (RFC 4978). What has come behind the server's OK is so already.

        However much a few octets inflate to, it comes in pieces, and each counts against the budget.
        """
        self._deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        self._inflater = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        self._deflated, self._buffer, self._at = self._buffer[self._at :], b"", 0

    def round_trip_seconds(self) -> float | None:
        """How long the other end takes to answer a packet, as the system has measured; None where it doesn't say."""
        if not hasattr(socket, "TCP_INFO"):
            return None
        try:
            info = self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RTT_AT + 4)
        except OSError:
            return None
        return int(struct.unpack_from("I", info, _RTT_AT)[0]) / 1e6 if len(info) == _RTT_AT + 4 else None

    def pending(self) -> bool:
        """Whether something waits to be read (or the other end has closed); costs no round trip."""
        if self._at < len(self._buffer) or self._deflated or self._may_hold_more:
            return True
        if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
            return True
        try:
            # poll, not select: a busy process may hold file descriptors above 1,024.
            poll = select.poll()
            poll.register(self.sock, select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True

    def give_away(self) -> tuple[socket.socket, bytes]:
        """The socket, for somebody else from now on, and what came and was not read yet.

        Raises:
            RuntimeError: it is compressed, so that nobody else could read it.
        """
        if self._inflater is not None:
            raise RuntimeError("a compressed connection can't be handed over")
        given, self.sock = self.sock, socket.socket()
        self.sock.close()
        return given, self._buffer[self._at :]

    def close(self) -> None:
        """Close the socket without a word to the other end."""
        self.sock.close()

    def _line(self, first: bytes = b"") -> bytes:
        """One line with its line end; of one over MAX_LINE in a FETCH response both ends, without what lies between.

        Args:
            first: the response's first line, unless this is it.
        """
        end = self._buffer.find(b"\n", self._at) + 1
        if end:
            line = self._buffer[self._at : end]
            self._at = end
            return line
        pieces = [self._buffer[self._at :]]
        length = len(pieces[0])
        while True:
            data = self._receive()
            end = data.find(b"\n") + 1
            pieces.append(data[:end] if end else data)
            length += len(pieces[-1])
            if length > MAX_LINE:
                line = b"".join(pieces)
                if not _FETCH.match(first or line):
                    raise BadAnswer(detail="a line is too long")
                pieces = [line[:_KEPT], line[-_KEPT:]]
                self._drop(length - 2 * _KEPT)
                length = 2 * _KEPT
            if end:
                self._buffer, self._at = data, end
                return b"".join(pieces)

    def _drop(self, octets: int) -> None:
        """Take no account of what is not kept; of one response as much as a literal may hold."""
        self._dropped += octets
        if self._dropped > MAX_LITERAL:
            raise BadAnswer(detail="a response is too long")
        self._budget += octets
        self.received -= octets

    def _receive(self) -> bytes:
        data = self._read_some() if self._inflater is None else self._inflate(self._inflater)
        self.received += len(data)
        self._budget -= len(data)
        if self._budget < 0:
            raise BadAnswer(detail="an answer is too long")
        return data

    def _read_some(self) -> bytes:
        try:
            self.sock.settimeout(self._remaining())
            data = self.sock.recv(_CHUNK)
        except OSError as error:
            raise ConnectionLost(detail=_reason(error)) from error
        if not data:
            raise ConnectionLost(detail="the server closed the connection")
        return data

    def _inflate(self, inflater: zlib._Decompress) -> bytes:
        """The next octets, at most _CHUNK."""
        while True:
            if not self._deflated and not self._may_hold_more:
                self._deflated = self._read_some()
            try:
                data = inflater.decompress(self._deflated, _CHUNK)
            except zlib.error as error:
                raise BadAnswer(detail="compressed data that can't be read") from error
            self._deflated, self._may_hold_more = inflater.unconsumed_tail, len(data) == _CHUNK
            if data:
                return data
            if inflater.eof:
                raise ConnectionLost(detail="the server ended the compression")

    def _remaining(self) -> float:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("timed out")
        return remaining


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return error.strerror or str(error) or type(error).__name__
