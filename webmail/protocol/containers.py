"""Containers opened: S/MIME that carries its content, TNEF, messages that were encoded. Runs in the child of `bounded`.

What comes out is a tree of parts like any other; nothing of it is trusted more than mail that came openly.
"""

from __future__ import annotations

from . import opened
from .entity import read_entity
from .kinds import PKCS7


def open_container(data: bytes, type: str) -> bytes:
    """Open what a part of this type holds, and return it as `opened.write` does.

    Raises:
        ValueError, or whatever the parsers raise: it is not what it says.
    """
    if type in PKCS7:
        from .signature import open_signed  # noqa: PLC0415 - each child loads only what it needs

        return opened.write(open_signed(data))
    if type.startswith("message/") or not data.startswith(b"\x78\x9f\x3e\x22"):
        return opened.write(read_entity(data))
    from .tnef import open_tnef  # noqa: PLC0415

    return opened.write(open_tnef(data))
