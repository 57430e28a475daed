"""A vCard (2.1, 3.0 and 4.0: RFC 6350) as facts for a card. The photo and all that isn't text is left alone.

Runs in the child of `bounded`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import vobject

from .charsets import decode_text
from .transfer import decode_transfer

MAX_CONTACTS = 5
_MAX_COUNTED = 10_000
_MAX_VALUES = 10  # addresses or numbers of one kind
_MAX_LINE = 300
_MAX_NOTE = 2_000
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
_FOLD = re.compile(rb"\r?\n[ \t]")
_CARD = re.compile(r"BEGIN:VCARD\b.*?(?:END:VCARD|\Z)", re.IGNORECASE | re.DOTALL)
_BINARY = re.compile(r"(?:^|\n)(?:[\w-]+\.)?(?:PHOTO|LOGO|SOUND|KEY)[;:][^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE)
_SOFT_BREAK = re.compile(r"=\r?\n")
_QUOTED = re.compile(r"^((?:[\w-]+\.)?[\w-]+)((?:;[^:\n]*)?;(?:ENCODING=)?QUOTED-PRINTABLE[^:\n]*):(.*)$", re.I | re.M)
_CHARSET = re.compile(r"CHARSET=([\w.:-]{1,40})", re.IGNORECASE)
_GROUPING = {
    name: re.compile(rf"^(?:[\w-]+\.)?{fields}(?:;[^:\n]*)?:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE | re.MULTILINE)
    for name, fields in {
        "categories": "CATEGORIES",
        "uid": "UID",
        "kind": "(?:X-ADDRESSBOOKSERVER-)?KIND",
        "members": "(?:X-ADDRESSBOOKSERVER-)?MEMBER",
    }.items()
}
_MAX_MEMBERS = 2_000
_FOLDED = re.compile(r"\n[ \t]")
_KINDS = {"home": "home", "work": "work", "cell": "mobile", "mobile": "mobile", "fax": "fax", "pager": "pager"}


def read_contacts(data: bytes) -> dict[str, Any]:
    """The first contacts of a vCard file.

    Raises:
        ValueError: it holds none that can be read.
    """
    text = _decoded(data).replace("\r\n", "\n").replace("\r", "\n")
    contacts: list[dict[str, Any]] = []
    seen = 0
    for match in _CARD.finditer(text):
        seen += 1
        if len(contacts) < MAX_CONTACTS and (contact := contact_of(match[0])):
            contacts.append(contact)
        if seen >= _MAX_COUNTED:
            break
    if not contacts:
        raise ValueError("no contact")
    return {"contacts": contacts, "more": seen - len(contacts)}


def _decoded(data: bytes) -> str:
    """As text; lines that were folded inside a character (RFC 6350 §3.2) are made whole before."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return decode_text(_FOLD.sub(b"", data), "utf-8")


def contact_of(source: str, *, most_values: int = _MAX_VALUES, most_note: int = _MAX_NOTE) -> dict[str, Any] | None:
    """The facts of one card, from BEGIN to END; None where they can't be read.

    Args:
        most_values: addresses or numbers of one kind. most_note: characters.
    """
    if not source.upper().endswith("END:VCARD"):
        source = source[: source.rfind("\n") + 1] + "END:VCARD"
    source = _unquoted(_BINARY.sub("", source))
    try:
        card = next(vobject.readComponents(source + "\n", ignoreUnreadable=True, transform=False, allowQP=True))
    except (vobject.base.VObjectError, ValueError, StopIteration, IndexError, KeyError, AttributeError):
        return None
    name = _first(card, "fn") or _structured(_first(card, "n"), order=(3, 1, 2, 0, 4)) or _first(card, "nickname")
    organisation = _structured(_first(card, "org"), separator=", ")
    found = {
        "name": name or organisation,
        "organisation": organisation if name else "",
        "title": _first(card, "title") or _first(card, "role"),
        "mails": list(_values(card, "email", most=most_values)),
        "phones": list(_values(card, "tel", most=most_values)),
        "addresses": [[kind, _structured(value, separator=", ")] for kind, value in _values(card, "adr", raw=True)],
        "links": list(_values(card, "url")),
        "birthday": _first(card, "bday"),
        "note": _first(card, "note", most=most_note),
    }
    return found | _grouping(source) if any(found.values()) else None


