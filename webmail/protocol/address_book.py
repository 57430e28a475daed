"""A file of vCards (3.0 and 4.0: RFC 2426, RFC 6350; 2.1 is read too) as people, and people as such a file.

Reading runs in the child of `bounded`: `read_book` gets the cards of one part of the file, each from its BEGIN to its
END, and says of each who it is or that it can't be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .charsets import clean_text, decode_text

MAX_OCTETS = 20_000_000
MAX_CARDS = 20_000
MAX_CARD = 512 * 1024  # characters; photos make cards large

_LINE_END = re.compile(r"\r\n|\r|\n")
_ESCAPED = re.compile(r"([\\,;])")


@dataclass(frozen=True, slots=True)
class Card:
    """One card of a file: the line it begins at, from 1, and its text; "" with a sentence for what is no card."""

    line: int
    source: str
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """What of a contact goes into a card."""

    address: str
    name: str = ""
    organisation: str = ""
    phone: str = ""
    note: str = ""
    groups: tuple[str, ...] = ()


def split(data: bytes) -> list[Card]:
    """The cards of a file, in order; what lies between two cards, or is cut off, is told by line. Never raises."""
    lines = _LINE_END.split(clean_text(decode_text(data[:MAX_OCTETS], "utf-8")))
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


def read_book(data: bytes) -> bytes:
    """What is on each of a JSON list of cards, as a JSON list of facts (`contact_card`) or null."""
    from .contact_card import contact_of  # noqa: PLC0415  only the child loads the parser

    return json.dumps([contact_of(source) for source in json.loads(data)]).encode()


def write_book(people: Iterable[Person], *, version: str = "4.0") -> Iterator[bytes]:
    """People as cards, one after the other.

    Args:
        version: "3.0" or "4.0".
    """
    for person in people:
        name = person.name or person.address
        given, _, family = name.rpartition(" ")
        fields = [
            ("BEGIN", "VCARD"),
            ("VERSION", version),
            ("FN", _escaped(name)),
            ("N", f"{_escaped(family)};{_escaped(given)};;;"),
            ("EMAIL", _escaped(person.address)),
            ("ORG", _escaped(person.organisation)),
            ("TEL", _escaped(person.phone)),
            ("NOTE", _escaped(person.note)),
            ("CATEGORIES", ",".join(map(_escaped, person.groups))),
            ("END", "VCARD"),
        ]
        yield b"".join(_folded(f"{field}:{value}") for field, value in fields if value)


def _escaped(value: str) -> str:
    return _ESCAPED.sub(r"\\\1", clean_text(value)).replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """Lines of at most 75 octets (RFC 6350 §3.2), broken between characters."""
    pieces, piece = [], b""
    for char in line:
        octets = char.encode("utf-8", "replace")
        if len(piece) + len(octets) > 75:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join((*pieces, piece)) + b"\r\n"
