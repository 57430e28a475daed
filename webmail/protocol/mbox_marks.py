"""What programs write about a message into its file beside it: read or not, flagged, its words, when it came.

`Status`, `X-Status` and `X-Keywords` are of old Unix programs and Dovecot, `X-Mozilla-Status` of Thunderbird,
`X-Gmail-Labels` of Google Takeout.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .envelope import date
from .types import Flag

_FIELD = re.compile(
    rb"^(status|x-status|x-keywords|x-mozilla-status|x-mozilla-keys|x-gmail-labels|received|date):((?:.*\n[ \t])*.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_WORD = re.compile(r"[A-Za-z0-9$_.-]{1,50}")
_MOST_WORDS = 20
_LETTERS = {"R": Flag.SEEN, "A": Flag.ANSWERED, "F": Flag.FLAGGED, "T": Flag.DRAFT}
_BITS = {0x0001: Flag.SEEN, 0x0002: Flag.ANSWERED, 0x0004: Flag.FLAGGED, 0x1000: Flag.FORWARDED}
_EXPUNGED = 0x0008
_FIRST_DATE = datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Marks:
    """Args:
    flags: and keywords. is_marked: whether anything says if it was read. is_gone: whether it was deleted, and only lies
        in the file until that is compacted. date: when it came, aware; None where nothing says so.
    """

    flags: frozenset[Flag | str] = frozenset()
    is_marked: bool = False
    is_gone: bool = False
    date: datetime | None = None


def marks(header: bytes, separator: bytes = b"") -> Marks:
    """What is written about a message.

    Args:
        header: its header block, with any line ends. separator: the line before it in an mbox.
    """
    fields: dict[str, str] = {}
    for name, value in _FIELD.findall(header.replace(b"\r", b"")):  # the topmost Received is the last server's
        fields.setdefault(name.decode().lower(), " ".join(value.decode("utf-8", "replace").split()))
    flags: set[Flag | str] = set()
    letters = fields.get("status", "") + fields.get("x-status", "")
    flags.update(flag for letter, flag in _LETTERS.items() if letter in letters)
    bits = _number(fields.get("x-mozilla-status", ""))
    flags.update(flag for bit, flag in _BITS.items() if bits & bit)
    labels = [label.strip() for label in fields.get("x-gmail-labels", "").split(",")]
    if labels != [""]:
        flags |= {Flag.FLAGGED} if "Starred" in labels else set()
        flags |= set() if "Unread" in labels else {Flag.SEEN}
    words = f"{fields.get('x-keywords', '')} {fields.get('x-mozilla-keys', '')}".split()
    flags.update([word for word in words if _WORD.fullmatch(word)][:_MOST_WORDS])
    is_marked = not fields.keys().isdisjoint(("status", "x-status", "x-mozilla-status", "x-gmail-labels"))
    return Marks(frozenset(flags), is_marked, bool(bits & _EXPUNGED), _date(fields, separator))


def _date(fields: dict[str, str], separator: bytes) -> datetime | None:
    """When it came: as the line before it says, else the last server that passed it on, else who wrote it."""
    sender, _, when = separator[5:].strip().partition(b" ")
    # Thunderbird writes "From - " and the moment at which it put the message there.
    said = [when.decode("ascii", "replace")] if sender not in (b"", b"-") else []
    said += [fields.get("received", "").rpartition(";")[2], fields.get("date", "")]
    latest = datetime.now(UTC) + timedelta(days=1)
    return next((found for text in said if (found := date(text)) and _FIRST_DATE <= found <= latest), None)


def _number(text: str) -> int:
    try:
        return int(text[:8] or "0", 16)
    except ValueError:
        return 0
