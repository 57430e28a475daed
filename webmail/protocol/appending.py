"""The verb that files a message in a mailbox: APPEND with its literal (RFC 9051 §6.3.12, RFC 7888, RFC 4315).

The room's one law: unlike every other command here this one is not the same twice. It is never repeated by itself:
after any doubt it raises, and whoever asked looks into the mailbox before asking again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from .errors import BadAnswer, Forbidden, NoSuchMailbox, ProtocolError, Refused
from .exchange import IDLE_SECONDS, SMALL_ANSWER, Answer, Command, read_answer, refusal
from .flagging import Flagging, flag_names
from .sets import MAX_UID
from .tokens import number
from .types import Flag

MOST_APPENDED = 50 << 20  # octets of a message
_UNASKED = 64 << 10  # octets that are sent without asking first (LITERAL+); more waits for the server's word
_UNASKED_MINUS = 4096  # likewise with LITERAL- (RFC 7888 §5)
_CHUNK = 256 << 10
_PATIENCE = 10  # times the command timeout: what all of it may take
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Appended:
    """Where the message is now; 0 and 0 where the server doesn't say (no UIDPLUS)."""

    uidvalidity: int = 0
    uid: int = 0


def no_check() -> None:
    """What is called between two pieces by who has nothing to check."""


class Appending(Flagging):
    """The verb of `Connection` that files a message."""

    def append(
        self,
        name: str,
        message: BinaryIO,
        *,
        flags: Iterable[Flag | str] = (),
        date: datetime | None = None,
        check: Callable[[], None] = no_check,
    ) -> Appended:
        """File a message.

        Args:
            name: the mailbox, as `mailboxes` gave it; it is never made.
            message: its octets, lines ended by CR LF; a file that can be read twice.
            flags: it gets. date: its INTERNALDATE, aware; None for now.
            check: called before each piece is sent. What it raises ends the connection, and with it the message: the
                server takes nothing of a literal that isn't whole.

        Raises:
            NoSuchMailbox: there is none of this name. Refused: in the server's words; code OVERQUOTA when it is full.
            Forbidden: too large, or with an octet that no literal may hold.
            ConnectionLost, BadAnswer: it may have been filed.
        """
        self._begin(SMALL_ANSWER, patience=_PATIENCE)
        size = _sound_size(message)
        arguments = [self.encode_name(name)]
        if names := flag_names(flags):
            arguments.append(b"(%b)" % names)
        if date is not None:
            arguments.append(_quoted_date(date))
        if self._preamble or time.monotonic() - self.last_used > IDLE_SECONDS:
            # It may have died while it lay idle. This may be repeated; what follows may not.
            self._run(lambda: [Command(b"NOOP")])
        self._in_flight = True
        in_step = False
        try:
            answer = self._append(b"APPEND " + b" ".join(arguments), size, message, check)
            in_step = True
        finally:
            self._in_flight = False
            self.last_used = time.monotonic()
            if not in_step:
                self._break()
        if not answer.ok:
            raise _append_refusal(answer)
        return _read_appended(answer)

    def _append(self, line: bytes, size: int, message: BinaryIO, check: Callable[[], None]) -> Answer:
        """One command, its literal, its answer."""
        self._tag += 1
        tag = b"W%d" % self._tag
        unasked = size <= (_UNASKED if self.has("LITERAL+") else _UNASKED_MINUS if self.has("LITERAL-") else -1)
        check()
        self._step()
        self._wire.commands += 1
        self._wire.round_trips += 1
        self._wire.send(b"%b %b {%d%b}\r\n" % (tag, line, size, b"+" if unasked else b""))
        if not unasked:
            self._wire.round_trips += 1
            refused = self._hear(tag, go_on=True)
            if refused is not None:
                return refused
        left = size
        while left:
            piece = message.read(min(_CHUNK, left))
            if not piece:
                raise BadAnswer(detail="the message to be filed is shorter than it was")
            check()
            self._step()
            self._wire.send(piece)
            left -= len(piece)
        self._wire.send(b"\r\n")
        self._step()
        answer = self._hear(tag, go_on=False)
        assert answer is not None
        return answer

    def _step(self) -> None:
        """Give the next step its time."""
        until = min(time.monotonic() + self._command_timeout, self._end)
        self._wire.allow(until - time.monotonic(), self._left)

    def _hear(self, tag: bytes, *, go_on: bool) -> Answer | None:
        """Wait for the answer; None where the server asks for the literal (RFC 9051 §7.6), if `go_on` lets it."""
        while True:
            line = self._wire.response()[0]
            self._heard = True
            if line[:2] == b"* ":
                self._notice(line)
            elif line[:1] == b"+":
                if not go_on:
                    raise BadAnswer(detail="the server asks for more than the whole message")
                return None
            else:
                answered, _, rest = line.partition(b" ")
                if answered != tag:
                    raise BadAnswer(detail="an answer to nothing that was asked")
                answer = read_answer(rest)
                if go_on and answer.ok:
                    raise BadAnswer(detail="the server has filed a message that it was not sent")
                return answer


def _sound_size(message: BinaryIO) -> int:
    """The octets of a message that may be sent; the file is at its beginning afterwards.

    Raises:
        Forbidden: there are too many of them, none, or a NUL is among them (RFC 9051 §4.3).
    """
    size = message.seek(0, os.SEEK_END)
    if not 0 < size <= MOST_APPENDED:
        raise Forbidden("Only messages of up to 50 MB can be saved in a mailbox.")
    message.seek(0)
    while piece := message.read(_CHUNK):
        if b"\0" in piece:
            raise Forbidden("This message holds an octet that no mail server takes.")
    message.seek(0)
    return size


def _quoted_date(date: datetime) -> bytes:
    """A date-time (RFC 9051 §9), in UTC."""
    when = date.astimezone(UTC)
    month = _MONTHS[when.month - 1]
    return f'"{when.day:02}-{month}-{when.year:04} {when.hour:02}:{when.minute:02}:{when.second:02} +0000"'.encode()


def _append_refusal(answer: Answer) -> ProtocolError:
    if answer.code in ("TRYCREATE", "NONEXISTENT"):  # TRYCREATE would have us make it: nobody asked for that
        return NoSuchMailbox(detail=answer.text, code=answer.code)
    if answer.code == "OVERQUOTA":
        return Refused("Your mail account is full, so nothing more can be saved in it.", answer.text, answer.code)
    if answer.code in ("TOOBIG", "LIMIT"):
        return Refused("The mail server takes no message as large as this.", answer.text, answer.code)
    return refusal(answer)


def _read_appended(answer: Answer) -> Appended:
    """APPENDUID (RFC 4315 §3); whatever else it says is as good as nothing."""
    words = answer.argument.encode("ascii", "replace").split()
    if answer.code != "APPENDUID" or len(words) != 2:
        return Appended()
    uidvalidity, uid = number(words[0], MAX_UID), number(words[1], MAX_UID)
    return Appended(uidvalidity, uid) if uidvalidity and uid else Appended()
