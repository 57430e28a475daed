"""Many idle connections in one selector: what servers say unasked, as facts (IDLE, RFC 2177; NOTIFY, RFC 5465).

One connection's states:

    added ──NOTIFY, where offered──▶ notifying ──answered──▶ asking ──"+"──▶ idling
                                                               ▲               │ every REISSUE seconds
                                                               └──OK── ending ◀┘ DONE
    no answer for ANSWER seconds, EOF, nonsense ──▶ Fact DEAD      BYE ──▶ Fact BYE      NO or BAD ──▶ Fact REFUSED

After one of these three facts the connection is closed and forgotten. DONE every nine minutes keeps servers (which may
hang up after 29, RFC 2177) and NATs awake and finds peers that are dead without a word; TCP's own keepalive finds most
of them sooner.

A connection costs a socket, its TLS state and one small object: no thread, no buffer of its own, no IMAPClient. Reading
is bounded like everywhere: a server that says too much is dead to us, one that says much doesn't keep others waiting.
"""

from __future__ import annotations

import contextlib
import enum
import re
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from .connection import mailbox_name
from .errors import BadAnswer
from .mailboxes import canonical
from .tokens import string, tokenize
from .wire import HandedOver

REISSUE = 540.0  # seconds
ANSWER = 30.0  # seconds that an answer may take
REST = 10.0  # seconds before a server that ended IDLE of its own accord is asked again
LOOK = 1.0  # seconds between two looks at what is overdue
MAX_RESPONSE = 1 << 16  # octets; what notices come to is far less
MAX_NAME = 4096  # octets of a literal that are kept: names of mailboxes
CHUNK = 1 << 16
CHUNKS = 4  # read from one connection before the others have their turn

# RFC 5465 §5: FlagChange only together with the other two.
NOTIFY = (
    b"NOTIFY SET (selected (MessageNew MessageExpunge FlagChange)) "
    b"(personal (MessageNew MessageExpunge FlagChange MailboxName))"
)

_NUMBERED = re.compile(rb"\* \d{1,10} (EXISTS|EXPUNGE|FETCH)\b", re.IGNORECASE)
_NAMED = re.compile(rb"\* (STATUS|LIST|VANISHED|BYE|OK \[NOTIFICATIONOVERFLOW)\b", re.IGNORECASE)
_LITERAL = re.compile(rb"\{(\d{1,20})\+?\}\r?\n\Z")
_FREE_TEXT = re.compile(rb"(?:\*|[A-Za-z0-9]+) (?:OK|NO|BAD|BYE|PREAUTH)\b|\+", re.IGNORECASE)


class What(enum.Enum):
    """What happened: to messages, to the list of mailboxes, or to the connection.

    READY comes once: what happens from then on is told. What happened before, between SELECT and the first "+", may
    not be: Dovecot with NOTIFY is silent about it for half a minute.
    """

    READY = "ready"
    NEW = "new"
    CHANGED = "changed"
    VANISHED = "vanished"
    LISTED = "listed"  # a mailbox was made, renamed or deleted; or the server lost track of what it should tell
    BYE = "bye"
    DEAD = "dead"
    REFUSED = "refused"

    @property
    def is_end(self) -> bool:
        """Whether the connection is no more."""
        return self in _ENDS


