"""Outlook's container winmail.dat (MS-OXTNEF) opened: its text and its files as parts like any others.

The objects are walked one by one, so that a container that was cut off gives what came before the cut. Runs in the
child of `bounded`.
"""

from __future__ import annotations

import codecs
import contextlib
import logging
import mimetypes
from collections.abc import Iterator
from typing import Any

from tnefparse import properties
from tnefparse.mapi import decode_mapi
from tnefparse.tnef import TNEF, TNEFAttachment, TNEFObject

from .charsets import decode_text
from .opened import Opened
from .types import Part

MAX_FILES = 200
_MAX_OBJECTS = 5_000
_MAX_PROPERTIES = 2_000
_HEAD = 6  # octets: signature and key
_LEAST_OBJECT = 11
_LEAST_PROPERTY = 8
_CODEPAGE = "cp1252"
_TYPES = mimetypes.MimeTypes(filenames=())

# The dictionary that LZFu begins with (MS-OXRTFCP §2.1.2.1).
_RTF_WORDS = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    b"\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_MAX_RTF = 16 * 2**20
_COMPRESSED, _UNCOMPRESSED = b"LZFu", b"MELA"

logging.getLogger("tnefparse").disabled = True  # it writes what it found in other people's mail


def open_tnef(data: bytes) -> Opened:
    """The text and the files of a TNEF stream as a multipart/mixed.

    Raises:
        ValueError: nothing could be got out of it.
    """
    walked = _Walk()
    for item in _objects(data):
        with contextlib.suppress(Exception):  # whatever the parser throws at one object; the others are still read
            walked.take(item)
    children: list[Part] = []
    bodies: dict[str, bytes] = {}
    for part, octets in walked.parts():
        section = str(len(children) + 1)
        children.append(Part(section, size=len(octets), encoding="binary", **part))
        bodies[section] = octets
    if not children:
        raise ValueError("an empty container")
    return Opened(Part("", "multipart/mixed", children=tuple(children)), bodies)


def _objects(data: bytes) -> Iterator[TNEFObject]:
    offset = _HEAD
    for _ in range(_MAX_OBJECTS):
        if offset + _LEAST_OBJECT > len(data):
            return
        length = int.from_bytes(data[offset + 5 : offset + 9], "little") + _LEAST_OBJECT
        with contextlib.suppress(Exception):
            yield TNEFObject(data[offset : offset + length])
        offset += length


