"""What is listed below a message: the same files on its page, in its archive, for the drawer of thumbnails."""

from __future__ import annotations

import json
from dataclasses import dataclass

from webmail.models import Message
from webmail.protocol import content
from webmail.protocol.types import Attachment, Content

from . import bodies, enclosures
from .enclosed import scope_of


@dataclass(frozen=True, slots=True)
class Listed:
    """Everything that came with a message besides what is shown of it.

    Attributes:
        everything: with the messages and containers among them. carded: the sections of those, which have cards of
            their own. inside: the section of the message inside the message, or "".
    """

    everything: tuple[Attachment, ...]
    carded: frozenset[str]
    inside: str = ""

    @property
    def files(self) -> tuple[Attachment, ...]:
        """Those that are listed as files."""
        return tuple(item for item in self.everything if item.section not in self.carded)


def listed(message: Message, inside: str = "") -> Listed:
    """What came with the message, or with the one inside it, once its page has been read.

    Raises:
        NotThere: nothing lies at `inside`. ProtocolError: it can't be read now.
    """
    scope = scope_of(message, inside)
    shown = content.choose(scope.root)
    if shown.opened is not None:
        shown = enclosures.open_along(message, inside, scope, shown, {}, {}).content
    kept = bodies.get(message, [used_name(inside), enclosures.name_of(inside)])
    used = kept.get(used_name(inside))
    replaced = enclosures.replaced(shown, kept.get(enclosures.name_of(inside)))
    return among(shown, json.loads(used) if used else (), inside, replaced)


def among(shown: Content, used: tuple[str, ...], inside: str = "", replaced: frozenset[str] = frozenset()) -> Listed:
    """What is listed of `shown` where its HTML shows the images with the Content-IDs `used`.

    Args:
        replaced: sections of what a card says (`enclosures.replaced`), which are not listed.
    """
    items = (item for item in (*shown.attachments, *shown.inline) if item.content_id not in used or not item.content_id)
    carded = frozenset(part.section for part in (*shown.messages, *shown.closed))
    return Listed(tuple(item for item in items if item.section not in replaced), carded, inside)


def used_name(inside: str) -> str:
    """The name under which the Content-IDs of the images that the HTML shows are kept."""
    return f"used:{inside}"
