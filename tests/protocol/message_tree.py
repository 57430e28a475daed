"""A message's MIME tree as a server would describe it, made by the standard library: for tests without a server."""

from __future__ import annotations

import copy
import email
import re
import sys
from dataclasses import dataclass, field
from email.message import Message

from webmail.protocol import text
from webmail.protocol.types import Part

_PARAMETER = re.compile(r';\s*([^\s=;]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')


@dataclass
class MessageTree:
    """The header block, the structure, and each leaf's body as it stands on the wire, by section."""

    header: bytes
    structure: Part
    bodies: dict[str, bytes] = field(default_factory=dict)

    def text(self, part: Part) -> str:
        """A text part decoded."""
        return text.decode_body(text.decode_transfer(self.bodies[part.section], part.encoding), part.type, part.charset)


DEEPEST = 100  # what a server still takes apart


def read_message(raw: bytes) -> MessageTree:
    """Parse a message with the standard library's tolerant parser."""
    header = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0]
    bodies: dict[str, bytes] = {}
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)  # the library's parser calls itself for each level
    try:
        message = email.message_from_bytes(raw)
    finally:
        sys.setrecursionlimit(limit)
    return MessageTree(header, _part(message, "", bodies), bodies)


def _part(message: Message, section: str, bodies: dict[str, bytes]) -> Part:
    disposition, placed = _field(message, "Content-Disposition")
    _type, typed = _field(message, "Content-Type")
    # Of a leaf, get_payload fails where its charset is written as RFC 2231 has it; of a list, never.
    payload = message.get_payload() if message.is_multipart() else None
    children: tuple[Part, ...] = ()
    if section.count(".") >= DEEPEST:
        payload = None
    if message.get_content_maintype() == "multipart" and isinstance(payload, list):
        prefix = section.removesuffix(".TEXT")
        numbered = (f"{prefix}.{n}" if prefix else str(n) for n in range(1, len(payload) + 1))
        children = tuple(_part(child, number, bodies) for child, number in zip(payload, numbered, strict=True))
    else:
        section = section or "1"
        bodies[section] = _body(message)
        if message.get_content_type() == "message/rfc822" and isinstance(payload, list):
            is_multipart = payload[0].get_content_maintype() == "multipart"
            children = (_part(payload[0], section + (".TEXT" if is_multipart else ".1"), bodies),)
    return Part(
        section,
        message.get_content_type(),
        encoding=str(message.get("Content-Transfer-Encoding", "7bit")).strip().lower(),
        size=len(bodies.get(section, b"")),
        charset=typed.get("charset", "").lower(),
        disposition="" if not disposition else "inline" if disposition == "inline" else "attachment",
        filename=placed.get("filename") or typed.get("name", ""),
        content_id=str(message.get("Content-ID", "")).strip("<> "),
        children=children,
    )


def _body(message: Message) -> bytes:
    """A leaf's body, not decoded. The library's str form would lose what isn't ASCII, its bytes form is decoded."""
    if str(message.get("Content-Transfer-Encoding", "")).strip().lower() in ("base64", "quoted-printable"):
        nameless = copy.copy(message)
        del nameless["Content-Type"]  # as above: what is asked for is ASCII, whatever its charset is said to be
        payload = nameless.get_payload()
        return payload.encode("ascii", "replace") if isinstance(payload, str) else b""
    decoded = message.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def _field(message: Message, name: str) -> tuple[str, dict[str, str]]:
    """A structured field's first word and its parameters, decoded as ours are."""
    raw = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
    value = str(raw)
    found = [(match[1], match[2] or match[3] or "") for match in _PARAMETER.finditer(value)]
    return value.partition(";")[0].strip().lower(), text.decode_params(found)
