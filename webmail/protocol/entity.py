"""A MIME entity that no server has taken apart, as the tree and the bodies that a server would give.

For what lies inside a container (S/MIME, an encoded message): runs in the child of `bounded.py`. Tolerant and bounded
as servers are: a boundary that never closes ends with its parent, a part without a type is text.
"""

from __future__ import annotations

import re

from .bodystructure import kept_params, part_filename
from .opened import Opened
from .types import Part

MAX_DEPTH = 50
MAX_PARTS = 1_000
_MAX_BLOCK = 256 * 1024  # octets of a header block looked at
_MAX_PARAMS = 64

_BLANK_LINE = re.compile(rb"\r?\n(?=\r?\n)")
_FOLD = re.compile(rb"\r?\n[ \t]+")
_PARAM = re.compile(rb';\s*([^\s=;"]{1,100})\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;\s]*))', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,150}", re.ASCII)


def read_entity(data: bytes) -> Opened:
    """The tree of `data`, which begins with its header block, and the octets of each of its sections.

    The sections are those of a server (RFC 9051 §6.4.5.1): "HEADER", "1", "1.2", and "2.HEADER" for the message in 2.
    """
    reader = _Reader(data)
    begin = reader.body_start(0, len(data))
    structure = reader.part(0, len(data), "", 1, "text/plain")
    return Opened(structure, {"HEADER": data[:begin], **reader.bodies})


class _Reader:
    """Reads one tree by offsets into the data; counts the parts."""

    def __init__(self, data: bytes) -> None:
        self.bodies: dict[str, bytes] = {}
        self._data = data
        self._seen = 0

    def part(self, start: int, end: int, section: str, depth: int, default: str) -> Part:
        """The part whose header begins at `start`; its section is "" at the root."""
        self._seen += 1
        begin = self.body_start(start, end)
        fields = _fields(self._data[start : min(begin, start + _MAX_BLOCK)])
        kind, params = _value(fields.get("content-type", b""))
        if not _TYPE.fullmatch(kind):
            kind = default if not kind or "/" not in kind else "application/octet-stream"
        disposition, placed = _value(fields.get("content-disposition", b""))
        if disposition and disposition != "inline":
            disposition = "attachment"
        filename, kept = part_filename(placed, params), kept_params(params)
        boundary = params.get("boundary", b"")
        if kind.startswith("multipart/") and boundary and depth < MAX_DEPTH:
            inner = "message/rfc822" if kind == "multipart/digest" else "text/plain"
            children = self._children(begin, end, section, depth, boundary, inner, kind == "multipart/signed")
            return Part(section, kind, disposition=disposition, filename=filename, params=kept, children=children)
        if kind.startswith("multipart/"):
            kind = "text/plain"
        section = section or "1"
        self.bodies[section] = self._data[begin:end]
        encoding = fields.get("content-transfer-encoding", b"7bit").decode("ascii", "replace").strip().lower()
        message: tuple[Part, ...] = ()
        if kind in ("message/rfc822", "message/global") and encoding not in ("base64", "quoted-printable"):
            message = self._message(begin, end, section, depth)
        return Part(
            section,
            kind,
            encoding=encoding,
            size=end - begin,
            charset=params.get("charset", b"")[:64].decode("ascii", "replace").lower(),
            disposition=disposition,
            filename=filename,
            content_id=fields.get("content-id", b"")[:998].decode("utf-8", "replace").strip("<> "),
            params=kept,
            children=message,
        )

    def body_start(self, start: int, end: int) -> int:
        """Where the body begins: behind the first empty line; at `end` where there is none."""
        for opening in (b"\r\n", b"\n"):
            if self._data.startswith(opening, start, end):
                return start + len(opening)
        blank = _BLANK_LINE.search(self._data, start, end)
        if blank is None:
            return end
        return blank.end() + (2 if self._data.startswith(b"\r\n", blank.end()) else 1)

    def _children(
        self, begin: int, end: int, section: str, depth: int, boundary: bytes, default: str, is_signed: bool
    ) -> tuple[Part, ...]:
        """The parts between the delimiters. Of a signed multipart the first is kept whole, too, as it was signed."""
        prefix = section.removesuffix("TEXT") if section.endswith(".TEXT") else section + "." if section else ""
        line = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*\r?(?:\n|\Z)")
        starts: list[tuple[int, int]] = []
        opened, at = -1, begin
        found = line.match(self._data, begin - 1 if begin and self._data[begin - 1 : begin] == b"\n" else begin, end)
        found = found or line.search(self._data, begin, end)
        while found is not None:
            if opened >= 0:
                starts.append((opened, max(opened, found.start())))
            opened = -1 if found[1] else found.end()
            if found[1] or self._seen + len(starts) >= MAX_PARTS:
                break
            at = found.end() - 1  # the line end may begin the next delimiter
            found = line.search(self._data, at, end)
        if opened >= 0:
            starts.append((opened, end))
        children = []
        for number, (low, high) in enumerate(starts, 1):
            if self._seen >= MAX_PARTS:
                break
            children.append(self.part(low, high, f"{prefix}{number}", depth + 1, default))
            if is_signed and number == 1:
                inner = self.body_start(low, high)
                self.bodies[f"{prefix}1.MIME"], self.bodies[f"{prefix}1"] = (
                    self._data[low:inner],
                    self._data[inner:high],
                )
        return tuple(children)

    def _message(self, begin: int, end: int, section: str, depth: int) -> tuple[Part, ...]:
        if depth >= MAX_DEPTH or self._seen >= MAX_PARTS:
            return ()
        inner = self.body_start(begin, end)
        self.bodies[f"{section}.HEADER"] = self._data[begin:inner]
        fields = _fields(self._data[begin : min(inner, begin + _MAX_BLOCK)])
        kind, params = _value(fields.get("content-type", b""))
        is_multipart = kind.startswith("multipart/") and params.get("boundary")
        below = f"{section}.TEXT" if is_multipart else f"{section}.1"
        return (self.part(begin, end, below, depth + 1, "text/plain"),)


def _fields(block: bytes) -> dict[str, bytes]:
    """The fields of a header block, unfolded; of one that stands twice the first."""
    fields: dict[str, bytes] = {}
    for line in _FOLD.sub(b" ", block).split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            fields.setdefault(name.strip().lower().decode("ascii", "replace"), value.strip())
    return fields


def _value(raw: bytes) -> tuple[str, dict[str, bytes]]:
    """A structured field's first word in lower case, and its parameters."""
    word = raw.partition(b";")[0].strip().lower()
    params: dict[str, bytes] = {}
    for match in _PARAM.finditer(raw):
        if len(params) >= _MAX_PARAMS:
            break
        value = match[3] if match[2] is None else _ESCAPED.sub(rb"\1", match[2])
        params.setdefault(match[1].lower().decode("ascii", "replace"), value)
    return word.decode("ascii", "replace"), params
