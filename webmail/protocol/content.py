"""What of a message is shown and what is offered for download, chosen from its structure alone."""

from __future__ import annotations

from .packing import pack, unpack
from .types import Content, Part

__all__ = ["choose", "has_attachment", "pack", "unpack"]


def choose(structure: Part) -> Content:
    """Choose the body parts to show and the attachments to list."""
    raise NotImplementedError


def has_attachment(structure: Part) -> bool:
    """Whether the message carries a file a person would call an attachment."""
    raise NotImplementedError
