"""Placeholders in a template's words, "{first_name}", and what takes their places."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Mapping, Sequence

from .types import Address

# Each with what it stands for, in a person's words.
PLACEHOLDERS: dict[str, str] = {
    "first_name": "the first name of whom it is to",
    "name": "their whole name",
    "address": "their address",
    "subject": "the subject",
    "date": "today's date",
    "my_name": "your name",
    "my_address": "the address you write as",
}
MOST_NAMED = 5  # people of a greeting

_PLACEHOLDER = re.compile(r"\{(" + "|".join(PLACEHOLDERS) + r")\}")


def fill(words: str, values: Mapping[str, str], *, is_html: bool = False) -> str:
    """The words with the values in their places; a placeholder whose value is "" stays, to be seen.

    Args:
        is_html: `words` is HTML, and the values are escaped.
    """

    def value(found: re.Match[str]) -> str:
        text = values.get(found[1], "")
        return (entities.escape(text) if is_html else text) or found[0]

    return _PLACEHOLDER.sub(value, words)


def unfilled(words: str) -> tuple[str, ...]:
    """The placeholders that stand in a text, each once."""
    return tuple(dict.fromkeys(found[0] for found in _PLACEHOLDER.finditer(words)))


def first_name(name: str) -> str:
    """ "Bob Novak" and "Novak, Bob" → "Bob"; "" for a name that is an address."""
    if "@" in name:
        return ""
    last, comma, first = name.partition(",")
    words = (first if comma else last).split()
    return words[0] if words else ""


def people(to: Sequence[Address]) -> dict[str, str]:
    """The values of the placeholders about whom it is to. Beyond a few people nobody is named."""
    if len(to) > MOST_NAMED:
        return {}
    names = [each.name if "@" not in each.name else "" for each in to]
    return {
        "first_name": _joined([first_name(name) for name in names]),
        "name": _joined(names),
        "address": _joined([each.address for each in to]),
    }


def _joined(words: Sequence[str]) -> str:
    """ "Bob, Carol and Dan"; "" where one is missing."""
    if not all(words):
        return ""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
