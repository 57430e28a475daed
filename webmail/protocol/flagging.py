"""Verbs about flags and about what changed: compare, delta, set and clear (RFC 9051 §6.4.6, RFC 7162)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence

from .errors import Forbidden, NoSuchMailbox, Refused
from .exchange import MOST, Command, no_data, refusal
from .fetched import WIRE_FLAGS, read_fetch, read_flags
from .fetching import Fetching
from .mailboxes import AGES
from .sets import MAX_MESSAGES, MAX_UID, read_set, write_sets
from .tokens import number
from .types import Delta, Flag, FlagChange, Selected

_KEYWORD = re.compile(r"[!#$&'+,./0-9:;<=>?@A-Z\[^_`a-z|}~-]{1,64}", re.ASCII)
# Nearly every line of a full comparison looks like this, and a mailbox may have a million.
_PLAIN = re.compile(rb"\* \d{1,10} FETCH \(UID (\d{1,10}) FLAGS \(([^()\"{]*)\)(?: MODSEQ \((\d{1,19})\))?\)\r?\n\Z")

FIRST_PIECE = 5_000  # messages of a silent STORE to a server of which nobody knows how fast it is
PIECE_SECONDS = 0.25  # what each further one of the same verb is to take

# Octets of memory: of one change, of a combination of flags that no other message had before, of a keyword in it.
_CHANGE = 150
_FLAGS = 500
_KEYWORD_HELD = 120


class Flagging(Fetching):
    """The verbs of `Connection` about flags and changes."""

    def flags(self, name: str, uidvalidity: int, low: int = 1, high: int | None = None) -> list[FlagChange]:
        """The flags of all messages with a UID from `low` to `high` (None: to the end), ascending UIDs.

        A million fit into one answer; ask for ranges where there may be more.

        Raises:
            UidValidityChanged, NoSuchMailbox.
        """
        self._begin()
        found: dict[int, FlagChange] = {}
        self._run_in(name, uidvalidity, lambda: [self._flags_command(low, high, found)])
        return [found[uid] for uid in sorted(found)]

    def uids(self, name: str, uidvalidity: int) -> list[int]:
        """The UIDs of all messages, ascending.

        Raises:
            UidValidityChanged, NoSuchMailbox.
        """
        self._begin()
        found: set[int] = set()
        self._run_in(name, uidvalidity, lambda: [self._uids_command(found)])
        return sorted(found)

    def delta(self, name: str, uidvalidity: int, modseq: int, known_uids: Sequence[int] | None = None) -> Delta:
        """What changed and vanished since `modseq`, in one round trip as a rule.

        Where the server has no CONDSTORE, or its memory doesn't reach back (its HIGHESTMODSEQ is below `modseq`),
        `changed` is every message there is. A new message is among the changed.

        Args:
            name, uidvalidity: the mailbox.
            modseq: the `highestmodseq` of the last delta, or of SELECT before everything was read; 0 for unknown.
            known_uids: the UIDs we hold; with them `vanished` is never None, and names none but these.

        Raises:
            UidValidityChanged, NoSuchMailbox.
        """
        self._begin()
        if modseq <= 0 or not self.has("CONDSTORE"):
            return self._comparison(name, uidvalidity, known_uids)
        changed: dict[int, FlagChange] = {}
        vanished: set[int] = set()
        present: set[int] = set()
        told = self.has("QRESYNC") and self.has("ENABLE")
        line = b"UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE %d%b)" % (modseq, b" VANISHED" if told else b"")

        take_change = self._change_taker(changed, lambda uid: True)

        def take(response: list[bytes]) -> None:
            if told and response[0][:11].upper() == b"* VANISHED ":
                vanished.update(read_set(response[0].split()[-1], MAX_MESSAGES - len(vanished)))
            else:
                take_change(response)

        def build() -> list[Command]:
            commands = [Command(line, take, octets=MOST)]
            if not told and known_uids is not None:
                commands.append(self._uids_command(present))
            return commands

        try:
            start = self._run_in(name, uidvalidity, build)
        except NoSuchMailbox:
            raise
        except Refused:  # CHANGEDSINCE where the mailbox has no MODSEQs (RFC 7162 §3.1.2.2), or ENABLE was refused
            return self._comparison(name, uidvalidity, known_uids)
        if start.highestmodseq < modseq:  # the server began to count anew
            return self._comparison(name, uidvalidity, known_uids)
        gone: Iterable[int] | None = vanished if told else None
        if known_uids is not None:
            gone = vanished.intersection(known_uids) if told else set(known_uids) - present
        return Delta(
            tuple(sorted(changed.values(), key=lambda change: (change.modseq, change.uid))),
            None if gone is None else tuple(sorted(gone)),
            start.highestmodseq,  # what came later was perhaps not told completely; it will be told again
        )

    def resync(self, name: str, uidvalidity: int, modseq: int) -> tuple[Selected, Delta | None]:
        """Select a mailbox and learn what changed and vanished in it since `modseq`: one round trip.

        With QRESYNC the answer to SELECT says both (RFC 7162 §3.2.5); with CONDSTORE alone a FETCH behind it says what
        changed, and `vanished` is None. A new message is among the changed.

        Args:
            name, uidvalidity, modseq: the mailbox as it was known; 0 for unknown.

        Returns:
            the mailbox now, selected for writing so that `read_only` says what is allowed, and the delta; None where
            the server can't tell: no CONDSTORE, another UIDVALIDITY, or its memory doesn't reach back.

        Raises:
            NoSuchMailbox, Refused: see `select`.
        """
        self._begin()
        changed: dict[int, FlagChange] = {}
        vanished: set[int] = set()
        take_change = self._change_taker(changed, lambda uid: True)
        asks = uidvalidity > 0 and modseq > 0 and self.has("CONDSTORE")
        told = False

        def take(response: list[bytes]) -> None:
            if response[0][:11].upper() == b"* VANISHED ":
                vanished.update(read_set(response[0].split()[-1], MAX_MESSAGES - len(vanished)))
            else:
                take_change(response)

        def build() -> list[Command]:
            nonlocal told
            told = asks and self.has("QRESYNC") and self.has("ENABLE")
            since = (uidvalidity, modseq) if told else None
            commands = [self._select_command(name, read_only=False, since=since, hear=take if told else no_data)]
            if asks and not told:
                line = b"UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE %d)" % modseq
                commands.append(Command(line, take, octets=MOST))
            return commands

        done = self._run(build, check=False)
        if told and done[0].done.status == "BAD":  # offered, but ENABLE was refused
            self.capabilities -= {"QRESYNC"}
            done = self._run(build, check=False)
        self._check_selected(name, done[0].done)
        start = self._current().start or self._current().value()
        if not asks or start.uidvalidity != uidvalidity or start.highestmodseq < modseq or not done[-1].done.ok:
            return start, None
        changes = sorted(changed.values(), key=lambda change: (change.modseq, change.uid))
        return start, Delta(tuple(changes), tuple(sorted(vanished)) if told else None, start.highestmodseq)

    def store(
        self,
        name: str,
        uidvalidity: int,
        uids: Sequence[int],
        *,
        add: Iterable[Flag | str] = (),
        remove: Iterable[Flag | str] = (),
    ) -> list[FlagChange]:
        """Set and clear flags; doing it twice is doing it once.

        Args:
            name, uidvalidity, uids: the messages.
            add, remove: flags, or keywords as plain strings. `remove` comes after `add`.

        Returns:
            the flags as the server has them now, ascending UIDs; a message that is gone is not in it.

        Raises:
            Refused: read-only, no permission, no room for another keyword. Forbidden: a keyword that can't be one.
            UidValidityChanged, NoSuchMailbox.
        """
        self._begin()
        wanted = {uid for uid in uids if 0 < uid <= MAX_UID}
        changes = [
            b"%bFLAGS.SILENT (%b)" % (sign, names)
            for sign, names in ((b"+", flag_names(add)), (b"-", flag_names(remove)))
            if names
        ]
        if not changes:
            return []
        found: dict[int, FlagChange] = {}
        items = b"(UID FLAGS MODSEQ)" if self.has("CONDSTORE") else b"(UID FLAGS)"
        take = self._change_taker(found, wanted.__contains__)

        def build() -> list[Command]:
            # UIDVALIDITY is checked before anything is changed, so SELECT is a round trip of its own here.
            selection = self._select(name, read_only=False)
            self._check_uidvalidity(uidvalidity)
            if selection.read_only:
                raise Refused("This mailbox can only be read.", code="READ-ONLY")
            commands = []
            for written, _ in write_sets(wanted - found.keys()):
                commands += [Command(b"UID STORE %b %b" % (written, change)) for change in changes]
                # A STORE that isn't silent leaves out what was set already with some servers; FETCH never does.
                commands.append(Command(b"UID FETCH %b %b" % (written, items), take, octets=MOST))
            return commands

        for age in AGES:
            if wanted == found.keys():
                break
            if not age:
                self._select(name, read_only=False, anew=True)
            for command in self._run(build, check=False, renew=True):
                # RFC 2180 §4.2: some servers say NO when one of the messages is gone; the FETCH shows which are left.
                if not command.done.ok and command.done.code != "EXPUNGEISSUED":
                    raise refusal(command.done)
        return [found[uid] for uid in sorted(found)]

    def store_silently(
        self,
        name: str,
        uidvalidity: int,
        uids: Sequence[int],
        *,
        add: Iterable[Flag | str] = (),
        remove: Iterable[Flag | str] = (),
        go_on: Callable[[], bool] = lambda: True,
    ) -> int:
        """Likewise for very many messages, without hearing how they are now, some thousand at a time.

        Args: as for `store`.
            uids: ascending.
            go_on: asked after each of those pieces but the last, whether there is to be another one. How large that is
                follows from how long those before it took, so that it takes about PIECE_SECONDS.

        Returns:
            how many of `uids` it was done to.

        Raises: as for `store`.
        """
        self._begin()
        signed = ((b"+", flag_names(add)), (b"-", flag_names(remove)))
        changes = [b"%bFLAGS.SILENT (%b)" % (sign, names) for sign, names in signed if names]
        done, size = 0, FIRST_PIECE

        def build() -> list[Command]:
            # At the beginning a new view is looked at, or what came since is not in it.
            selection = self._select(name, read_only=False, anew=not done)
            self._check_uidvalidity(uidvalidity)
            if selection.read_only:
                raise Refused("This mailbox can only be read.", code="READ-ONLY")
            return [
                Command(b"UID STORE %b %b" % (written, change), octets=MOST)
                for written, _ in write_sets(uids[done : done + size])
                for change in changes
            ]

        while done < len(uids):
            begun = time.monotonic()
            for command in self._run(build, check=False, renew=True):
                if not command.done.ok and command.done.code != "EXPUNGEISSUED":
                    raise refusal(command.done)
            done = min(done + size, len(uids))
            if done < len(uids) and not go_on():
                break
            pace = size / max(1e-6, time.monotonic() - begun)
            size = max(FIRST_PIECE, min(int(pace * PIECE_SECONDS), 10 * size))
        return done

    def noop(self) -> None:
        """Ask for nothing: keeps the connection alive and brings the counts of `selected` up to date."""
        self._begin()
        self._run(lambda: [Command(b"NOOP")])

    def _comparison(self, name: str, uidvalidity: int, known_uids: Sequence[int] | None) -> Delta:
        """The delta of a server that can't tell: every message is reported as changed."""
        found: dict[int, FlagChange] = {}
        start = self._run_in(name, uidvalidity, lambda: [self._flags_command(1, None, found)])
        vanished = None if known_uids is None else tuple(sorted(set(known_uids) - found.keys()))
        changed = sorted(found.values(), key=lambda change: (change.modseq, change.uid))
        return Delta(tuple(changed), vanished, start.highestmodseq)

    def _change_taker(
        self, found: dict[int, FlagChange], wanted: Callable[[int], bool]
    ) -> Callable[[list[bytes]], None]:
        """A `take` that collects flags. Messages with the same flags share one object; odd ones are dear."""
        known: set[int] = set()

        def take(response: list[bytes]) -> None:
            change = read_change(response)
            if change is None or not wanted(change.uid):
                return
            self._hold(_CHANGE)
            if id(change.flags) not in known:
                known.add(id(change.flags))
                self._hold(_FLAGS + _KEYWORD_HELD * len(change.flags.keywords))
            found[change.uid] = change

        return take

    def _flags_command(self, low: int, high: int | None, found: dict[int, FlagChange]) -> Command:
        last = MAX_UID if high is None else high

        # `n:*` names the last message even if its UID is below n (RFC 9051 §9), hence the test.
        take = self._change_taker(found, lambda uid: low <= uid <= last)
        uids = b"%d:*" % low if high is None else b"%d:%d" % (low, high)
        items = b"(UID FLAGS MODSEQ)" if self.has("CONDSTORE") else b"(UID FLAGS)"
        return Command(b"UID FETCH %b %b" % (uids, items), take, octets=MOST)

    def _uids_command(self, found: set[int]) -> Command:
        if self.has("ESEARCH"):

            def take_search(response: list[bytes]) -> None:
                words = response[0].split()
                if len(words) > 2 and words[1].upper() == b"ESEARCH" and words[-2].upper() == b"ALL":
                    found.update(read_set(words[-1]))

            return Command(b"UID SEARCH RETURN (ALL) ALL", take_search)

        def take(response: list[bytes]) -> None:
            if len(found) < MAX_MESSAGES and (fetched := read_fetch(response)) and fetched.uid:
                found.add(fetched.uid)

        # Not SEARCH: its answer is one line, which a large mailbox makes longer than any line may be.
        return Command(b"UID FETCH 1:* (UID)", take, octets=MOST)


def read_change(response: list[bytes]) -> FlagChange | None:
    """The flags in a FETCH response; None where it has none, or no UID."""
    if match := _PLAIN.match(response[0]):
        uid = number(match[1], MAX_UID)
        return FlagChange(uid, read_flags([*match[2].split()]), number(match[3] or b"")) if uid else None
    fetched = read_fetch(response)
    if fetched is None or not fetched.uid or fetched.flags is None:
        return None
    return FlagChange(fetched.uid, fetched.flags, fetched.modseq)


def flag_names(flags: Iterable[Flag | str]) -> bytes:
    """Flags as STORE wants them.

    Raises:
        Forbidden: a keyword that isn't an atom (RFC 9051 §9 flag-keyword).
    """
    names = []
    for flag in dict.fromkeys(flags):
        if isinstance(flag, Flag):
            names.append(WIRE_FLAGS[flag])
        elif _KEYWORD.fullmatch(flag):
            names.append(flag)
        else:
            raise Forbidden("This label holds characters that the mail server can't keep.")
    return " ".join(names).encode("ascii")
