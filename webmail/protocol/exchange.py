"""Commands out, answers in: the pipeline under every verb of `Connection`.

Its one law: any doubt about where the stream stands breaks the connection for good (`broken`); it is
never used again. A command may be sent before the one ahead of it is answered. Servers do not keep the
order then: Dovecot answers SEARCH, STORE and NOOP only after the data of the FETCH behind them, because it
looks at the mailbox anew once for all of them. So what the server says is given to every command under way,
each of which knows its own by UID, name or offset; only SELECT is a border that nothing crosses.

    idle ──send──▶ waiting ──tagged answer──▶ idle
      │               │
      │               ├── EOF, BYE, deadline ──▶ ConnectionLost, broken
      │               └── limit, nonsense ─────▶ BadAnswer, broken
      └── had lain idle and died before any answer ──▶ reopened once, the same commands again

Repeating is safe because every command sent through here is: reading, or setting and clearing flags. `appending`
and `moving` send what isn't.
"""

from __future__ import annotations

import abc
import re
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass

from .errors import BadAnswer, ConnectionLost, ProtocolError, Refused, TooManyConnections, TryAgain
from .guard import imap_text
from .sets import read_set
from .tokens import number
from .types import Selected, Server
from .wire import Wire

WINDOW = 200  # commands under way at once
WINDOW_OCTETS = 32_000  # less than any receive buffer, so that sending never waits for reading
IDLE_SECONDS = 1.0  # a connection unused for longer "had lain idle"
BULK_PATIENCE = 3.0  # times the command timeout: what a verb of many commands may take
SMALL_ANSWER = 8 << 20  # octets; what a command's answer may come to unless it says otherwise
MOST = 96 << 20  # octets; what all answers to one verb may come to (a stream apart)
MOST_HELD = 180 << 20  # octets; what a verb may keep of them in memory, where small things take ten times their room

