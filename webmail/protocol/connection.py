"""One IMAP connection: opened through the guard, logged in, with the verbs of the RFC.

The only file that knows IMAPClient. IMAPClient opens the session (greeting, capabilities, STARTTLS,
AUTHENTICATE) and spells the names of mailboxes, over our own bounded `Wire`; the verbs send their
commands through the pipeline of `exchange`, because a verb must cost one round trip and hold no more
than it asked for.
"""

from __future__ import annotations

import imaplib
import time
from collections.abc import Callable
from typing import Any

from imapclient import IMAPClient, imap_utf7

from .arranging import Arranging
from .compression import compress
from .errors import ConnectionFailed, ConnectionLost, Forbidden, ProtocolError, Untrusted
from .exchange import Answer, Command, quoted, quoted_octets, read_answer
from .guard import imap_text, is_loopback, open_socket, tls_context
from .logging_in import log_in, speaking, text_of, turned_away
from .types import Login, Security, Server
from .wire import HandedOver, Wire

HANDSHAKE = 1 << 20  # octets that the answers of one step before the first verb may come to
GOODBYE = 1.0  # seconds that LOGOUT may take
MAX_NAME = 1_000  # characters of a mailbox name
RAW = "\N{REPLACEMENT CHARACTER}"  # begins a name that is kept as the server spelt it


def connect(
    server: Server,
    login: Login | None,
    *,
    connect_timeout: float = 10,
    command_timeout: float = 60,
    compressed: bool = True,
    turn: Callable[[], object] = lambda: None,
    renew: Callable[[], Login] | None = None,
) -> Connection:
    """Open a connection and log in.

    Args:
        server: where, and how protected.
        login: None to stop before logging in.
        connect_timeout: seconds for look-up, TCP, TLS and greeting together.
        command_timeout: seconds for the log-in, and for each verb later on.
        compressed: False for one that will be handed over: COMPRESS would cost it 300 kB.
        turn: called whenever a name and password are about to be sent, later on as well; may wait, and raise.
        renew: what to log in with when the connection is opened again, if that isn't `login` for ever.

    Raises:
        ConnectionFailed, TooManyConnections, TryAgain: later it may work.
        LoginNeeded: the name or password is wrong.
        Untrusted, Forbidden, BadAnswer, Refused: trying again won't help.
    """
    wire, capabilities = _open(server, login, (connect_timeout, command_timeout), compressed, turn)
    return Connection(server, login, wire, capabilities, connect_timeout, command_timeout, compressed, turn, renew)


