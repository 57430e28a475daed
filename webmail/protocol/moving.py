"""Verbs that take messages elsewhere: copy, move, delete for good (RFC 9051 §6.4.7, RFC 6851, RFC 4315).

The room's one law: what copies is not the same twice. Such a command is sent once, on a connection that has just shown
that it lives, and after any doubt the verb raises; whoever asked looks before asking again. What is known to have
happened is told (`copied`) before anything more is done, and before anything is removed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .appending import Appending
from .errors import BadAnswer, NoSuchMailbox, ProtocolError, Refused
from .exchange import BULK_PATIENCE, IDLE_SECONDS, Answer, Command, read_answer, refusal
from .sets import MAX_MESSAGES, MAX_UID, read_set, write_sets
from .tokens import number
from .types import FlagChange

_SET = 1_500  # octets of a set in one COPY or MOVE: what COPYUID names in return has to fit into a line
_PATIENCE = 10 * BULK_PATIENCE  # times the command timeout: what copying many messages may take


@dataclass(frozen=True, slots=True)
class Copied:
    """What COPYUID said: the target's UIDVALIDITY, and where each UID is now. 0 and nothing without UIDPLUS.

    `left`: they were to be moved, but could only be marked with `\\Deleted` where they were (see `Moving.expunge`).
    """

    uidvalidity: int = 0
    uids: Mapping[int, int] = field(default_factory=dict)
    left: bool = False


Hear = Callable[[Copied], None]


def no_ear(_copied: Copied) -> None:
    """Who doesn't care what was copied."""


class Moving(Appending):
    """The verbs of `Connection` that copy, move and remove messages."""

    def copy(self, name: str, uidvalidity: int, uids: Sequence[int], target: str, *, copied: Hear = no_ear) -> Copied:
        """Copy messages. A UID that is gone is left out without a word.

        Args:
            name, uidvalidity, uids: the messages.
            target: the mailbox, as `mailboxes` gave it; it is never made.
            copied: hears of each command that was answered OK, at once.

        Raises:
            NoSuchMailbox: with code TRYCREATE it is the target that is gone. Refused: code OVERQUOTA when it is full.
            UidValidityChanged. ConnectionLost, BadAnswer: all of it, some or nothing may have been copied.
        """
        return self._take_elsewhere(b"COPY", name, uidvalidity, uids, target, copied)

    def move(
        self,
        name: str,
        uidvalidity: int,
        uids: Sequence[int],
        target: str,
        *,
        copied: Hear = no_ear,
        also: Collection[int] = (),
    ) -> Copied:
        """Move messages: with MOVE in one step, else they are copied, told to `copied`, and then expunged.

        A UID that is gone is left out without a word: OK is no proof.

        Args and Raises: as for `copy`; `also` as for `expunge`.
        """
        if self.has("MOVE"):
            return self._take_elsewhere(b"MOVE", name, uidvalidity, uids, target, copied)
        done = self._take_elsewhere(b"COPY", name, uidvalidity, uids, target, copied)
        return replace(done, left=not self.expunge(name, uidvalidity, uids, also=also))

    def expunge(self, name: str, uidvalidity: int, uids: Sequence[int], *, also: Collection[int] = ()) -> bool:
        """Delete messages for good.

        Without UIDPLUS only EXPUNGE is left, which removes whatever carries `\\Deleted`: so it is sent only where
        nothing else does. Otherwise the messages stay, marked with `\\Deleted`.

        Args:
            also: UIDs that may go as well because we marked them earlier and had to leave them.

        Returns:
            whether they are gone.

        Raises:
            Refused: read-only, or no permission. UidValidityChanged, NoSuchMailbox.
        """
        self._begin(patience=_PATIENCE)
        wanted = sorted({uid for uid in uids if 0 < uid <= MAX_UID})
        if not wanted:
            return True
        self._awake()
        self._for_writing(name, uidvalidity)
        for command in self._run(lambda: [Command(line) for line in _deleting(wanted)], check=False, renew=True):
            if not command.done.ok and command.done.code != "EXPUNGEISSUED":  # RFC 2180 §4.2: some were gone
                raise refusal(command.done)
        if self.has("UIDPLUS"):
            self._once([b"UID EXPUNGE %b" % written for written, _ in write_sets(wanted)])
            return True
        if self._deleted() - set(wanted) - set(also):
            return False
        self._once([b"EXPUNGE"])
        return True

    def present(self, name: str, uidvalidity: int, uids: Sequence[int]) -> list[int]:
        """Which of these messages are there at this moment, ascending.

        Raises:
            UidValidityChanged, NoSuchMailbox.
        """
        self._begin()
        wanted = {uid for uid in uids if 0 < uid <= MAX_UID}
        found: dict[int, FlagChange] = {}
        take = self._change_taker(found, wanted.__contains__)
        if wanted:
            self._run_in(
                name,
                uidvalidity,
                lambda: [Command(b"UID FETCH %b (UID FLAGS)" % written, take) for written, _ in write_sets(wanted)],
                max_age=0.0,
            )
        return sorted(found)

    def search(self, name: str, uidvalidity: int, low: int, high: int, criterion: str = "ALL") -> list[int]:
        """The UIDs from `low` to `high` of messages that are in a state, ascending.

        Args:
            criterion: words of ALL, SEEN, UNSEEN, FLAGGED, UNFLAGGED and DELETED; all of them must be true.

        Raises:
            UidValidityChanged, NoSuchMailbox.
        """
        if not set(criterion.split()) <= {"ALL", "SEEN", "UNSEEN", "FLAGGED", "UNFLAGGED", "DELETED"}:
            raise ValueError(criterion)
        self._begin()
        low, high = max(1, low), min(high, MAX_UID)
        found: set[int] = set()
        line = b"UID %d:%d %b" % (low, high, criterion.encode())
        self._run_in(name, uidvalidity, lambda: [self._search_command(line, found)], max_age=0.0)
        return sorted(uid for uid in found if low <= uid <= high)

    def _take_elsewhere(
        self, verb: bytes, name: str, uidvalidity: int, uids: Sequence[int], target: str, copied: Hear
    ) -> Copied:
        self._begin(patience=_PATIENCE)
        place = self.encode_name(target)
        self._awake()
        self._for_writing(name, uidvalidity)
        validity = 0
        pairs: dict[int, int] = {}
        for written, _ in write_sets(uids, octets=_SET):
            told = _Copyuid()
            self._once([b"UID %b %b %b" % (verb, written, place)], told)
            copied(told.value)
            validity = told.value.uidvalidity or validity
            pairs |= told.value.uids
        return Copied(validity, pairs)

    def _awake(self) -> None:
        """Make sure that the connection lives: what follows may not be repeated by itself."""
        if self._preamble or time.monotonic() - self.last_used > IDLE_SECONDS:
            self._run(lambda: [Command(b"NOOP")])

    def _for_writing(self, name: str, uidvalidity: int) -> None:
        """Select the mailbox, with a view of this moment.

        Raises:
            Refused: it can only be read. UidValidityChanged, NoSuchMailbox.
        """
        selection = self._select(name, read_only=False, anew=True)
        self._check_uidvalidity(uidvalidity)
        if selection.read_only:
            raise Refused("This mailbox can only be read.", code="READ-ONLY")

    def _once(self, lines: Iterable[bytes], told: _Copyuid | None = None) -> None:
        """Send commands one after the other, each once; a refusal is raised."""
        for line in lines:
            command = Command(line, told.hear) if told else Command(line)
            self._until = min(time.monotonic() + self._command_timeout * BULK_PATIENCE, self._end)
            for _ in self._pipeline([command]):
                pass
            answer = command.done
            if told:
                told.note(answer.code, answer.argument)
            if not answer.ok:
                raise _copy_refusal(answer) if told else refusal(answer)

    def _deleted(self) -> set[int]:
        """The UIDs of all messages of the selected mailbox that carry `\\Deleted`."""
        found: set[int] = set()
        self._run(lambda: [self._search_command(b"DELETED", found)])
        return found

    def _search_command(self, criteria: bytes, found: set[int]) -> Command:
        """A UID SEARCH whose answer is collected, whichever of its two forms it has (RFC 9051 §7.3.4, RFC 3501)."""

        def take(response: list[bytes]) -> None:
            words = response[0].split()
            if len(words) > 1 and words[1].upper() == b"SEARCH" and len(found) < MAX_MESSAGES:
                found.update(filter(None, (number(word, MAX_UID) for word in words[2:])))
            elif len(words) > 3 and words[1].upper() == b"ESEARCH" and words[-2].upper() == b"ALL":
                found.update(read_set(words[-1]))

        form = b"UID SEARCH RETURN (ALL) " if self.has("ESEARCH") else b"UID SEARCH "
        return Command(form + criteria, take)


