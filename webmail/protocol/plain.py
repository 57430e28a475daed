"""Plain text as safe HTML for the page itself: lines kept, links made, quotes and signatures set apart.

Everything is escaped before it becomes markup. Links are made by Bleach on escaped text, line by line, which parses
and serialises it again; nothing edits its output.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from bleach.linkifier import Linker

from .charsets import clean_text

MAX_CHARACTERS = 1024 * 1024
MAX_LINKED = 20_000  # characters in which links are looked for: Bleach is slow
MAX_QUOTE_DEPTH = 8  # deeper quotes are shown at this depth
MAX_FOLDED_FROM = 4  # lines: shorter quotes at the end stay open

_LONGEST_LINKED_LINE = 4_000
_MAYBE_LINK = re.compile(r"://|www\.|@|mailto:", re.IGNORECASE)
_QUOTE = re.compile(r"(?:>[ \t]?){1,100}")
_EXPLICIT = re.compile(r"https?://|mailto:|www\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Line:
    depth: int
    text: str
    is_signature: bool = False


def text_to_html(text: str, *, flowed: bool = False, delsp: bool = False) -> str:
    """Safe HTML for a plain-text body. What comes back may be put into a page as it is.

    Runs of lines are `<div class="lines">` (style: `white-space: pre-wrap`), quotes nested
    `<blockquote class="quote">`, a long quote that ends the message is folded into `<details class="quoted">`, and a
    signature is `<div class="signature">`. Web and mail addresses in the first 20,000 characters are links.

    Args:
        text: decoded; more than 1 MiB characters are cut off.
        flowed: the part says format=flowed (RFC 3676). delsp: it says delsp=yes.
    """
    source = clean_text(text[:MAX_CHARACTERS]).replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    lines = list(_flowed(source.split("\n"), delsp=delsp) if flowed else _fixed(source.split("\n")))
    lines = _mark_signature(lines)
    writer = _Writer()
    folded = _folded_from(lines)
    out = writer.blocks(lines[:folded])
    if folded < len(lines):
        quote = [line for line in lines[folded:] if not line.is_signature]
        rest = [line for line in lines[folded:] if line.is_signature]
        out += f'<details class="quoted"><summary>Quoted text</summary>{writer.blocks(quote)}</details>'
        out += writer.blocks(rest)
    return out


def _fixed(lines: Iterable[str]) -> Iterator[_Line]:
    for line in lines:
        quote = _QUOTE.match(line)
        if quote is None:
            yield _Line(0, line)
        else:
            yield _Line(quote[0].count(">"), line[quote.end() :])


def _flowed(lines: Iterable[str], *, delsp: bool) -> Iterator[_Line]:
    """RFC 3676 §4: lines that end in a space go on in the next one of the same depth; one space of stuffing goes."""
    depth, pieces = 0, list[str]()
    for line in lines:
        content = line.lstrip(">")
        level = len(line) - len(content)
        content = content.removeprefix(" ")
        if pieces and (level != depth or content == "-- "):
            yield _Line(depth, "".join(pieces))
            pieces = []
        depth = level
        if content.endswith(" ") and content != "-- ":
            pieces.append(content[:-1] if delsp else content)
            continue
        pieces.append(content)
        yield _Line(depth, "".join(pieces))
        pieces = []
    if pieces:
        yield _Line(depth, "".join(pieces))


def _mark_signature(lines: list[_Line]) -> list[_Line]:
    """Mark the last "-- " of the person's own text and what follows it, up to a quote (RFC 3676 §4.3)."""
    start = next((place for place in range(len(lines) - 1, -1, -1) if lines[place] == _Line(0, "-- ")), None)
    if start is None:
        return lines
    end = next((place for place in range(start, len(lines)) if lines[place].depth), len(lines))
    signature = [_Line(0, line.text, is_signature=True) for line in lines[start:end]]
    return [*lines[:start], *signature, *lines[end:]]


def _folded_from(lines: list[_Line]) -> int:
    """Where the quote begins that ends the message under the person's own words; `len(lines)` if none does."""
    start = len(lines)
    quoted = 0
    while start and (lines[start - 1].depth or lines[start - 1].is_signature or not lines[start - 1].text.strip()):
        start -= 1
        quoted += lines[start].depth > 0
    while start < len(lines) and not lines[start].depth:
        start += 1
    return start if quoted >= MAX_FOLDED_FROM and any(line.text.strip() for line in lines[:start]) else len(lines)


class _Writer:
    """Writes lines as HTML, making links until its budget is used up."""

    def __init__(self) -> None:
        self._left = MAX_LINKED

    def blocks(self, lines: list[_Line]) -> str:
        """The lines in order, each run of one depth in as many quotes."""
        out: list[str] = []
        depth = 0
        for (level, is_signature), run in groupby(lines, key=_kind):
            out.append('<blockquote class="quote">' * (level - depth) + "</blockquote>" * (depth - level))
            depth = level
            texts = [line.text for line in run]
            name = "signature" if is_signature else "lines"
            out.append(f'<div class="{name}">' + "\n".join(map(self._linked, texts)) + "</div>")
        out.append("</blockquote>" * depth)
        return "".join(out)

    def _linked(self, text: str) -> str:
        """One line escaped, its addresses made links."""
        escaped = html.escape(text, quote=False)
        self._left -= len(text)
        if self._left < 0 or len(text) > _LONGEST_LINKED_LINE or not _MAYBE_LINK.search(text):
            return escaped
        return str(_LINKER.linkify(escaped))


def _kind(line: _Line) -> tuple[int, bool]:
    return min(line.depth, MAX_QUOTE_DEPTH), line.is_signature


def _only_explicit(attributes: dict[object, str], new: bool = False) -> dict[object, str] | None:
    """Keep links whose text says that it is one ("README.md" is none), and let them open nothing but a new window."""
    target = attributes.get((None, "href"), "")
    if not (_EXPLICIT.match(attributes.get("_text", "")) or target.startswith("mailto:")):
        return None
    if not target.lower().startswith(("http://", "https://", "mailto:")):
        return None
    attributes[(None, "rel")] = "noopener noreferrer nofollow"
    attributes[(None, "target")] = "_blank"
    return attributes


_LINKER = Linker(callbacks=[_only_explicit], parse_email=True)
