"""Pages of a PDF drawn as pictures. Runs in `bounded` alone; the PDF itself never reaches a browser of ours."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator

import pypdfium2 as pdfium

from .errors import GiveUp
from .pictures import LARGE, THUMBNAIL, encode

MOST_PAGES = 20  # that can be looked at; a download has them all
TOGETHER = 4  # pages drawn at most in one call
_PATIENCE = 2.5  # seconds of CPU after which no further page is begun
_LARGEST_SCALE = 3.0
_LENGTH = struct.Struct(">I")


def first_page(data: bytes) -> bytes:
    """The first page as a small picture.

    Raises:
        GiveUp: it can't be drawn.
    """
    with _opened(data) as paper:
        return _draw(paper, 0, THUMBNAIL)


def pages(data: bytes, first: str) -> bytes:
    """Some pages from `first` on (counted from 1), as `read_pages` reads them.

    Raises:
        GiveUp: it can't be drawn, or has no such page.
    """
    with _opened(data) as paper:
        count = len(paper)
        at = int(first) - 1
        if not 0 <= at < min(count, MOST_PAGES):
            raise GiveUp("There is no such page.")
        drawn: list[bytes] = []
        for number in range(at, min(count, MOST_PAGES, at + TOGETHER)):
            if drawn and time.process_time() > _PATIENCE:
                break
            drawn.append(_draw(paper, number, LARGE))
        head = json.dumps([count, len(drawn)]).encode()
        return b"".join(_LENGTH.pack(len(piece)) + piece for piece in (head, *drawn))


def read_pages(answer: bytes) -> tuple[int, list[bytes]]:
    """How many pages the paper has, and the pictures of those that `pages` drew.

    Raises:
        ValueError: it is no such answer.
    """
    pieces = _pieces(answer)
    try:
        count, drawn = json.loads(next(pieces))
        found = list(pieces)
    except (StopIteration, TypeError, struct.error) as error:
        raise ValueError("not what `pages` answers") from error
    if not isinstance(count, int) or len(found) != drawn:
        raise ValueError("not what `pages` answers")
    return count, found


def _pieces(answer: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(answer):
        (length,) = _LENGTH.unpack_from(answer, at)
        at += _LENGTH.size
        yield answer[at : at + length]
        at += length


def _opened(data: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise GiveUp("This PDF is locked with a password. It can be downloaded.") from error
        raise GiveUp("This PDF is damaged and can't be drawn here.") from error


def _draw(paper: pdfium.PdfDocument, number: int, side: int) -> bytes:
    try:
        page = paper[number]
        width, height = page.get_size()
        scale = min(side / max(width, height, 1.0), _LARGEST_SCALE)
        return encode(page.render(scale=scale, may_draw_forms=False).to_pil().convert("RGB"))
    except (pdfium.PdfiumError, ValueError, OSError) as error:
        raise GiveUp("This page can't be drawn here.") from error
