"""Plain text as safe HTML for the page itself: lines kept, links made, quotes and signatures set apart.

Everything is escaped before it becomes markup. Links are made by Bleach on escaped text, line by line, which parses
and serialises it again; nothing edits its output.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, MutableMapping
from itertools import groupby
from typing import NamedTuple

from bleach.linkifier import Linker

from . import links
from .charsets import clean_text

MAX_CHARACTERS = 1024 * 1024
MAX_LINKED = 20_000  # characters in which links are looked for: Bleach is slow
MAX_QUOTE_DEPTH = 8  # deeper quotes are shown at this depth
MAX_FOLDED_FROM = 4  # lines: shorter quotes at the end stay open

_MAYBE_LINK = re.compile(r"://|www\.|@|mailto:", re.IGNORECASE)
_QUOTE = re.compile(r"(?:>[ \t]?){1,100}")
# Only what is written as an address becomes a link (Bleach's own expression also takes "README.md" for one, and knows
# no top-level domain younger than itself). Both take linear time.
# They run on escaped text, where "&" begins a reference: "&amp;" may be part of an address, "&gt;" ends it.
_NO_URL = r"""\s<>"{}|\\^`&"""
_URL = re.compile(
    rf"""(?<![@.\w/-])(?:https?://|www\.)(?:[^{_NO_URL}]|&amp;){{0,2000}}(?:[^{_NO_URL}!?:;'*_]|&amp;)""", re.IGNORECASE
)
_EMAIL = re.compile(
    r"""(?:(?<=mailto:)|(?<![\w.!#$%'*+/=?^`{|}~@:-]))[\w.!#$%'*+=^`{|}~-]{1,64}+@(?:[a-z0-9-]{1,63}+\.){1,8}[a-z][a-z0-9-]{1,62}""",
    re.IGNORECASE,
)

_Attributes = MutableMapping[tuple[str | None, str], str]


class _Line(NamedTuple):
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


def picture(path: str, name: str) -> str:
    """A picture between plain texts. `path` is ours, `name` the sender's."""
    return f'<img class="picture" src="{html.escape(path)}" alt="{html.escape(clean_text(name))}" loading="lazy">'


def _fixed(lines: Iterable[str]) -> Iterator[_Line]:
    for line in lines:
        quote = _QUOTE.match(line) if line.startswith(">") else None
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
        # Not shared: Bleach's linker keeps its parser's state and is not safe between threads.
        self._linker = Linker(callbacks=[_in_new_window], parse_email=True, url_re=_URL, email_re=_EMAIL)

    def blocks(self, lines: list[_Line]) -> str:
        """The lines in order, each run of one depth in as many quotes."""
        out: list[str] = []
        depth = 0
        for (level, is_signature), run in groupby(lines, key=_kind):
            out.append('<blockquote class="quote">' * (level - depth) + "</blockquote>" * (depth - level))
            depth = level
            name = "signature" if is_signature else "lines"
            out.append(f'<div class="{name}">{self._linked([line.text for line in run])}</div>')
        out.append("</blockquote>" * depth)
        return "".join(out)

    def _linked(self, lines: list[str]) -> str:
        """Lines escaped, the addresses in them made links as far as the budget goes."""
        linked = 0
        while linked < len(lines) and len(lines[linked]) < self._left:
            self._left -= len(lines[linked]) + 1
            linked += 1
        done = html.escape("\n".join(lines[:linked]), quote=False)
        if _MAYBE_LINK.search(done):
            done = self._linker.linkify(done)
        rest = html.escape("\n".join(lines[linked:]), quote=False)
        return f"{done}\n{rest}" if 0 < linked < len(lines) else done + rest


def _kind(line: _Line) -> tuple[int, bool]:
    return min(line.depth, MAX_QUOTE_DEPTH), line.is_signature


def _in_new_window(attributes: _Attributes, new: bool = False) -> _Attributes:
    attributes[(None, "rel")] = "noopener noreferrer nofollow"
    attributes[(None, "target")] = "_blank"
    # Its words are its address; where a browser reads that otherwise than a person does, the place is said.
    url, text = attributes.get((None, "href"), ""), attributes["_text"]  # type: ignore[index]  # Bleach's own key
    fact = links.misleads(text, url)
    if fact:
        attributes["_text"] = f"{text} ({fact})"  # type: ignore[index]
        attributes[(None, "title")] = links.title(url)
    return attributes
