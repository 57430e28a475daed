"""A file as a message of its own, so that a mailbox can keep it; and any message with the line ends a mailbox wants.

The same values and octets make the same message, so that it can be known again after a crash.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from urllib.parse import quote

from .guard import header_value

HEADER_LIMIT = 64 * 1024  # octets of a header block that are looked at

_LINES = 57 * 1024  # octets encoded at once: whole lines of base64
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,100}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")
_LONE_LF = re.compile(rb"(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class Carried:
    """What a message that carries a file says of itself.

    Args:
        address: whose message it is. subject, text: in words. date: aware. message_id: without angle brackets.
        name, type: of the file.
    """

    address: str
    subject: str
    text: str
    date: datetime
    message_id: str
    name: str
    type: str


def carry(values: Carried, data: Iterable[bytes]) -> Iterator[bytes]:
    """The message, piece by piece; every part of it is ASCII in short lines.

    Args:
        data: the file's octets.

    Raises:
        Forbidden: a value holds a control character.
    """
    boundary = f"=_{re.sub(r'[^A-Za-z0-9]', '', values.message_id)[:60]}"
    yield _head(values, boundary)
    yield base64.encodebytes(values.text.encode()).replace(b"\n", b"\r\n")
    yield _part_head(values, boundary)
    for lines in _in_whole_lines(data):
        yield base64.encodebytes(lines).replace(b"\n", b"\r\n")
    yield f"\r\n--{boundary}--\r\n".encode("ascii")


def with_crlf(data: Iterable[bytes]) -> Iterator[bytes]:
    """The same octets with every lone LF as CR LF (RFC 5322 §2.3)."""
    after_cr = False
    for piece in data:
        if not piece:
            continue
        mended = _LONE_LF.sub(b"\r\n", piece)
        if after_cr and piece.startswith(b"\n"):
            mended = mended[1:]  # its CR came with the piece before
        after_cr = piece.endswith(b"\r")
        yield mended


def _head(values: Carried, boundary: str) -> bytes:
    fields = (
        ("From", f"<{header_value(values.address)}>"),
        ("To", f"<{header_value(values.address)}>"),
        ("Subject", _unstructured("Subject", values.subject)),
        ("Date", format_datetime(values.date)),
        ("Message-ID", f"<{header_value(values.message_id)}>"),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/mixed; boundary="{boundary}"'),
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    text = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n"
    return f"{head}\r\n--{boundary}\r\n{text}\r\n".encode("ascii", "replace")


def _part_head(values: Carried, boundary: str) -> bytes:
    name = header_value(values.name)
    if name.isascii():
        written = 'filename="{}"'.format(re.sub(r'["\\]', "_", name))
    else:  # RFC 2231 alone: beside a plain name some programs would take that
        written = f"filename*=utf-8''{quote(name, safe='')}"
    type_ = values.type if _TYPE.fullmatch(values.type) else ""
    if not type_ or type_.startswith(("multipart/", "message/")):  # those may not be in base64 (RFC 2045 §6.4)
        type_ = "application/octet-stream"
    return (
        f"\r\n--{boundary}\r\nContent-Type: {type_}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n {written}\r\n\r\n"
    ).encode("ascii")


def _unstructured(name: str, value: str) -> str:
    """A field's text as RFC 2047 words where it needs them, folded."""
    return Header(header_value(value), "us-ascii" if value.isascii() else "utf-8", header_name=name).encode(
        linesep="\r\n"
    )


def _in_whole_lines(data: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for piece in data:
        held += piece
        if len(held) >= _LINES:
            whole = len(held) // 57 * 57
            yield held[:whole]
            held = held[whole:]
    if held:
        yield held
