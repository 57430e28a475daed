"""What a person types or pastes into To, Cc and Bcc as addresses; what is none stays as it was typed, with a sentence.

The reading is `addresses`; here stands what people write beside RFC 5322: a line or a blank between two addresses,
semicolons, "mailto:". And here is how addresses look in the field again, such that reading gives the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from .addresses import MAX_ADDRESSES, addresses
from .charsets import clean_text
from .domains import shown_address
from .mail_address import deliverable, normalise
from .types import Address
from .words import one_line

MAX_TYPED = 64 * 1024  # characters of one field
MAX_LINK = 64 * 1024  # characters of a mailto: link
MAX_SUBJECT = 1_000

_BREAKS = re.compile(r"[\r\n\t\u2028\u2029]+")
_MAILTO = re.compile(r"(?<![^\s<,;:])mailto:", re.IGNORECASE)
_PLAIN_RUN = re.compile(r'(?:^|(?<=[,;:]))[^<>"(),;:\\]+(?=$|[,;])')
_AFTER_ADDRESS = re.compile(r"(?<=\S)(@\S+?)[ ,]+(?=\S)")
_AFTER_ANGLES = re.compile(r"(<[^<>\s]*@[^<>\s]*>)\s*(?=[^\s,;)(>])")
_NAME_NEEDS_QUOTES = re.compile(r'["(),.:;<>@\[\]\\]|=\?')
_AMPERSANDS = re.compile(r"&amp;|&", re.IGNORECASE)
_CONTROLS = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a field that is no address: what was typed, and why it can't be used, in one sentence."""

    text: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A field as it was read: its addresses in order, each once, their domains in ASCII; and what is none."""

    addresses: tuple[Address, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """What a `mailto:` link fills in (RFC 6068); nothing else of it counts, so no link attaches a file."""

    to: Typed = Typed()
    cc: Typed = Typed()
    bcc: Typed = Typed()
    subject: str = ""
    body: str = ""


def read(text: str) -> Typed:
    """Read one field. Never raises; what is too long is given back whole as a problem."""
    if len(text) > MAX_TYPED:
        return Typed(problems=(Problem(text, "This is too long for a field of addresses."),))
    source = _BREAKS.sub(",", clean_text(text))
    source = _PLAIN_RUN.sub(_separated, _MAILTO.sub("", source))
    if '"' not in source:  # in a quoted name it would be part of that
        source = _AFTER_ANGLES.sub(r"\1, ", source)
    parsed = addresses(source)
    if len(parsed) >= MAX_ADDRESSES:
        return Typed(problems=(Problem(text, f"These are more than {MAX_ADDRESSES:,} addresses."),))
    found: dict[str, Address] = {}
    problems = []
    for each in parsed:
        try:
            address = deliverable(each.address)
        except ValueError:
            typed = field_text([each]) if each.name and each.address else each.address or each.name
            problems.append(Problem(typed, _reason(each.address or each.name)))
            continue
        found.setdefault(normalise(address), Address(each.name, address))
    return Typed(tuple(found.values()), tuple(problems))


def field_text(people: Iterable[Address]) -> str:
    """Addresses as they stand in a field to be edited: "Bob Novák <bob@demo.test>, carol@demo.test"."""
    return ", ".join(map(_shown, people))


def read_link(url: str) -> Link:
    """What a `mailto:` link asks for. Never raises; of fields that stand twice addresses add up, else the first counts.

    Args:
        url: with or without its scheme.
    """
    url = clean_text(url[:MAX_LINK]).strip()
    path, _, query = (url[7:] if url[:7].lower() == "mailto:" else url).partition("?")
    people = {"to": [path], "cc": [], "bcc": []}
    words: dict[str, str] = {}
    for piece in _AMPERSANDS.split(query.partition("#")[0]):
        name, _, value = piece.partition("=")
        name = unquote(name).strip().lower()
        if name in people:
            people[name].append(value)
        elif name in ("subject", "body"):
            words.setdefault(name, clean_text(unquote(value)))
    body = words.get("body", "").replace("\r\n", "\n").replace("\r", "\n")
    return Link(
        to=_linked(people["to"]),
        cc=_linked(people["cc"]),
        bcc=_linked(people["bcc"]),
        subject=" ".join(one_line(words.get("subject", "")).split())[:MAX_SUBJECT],
        body=_CONTROLS.sub("", body),
    )


def _separated(run: re.Match[str]) -> str:
    """Several addresses with nothing but blanks between, each made a piece of its own with the words before it."""
    return _AFTER_ADDRESS.sub(r"\1, ", run[0]) if run[0].count("@") > 1 else run[0]


def _linked(values: Iterable[str]) -> Typed:
    # A comma that is no separator is written as %2C (RFC 6068 §2).
    pieces = [read(unquote(piece)) for value in values for piece in value.split(",") if piece]
    found = {normalise(each.address): each for piece in reversed(pieces) for each in reversed(piece.addresses)}
    return Typed(tuple(reversed(found.values())), tuple(problem for piece in pieces for problem in piece.problems))


def _shown(person: Address) -> str:
    address = shown_address(person.address)
    if not person.name or not address:
        return address or person.name
    name = person.name
    if _NAME_NEEDS_QUOTES.search(name):
        name = '"{}"'.format(re.sub(r'(["\\])', r"\\\1", name))
    return f"{name} <{address}>"


def _reason(text: str) -> str:
    """Why this is no address."""
    shown = f"“{text[:80]}”"
    local, at, domain = text.rpartition("@")
    if not at:
        return f"{shown} is not a mail address: it has no @."
    if not local:
        return f"In {shown} the part before the @ is missing."
    if not domain:
        return f"In {shown} the part after the @ is missing."
    if "@" in local:
        return f"{shown} has more than one @."
    if "." not in domain.strip("."):
        return f"{shown} is not complete: after the @ comes a name with a dot, such as example.com."
    return f"{shown} is not a mail address that can be written to."
