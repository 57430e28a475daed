"""An HTML message as plain text, for somebody who would rather read than look."""

from __future__ import annotations

from collections.abc import Mapping

from webmail.models import Message
from webmail.protocol import html, text
from webmail.protocol.readable import readable
from webmail.protocol.types import Content, Part

from .enclosed import read_sections

TEXT_LIMIT = 2**20  # octets of one text part
ENOUGH = 4  # times the words of a plain version are at least those of the HTML


def plain_texts(message: Message, shown: Content) -> tuple[str, ...]:
    """Safe HTML for each text of the message, those that are HTML put into words.

    Of a single HTML text the plain version that came with it is taken, unless that only says to look at the other.

    Args:
        shown: what `reading.body` chose.

    Raises:
        ProtocolError: it was not read before and can't be read now.
    """
    parts = [part for part in shown.sequence if part.type.startswith("text/")]
    alternative = shown.alternative if len(parts) == 1 else None
    wanted = [*parts, alternative] if alternative else parts
    found = read_sections(message, {part.section: TEXT_LIMIT for part in wanted})
    if alternative is not None:
        words = len(readable(_decoded(parts[0], found)).split())
        if ENOUGH * len(_decoded(alternative, found).split()) >= words:
            parts = [alternative]
    return tuple(_safe(part, found) for part in parts)


def _safe(part: Part, found: Mapping[str, bytes]) -> str:
    said = _decoded(part, found)
    if part.type == "text/html":
        return html.text_to_html(readable(said))
    params = {name: value.lower() for name, value in part.params}
    return html.text_to_html(said, flowed=params.get("format") == "flowed", delsp=params.get("delsp") == "yes")


def _decoded(part: Part, found: Mapping[str, bytes]) -> str:
    return text.decode_body(text.decode_transfer(found[part.section], part.encoding), part.type, part.charset)
