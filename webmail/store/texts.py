"""The texts of a message: how much of each is fetched, decoded, and put into a page as safe HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from webmail.protocol import html, text
from webmail.protocol.readable import readable
from webmail.protocol.types import Part

TEXT_LIMIT = 2**20  # octets of one text that are shown, decoded (security §5.5)
# A multipart whose parts nobody found, and of which there is nothing but their delimiters and headers.
_NO_WORDS = re.compile(r"(?:\s*+(?:--[^\n]*+|[\w-]++:[^\n]*+)(?:\n|\Z))*+\s*+")


class Text(NamedTuple):
    """A text, decoded, and whether it goes on."""

    words: str
    cut: bool


def limits(parts: Iterable[Part]) -> dict[str, int | None]:
    """The sections of these texts, and the octets of each that are fetched: enough for TEXT_LIMIT and one more."""
    return {part.section: text.encoded_octets(TEXT_LIMIT + 1, part.encoding) for part in parts}


def decoded(part: Part, found: Mapping[str, bytes]) -> Text:
    """The text of a part, of a longer one the first TEXT_LIMIT octets.

    Args:
        found: at least its section, fetched up to its limit.
    """
    octets = text.decode_transfer(found[part.section], part.encoding)
    words = text.decode_body(octets[:TEXT_LIMIT], part.type, part.charset)
    if part.section.endswith("TEXT") and _NO_WORDS.fullmatch(words):
        words = ""
    return Text(words, len(octets) > TEXT_LIMIT)


def safe(part: Part, words: str) -> str:
    """A text as safe HTML; one that is HTML put into words before."""
    if part.type == "text/html":
        return html.text_to_html(readable(words))
    params = {name: value.lower() for name, value in part.params}
    return html.text_to_html(words, flowed=params.get("format") == "flowed", delsp=params.get("delsp") == "yes")
