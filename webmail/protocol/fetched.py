"""The fast reader of FETCH responses (RFC 9051 §7.5.2): a message's data out of one response."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from .bodystructure import read_structure
from .common_structure import read_common
from .errors import BadAnswer
from .sets import MAX_UID
from .tokens import Token, number, skip, string, tokenize
from .types import Flag, Flags, MessageData, Part
from .wire import Cut

# What a server answers that keeps the order we ask in, as most do: all but the header in one match.
_USUAL = re.compile(
    rb'\* (\d{1,10}) FETCH \(UID (\d{1,10}) FLAGS \(([^()"{]*)\) INTERNALDATE "([^"]{26})" RFC822\.SIZE (\d{1,18})'
    rb"(?: MODSEQ \((\d{1,18})\))? BODYSTRUCTURE (\(.*\)) BODY\[(HEADER\.FIELDS \([A-Za-z -]*\))\](?:<0>)?"
    rb" \{\d+\}\r\n\Z",
)
# How such a line ends, where its structure was too long to be kept (`wire.Cut`).
_CUT_END = re.compile(rb" BODY\[HEADER\.FIELDS \([A-Za-z -]*\)\](?:<0>)? \{\d+\}\r\n\Z")
_BODY = re.compile(rb"BODY\[([^\]]*)\](?:<(\d{1,10})>)?")
_HEAD = re.compile(rb"\* (\d{1,10}) FETCH \(", re.IGNORECASE)

_MONTHS = {
    name: number + 1
    for number, name in enumerate(
        (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
    )
}

WIRE_FLAGS = {
    Flag.SEEN: "\\Seen",
    Flag.ANSWERED: "\\Answered",
    Flag.FLAGGED: "\\Flagged",
    Flag.DELETED: "\\Deleted",
    Flag.DRAFT: "\\Draft",
    Flag.FORWARDED: "$Forwarded",
}
_KNOWN_FLAGS = {name.lower(): flag for flag, name in WIRE_FLAGS.items()}

MAX_KEYWORDS = 200  # of one message; more is an attack, not mail

NO_FLAGS = Flags()


@dataclass(slots=True)
class Fetched:
    """All that one FETCH response said. `bodies` maps the section in capitals to its octets."""

    number: int
    uid: int = 0
    flags: Flags | None = None
    internal_date: datetime | None = None
    size: int = 0
    modseq: int = 0
    structure: Part | None = None
    bodies: dict[str, bytes] = field(default_factory=dict)
    origin: int | None = None  # of the last body, where it came as BODY[1]<0>, as partial fetches do

    def message(self) -> MessageData:
        """As a value that may leave this package: the one body is the header block."""
        header = next(iter(self.bodies.values()), None)
        return MessageData(self.uid, self.flags, self.internal_date, self.size, self.modseq, header, self.structure)


def read_fetch(segments: list[bytes]) -> Fetched | None:
    """Read one untagged FETCH response; None when it isn't one.

    Raises:
        BadAnswer: it can't be told what belongs to what.
    """
    if isinstance(segments, Cut):
        segments = _without_structure(segments)
    head = _HEAD.match(segments[0])
    if head is None:
        return None
    if len(segments) == 3 and segments[2] == b")\r\n" and (usual := _USUAL.match(segments[0])):
        structure = read_common(usual[7])
        if structure is not None and 0 < int(usual[2]) <= MAX_UID:
            return Fetched(
                int(usual[1]),
                int(usual[2]),
                read_flags([*usual[3].split()]),
                read_date(usual[4]),
                int(usual[5]),
                int(usual[6] or 0),
                structure,
                {usual[8].decode(): segments[1]},
            )
    fetched = Fetched(int(head[1]))
    tokens = tokenize(segments)
    at, count = 4, len(tokens)  # after * number FETCH (
    while at < count:
        name = tokens[at]
        at += 1
        if name == b")":
            return fetched
        if not isinstance(name, bytes) or name == b"(" or at >= count:
            break
        value = tokens[at]
        end = skip(tokens, at)
        kind = name.upper()
        if kind == b"UID":
            fetched.uid = number(value, MAX_UID)
        elif kind == b"FLAGS":
            fetched.flags = read_flags(tokens[at + 1 : end - 1])
        elif kind == b"INTERNALDATE":
            fetched.internal_date = read_date(string(value))
        elif kind == b"RFC822.SIZE":
            fetched.size = number(value)
        elif kind == b"MODSEQ":
            fetched.modseq = number(tokens[at + 1]) if end - at == 3 else 0
        elif kind == b"BODYSTRUCTURE":
            fetched.structure = read_structure(tokens, at, end)
        elif body := _BODY.fullmatch(kind):
            fetched.bodies[body[1].decode("ascii", "replace")] = string(value)
            fetched.origin = int(body[2]) if body[2] else None
        at = end
    raise BadAnswer(detail="a FETCH response that can't be read")


def _without_structure(segments: Cut) -> list[bytes]:
    """A response in the usual order, whose structure was too long, as one that has none."""
    begin, _, _ = segments[0].partition(b" BODYSTRUCTURE (")
    end = _CUT_END.search(segments[0][-1024:])
    if end is None:
        raise BadAnswer(detail="a response is too long")
    return [begin + b" BODYSTRUCTURE NIL" + end[0], *segments[1:]]


def read_flags(tokens: list[Token]) -> Flags:
    """The tokens between the parentheses of FLAGS as a value; the same flags give the same object."""
    names = tuple(token for token in tokens[:MAX_KEYWORDS] if isinstance(token, bytes))
    if len(names) <= 12 and all(len(name) <= 64 for name in names):
        return _common_flags(names)
    return _flags(names)


def _flags(names: tuple[bytes, ...]) -> Flags:
    known: set[Flag] = set()
    keywords: set[str] = set()
    for name in names:
        text = name.decode("ascii", "replace")
        flag = _KNOWN_FLAGS.get(text.lower())
        if flag is not None:
            known.add(flag)
        elif text[:1] != "\\" and name not in (b"(", b")"):  # \Recent and what we don't know are nobody's keyword
            keywords.add(text)
    if not known and not keywords:
        return NO_FLAGS
    return Flags(frozenset(known), frozenset(keywords))


# A mailbox knows few combinations; sharing them saves most of the memory of a full comparison.
_common_flags = lru_cache(maxsize=2048)(_flags)


def read_date(text: bytes) -> datetime | None:
    """INTERNALDATE, `17-Jul-1996 02:44:25 -0700` (RFC 9051 §9 date-time), in UTC; None where it is no date."""
    if len(text) != 26:
        return None
    try:
        local = datetime(
            int(text[7:11]),
            _MONTHS[text[3:6].lower()],
            int(text[0:2]),
            int(text[12:14]),
            int(text[15:17]),
            min(int(text[18:20]), 59),  # a leap second
            tzinfo=UTC,
        )
        zone = text[21:26]
        if zone == b"+0000":
            return local
        minutes = int(zone[1:3]) * 60 + int(zone[3:5])
        return local + timedelta(minutes=minutes if zone[:1] == b"-" else -minutes)
    except (ValueError, KeyError, OverflowError):
        return None
