"""Containers as Outlook makes them (MS-OXTNEF), octet by octet, for the tests.

`python -m tests.corpus_containers` puts them into mail.
"""

from __future__ import annotations

from collections.abc import Sequence

_MESSAGE, _ATTACHMENT = 1, 2
_TRIPLES = {"version": (0x00089006, _MESSAGE), "codepage": (0x00069007, _MESSAGE), "class": (0x00078008, _MESSAGE),
            "subject": (0x00018004, _MESSAGE), "body": (0x0002800C, _MESSAGE), "properties": (0x00069003, _MESSAGE),
            "rendering": (0x00069002, _ATTACHMENT), "title": (0x00018010, _ATTACHMENT),
            "data": (0x0006800F, _ATTACHMENT), "attachment": (0x00069005, _ATTACHMENT)}  # fmt: skip
HTML, CODEPAGE, RTF, LONG_NAME, CONTENT_ID, OBJECT = 0x1013, 0x3FDE, 0x1009, 0x3707, 0x3712, 0x3701
_BINARY, _UNICODE, _INTEGER, _OBJECT = 0x0102, 0x001F, 0x0003, 0x000D
MESSAGE_MARK = bytes.fromhex("0703020000000000c000000000000046")


def tnef(*objects: bytes, codepage: int = 1252) -> bytes:
    """A whole stream."""
    head = bytes.fromhex("789f3e22") + b"\x01\x00"
    begin = item("version", (0x10000).to_bytes(4, "little")) + item(
        "codepage", codepage.to_bytes(4, "little") + bytes(4)
    )
    return head + begin + b"".join(objects)


def item(name: str, data: bytes) -> bytes:
    """One object with its checksum."""
    tag, level = _TRIPLES[name]
    checksum = (sum(data) & 0xFFFF).to_bytes(2, "little")
    return bytes([level]) + tag.to_bytes(4, "little") + len(data).to_bytes(4, "little") + data + checksum


def file(name: str, data: bytes, *, long_name: str = "", content_id: str = "") -> bytes:
    """A file with its short name, and properties where it has any."""
    more = []
    if long_name:
        more.append((_UNICODE, LONG_NAME, (long_name + "\0").encode("utf-16-le")))
    if content_id:
        more.append((_UNICODE, CONTENT_ID, (content_id + "\0").encode("utf-16-le")))
    made = item("rendering", bytes(14)) + item("title", name.encode("cp1252") + b"\0") + item("data", data)
    return made + (item("attachment", properties(more)) if more else b"")


def embedded(name: str, inner: bytes) -> bytes:
    """An item of Outlook attached to another."""
    value = (_OBJECT, OBJECT, MESSAGE_MARK + inner)
    return item("rendering", bytes(14)) + item("title", name.encode() + b"\0") + item("attachment", properties([value]))


def html_body(html: str, codepage: int = 65001) -> bytes:
    """The message's text as HTML."""
    octets = html.encode("utf-8" if codepage == 65001 else f"cp{codepage}")
    values = [(_INTEGER, CODEPAGE, codepage.to_bytes(4, "little")), (_BINARY, HTML, octets)]
    return item("properties", properties(values))


def rtf_body(packed: bytes) -> bytes:
    """The message's text as compressed RTF."""
    return item("properties", properties([(_BINARY, RTF, packed)]))


def properties(values: Sequence[tuple[int, int, bytes]]) -> bytes:
    """A list of MAPI properties."""
    out = len(values).to_bytes(4, "little")
    for kind, name, data in values:
        out += kind.to_bytes(2, "little") + name.to_bytes(2, "little")
        if kind == _INTEGER:
            out += data
        else:
            out += (1).to_bytes(4, "little") + len(data).to_bytes(4, "little") + data + bytes(-len(data) % 4)
    return out
