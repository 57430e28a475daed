"""A message's structure as a short text for its index row, and back."""

from __future__ import annotations

from .types import Part


def pack(structure: Part) -> str:
    """The structure as compact JSON, or "" where that would be over 8 KiB (fetch it at opening then)."""
    raise NotImplementedError


def unpack(packed: str) -> Part:
    """The structure that `pack` packed. Raises ValueError for anything else, "" included."""
    raise NotImplementedError
