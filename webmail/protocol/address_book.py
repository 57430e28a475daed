"""A file of vCards (3.0 and 4.0: RFC 2426, RFC 6350; 2.1 is read too) as people, and people as such a file.

Reading runs in the child of `bounded`: `read_book` gets the cards of one part of the file, each from its BEGIN to its
END, and says of each who it is or that it can't be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from . import birthdays, vcard
from .charsets import clean_text, decode_text
from .vcard import Line

MAX_OCTETS = 20_000_000
MAX_CARDS = 20_000
MAX_CARD = 512 * 1024  # characters; photos make cards large

MOST_VALUES = 50  # addresses or numbers of one person
MOST_NOTE = 10_000  # characters

_LINE_END = re.compile(r"\r\n|\r|\n")
_CUT_CHARACTER = re.compile(rb"([\xc2-\xf4][\x80-\xbf]{0,2})(\r?\n[ \t])([\x80-\xbf]{1,3})")


@dataclass(frozen=True, slots=True)
class Card:
    """One card of a file: the line it begins at, from 1, and its text; "" with a sentence for what is no card."""

    line: int
    source: str
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """What of somebody goes into a card.

    Args:
        addresses: the one that is written to first. phones: pairs of kind ("mobile", "") and number.
        birthday: as `birthdays` has it. kept: what `vcard.kept` made of the card they came with. uid: for who came
            with none.
    """

    addresses: tuple[str, ...]
    name: str = ""
    organisation: str = ""
    phones: tuple[tuple[str, str], ...] = ()
    birthday: str = ""
    note: str = ""
    groups: tuple[str, ...] = ()
    kept: str = ""
    uid: str = ""


def split(data: bytes) -> list[Card]:
    """The cards of a file, in order; what lies between two cards, or is cut off, is told by line. Never raises."""
    lines = _LINE_END.split(clean_text(_decoded(data[:MAX_OCTETS])))
    cards: list[Card] = []
    begun = 0  # the line where the open card begins; 0: none is open
    stray = False
    for number, line in enumerate(lines, 1):
        word = line.strip().upper()
        if word == "BEGIN:VCARD":
            if begun:
                cards.append(Card(begun, "", "This card has no end."))
            begun, stray = number, False
        elif word == "END:VCARD" and begun:
            source = "\n".join(lines[begun - 1 : number])
            long = len(source) > MAX_CARD
            cards.append(Card(begun, "" if long else source, "This card is too large." if long else ""))
            begun = 0
        elif word and not begun and not stray:
            cards.append(Card(number, "", "This is no part of a card."))
            stray = True
        if len(cards) >= MAX_CARDS:
            cards.append(Card(number, "", f"A file can hold {MAX_CARDS:,} cards; the rest was not read."))
            break
    else:
        if begun:
            cards.append(Card(begun, "", "This card has no end."))
        if len(data) > MAX_OCTETS:
            cards.append(Card(len(lines), "", "The file is too large; the rest was not read."))
    return cards


def _decoded(data: bytes) -> str:
    """As text; a line that was folded inside a character (as RFC 6350 §3.2 has seen it) is folded behind it."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return decode_text(_CUT_CHARACTER.sub(rb"\1\3\2", data), "utf-8")


def read_book(data: bytes) -> bytes:
    """What is on each of a JSON list of cards, as a JSON list of facts (`contact_card`) or null.

    Beside what a card shows they hold "kept", and "born": the birthday where it can be read.
    """
    from .contact_card import contact_of  # noqa: PLC0415  only the child loads the parser

    found = []
    for source in json.loads(data):
        fact = contact_of(source, most_values=MOST_VALUES, most_note=MOST_NOTE)
        if fact is not None:
            fact["born"] = birthdays.read(fact["birthday"])
            fact["kept"] = vcard.kept(source, fact["name"])
        found.append(fact)
    return json.dumps(found).encode()


def write_book(people: Iterable[Person], *, version: str = "4.0") -> Iterator[bytes]:
    """People as cards, one after the other.

    Args:
        version: "3.0" or "4.0".
    """
    for person in people:
        yield b"".join(_folded(str(line)) for line in _card(person, version) if line.value)


def _card(person: Person, version: str) -> Iterator[Line]:
    """What the address book says, in the words of the card somebody came with where they still mean that."""
    kept = [vcard.rewritten(line, version) for line in vcard.lines(person.kept)]
    name = person.name or person.addresses[0]
    is_called_so = any(line.name == "FN" and _text(line) == clean_text(name) for line in kept)
    given, _, family = name.rpartition(" ")
    own_name = [line for line in kept if line.name == "N"] if is_called_so else []
    own_place = [line for line in kept if line.name == "ORG" and _text(line) == person.organisation]
    yield Line("BEGIN", "VCARD")
    yield Line("VERSION", version)
    yield Line("FN", _escaped(name))
    yield from own_name or [Line("N", f"{_escaped(family)};{_escaped(given)};;;")]
    ways = [_as_kept(Line("EMAIL", _escaped(address)), kept, _same_address) for address in person.addresses]
    for kind, number in person.phones:
        types = (f"TYPE={_TYPES.get(kind, kind)}",) if kind else ()
        ways.append(_as_kept(Line("TEL", _escaped(number), types), kept, _same_number))
    yield from ways
    yield from own_place or [Line("ORG", _escaped(person.organisation))]
    yield birthdays.line(person.birthday, version)
    yield Line("NOTE", _escaped(person.note))
    yield Line("CATEGORIES", ",".join(map(_escaped, person.groups)))
    # The label of a number that is there no more goes with it.
    gone = {each.group for each in kept if each.name in ("EMAIL", "TEL")} - {each.group for each in ways} - {""}
    for line in kept:
        if line.name not in _SAID and line.group not in gone and not (line.name == "BDAY" and person.birthday):
            yield line
    if person.uid and not any(line.name == "UID" for line in kept):
        yield Line("UID", person.uid)
    yield Line("END", "VCARD")


_SAID = frozenset(["FN", "N", "EMAIL", "ORG", "TEL"])
_TYPES = {"mobile": "cell"}


def _as_kept(line: Line, kept: list[Line], is_same: Callable[[str, str], bool]) -> Line:
    """As it stood on the card that somebody came with, with its kind and its label; `line` where it didn't."""
    for each in kept:
        if each.name == line.name and is_same(_text(each), vcard.plain(line.value)):
            if line.params and not each.param("TYPE"):
                return replace(each, params=(*each.params, *line.params))
            return each
    return line


def _text(line: Line) -> str:
    return clean_text(vcard.plain(line.value))


def _same_address(one: str, other: str) -> bool:
    return one.lower().removeprefix("mailto:") == other.lower()


def _same_number(one: str, other: str) -> bool:
    return re.sub(r"(?i)^tel:|[^\d+]", "", one) == re.sub(r"(?i)^tel:|[^\d+]", "", other) != ""


def _escaped(value: str) -> str:
    return vcard.escaped(clean_text(value))


def _folded(line: str) -> bytes:
    """Lines of at most 75 octets (RFC 6350 §3.2), broken between characters."""
    if line.isascii():
        data = line.encode()
        starts = range(75, len(data), 74)
        return b"\r\n ".join((data[:75], *(data[at : at + 74] for at in starts))) + b"\r\n"
    pieces, piece = [], b""
    for char in line:
        octets = char.encode("utf-8", "replace")
        if len(piece) + len(octets) > 75:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join((*pieces, piece)) + b"\r\n"
