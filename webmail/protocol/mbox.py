"""Files of mail taken apart: mbox in all its dialects, and a message alone. In flat memory, whatever the file is.

An mbox (RFC 4155) is messages one behind the other, each after a line that begins with "From ". Such a line inside a
text is told from these in one of three ways, and no file says in which:

    mboxo    ">From " stands for it      mboxrd   one more ">" before any number of them
    mboxcl2  nothing is changed; Content-Length says where the message ends

So a Content-Length is believed where it leads to the end of the file or to another such line, and what it measures is
left as it is. Else a message ends before the next line that looks like one of these, and one ">" is taken away.
Line ends become CR LF: of a message whose first line ends in LF alone every LF, as mail is written to such files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from .carrying import with_crlf

Read = Callable[[int, int], bytes]  # offset and length → those octets; fewer at the end of the file, then none

HEADER_LIMIT = 256 << 10  # octets of a header that are looked at (security §5.5)
_FIRST_BLOCK, _BLOCK = 16 << 10, 1 << 20  # octets read at once: most messages end in the first
_LINE = 320  # octets of the longest line that can stand between messages
_NEAR = 1 << 10  # octets behind the beginning of such a line that tell whether it is one
_SHORT = 4096  # octets of a line that are waited for before its beginning is looked at

_DAY, _MONTH = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)", rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_BETWEEN = re.compile(rb"\n(From [^\n]{1,300}\n)(?=[!-9;-~]{1,100}[ \t]*:|\r?\n|>From |\Z)")
_DATED = re.compile(rb"\d\d?:\d\d.*(?:19|20)\d\d|(?:19|20)\d\d.*\d\d?:\d\d")
_EXACT = re.compile(rb"From \S+ +" + _DAY + rb" +" + _MONTH + rb" +\d\d? \d\d:\d\d(?::\d\d)?(?: \S+)? (?:19|20)\d\d")
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,12})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message is in its file, in octets: from `start` to before `end`; what comes then begins at `next`.

    `separator` is the line before it, b"" where there is none; `quoted` whether a ">" is to be taken away.
    """

    start: int
    end: int
    next: int
    separator: bytes = b""
    quoted: bool = False


def places(read: Read, size: int, begin: int = 0, *, alone: bool = False) -> Iterator[Place]:
    """Each message of a file, in order.

    Args:
        size: of the file. begin: 0, or `next` of a place found before, to go on behind it.
        alone: it is one message, whatever stands in it.
    """
    at = begin or _skip_nothing(read)
    if at >= size:
        return
    line = _line(read, at)
    if alone or not line.startswith(b"From "):
        if begin == 0:
            separator = line if line.startswith(b"From ") else b""
            yield Place(at + len(separator), size, size, separator)
        return
    while at < size:
        line = _line(read, at)
        start = at + len(line)
        end, at, quoted = _end_of(read, size, start)
        yield Place(start, end, at, line, quoted)


def octets(read: Read, place: Place) -> Iterator[bytes]:
    """The message as mail is sent: no ">" too many, lines ended by CR LF. Piece by piece."""
    raw = _raw(read, place)
    if place.quoted:
        raw = _unquoted(raw)
    return with_crlf(raw) if _first_line_end(read, place) == b"\r\n" else (each.replace(b"\n", b"\r\n") for each in raw)


def is_mail(head: bytes) -> bool:
    """Whether a text that begins like this can be a message: its first line is a header field (RFC 5322 §2.2)."""
    return _FIELD.match(head) is not None


def _end_of(read: Read, size: int, start: int) -> tuple[int, int, bool]:
    """Of the message from `start` on: its end, where the next separator begins, and whether it is quoted."""
    head = read(start, _FIRST_BLOCK)
    header = _HEADER_END.search(head)
    if header is None and len(head) == _FIRST_BLOCK:
        head = read(start, HEADER_LIMIT)
        header = _HEADER_END.search(head)
    if header is not None and (length := _LENGTH.search(head, 0, header.end())):
        end = start + header.end() + int(length[1])
        behind = read(end, _NEAR) if end <= size else b"?"
        gap = len(behind) - len(behind.lstrip(b"\r\n"))
        if gap == len(behind) and end + gap >= size:
            return end, size, False
        if gap <= 4 and (gap or read(end - 1, 1) == b"\n") and _is_separator(behind[gap:]):
            return end, end + gap, False
    at = _next_separator(read, size, start)
    before = read(max(start, at - 3), min(3, at - start))
    blank = re.search(rb"(?:\A|\n)(\r?\n)\Z", before)
    return at - len(blank[1]) if blank else at, at, True


def _next_separator(read: Read, size: int, start: int) -> int:
    """Where the next separator begins, at or behind `start`; the end of the file where there is none."""
    at, length = start - 1, _FIRST_BLOCK  # with the end of the line before
    while at < size:
        block = read(at, length)
        length = _BLOCK
        is_last = at + len(block) >= size
        for found in _BETWEEN.finditer(block):
            if found.start() > len(block) - _NEAR and not is_last:
                break
            line = found[1]
            above = block[max(0, found.start() - 2) : found.start()]
            blank = at + found.start() < start or above.endswith((b"\n", b"\n\r"))
            if (blank and _DATED.search(line)) or _EXACT.match(line):
                return at + found.start() + 1
        if is_last:
            break
        at += len(block) - _NEAR - 2  # what wasn't decided yet, with the two octets above it
    return size


def _is_separator(behind: bytes) -> bool:
    found = _BETWEEN.match(b"\n" + behind)
    return found is not None and _DATED.search(found[1]) is not None


def _skip_nothing(read: Read) -> int:
    """Where a file begins behind a byte order mark and empty lines."""
    at = 3 if read(0, 3) == b"\xef\xbb\xbf" else 0
    while block := read(at, _BLOCK):
        rest = block.lstrip(b"\r\n")
        at += len(block) - len(rest)
        if rest:
            break
    return at


def _line(read: Read, at: int) -> bytes:
    """The line that begins there, with its end; cut where it is longer than a separator can be."""
    head = read(at, _LINE)
    return head[: head.find(b"\n") + 1] or head


def _raw(read: Read, place: Place) -> Iterator[bytes]:
    at = place.start
    while at < place.end:
        piece = read(at, min(_BLOCK, place.end - at))
        if not piece:
            return
        at += len(piece)
        yield piece


def _first_line_end(read: Read, place: Place) -> bytes:
    head = read(place.start, min(_FIRST_BLOCK, place.end - place.start))
    at = head.find(b"\n")
    return head[max(0, at - 1) : at + 1] if at > 0 else b""


def _unquoted(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Without the first ">" of each line that quotes a separator. Lines may be cut anywhere, and never end."""
    kept, in_line = b"", False
    for piece in pieces:
        data = kept + piece
        end = data.rfind(b"\n") + 1
        if not end and len(data) > _SHORT:
            end = len(data)
        kept, data = data[end:], data[:end]
        if data:
            yield _unquote(data, in_line)
            in_line = not data.endswith(b"\n")
    if kept:
        yield _unquote(kept, in_line)


def _unquote(data: bytes, in_line: bool) -> bytes:
    head = b""
    if in_line:
        head, newline, data = data.partition(b"\n")
        head += newline
    return head + _QUOTED.sub(rb"\1", data)