def _grouping(source: str) -> dict[str, Any]:
    """Which groups a card is of, and whether it is one (RFC 6350 §6.7.1, §6.1.4, §6.6.5; Apple's names for the latter).

    From its text: the parser takes away what marks a comma. Members are UIDs, or addresses as "mailto:…".
    """
    lines = {
        name: [_FOLDED.sub("", line)[: 4 * _MAX_LINE].strip() for line in pattern.findall(source)[:_MAX_MEMBERS]]
        for name, pattern in _GROUPING.items()
    }
    names = [_clean(name, _MAX_LINE) for line in lines["categories"] for name in re.split(r"(?<!\\),", line)]
    return {
        "categories": list(dict.fromkeys(filter(None, names)))[:_MAX_VALUES],
        "uid": next(map(_bare, lines["uid"]), ""),
        "members": list(map(_bare, lines["members"])) if "group" in map(str.lower, lines["kind"]) else None,
    }


def _bare(uid: str) -> str:
    return uid.lower().removeprefix("urn:uuid:")


def _unquoted(source: str) -> str:
    """vCard 2.1's quoted-printable values as text in their own charset; soft line breaks joined."""
    if "quoted-printable" not in source.lower():
        return source

    def decoded(match: re.Match[str]) -> str:
        charset = _CHARSET.search(match[2])
        octets = decode_transfer(match[3].encode("utf-8", "surrogateescape"), "quoted-printable")
        value = decode_text(octets, charset[1] if charset else "utf-8").strip().replace("\r", "")
        one_line = value.replace("\n", "\\n")
        return f"{match[1]}{_plain_params(match[2])}:{one_line}"

    return _QUOTED.sub(decoded, _SOFT_BREAK.sub("", source))


def _plain_params(params: str) -> str:
    kept = [param for param in params.split(";") if param and not re.match(r"(?i)ENCODING=|QUOTED|CHARSET=", param)]
    return "".join(f";{param}" for param in kept)


def _first(card: Any, name: str, *, most: int = _MAX_LINE) -> str:
    for line in card.contents.get(name, ()):
        if value := _clean(line.value, most):
            return value
    return ""


def _values(card: Any, name: str, *, raw: bool = False, most: int = _MAX_VALUES) -> Iterator[list[str]]:
    """Pairs of kind ("work", "mobile", "") and value."""
    for line in card.contents.get(name, ())[:most]:
        value = str(line.value) if raw else _clean(line.value, _MAX_LINE)
        value = re.sub(r"(?i)^(?:mailto|tel):", "", value)
        words = [*line.singletonparams, *(word for words in line.params.get("TYPE", ()) for word in words.split(","))]
        kind = next((_KINDS[word.lower()] for word in words if word.lower() in _KINDS), "")
        if _clean(value, _MAX_LINE).strip(" ;"):
            yield [kind, value]


def _structured(value: str, *, separator: str = " ", order: tuple[int, ...] = ()) -> str:
    """The pieces of a value with semicolons, in a readable order, without the empty ones."""
    pieces = [_clean(piece, _MAX_LINE) for piece in re.split(r"(?<!\\);", value[: 4 * _MAX_LINE])]
    if order:
        pieces = [pieces[place] for place in order if place < len(pieces)]
    return separator.join(piece for piece in pieces if piece)


def _clean(value: Any, most: int) -> str:
    text = re.sub(r"\\([nN,;:\\])", lambda match: "\n" if match[1] in "nN" else match[1], str(value)[: 4 * most])
    text = _CONTROLS.sub("", text).strip()
    return text[:most] if most > _MAX_LINE else " ".join(text.split())[:most]