class _Walk:
    """Gathers what the objects of a stream say, in their order."""

    def __init__(self) -> None:
        self._codepage = _CODEPAGE
        self._files: list[TNEFAttachment] = []
        self._text: Any = None
        self._html: Any = None
        self._rtf: Any = None

    def take(self, item: TNEFObject) -> None:
        """One object of the message or of the file that began last."""
        if item.name in (TNEF.ATTMAPIPROPS, TNEF.ATTATTACHMENT):
            item.data = _bounded(item.data)
            if int.from_bytes(item.data[:4], "little") > _MAX_PROPERTIES:
                return  # the library would count them all
        if item.name == TNEF.ATTOEMCODEPAGE:
            self._codepage = _codepage(int.from_bytes(item.data[:4], "little"))
        elif item.name == TNEF.ATTATTACHRENDDATA and len(self._files) < MAX_FILES:
            self._files.append(TNEFAttachment(self._codepage))
        elif item.level == TNEF.LVL_ATTACHMENT:
            if self._files:
                self._files[-1].add_attr(item)
        elif item.name == TNEF.ATTBODY:
            self._text = item.data
        elif item.name == TNEF.ATTMAPIPROPS:
            self._take_properties(item.data)

    def parts(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """What each part is, as `Part` takes it, and its octets."""
        html, plain = self._decoded(self._html), self._decoded(self._text)
        if html:
            yield {"type": "text/html", "charset": "utf-8"}, html.encode("utf-8", "replace")
        elif plain:
            yield {"type": "text/plain", "charset": "utf-8"}, plain.encode("utf-8", "replace")
        elif isinstance(self._rtf, bytes) and (rtf := _rtf(self._rtf)):
            yield {"type": "text/rtf", "filename": "message.rtf", "disposition": "attachment"}, rtf
        for file in self._files:
            octets = file.data if isinstance(file.data, bytes) else b""
            name = _name(file)
            if hasattr(file, "embed"):
                yield _file(f"{name or 'message'}.dat", "application/ms-tnef"), octets
            elif octets or name:
                content_id = _property(file, properties.MAPI_ATTACH_CONTENT_ID).strip("<> ")
                kind = _TYPES.guess_type(name)[0] or "application/octet-stream"
                place = {"content_id": content_id, "disposition": ""} if content_id else {}
                yield _file(name, kind) | place, octets

    def _take_properties(self, data: bytes) -> None:
        for found in decode_mapi(data, self._codepage):
            if found.name in (properties.MAPI_BODY, properties.MAPI_UNCOMPRESSED_BODY):
                self._text = found.data
            elif found.name == properties.MAPI_BODY_HTML:
                self._html = found.data
            elif found.name == properties.MAPI_RTF_COMPRESSED:
                self._rtf = found.data
            elif found.name == properties.MAPI_INTERNET_CODEPAGE:
                self._codepage = _codepage(found.data)

    def _decoded(self, value: Any) -> str:
        if isinstance(value, list | tuple):
            value = value[0] if value else ""
        if isinstance(value, bytes):
            value = decode_text(value, self._codepage)
        return value.strip("\x00").strip() if isinstance(value, str) else ""


def _bounded(data: bytes) -> bytes:
    """A block of properties that states no more of them than fit into it: the parser counts to what is stated."""
    stated = int.from_bytes(data[:4], "little")
    return min(stated, len(data) // _LEAST_PROPERTY).to_bytes(4, "little") + data[4:]


def _codepage(number: int) -> str:
    """Python's name of a Windows codepage; the usual one for what it doesn't know."""
    name = {65001: "utf-8", 20127: "ascii", 20866: "koi8-r", 28591: "iso-8859-1"}.get(number, f"cp{number}")
    try:
        codecs.lookup(name)
    except LookupError:
        return _CODEPAGE
    return name


def _file(name: str, type: str) -> dict[str, Any]:
    return {"type": type, "filename": name, "disposition": "attachment"}


def _name(file: TNEFAttachment) -> str:
    long = _property(file, properties.MAPI_ATTACH_LONG_FILENAME)
    short = file._name
    if isinstance(short, bytes):
        short = decode_text(short, file.codepage or _CODEPAGE)
    return (long or str(short)).strip("\x00").strip()


def _property(file: TNEFAttachment, name: int) -> str:
    for found in file.mapi_attrs:
        if found.name == name:
            value = found.data
            value = decode_text(value, file.codepage or _CODEPAGE) if isinstance(value, bytes) else str(value)
            return value.strip("\x00").strip()
    return ""


def _rtf(data: bytes) -> bytes:
    """LZFu undone (MS-OXRTFCP §2.2): runs of a 4 kB window, or letters as they are; b"" for what isn't any."""
    size, kind, packed = int.from_bytes(data[4:8], "little"), data[8:12], data[16:]
    if kind == _UNCOMPRESSED:
        return packed[: min(size, _MAX_RTF)]
    if kind != _COMPRESSED or size > _MAX_RTF:
        return b""
    window = bytearray(_RTF_WORDS.ljust(4096, b"\x00"))
    write, at = len(_RTF_WORDS), 0
    out = bytearray()
    while at < len(packed) and len(out) < size:
        flags, at = packed[at], at + 1
        for bit in range(8):
            if flags >> bit & 1:
                pair = int.from_bytes(packed[at : at + 2], "big")
                at += 2
                start, length = pair >> 4, (pair & 15) + 2
                if start == write % 4096 or at > len(packed):
                    return bytes(out[:size])
                run = [start + step for step in range(length)]
            else:
                if at >= len(packed):
                    return bytes(out[:size])
                window[write % 4096] = packed[at]
                at += 1
                run = [write]
            for place in run:
                letter = window[place % 4096]
                window[write % 4096] = letter
                write += 1
                out.append(letter)
    return bytes(out[:size])
