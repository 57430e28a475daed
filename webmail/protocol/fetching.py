"""Verbs that read messages: the index's data, sections of a body, a body as a stream (RFC 9051 §6.4.5)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import count, takewhile

from .errors import Forbidden, NoSuchMessage
from .exchange import Command, refusal
from .fetched import Fetched, read_fetch
from .mailboxes import AGES, Mailboxes
from .sets import MAX_MESSAGES, MAX_UID, write_sets
from .types import MessageData, Selected
from .wire import MAX_LINE, MAX_LITERAL

# What the index and the threads need from their first day (design §5). A literal of header fields is read ten
# times as fast as ENVELOPE, and has what ENVELOPE leaves out.
HEADER_FIELDS = "DATE SUBJECT FROM SENDER REPLY-TO TO CC BCC MESSAGE-ID IN-REPLY-TO REFERENCES LIST-ID"
CHUNK = 500  # messages in one FETCH of index data: small enough to be read within its time over a slow line
RANGES = 64  # commands that a wide range of UIDs is cut into at most
AHEAD = 3  # partial fetches under way in a stream
HEADER_OCTETS = 64 << 10  # of these fields; no message can make the list it stands in unreadable

_PER_MESSAGE = 64 << 10  # octets of index data that a message may take on average
_SLACK = 1 << 20  # octets beside the data asked for
_ENDLESS = 1 << 62  # a stream holds one piece at a time, however much passes through
_SECTION = re.compile(
    r"(?:HEADER|TEXT|[1-9][0-9]{0,3}(?:\.[1-9][0-9]{0,3}){0,60}(?:\.(?:MIME|HEADER|TEXT))?)?", re.ASCII
)


class Fetching(Mailboxes):
    """The reading verbs of `Connection`."""

    def newest(
        self, name: str, count: int, *, skip: int = 0, read_only: bool = True
    ) -> tuple[Selected, list[MessageData]]:
        """The newest messages of a mailbox: what a cold mailbox page needs, in two round trips.

        Args:
            name: as `mailboxes` gave it.
            count: how many at most.
            skip: how many newer ones to leave out.
            read_only: False to SELECT for writing, which alone tells whether that is allowed.

        Returns:
            what SELECT said, and the messages, newest first.

        Raises:
            NoSuchMailbox: it is gone.
        """
        self._begin()
        # Even if it is selected: the count must be of this moment.
        selected = self._select(name, read_only=read_only, anew=True).value()
        high = selected.exists - skip
        low = max(1, high - count + 1)
        if high < low:
            return selected, []
        found: dict[int, MessageData] = {}

        def take(fetched: Fetched) -> None:
            if fetched.uid and low <= fetched.number <= high and fetched.bodies:
                message = fetched.message()
                self._hold(_weight(message))
                found[fetched.number] = message

        line = b"FETCH %d:%d %b" % (low, high, self._index_items())
        self._run(lambda: [Command(line, _taker(take), octets=_index_octets(high - low + 1))])
        return selected, [found[number] for number in sorted(found, reverse=True)]

    def fetch(self, name: str, uidvalidity: int, uids: Sequence[int]) -> list[MessageData]:
        """Index data of these messages, ascending UIDs; those that are gone are left out.

        Raises:
            UidValidityChanged, NoSuchMailbox.
        """
        self._begin()
        wanted = {uid for uid in uids if 0 < uid <= MAX_UID}
        found: dict[int, MessageData] = {}
        taker = self._index_taker(found, wanted.__contains__)
        for age in AGES:
            if wanted - found.keys():
                self._run_in(
                    name,
                    uidvalidity,
                    lambda: self._index_commands(write_sets(wanted - found.keys(), count=CHUNK), taker),
                    max_age=age,
                    renew=True,
                )
        return [found[uid] for uid in sorted(found)]

    def fetch_range(self, name: str, uidvalidity: int, low: int, high: int | None) -> list[MessageData]:
        """Index data of all messages with a UID from `low` to `high` (None: to the end), both included, ascending UIDs.

        Ask for a few thousand messages at a time: all of them are held in memory.

        Raises:
            UidValidityChanged, NoSuchMailbox.
        """
        self._begin()
        low, last = max(1, low), MAX_UID if high is None else min(high, MAX_UID)
        if high is None:
            sets = [(b"%d:*" % low, MAX_MESSAGES)]
        else:
            step = max(CHUNK, -(-(last - low + 1) // RANGES))
            sets = [(b"%d:%d" % (at, min(last, at + step - 1)), step) for at in range(low, last + 1, step)]
        found: dict[int, MessageData] = {}
        # `n:*` names the last message even if its UID is below n (RFC 9051 §9), hence the test.
        taker = self._index_taker(found, lambda uid: low <= uid <= last)
        self._run_in(name, uidvalidity, lambda: self._index_commands(sets, taker), renew=True)
        return [found[uid] for uid in sorted(found)]

    def peek(self, name: str, uidvalidity: int, uids: Sequence[int], section: str, limit: int) -> dict[int, bytes]:
        """The beginning of the same section of many messages, for previews; `\\Seen` stays as it is.

        Args:
            name, uidvalidity, uids: the messages; those that are gone are left out.
            section: as for `sections`.
            limit: octets of each at most.

        Raises:
            Forbidden: a section that can't be one. UidValidityChanged, NoSuchMailbox.
        """
        self._begin()
        wanted = {uid for uid in uids if 0 < uid <= MAX_UID}
        item = _peek(section, 0, limit)
        found: dict[int, bytes] = {}

        def take(fetched: Fetched) -> None:
            if fetched.uid in wanted and fetched.uid not in found:
                for data in fetched.bodies.values():
                    found[fetched.uid] = data[:limit]

        def build() -> list[Command]:
            return [
                Command(b"UID FETCH %b (UID %b)" % (named, item), taker, octets=_SLACK + many * (limit + 200))
                for named, many in write_sets(wanted - found.keys(), count=CHUNK)
            ]

        taker = _taker(take)
        for age in AGES:
            if wanted - found.keys():
                self._run_in(name, uidvalidity, build, max_age=age, renew=True)
        return found

    def structure(self, name: str, uidvalidity: int, uid: int) -> MessageData:
        """Index data of one message.

        Raises:
            NoSuchMessage: it is gone. UidValidityChanged, NoSuchMailbox.
        """
        found = self.fetch(name, uidvalidity, [uid])
        if not found:
            raise NoSuchMessage
        return found[0]

    def sections(self, name: str, uidvalidity: int, uid: int, sections: Mapping[str, int | None]) -> dict[str, bytes]:
        """Sections of one message in one round trip, whichever mailbox was selected; `\\Seen` stays as it is.

        Args:
            name, uidvalidity, uid: the message.
            sections: "1.2", "1.2.MIME", "2.HEADER", "HEADER", "TEXT" or "" for all of it, each with the number of
                octets wanted at most, None for as many as there are (up to 50 MiB).

        Returns:
            the octets of each, still encoded as the part says; b"" for a section the message doesn't have.

        Raises:
            NoSuchMessage: it is gone. Forbidden: a section that can't be one. UidValidityChanged, NoSuchMailbox.
        """
        self._begin()
        items = b" ".join(_peek(section, 0, limit) for section, limit in sections.items())
        octets = sum(MAX_LITERAL if limit is None else min(limit, MAX_LITERAL) for limit in sections.values())
        bodies: dict[str, bytes] = {}

        def take(fetched: Fetched) -> None:
            if fetched.uid == uid:  # without a body it is news about flags
                bodies.update({section.upper(): data for section, data in fetched.bodies.items()})

        line = b"UID FETCH %d (UID %b)" % (_uid(uid), items)
        for age in AGES:
            if not bodies:
                self._run_in(
                    name, uidvalidity, lambda: [Command(line, _taker(take), octets=octets + _SLACK)], max_age=age
                )
        if not bodies:
            raise NoSuchMessage
        return {section: bodies.get(section.upper(), b"")[:limit] for section, limit in sections.items()}

    def stream(
        self, name: str, uidvalidity: int, uid: int, section: str, *, chunk: int = 256 * 1024
    ) -> Iterator[bytes]:
        """One section piece by piece, in flat memory. The connection belongs to the stream until that ends;
        a stream that is left early breaks it.

        Args:
            name, uidvalidity, uid: the message.
            section: as for `sections`.
            chunk: octets of one piece.

        Raises:
            NoSuchMessage: it is gone (with the first piece). UidValidityChanged, NoSuchMailbox, Forbidden.
        """
        self._begin(_ENDLESS, patience=math.inf)
        uid = _uid(uid)
        expected: set[int] = set()
        arrived: dict[int, bytes] = {}
        whole = False

        def take(fetched: Fetched) -> None:
            nonlocal whole
            for data in fetched.bodies.values() if fetched.uid == uid else ():
                if fetched.origin in expected:
                    arrived[fetched.origin] = data[:chunk]
                elif fetched.origin is None and expected == {0}:  # a server that knows no partial fetch sends it all
                    arrived[0] = data
                    whole = True

        taker = _taker(take)

        def piece(offset: int) -> Command:
            expected.add(offset)
            line = b"UID FETCH %d (UID %b)" % (uid, _peek(section, offset, chunk))
            return Command(line, taker, octets=MAX_LITERAL + _SLACK)

        for age in AGES:
            if 0 not in arrived:
                self._run_in(name, uidvalidity, lambda: [piece(0)], max_age=age)
        if 0 not in arrived:
            raise NoSuchMessage
        ready = arrived.pop(0)
        ended = whole or len(ready) < chunk
        if not ended:
            offsets = takewhile(lambda _: not ended, count(chunk, chunk))
            with closing(self._pipeline(map(piece, offsets), renew=True, window=AHEAD)) as answered:
                for offset, command in zip(count(chunk, chunk), answered):
                    if not command.done.ok:
                        raise refusal(command.done)
                    if ended:
                        continue  # asked for ahead of the end: empty
                    yield ready  # the next ones are on their way meanwhile
                    if offset not in arrived:
                        raise NoSuchMessage
                    ready = arrived.pop(offset)
                    ended = len(ready) < chunk
        yield ready

    def _index_taker(
        self, found: dict[int, MessageData], wanted: Callable[[int], bool]
    ) -> Callable[[list[bytes]], None]:
        """A `take` that collects index data. Responses nobody asked for have no header fields, and are left out."""

        def take(fetched: Fetched) -> None:
            if fetched.bodies and wanted(fetched.uid):
                message = fetched.message()
                self._hold(_weight(message))
                found[fetched.uid] = message

        return _taker(take)

    def _index_commands(self, sets: Iterable[tuple[bytes, int]], taker: Callable[[list[bytes]], None]) -> list[Command]:
        items = self._index_items()
        return [Command(b"UID FETCH %b %b" % (named, items), taker, octets=_index_octets(many)) for named, many in sets]

    def _index_items(self) -> bytes:
        modseq = "MODSEQ " if self.has("CONDSTORE") else ""
        return (
            f"(UID FLAGS INTERNALDATE RFC822.SIZE {modseq}BODYSTRUCTURE "
            f"BODY.PEEK[HEADER.FIELDS ({HEADER_FIELDS})]<0.{HEADER_OCTETS}>)"
        ).encode()


def _taker(take: Callable[[Fetched], None]) -> Callable[[list[bytes]], None]:
    """A command's `take` that is only interested in FETCH responses."""

    def take_response(response: list[bytes]) -> None:
        if (fetched := read_fetch(response)) is not None:
            take(fetched)

    return take_response


def _weight(message: MessageData) -> int:
    """About the octets that a message's index data take in memory."""
    structure = message.structure
    parts = sum(1 for _ in structure.walk()) if structure and structure.children else 1
    return 600 + len(message.header or b"") + 250 * parts


def _peek(section: str, offset: int, length: int | None) -> bytes:
    if not _SECTION.fullmatch(section.upper()):
        raise Forbidden("There is no such part of a message.")
    partial = "" if length is None else f"<{offset}.{max(1, length)}>"
    return f"BODY.PEEK[{section.upper()}]{partial}".encode("ascii")


def _uid(uid: int) -> int:
    if not 0 < uid <= MAX_UID:
        raise NoSuchMessage
    return uid


def _index_octets(count: int) -> int:
    return _SLACK + MAX_LINE + count * _PER_MESSAGE
