"""A header block read into an Envelope. Runs once for every message of a mailbox, so its common path is short."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from .addresses import addresses
from .charset_names import codec_of
from .guessing import guess
from .types import Envelope
from .words import decode_header, octets, one_line

MAX_BLOCK = 256 * 1024  # octets of a header block looked at
MAX_IDS = 200  # of one References field
_MAX_ID = 998  # RFC 5322 §2.1.1: the longest line
_MAX_DATE = 200
_MAX_GUESSED = 1024  # characters of a field

_FIELDS = frozenset(
    ("from", "sender", "reply-to", "to", "cc", "bcc", "subject", "date", "message-id", "in-reply-to", "references",
     "list-id")
)  # fmt: skip
_LISTS = frozenset(("from", "sender", "reply-to", "to", "cc", "bcc"))
_FOLD = re.compile(r"\r?\n[ \t]+|\r(?!\n)")
_ANGLES = re.compile(r"<([^<>]{1,2000})>")
_EDGE = re.compile(r"<([^<>]*)")

_MONTHS = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}  # fmt: skip
_USUAL_DATE = re.compile(
    r"\s*(?:[A-Za-z]{3},?\s*)?(\d{1,2})\s([A-Za-z]{3})\s(\d{4})\s(\d\d):(\d\d)(?::(\d\d))?\s([+-])(\d\d)(\d\d)"
)
_ISO_DATE = re.compile(
    r"\s*(\d{4})-(\d\d?)-(\d\d?)(?:[T\s]+(\d\d?):(\d\d)(?::(\d\d))?(?:\.\d*)?\s*(?:(Z)|([+-])(\d\d):?(\d\d))?)?"
)
_CLOCK = re.compile(r"(?<![\d+-])(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?(?:\.\d+)?(?:\s*([AaPp])\.?[Mm]\b)?")
_OFFSET = re.compile(r"(?:\b(?:GMT|UTC|UT))?([+-])(\d\d):?(\d\d)\b")
_ATOM = re.compile(r"[A-Za-z]+|\d+")
_ZONES = {"gmt": 0, "ut": 0, "utc": 0, "z": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6,
          "pst": -8, "pdt": -7, "cet": 1, "cest": 2, "mez": 1, "mesz": 2, "bst": 1, "eet": 2, "eest": 3, "msk": 3,
          "jst": 9}  # fmt: skip


def envelope(header: bytes, charset: str = "") -> Envelope:
    """Read the fields that a message list and a thread need (RFC 5322 §3.6). Never raises.

    Of a field that stands twice the first counts, except that recipients add up.

    Args:
        header: a header block or a HEADER.FIELDS literal, line ends CRLF or LF; more than 256 KiB is ignored.
        charset: what the body declares: octets above ASCII that no encoded word holds are often in the same.
    """
    text = _FOLD.sub(" ", header[:MAX_BLOCK].decode("utf-8", "surrogateescape"))
    values: dict[str, str] = {}
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        if not colon:
            if line in ("", "\r") and values:
                break  # the header ends at an empty line
            continue
        name = name.rstrip().lower()
        if name in _FIELDS:
            if name not in values:
                values[name] = value.strip()
            elif name in _LISTS and name not in ("from", "sender"):
                values[name] += ", " + value.strip()
    get = values.get
    hint = "" if text.isascii() else _charset_of(values, charset)
    list_id = get("list-id", "")
    return Envelope(
        subject=decode_header(get("subject", ""), hint),
        from_=addresses(get("from", ""), hint),
        sender=addresses(values["sender"], hint) if "sender" in values else (),
        reply_to=addresses(values["reply-to"], hint) if "reply-to" in values else (),
        to=addresses(get("to", ""), hint),
        cc=addresses(values["cc"], hint) if "cc" in values else (),
        bcc=addresses(values["bcc"], hint) if "bcc" in values else (),
        date=date(get("date", "")),
        message_id=_message_id(get("message-id", "")),
        in_reply_to=_message_ids(values["in-reply-to"]) if "in-reply-to" in values else (),
        references=_message_ids(values["references"]) if "references" in values else (),
        list_id=_list_id(list_id) if list_id else "",
    )


def _charset_of(values: dict[str, str], charset: str) -> str:
    """The charset of raw octets in these fields, guessed from all of them: one name is too short to tell by."""
    raw = b"\n".join(octets(value[:_MAX_GUESSED]) for value in values.values() if not value.isascii())
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return guess(raw, codec_of(charset)) or charset
    return charset


def date(raw: bytes | str) -> datetime | None:
    """The time a Date field names, aware and with the sender's offset; None where it can't be read.

    Understands RFC 5322 §3.3 and §4.3, ISO 8601 and what lies around them: missing seconds, month first, "10.30",
    full names, am and pm. A zone that is unknown or impossible counts as UTC. Years outside 1900–2199 are nonsense.
    """
    text = raw[:_MAX_DATE].decode("ascii", "replace") if isinstance(raw, bytes) else raw[:_MAX_DATE]
    usual = _USUAL_DATE.match(text)
    if usual is not None:
        day, month, year, hour, minute, second, sign, hours, minutes = usual.groups()
        number = _MONTHS.get(month.lower())
        if number is not None:
            zone = _zone(sign, hours, minutes)
            return _moment(int(year), number, int(day), int(hour), int(minute), int(second or 0), zone)
    iso = _ISO_DATE.match(text)
    if iso is not None:
        year, month, day, hour, minute, second, _zulu, sign, hours, minutes = iso.groups()
        zone = _zone(sign, hours, minutes) if sign else UTC
        return _moment(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), zone)
    return _loose_date(text)


def _loose_date(text: str) -> datetime | None:
    """A date whose parts stand in no fixed order: a month's name, a clock, and the numbers around them."""
    offset = _OFFSET.search(text)
    zone = _zone(*offset.groups()) if offset else UTC
    if offset:
        text = text[: offset.start()] + " " + text[offset.end() :]
    clock = _CLOCK.search(text)
    hour = minute = second = 0
    if clock:
        hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
        if clock[4]:
            hour = hour % 12 + (12 if clock[4] in "Pp" else 0)
        text = text[: clock.start()] + " " + text[clock.end() :]
    month = 0
    numbers: list[str] = []
    for atom in _ATOM.findall(text.lower()):
        if atom.isdigit():
            numbers.append(atom)
        elif atom[:3] in _MONTHS and not month:
            month = _MONTHS[atom[:3]]
        elif atom in _ZONES and not offset:
            zone = timezone(timedelta(hours=_ZONES[atom]))
    if not month or len(numbers) < 2:
        return None
    day, year = (numbers[1], numbers[0]) if len(numbers[0]) == 4 else (numbers[0], numbers[1])
    if len(day) > 2 or len(year) > 4:
        return None
    return _moment(_full_year(year), month, int(day), hour, minute, second, zone)


