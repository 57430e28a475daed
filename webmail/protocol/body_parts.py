"""The parts of a message's body in octets that pass every mail server: ASCII in short lines, CR LF at their ends.

    mixed                       where files are attached
      alternative               where there is HTML
        text/plain
        related                 where the HTML shows pictures that are in the message
          text/html
          the pictures
      the files

Only a message that is attached goes out as it came (RFC 2046 §5.2.1 forbids to encode it), be it 8 bit.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .carrying import with_crlf
from .charsets import clean_text
from .field_writing import parameter_field, words_in_quotes
from .filenames import clean_filename
from .flowed import flow
from .readable import readable
from .written import pictures

MAX_LINE = 998  # octets (RFC 5322 §2.1.1)
MESSAGE = "message/rfc822"

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,100}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")
_CONTENT_ID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,150}(?:@[A-Za-z0-9.-]{1,100})?")
_CONTROLS = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FROM = re.compile(rb"^From ", re.MULTILINE)
_UNSENDABLE = re.compile(rb"\0|\r(?!\n)")


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes with a message.

    Args:
        name, type: as it is called and what it claims to be; cleaned before they go out.
        data: its octets.
        content_id: of a picture that the HTML shows ("cid:…"), without brackets; "" of all others.
    """

    name: str
    type: str
    data: bytes
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Entity:
    """A MIME entity: its own header fields and its body, neither with an empty line between."""

    head: str
    body: bytes

    @property
    def octets(self) -> bytes:
        return self.head.encode() + b"\r\n" + self.body


def body_of(text: str, html: str, files: Sequence[File], seed: str) -> Entity:
    """The body of a message.

    Args:
        text: used where there is no HTML; with HTML it is made from that.
        html: what stands inside `<body>`, clean; "" for a message in plain text.
        seed: decides the boundaries, so that the same values give the same octets.
    """
    seen = pictures(html)
    shown = [file for file in files if file.content_id in seen and _CONTENT_ID.fullmatch(file.content_id)]
    if html:
        page = _html_part(html)
        if shown:
            page = multipart("related", [page, *map(_inline, shown)], seed, [("type", "text/html")])
        body = multipart("alternative", [text_part(readable(html)), page], seed)
    else:
        body = text_part(text)
    attached = [_attached(file) for file in files if file not in shown]
    return multipart("mixed", [body, *attached], seed) if attached else body


def text_part(text: str) -> Entity:
    """A plain text, flowed (RFC 3676)."""
    flowed = flow(_CONTROLS.sub("", text))
    parameters = [("charset", "utf-8"), ("format", "flowed")]
    if flowed.delsp:
        parameters.append(("delsp", "yes"))
    return _encoded_text(parameter_field("Content-Type", "text/plain", parameters), flowed.text)


def _html_part(html: str) -> Entity:
    html = _CONTROLS.sub("", clean_text(html)).replace("\r\n", "\n").replace("\r", "\n")
    page = f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n{html}\n</body></html>\n'
    return _encoded_text(parameter_field("Content-Type", "text/html", [("charset", "utf-8")]), page)


def _encoded_text(head: str, text: str) -> Entity:
    """A text in the encoding that changes least of it; its lines end in LF so far."""
    octets = text.encode()
    if octets.isascii() and _longest_line(octets) <= MAX_LINE and not _FROM.search(octets):
        return Entity(f"{head}Content-Transfer-Encoding: 7bit\r\n", octets.replace(b"\n", b"\r\n"))
    quoted = binascii.b2a_qp(octets, istext=True)
    if len(quoted) <= len(octets) * 3 // 2:
        # "From " at the beginning of a line gets a mark from old mail servers.
        quoted = _FROM.sub(b"F=\nrom ", quoted).replace(b"\n", b"\r\n")
        return Entity(f"{head}Content-Transfer-Encoding: quoted-printable\r\n", quoted)
    return Entity(f"{head}Content-Transfer-Encoding: base64\r\n", _base64(octets.replace(b"\n", b"\r\n")))


def _inline(file: File) -> Entity:
    head = f"Content-ID: <{file.content_id}>\r\n"
    return _file_entity(file, "inline", head)


def _attached(file: File) -> Entity:
    if file.type.lower() == MESSAGE:
        message = b"".join(with_crlf([file.data]))
        if message and not _UNSENDABLE.search(message) and _longest_line(message) <= MAX_LINE:
            encoding = "7bit" if message.isascii() else "8bit"
            return Entity(f"{_named(file, 'attachment', MESSAGE)}Content-Transfer-Encoding: {encoding}\r\n", message)
    return _file_entity(file, "attachment")


def _file_entity(file: File, disposition: str, head: str = "") -> Entity:
    type_ = file.type.lower()
    if not _TYPE.fullmatch(type_) or type_.startswith(("multipart/", "message/")):
        type_ = "application/octet-stream"
    head = f"{_named(file, disposition, type_)}{head}Content-Transfer-Encoding: base64\r\n"
    return Entity(head, _base64(file.data))


def _named(file: File, disposition: str, type_: str) -> str:
    """The type and disposition with the file's name: as RFC 2231 has it, and where old Outlooks look for it."""
    name = clean_filename(file.name, file.type.lower())
    if name.isascii():
        kind = parameter_field("Content-Type", type_, [("name", name)])
    else:
        kind = f"Content-Type: {type_};\r\n name={words_in_quotes(name)}\r\n"
    return kind + parameter_field("Content-Disposition", disposition, [("filename", name)])


def _base64(octets: bytes) -> bytes:
    return base64.encodebytes(octets).replace(b"\n", b"\r\n")


def _longest_line(octets: bytes) -> int:
    """Octets of the longest line, its end not counted."""
    return max(len(line.rstrip(b"\r")) for line in octets.split(b"\n"))


def multipart(subtype: str, parts: Sequence[Entity], seed: str, parameters: Iterable[tuple[str, str]] = ()) -> Entity:
    """Several parts as one; `seed` decides the boundary."""
    octets = [part.octets for part in parts]
    boundary = _boundary(seed, subtype, octets)
    head = parameter_field("Content-Type", f"multipart/{subtype}", [("boundary", boundary), *parameters])
    if not all(part.body.isascii() for part in parts):  # RFC 2045 §6.4
        head += "Content-Transfer-Encoding: 8bit\r\n"
    line = boundary.encode()
    pieces = [b"--%b\r\n%b\r\n" % (line, piece) for piece in octets]
    return Entity(head, b"".join((*pieces, b"--%b--\r\n" % line)))


def _boundary(seed: str, subtype: str, octets: Sequence[bytes]) -> str:
    """A delimiter that no part holds (RFC 2046 §5.1.1); "=_" stands in no base64 and no quoted-printable."""
    number = 0
    while True:
        digest = hashlib.sha256(f"{subtype} {number} {seed}".encode()).hexdigest()
        boundary = f"=_{digest[:40]}"
        if not any(boundary.encode() in piece for piece in octets):
            return boundary
        number += 1
