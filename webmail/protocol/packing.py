"""A message's structure as a short text for its index row, and back.

Compact JSON. A leaf is `[type, encoding, size, charset, more]`, a multipart `[type, child, …, more]`; `more` is an
object with what few parts have. Common words have one-letter codes and empty tails are left off, so that a plain
message takes about 15 octets and an alternative about 45. Sections aren't stored: they follow from the tree.
"""

from __future__ import annotations

import json
from typing import Any

from .types import Part

MAX_OCTETS = 8 * 1024
MAX_DEPTH = 50
MAX_PARTS = 1_000

# Capitals are multiparts. Never give a code another meaning: rows hold them.
_TYPES = {"text/plain": "p", "text/html": "h", "text/calendar": "c", "image/png": "n", "image/jpeg": "j",
          "image/gif": "g", "application/pdf": "f", "application/octet-stream": "o", "message/rfc822": "m",
          "message/delivery-status": "d", "application/pgp-signature": "s",
          "multipart/alternative": "A", "multipart/mixed": "M", "multipart/related": "R", "multipart/signed": "S",
          "multipart/report": "T", "multipart/encrypted": "E", "multipart/digest": "D"}  # fmt: skip
_ENCODINGS = {"7bit": "7", "8bit": "8", "base64": "b", "quoted-printable": "q", "binary": "x"}
_CHARSETS = {"utf-8": "u", "us-ascii": "a", "iso-8859-1": "l", "windows-1252": "w"}
_TYPE_OF = {code: word for word, code in _TYPES.items()}
_ENCODING_OF = {code: word for word, code in _ENCODINGS.items()}
_CHARSET_OF = {code: word for word, code in _CHARSETS.items()}
_DEFAULTS: tuple[Any, ...] = ("7", 0, "", {})  # of a leaf's places after its type
_DISPOSITIONS = {"attachment": "a", "inline": "i"}
_DISPOSITION_OF = {code: word for word, code in _DISPOSITIONS.items()}


def pack(structure: Part, *, most: int = MAX_OCTETS) -> str:
    """The structure as compact JSON.

    Returns "" where it would be over `most` octets, 1,000 parts or 50 levels: such a structure is fetched when the
    message is opened.
    """
    packer = _Packer()
    node = packer.node(structure, 1)
    if packer.overflowed:
        return ""
    packed = json.dumps(node, separators=(",", ":"), ensure_ascii=False)
    return packed if len(packed) <= most and len(packed.encode("utf-8", "replace")) <= most else ""


def unpack(packed: str) -> Part:
    """The structure that `pack` packed, its sections numbered again (RFC 9051 §6.4.5.1).

    Raises:
        ValueError: for "" and whatever else `pack` didn't make.
    """
    try:
        return _part(json.loads(packed), "", is_root=True)
    except (TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError("not a packed structure") from error


class _Packer:
    """Turns parts into lists, and gives up once there are too many of them."""

    def __init__(self) -> None:
        self.overflowed = False
        self._parts = 0

    def node(self, part: Part, depth: int) -> list[Any]:
        self._parts += 1
        if depth > MAX_DEPTH or self._parts > MAX_PARTS:
            self.overflowed = True
            return []
        more = _more(part)
        kind = _TYPES.get(part.type, part.type)
        children = [] if self.overflowed else [self.node(child, depth + 1) for child in part.children]
        if part.type.startswith("multipart/"):
            return [kind, *children, more] if more else [kind, *children]
        if children:
            more["c"] = children[0]
        node = [
            kind,
            _code(part.encoding, _ENCODINGS, "7"),
            part.size,
            _code(part.charset, _CHARSETS, ""),
            more,
        ]
        while node[-1] in ("", {}):
            node.pop()
        return node


def _code(word: str, codes: dict[str, str], unknown: str) -> str:
    """The code of a common word, else the word; what a sender made to look like a code is taken for `unknown`."""
    return codes.get(word) or (word if len(word) > 1 else unknown)


def _more(part: Part) -> dict[str, Any]:
    """What only some parts have, under one-letter names."""
    more: dict[str, Any] = {}
    if part.disposition:
        more["d"] = _DISPOSITIONS.get(part.disposition, part.disposition)
    if part.filename:
        more["f"] = part.filename
    if part.content_id:
        more["i"] = part.content_id
    if part.params:
        more["p"] = dict(part.params)
    return more


def _part(node: Any, section: str, *, is_root: bool = False) -> Part:
    """The part a node stands for, and what is below it. A multipart in a message at 2 is 2.TEXT, its children 2.1 …"""
    if not isinstance(node, list):
        raise TypeError("a part is a list")
    type_ = _type(node)
    if type_.startswith("multipart/"):
        more = node[-1] if isinstance(node[-1], dict) else {}
        nodes = node[1:-1] if more else node[1:]
        prefix = section.removesuffix(".TEXT")
        children = tuple(_part(child, _below(prefix, number)) for number, child in enumerate(nodes, 1))
        return Part(section, type_, children=children, **_details(more))
    section = "1" if is_root else section
    leaf: list[Any] = [*node[1:], *_DEFAULTS[len(node) - 1 :]]
    encoding, size, charset, details = leaf
    body: tuple[Part, ...] = ()
    if "c" in details:
        inner = details["c"]
        is_multipart = _type(inner).startswith("multipart/")
        body = (_part(inner, f"{section}.TEXT" if is_multipart else f"{section}.1"),)
    return Part(
        section,
        type_,
        encoding=_ENCODING_OF.get(encoding, encoding),
        size=size,
        charset=_CHARSET_OF.get(charset, charset),
        children=body,
        **_details(details),
    )


def _type(node: list[Any]) -> str:
    code: str = node[0]
    return _TYPE_OF.get(code, code)


def _details(more: dict[str, Any]) -> dict[str, Any]:
    return {
        "disposition": _DISPOSITION_OF.get(more.get("d", ""), more.get("d", "")),
        "filename": more.get("f", ""),
        "content_id": more.get("i", ""),
        "params": tuple(more.get("p", {}).items()),
    }


def _below(section: str, number: int) -> str:
    return f"{section}.{number}" if section else str(number)