class Connection(Arranging):
    """One connection to one IMAP server. Not thread-safe: `Pool` lends it to one borrower at a time."""

    def __init__(
        self,
        server: Server,
        login: Login | None,
        wire: Wire,
        capabilities: frozenset[str],
        connect_timeout: float = 10,
        command_timeout: float = 60,
        compressed: bool = True,
        turn: Callable[[], object] = lambda: None,
        renew: Callable[[], Login] | None = None,
    ) -> None:
        super().__init__(server, wire, command_timeout)
        self._login, self._turn, self._renew = login, turn, renew
        self._connect_timeout = connect_timeout
        self._compressed = compressed
        self._welcome(capabilities)

    def close(self) -> None:
        """Log out if that takes no time, and close. Never raises; may be called twice."""
        if not self.broken and not self._in_flight:
            self._until = time.monotonic() + GOODBYE
            self._preamble = []
            try:
                for _ in self._pipeline([Command(b"LOGOUT")]):
                    pass
            except ProtocolError:
                self.broken = True  # the usual end: the server says BYE and hangs up
        self._break()

    def discard(self) -> None:
        """Hang up without a word. May be called twice."""
        self._break()

    def hand_over(self) -> HandedOver:
        """Give the socket away, for `idle`. This object is broken from then on.

        Raises:
            ConnectionLost: it is not usable.
        """
        if not self.usable:
            raise ConnectionLost
        self.broken = True
        self._selection = None
        return HandedOver(*self._wire.give_away(), self.capabilities)

    @property
    def usable(self) -> bool:
        """Whether another verb may follow: in step with the server, and no stream unfinished."""
        return not self.broken and not self._in_flight

    def pending(self) -> bool:
        """Whether the server said something unasked or hung up while this connection lay idle; costs no round trip."""
        return self._wire.pending()

    def encode_name(self, name: str) -> bytes:
        """A mailbox name as a quoted string in modified UTF-7 (RFC 3501 §5.1.3)."""
        if not name or len(name) > MAX_NAME:
            raise Forbidden("This can't be the name of a mailbox.")
        imap_text(name)
        if not name.startswith(RAW):
            return quoted(imap_utf7.encode(name).decode("ascii"))
        try:
            return quoted_octets(name.removeprefix(RAW).encode("latin-1"))
        except UnicodeEncodeError as error:
            raise Forbidden("This can't be the name of a mailbox.") from error

    def decode_name(self, raw: bytes) -> str:
        """A mailbox name of a response: see `mailbox_name`."""
        return mailbox_name(raw)

    def _reopen(self) -> None:
        if self._renew is not None:
            self._login = self._renew()
        remaining = self._until - time.monotonic()
        seconds = min(self._connect_timeout, remaining), min(self._command_timeout, remaining)
        wire, capabilities = _open(self.server, self._login, seconds, self._compressed, self._turn)
        wire.commands += self._wire.commands
        wire.round_trips += self._wire.round_trips
        self._wire = wire
        self.broken = False
        self._welcome(capabilities)

    def _welcome(self, capabilities: frozenset[str]) -> None:
        """What is said once in a session. It travels with the first command, so it costs no round trip."""
        self.capabilities = capabilities
        self._preamble = []
        if self._login is None:
            return
        if self.has("ENABLE") and self.has("CONDSTORE"):
            wanted = b"QRESYNC" if self.has("QRESYNC") else b"CONDSTORE"
            self._preamble.append(Command(b"ENABLE " + wanted, then=self._enabled))
        if self.has("ID"):  # RFC 2971; NetEase lets nobody select a mailbox who hasn't said who he is
            self._preamble.append(Command(b'ID ("name" "webmail")'))

    def _enabled(self, answer: Answer) -> None:
        if not answer.ok:
            self.capabilities -= {"QRESYNC"}


def mailbox_name(raw: bytes) -> str:
    """A mailbox name of a response; "" where it could never be sent again.

    Some servers have names that aren't proper modified UTF-7: plain UTF-8, a bare "&". Such a name is RAW and its
    octets one by one, so that it is ugly, but the mailbox can be seen and read.
    """
    if not raw or len(raw) > MAX_NAME:
        return ""
    if not raw.isascii() or b"&" in raw:
        try:
            name: str = imap_utf7.decode(raw)
            proper = imap_utf7.encode(name) == raw and "\0" not in name and not name.startswith(RAW)
        except ValueError:  # among them all errors of decoding
            proper = False
        if not proper:
            name = RAW + raw.decode("latin-1")
    else:
        name = raw.decode("ascii")
    return name if len(name) <= MAX_NAME and not any(char in name for char in "\r\n\0") else ""


class _Imap4(imaplib.IMAP4):
    """imaplib's session over our wire, so that its reading is bounded in size and time as well."""

    def __init__(self, server: Server, wire: Wire) -> None:
        self._wire = wire
        super().__init__(server.host, server.port)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        self.host = host
        self.port = port
        self.sock = self._wire.sock

    def read(self, size: int) -> bytes:
        return self._wire.read(size)

    def readline(self) -> bytes:
        return self._wire.readline()

    def send(self, data: bytes) -> None:  # type: ignore[override]  # typeshed has Buffer; imaplib sends bytes
        self._wire.commands += 1
        self._wire.round_trips += 1
        self._wire.send(data)

    def shutdown(self) -> None:
        self._wire.close()

    def capability(self) -> tuple[str, list[Any]]:
        """The capabilities; without asking where the greeting named them (RFC 9051 §7.1)."""
        if self.state == "AUTH":
            # PREAUTH would let whoever sits between us skip STARTTLS and the log-in (RFC 9051 §11.3).
            raise Untrusted(detail="the server claims that we are logged in already (PREAUTH)")
        told = self.untagged_responses.pop("CAPABILITY", None)
        return ("OK", told) if told else super().capability()

    def _log(self, line: str) -> None:
        """Keep nothing: imaplib would hold the last ten lines, the password among them."""