_CODE = re.compile(r"\[([A-Za-z0-9._-]{1,40})(?: ([^\]]*))?\]\s*")
_UNTAGGED_NUMBER = re.compile(rb"\* (\d{1,10}) (EXISTS|EXPUNGE)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """The tagged end of a command: OK, NO or BAD; the response code in capitals and what follows it; the text."""

    status: str
    code: str
    argument: str
    text: str

    @property
    def ok(self) -> bool:
        return self.status == "OK"


def no_data(_response: list[bytes]) -> None:
    """What a command does with untagged responses when it expects none."""


def no_more(_answer: Answer) -> None:
    """What a command does when it is answered and nothing follows from that at once."""


@dataclass(slots=True)
class Command:
    """One command on its way.

    Args:
        line: without tag and line end; every argument has passed `guard` or is made of digits.
        take: gets each untagged response that comes while this command is under way; commands may share one.
        border: what comes before the answer to this command is not for those behind it (SELECT).
        then: gets the answer, before anything that comes after it is read.
        octets: what its answer may come to.
    """

    line: bytes
    take: Callable[[list[bytes]], None] = no_data
    then: Callable[[Answer], None] = no_more
    octets: int = SMALL_ANSWER
    border: bool = False
    tag: bytes = b""
    answer: Answer | None = None

    @property
    def done(self) -> Answer:
        """The answer of a command that is known to be finished."""
        if self.answer is None:
            raise BadAnswer(detail="a command was not answered")
        return self.answer


@dataclass(slots=True)
class Selection:
    """The selected mailbox as the server keeps telling us about it."""

    name: str
    read_only: bool
    uidvalidity: int = 0
    uidnext: int = 0
    exists: int = 0
    highestmodseq: int = 0
    start: Selected | None = None  # as it stood when it was selected
    since: float = 0.0  # when that was (monotonic)

    def value(self) -> Selected:
        return Selected(self.name, self.uidvalidity, self.uidnext, self.exists, self.highestmodseq, self.read_only)


class Exchange(abc.ABC):
    """One connection's pipeline. Used by one thread at a time."""

    def __init__(self, server: Server, wire: Wire, command_timeout: float) -> None:
        self.server = server
        self.capabilities: frozenset[str] = frozenset()
        self.broken = False
        self.last_used = time.monotonic()
        self._wire = wire
        self._command_timeout = command_timeout
        self._until = self.last_used + command_timeout
        self._end = self._until
        self._left = MOST
        self._held = 0
        self._tag = 0
        self._in_flight = False
        self._heard = False
        self._selection: Selection | None = None
        self._preamble: list[Command] = []  # goes out with the first commands: it need not cost a round trip

    @property
    def commands(self) -> int:
        """How many commands were sent in the life of this connection."""
        return self._wire.commands

    @property
    def round_trips(self) -> int:
        """How often this connection had to wait for the server after sending."""
        return self._wire.round_trips

    @property
    def selected(self) -> Selected | None:
        """The selected mailbox, its counts as new as the last answer."""
        return self._selection.value() if self._selection else None

    def has(self, capability: str) -> bool:
        """Whether the server offers `capability` (any case)."""
        return capability.upper() in self.capabilities

    @abc.abstractmethod
    def encode_name(self, name: str) -> bytes:
        """A mailbox name as a quoted string for a command.

        Raises:
            Forbidden: it can't be a mailbox name.
        """

    @abc.abstractmethod
    def decode_name(self, raw: bytes) -> str:
        """A mailbox name of a response, as a person reads it; "" where it is not well-formed."""

    @abc.abstractmethod
    def _reopen(self) -> None:
        """Replace the wire by a fresh, logged-in one. Raises as `connect` does."""

    def _begin(self, octets: int = MOST, *, patience: float = BULK_PATIENCE) -> None:
        """Start a verb: from here on its time runs, and what it may make the server send is counted.

        Args:
            octets: what all its answers may come to.
            patience: how many times the command timeout a verb with `renew` may take in all.

        Raises:
            RuntimeError: a stream isn't finished. ConnectionLost: the connection is broken.
        """
        if self._in_flight:
            raise RuntimeError("a connection does one thing at a time; finish or close the stream first")
        if self.broken:
            raise ConnectionLost
        self._until = time.monotonic() + self._command_timeout
        self._end = time.monotonic() + self._command_timeout * patience
        self._left = octets
        self._held = 0

    def _hold(self, octets: int) -> None:
        """Count memory that a verb is about to keep.

        Raises:
            BadAnswer: it is too much.
        """
        self._held += octets
        if self._held > MOST_HELD:
            raise BadAnswer(detail="an answer that doesn't fit into memory")

    def _run(self, build: Callable[[], Iterable[Command]], *, check: bool = True, renew: bool = False) -> list[Command]:
        """Send commands, wait for all their answers.

        Args:
            build: makes the commands; called again after a reopening, when no mailbox is selected any more.
            check: raise for the first NO or BAD.
            renew: each answer restarts the clock (bulk reading), up to the verb's patience; otherwise all must come
                in the time of one command.

        Raises:
            ConnectionLost, BadAnswer: the connection is broken. Refused and its kin: see `refusal`.
        """
        lain_idle = time.monotonic() - self.last_used > IDLE_SECONDS
        self._heard = False
        try:
            done = self._send_and_wait(build, renew)
        except ConnectionLost:
            if not lain_idle or self._heard:
                raise
            self._reopen()
            done = self._send_and_wait(build, renew)
        if check:
            for command in done:
                if not command.done.ok:
                    raise refusal(command.done)
        return done

    def _send_and_wait(self, build: Callable[[], Iterable[Command]], renew: bool) -> list[Command]:
        commands = list(build())  # may itself exchange commands, so it comes before the preamble is taken
        preamble, self._preamble = self._preamble, []
        done = list(self._pipeline([*preamble, *commands], renew=renew))
        return done[len(preamble) :]

    def _pipeline(
        self, commands: Iterable[Command], *, renew: bool = False, window: int = WINDOW
    ) -> Generator[Command, None, None]:
        """Send ahead, yield each command in order when it is answered. Left early, the connection is broken."""
        source = iter(commands)
        queue: deque[Command] = deque()
        self._in_flight = True
        finished = False
        try:
            while True:
                self._fill(queue, source, window)
                if not queue:
                    break
                self._complete(queue)
                yield queue.popleft()
                if renew:  # from here: whoever took the data may have taken long
                    self._until = min(time.monotonic() + self._command_timeout, self._end)
            finished = True
        finally:
            self._in_flight = False
            self.last_used = time.monotonic()
            if not finished:
                self._break()

    def _fill(self, queue: deque[Command], source: Iterator[Command], window: int) -> None:
        under_way = sum(len(command.line) for command in queue)
        out: list[bytes] = []
        waiting = bool(queue)
        while len(queue) < window and under_way < WINDOW_OCTETS:
            command = next(source, None)
            if command is None:
                break
            self._tag += 1
            command.tag = b"W%d" % self._tag
            out.append(b"%b %b\r\n" % (command.tag, command.line))
            under_way += len(command.line)
            queue.append(command)
        if out:
            self._wire.commands += len(out)
            if not waiting:  # otherwise these travel while we wait for others
                self._wire.round_trips += 1
            self._wire.allow(self._until - time.monotonic(), 0)
            self._wire.send(b"".join(out))

    def _complete(self, queue: deque[Command]) -> None:
        """Read until the first command in line is answered."""
        first = queue[0]
        before = self._wire.received
        octets = sum(command.octets for command in queue)
        self._wire.allow(self._until - time.monotonic(), min(octets, self._left))
        takes = _takes(queue)
        while first.answer is None:
            if not takes:
                self._wire.skip_fetches()
            response = self._wire.response()
            line = response[0]
            if line[:2] == b"* ":
                self._notice(line)
                for take in takes:
                    take(response)
            else:
                self._tagged(line, queue)
                takes = _takes(queue)
            self._heard = True
        self._left -= self._wire.received - before

    def _tagged(self, line: bytes, queue: deque[Command]) -> None:
        tag, _, rest = line.partition(b" ")
        for command in queue:
            if command.tag == tag and command.answer is None:
                command.answer = read_answer(rest)
                command.then(command.answer)
                return
        raise BadAnswer(detail="an answer to nothing that was asked")

    def _notice(self, line: bytes) -> None:
        """Keep the selected mailbox's count right, whatever else this response is for (RFC 9051 §7.4)."""
        kind = line[2:10].upper()
        if kind.startswith(b"BYE"):
            raise ConnectionLost(detail=read_answer(line[2:]).text)
        selection = self._selection
        if selection is None:
            return
        if kind.startswith(b"VANISHED"):
            # RFC 7162 §3.2.10: EARLIER ones were never in our count.
            parts = line.split()
            if len(parts) == 3:
                selection.exists = max(0, selection.exists - len(read_set(parts[2], selection.exists)))
        elif kind.startswith(b"OK [HIGH"):
            answer = read_answer(line[2:])
            selection.highestmodseq = number(answer.argument.encode("ascii", "replace")) or selection.highestmodseq
        elif match := _UNTAGGED_NUMBER.match(line):
            if match[2].upper() == b"EXISTS":
                selection.exists = number(match[1], (1 << 32) - 1)
            else:
                selection.exists = max(0, selection.exists - 1)

    def _break(self) -> None:
        self.broken = True
        self._selection = None
        self._wire.close()


def _takes(queue: Iterable[Command]) -> list[Callable[[list[bytes]], None]]:
    """Who is to hear what comes now: each `take` once, none behind a border that still stands."""
    takes: dict[Callable[[list[bytes]], None], None] = {}
    for command in queue:
        if command.answer is None:
            if command.take is not no_data:
                takes[command.take] = None
            if command.border:
                break
    return list(takes)


def quoted(value: str) -> bytes:
    """An IMAP quoted string (RFC 9051 §4.3).

    Raises:
        Forbidden: it can't be one.
    """
    return quoted_octets(imap_text(value).encode())


def quoted_octets(value: bytes) -> bytes:
    """Likewise for octets that hold no CR, LF or NUL."""
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def read_answer(rest: bytes) -> Answer:
    """`OK [CODE argument] text`, bounded and printable."""
    status, _, text = rest[:16_384].decode("utf-8", "replace").strip().partition(" ")
    status = status.upper()
    if status not in ("OK", "NO", "BAD", "BYE", "PREAUTH"):
        raise BadAnswer(detail="an answer that is neither OK, NO nor BAD")
    code = argument = ""
    if match := _CODE.match(text):
        code, argument = match[1].upper(), match[2] or ""
        text = text[match.end() :]
    return Answer(status, code, argument, "".join(char for char in text if char.isprintable())[:500])


# What response codes mean to a person (RFC 5530 §3).
_SENTENCES = {
    "OVERQUOTA": "Your mail account is full, so this could not be done.",
    "NOPERM": "The mail server doesn't let you do this in this mailbox.",
    "READ-ONLY": "This mailbox can only be read.",
    "CANNOT": "The mail server can't do this.",
    "LIMIT": "This is more than the mail server allows.",
    "ALREADYEXISTS": "There is something of this name already.",
    "HASCHILDREN": "There are other mailboxes inside this one.",
    "CORRUPTION": "Something is damaged on the mail server. Its administrator can mend it.",
    "CONTACTADMIN": "The mail server asks you to turn to its administrator.",
}


def refusal(answer: Answer) -> ProtocolError:
    """The error for a NO or BAD, by its response code (RFC 5530)."""
    if answer.code in ("UNAVAILABLE", "SERVERBUG", "INUSE"):
        return TryAgain(detail=answer.text)
    if answer.code == "LIMIT" and "connection" in answer.text.lower():
        return TooManyConnections(detail=answer.text)
    if answer.code in _SENTENCES:
        return Refused(_SENTENCES[answer.code], answer.text, answer.code)
    if answer.status == "BAD":
        return Refused("The mail server did not understand the request.", answer.text, answer.code)
    return Refused(detail=answer.text, code=answer.code)
