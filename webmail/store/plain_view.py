"""An HTML message as plain text: for somebody who would rather read than look, and beyond what is shown as designed."""

from __future__ import annotations

from webmail.models import Message
from webmail.protocol.readable import readable
from webmail.protocol.types import Content

from . import texts
from .enclosed import read_sections

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
    found = read_sections(message, texts.limits(wanted))
    if alternative is not None:
        words = len(readable(texts.decoded(parts[0], found).words).split())
        if ENOUGH * len(texts.decoded(alternative, found).words.split()) >= words:
            parts = [alternative]
    return tuple(texts.safe(part, texts.decoded(part, found).words) for part in parts)