_ENDS = frozenset({What.BYE, What.DEAD, What.REFUSED})
_KINDS = {b"EXISTS": What.NEW, b"EXPUNGE": What.VANISHED, b"FETCH": What.CHANGED, b"VANISHED": What.VANISHED}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something happened on the connection `key`.

    Attributes:
        mailbox: its name; "" for the selected one, and where it has none to do with it.
        detail: why a connection ended, for the log.
    """

    key: int
    what: What
    mailbox: str = ""
    detail: str = ""


class Idling:
    """The connections. `add`, `drop` and `wake` may be called from any thread, `wait` from one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._lines: dict[int, _Line] = {}
        self._more: set[int] = set()  # have more to read than they were allowed to
        self._requests: list[tuple[int, HandedOver | None]] = []
        self._lock = threading.Lock()
        self._bell, self._rope = socket.socketpair()
        for each in (self._bell, self._rope):
            each.setblocking(False)
        self._selector.register(self._bell, selectors.EVENT_READ, None)
        self._buffer = memoryview(bytearray(CHUNK))
        self._next_look = 0.0

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, key: int) -> bool:
        return key in self._lines

    def add(self, key: int, given: HandedOver) -> None:
        """Let a connection idle, in place of an earlier one of the same key; it is ours from now on."""
        self._request(key, given)

    def drop(self, key: int) -> None:
        """Log out and close, without waiting for the server. No fact comes of it."""
        self._request(key, None)

    def wake(self) -> None:
        """End a `wait` that is going on."""
        with contextlib.suppress(OSError):  # full: it rings already
            self._rope.send(b"!")

    def wait(self, seconds: float) -> list[Fact]:
        """What happened, as soon as something did, and at the latest after about `seconds`."""
        facts = self._obey()
        patience = 0.0 if facts or self._more else min(seconds, max(0.0, self._next_look - self._clock()))
        ready = self._selector.select(patience)
        keys = dict.fromkeys(self._more)
        self._more.clear()
        for selected, _ in ready:
            if selected.data is None:
                self._silence()
            else:
                keys[selected.data] = None
        facts += self._obey()
        for key in keys:
            if line := self._lines.get(key):
                facts += self._read(line)
        if self._clock() >= self._next_look:
            facts += self._look()
            self._next_look = self._clock() + LOOK
        return facts

    def close(self) -> None:
        """Close everything."""
        self._obey()
        for line in list(self._lines.values()):
            self._part(line)
        self._selector.close()
        self._bell.close()
        self._rope.close()

    def _request(self, key: int, given: HandedOver | None) -> None:
        with self._lock:
            self._requests.append((key, given))
        self.wake()

    def _silence(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._bell.recv(4096):
                pass

    def _obey(self) -> list[Fact]:
        with self._lock:
            requests, self._requests = self._requests, []
        facts: list[Fact] = []
        for key, given in requests:
            if old := self._lines.get(key):
                self._part(old)
            if given is not None:
                facts += self._begin(key, given)
        return facts

    def _begin(self, key: int, given: HandedOver) -> list[Fact]:
        line = _Line(key, given)
        self._lines[key] = line
        try:
            given.sock.setblocking(False)
            self._selector.register(given.sock, selectors.EVENT_READ, key)
        except (OSError, ValueError) as error:
            return [self._end(line, What.DEAD, str(error))]
        facts: list[Fact] = []
        try:
            line.ask(self._clock())
            line.hear(given.unread, self._clock(), facts)
        except _Ended as end:
            return [*facts, self._end(line, end.what, end.detail)]
        self._more.add(key)  # TLS may hold what its socket doesn't show
        return facts

    def _read(self, line: _Line) -> list[Fact]:
        facts: list[Fact] = []
        try:
            for _ in range(CHUNKS):
                try:
                    size = line.sock.recv_into(self._buffer)
                except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    return facts
                except OSError as error:
                    raise _Ended(What.DEAD, error.strerror or str(error)) from error
                if size == 0:
                    raise _Ended(What.DEAD, "the server closed the connection")
                line.hear(bytes(self._buffer[:size]), self._clock(), facts)
        except _Ended as end:
            return [*facts, self._end(line, end.what, end.detail)]
        self._more.add(line.key)
        return facts

    def _look(self) -> list[Fact]:
        """Ask again where it is time, and give up those that didn't answer."""
        now, facts = self._clock(), []
        for line in [line for line in self._lines.values() if line.due <= now]:
            try:
                line.overdue(now)
            except _Ended as end:
                facts.append(self._end(line, end.what, end.detail))
        return facts

    def _part(self, line: _Line) -> None:
        with contextlib.suppress(_Ended):
            line.say(b"DONE\r\nW0 LOGOUT\r\n" if line.state is _State.IDLING else b"W0 LOGOUT\r\n")
        self._close(line)

    def _end(self, line: _Line, what: What, detail: str) -> Fact:
        self._close(line)
        return Fact(line.key, what, detail=detail[:500])

    def _close(self, line: _Line) -> None:
        self._lines.pop(line.key, None)
        self._more.discard(line.key)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(line.sock)
        line.sock.close()


class _Ended(Exception):
    def __init__(self, what: What, detail: str) -> None:
        self.what, self.detail = what, detail


class _State(enum.Enum):
    NOTIFYING = 0
    ASKING = 1
    IDLING = 2
    ENDING = 3
    RESTING = 4


class _Line:
    """One idle connection: its place in the dialogue, and what of a response has come."""

    __slots__ = ("_is_ready", "_notify", "_parts", "_rest", "_skip", "_tag", "due", "key", "sock", "state")

    def __init__(self, key: int, given: HandedOver) -> None:
        self.key = key
        self.sock = given.sock
        self.state = _State.ASKING
        self.due = 0.0
        self._tag = 0
        self._notify = "NOTIFY" in given.capabilities  # to be said before the next IDLE
        self._is_ready = False
        self._rest = b""
        self._skip = 0  # octets of a literal still to come that nobody wants
        self._parts: tuple[bytes, ...] = ()  # of a response: line, literal, …

    def say(self, data: bytes) -> None:
        """Send a few octets. A peer whose buffers are full of them is dead."""
        try:
            if self.sock.send(data) == len(data):
                return
        except OSError as error:
            raise _Ended(What.DEAD, error.strerror or str(error)) from error
        raise _Ended(What.DEAD, "the server takes nothing any more")

    def ask(self, now: float) -> None:
        """Begin to idle."""
        self._tag += 1
        self.state, command = (_State.NOTIFYING, NOTIFY) if self._notify else (_State.ASKING, b"IDLE")
        self._notify = False
        self.due = now + ANSWER
        self.say(b"W%d %b\r\n" % (self._tag, command))

    def overdue(self, now: float) -> None:
        """What follows when `due` has come."""
        if self.state is _State.IDLING:
            self.say(b"DONE\r\n")
            self.state, self.due = _State.ENDING, now + ANSWER
        elif self.state is _State.RESTING:
            self.ask(now)
        else:
            raise _Ended(What.DEAD, "no answer in time")

    def hear(self, data: bytes, now: float, facts: list[Fact]) -> None:
        """Add the facts in what came; half a response is kept for the next time."""
        data = self._rest + data if self._rest else data
        at = 0
        while True:
            if self._skip:
                passed = min(self._skip, len(data) - at)
                at += passed
                self._skip -= passed
                if self._skip:
                    break
            end = data.find(b"\n", at) + 1
            if not end:
                break
            line = data[at:end]
            literal = None if self._parts == () and _FREE_TEXT.match(line) else _LITERAL.search(line)
            if literal is not None:
                size = int(literal[1])
                if size <= MAX_NAME and len(data) < end + size:
                    break  # the line and its literal are read together
                self._keep(line, data[end : end + size] if size <= MAX_NAME else b"")
                at = end + size if size <= MAX_NAME else end
                self._skip = 0 if size <= MAX_NAME else size
                continue
            at = end
            response, self._parts = [*self._parts, line], ()
            if fact := self._understand(response, now):
                facts.append(fact)
        self._rest = data[at:]
        if len(self._rest) > MAX_RESPONSE:
            raise _Ended(What.DEAD, "a response is too long")

    def _keep(self, *parts: bytes) -> None:
        self._parts += parts
        if sum(map(len, self._parts)) > MAX_RESPONSE or len(self._parts) > MAX_NAME:
            raise _Ended(What.DEAD, "a response is too long")

    def _understand(self, response: list[bytes], now: float) -> Fact | None:
        first = response[0]
        if first.startswith(b"* "):
            return self._notice(response, now)
        if first.startswith(b"+"):
            if self.state is _State.ASKING:
                self.state, self.due = _State.IDLING, now + REISSUE
                if not self._is_ready:
                    self._is_ready = True
                    return Fact(self.key, What.READY)
            return None
        tag, _, rest = first.partition(b" ")
        if tag != b"W%d" % self._tag or self.state is _State.RESTING:
            raise _Ended(What.DEAD, "an answer to nothing that was asked")
        self._answered(rest[:3].strip().upper() == b"OK", rest, now)
        return None

    def _notice(self, response: list[bytes], now: float) -> Fact | None:
        first = response[0]
        if match := _NUMBERED.match(first):
            return Fact(self.key, _KINDS[match[1].upper()])
        match = _NAMED.match(first)
        kind = match[1].upper() if match else b""
        if kind == b"BYE":
            raise _Ended(What.BYE, first[6:].decode("utf-8", "replace").strip())
        if kind == b"VANISHED":
            return Fact(self.key, What.VANISHED)
        if kind == b"STATUS":
            return self._named(What.NEW, response)
        if kind == b"LIST":
            return Fact(self.key, What.LISTED)
        if kind:  # NOTIFICATIONOVERFLOW (RFC 5465 §5.8): until we ask again, only the selected mailbox is told of
            self._notify = True
            return Fact(self.key, What.LISTED)
        return None

    def _named(self, what: What, response: list[bytes]) -> Fact | None:
        try:
            tokens = tokenize(response)
        except BadAnswer:
            return None
        name = mailbox_name(string(tokens[2])) if len(tokens) > 2 else ""
        return Fact(self.key, what, canonical(name)) if name else None

    def _answered(self, ok: bool, rest: bytes, now: float) -> None:
        if self.state is _State.NOTIFYING:  # refused or not: IDLE tells of the selected mailbox at least
            self.ask(now)
        elif not ok:
            raise _Ended(What.REFUSED, rest.decode("utf-8", "replace").strip())
        elif self.state is _State.ENDING:
            self.ask(now)
        else:
            self.state, self.due = _State.RESTING, now + REST