def _full_year(year: str) -> int:
    """RFC 5322 §4.3: two digits below 50 are this century's, three digits count from 1900."""
    number = int(year)
    if len(year) > 3:
        return number
    return number + (2000 if len(year) < 3 and number < 50 else 1900)


@lru_cache(maxsize=256)
def _zone(sign: str, hours: str, minutes: str) -> timezone:
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    if offset >= timedelta(hours=15):
        return UTC
    return timezone(-offset if sign == "-" else offset)


def _moment(year: int, month: int, day: int, hour: int, minute: int, second: int, zone: timezone) -> datetime | None:
    if not 1900 <= year < 2200:
        return None
    try:
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
    except ValueError:
        return None


def _message_id(value: str) -> str:
    if value.startswith("<") and value.endswith(">") and value.count("<") == 1 and value.isascii() and " " not in value:
        return one_line(value[1:-1])[:_MAX_ID]
    ids = _message_ids(value)
    if ids:
        return ids[0]
    edge = _EDGE.search(value)  # "<id" without its end
    return _plain_id(edge[1] if edge else value)


def _message_ids(value: str) -> tuple[str, ...]:
    """The identifiers of In-Reply-To or References; of more than 200 the first and the last 199."""
    found = _ANGLES.findall(value)
    if not found:
        found = [word.strip("<>,;") for word in value.split() if "@" in word and '"' not in word]
    if len(found) > MAX_IDS:
        found = found[:1] + found[1 - MAX_IDS :]
    return tuple(plain for plain in map(_plain_id, found) if plain)


def _plain_id(text: str) -> str:
    """An identifier without the white space that folding left in it, and without what no log or database bears."""
    if text.isascii() and text.isprintable() and " " not in text:
        return text[:_MAX_ID]
    return "".join(one_line(octets(text[: 2 * _MAX_ID]).decode("utf-8", "replace")).split())[:_MAX_ID]


def _list_id(value: str) -> str:
    """RFC 2919: the identifier in angle brackets, or the whole where there are none."""
    angle = value.rfind("<")
    return one_line(decode_header(value[angle + 1 :].partition(">")[0] if angle >= 0 else value))