class _Client(IMAPClient):  # type: ignore[misc]  # IMAPClient has no type hints
    """IMAPClient on a wire that is open already."""

    def __init__(self, server: Server, wire: Wire) -> None:
        self._given = (server, wire)
        super().__init__(server.host, server.port, ssl=False)
        self._imap.debug = 0  # IMAPClient sets 5 and would log every line, passwords too

    def _create_IMAP4(self) -> _Imap4:  # noqa: N802 - IMAPClient's name
        return _Imap4(*self._given)


def dial(server: Server, seconds: float) -> Wire:
    """The TCP connection, and seconds for the steps up to the greeting.

    Raises:
        Forbidden, ConnectionFailed: see `open_socket`. Untrusted: no protection, and not to this very machine.
    """
    until = time.monotonic() + seconds
    sock = open_socket(server.host, server.port, allow_private=server.allow_private, timeout=seconds)
    if server.security is Security.NONE and not is_loopback(sock):
        sock.close()
        raise Untrusted(detail="a connection without TLS is only allowed to this machine itself")
    wire = Wire(sock)
    wire.allow(until - time.monotonic(), HANDSHAKE)
    return wire


def secure(server: Server, wire: Wire) -> None:
    """TLS from the first byte on. Raises as `Wire.start_tls` does."""
    wire.start_tls(tls_context(server.ca_pem), server.host.removesuffix("."))


def greet(server: Server, wire: Wire) -> IMAPClient:
    """Read the greeting and the capabilities.

    Raises:
        Untrusted: PREAUTH. ConnectionFailed, TooManyConnections: turned away. BadAnswer: no IMAP server.
    """
    with speaking():
        try:
            return _Client(server, wire)
        except imaplib.IMAP4.error as error:
            greeting = error.args[0] if error.args else b""
            if isinstance(greeting, bytes) and greeting.upper().startswith(b"* BYE"):
                raise turned_away(read_answer(greeting[2:])) from error
            raise


def upgrade(server: Server, wire: Wire, client: IMAPClient) -> None:
    """STARTTLS (RFC 9051 §6.2.1). What was said before it is forgotten.

    Raises:
        Untrusted: not offered, refused, something was slipped in, or the certificate is bad.
    """
    imap = client._imap
    if "STARTTLS" not in imap.capabilities:
        raise Untrusted(detail="the server offers no STARTTLS")
    with speaking():
        status, data = imap._simple_command("STARTTLS")
        if status != "OK":
            raise Untrusted(detail=f"STARTTLS refused: {text_of(data)}")
        secure(server, wire)
        imap.untagged_responses.clear()
        imap._get_capabilities()


def _open(
    server: Server, login: Login | None, seconds: tuple[float, float], compressed: bool, turn: Callable[[], object]
) -> tuple[Wire, frozenset[str]]:
    wire = dial(server, seconds[0])
    try:
        if server.security is Security.TLS:
            secure(server, wire)
        client = greet(server, wire)
        if server.security is Security.STARTTLS:
            upgrade(server, wire, client)
        if login is None:
            return wire, frozenset(client._imap.capabilities)
        turn()
        wire.allow(seconds[1], HANDSHAKE)
        capabilities = log_in(client, login, server)
        if compressed:
            compress(wire, capabilities)
        return wire, capabilities
    except ConnectionLost as error:
        wire.close()
        raise ConnectionFailed(detail=error.detail) from error
    except BaseException:
        wire.close()
        raise