class _Copyuid:
    """Collects COPYUID: servers say it in the tagged OK, before it in an untagged one, or in both (RFC 6851 §4.3)."""

    def __init__(self) -> None:
        self._validity = 0
        self._pairs: dict[int, int] = {}

    @property
    def value(self) -> Copied:
        return Copied(self._validity, self._pairs)

    def hear(self, response: list[bytes]) -> None:
        line = response[0]
        if line[:5].upper() == b"* OK ":
            answer = read_answer(line[2:])
            self.note(answer.code, answer.argument)

    def note(self, code: str, argument: str) -> None:
        """Take `COPYUID uidvalidity source target`; one that makes no sense is as good as none."""
        words = argument.encode("ascii", "replace").split()
        if code != "COPYUID" or len(words) != 3:
            return
        try:
            sources, targets = _in_order(words[1]), _in_order(words[2])
        except BadAnswer:
            return
        validity = number(words[0], MAX_UID)
        if validity and len(sources) == len(targets):
            self._validity = validity
            self._pairs.update(zip(sources, targets, strict=True))


def _in_order(written: bytes) -> list[int]:
    """A set's numbers in the order in which they stand there: COPYUID's two sets correspond one by one."""
    numbers: list[int] = []
    for part in written.split(b","):
        numbers += read_set(part, MAX_MESSAGES - len(numbers))
    return numbers


def _deleting(uids: Sequence[int]) -> list[bytes]:
    return [b"UID STORE %b +FLAGS.SILENT (\\Deleted)" % written for written, _ in write_sets(uids)]


def _copy_refusal(answer: Answer) -> ProtocolError:
    if answer.code in ("TRYCREATE", "NONEXISTENT"):  # TRYCREATE would have us make it: nobody asked for that
        return NoSuchMailbox("The mailbox it was to be put into no longer exists.", answer.text, "TRYCREATE")
    if answer.code == "OVERQUOTA":
        return Refused("Your mail account is full, so nothing more can be put into it.", answer.text, answer.code)
    return refusal(answer)
