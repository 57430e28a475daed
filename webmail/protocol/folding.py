"""The lines of a plain text as blocks: what the person wrote, what they quoted by level, and what stands below.

A quote is folded where it only repeats what was said before: below the person's own words, or long above them. It
stays open where the mail is nothing but quote, where the answer stands between the quotes, and where it is a message
sent on for its own sake. The same rule holds inside each quote, so that opening one shows one earlier mail.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from .quoting import Recogniser, Separator, is_mobile_signature, list_footer, shortened

MAX_QUOTES = 1_000  # what follows the last of them keeps its marks
MAX_LEVELS = 8  # deeper quotes are shown at this depth
FOLDED_FROM = 4  # lines: shorter quotes below the person's words stay open
FOLDED_ABOVE_FROM = 16  # lines: longer ones above them don't
_MAX_SHORT_SIGNATURE = 6  # lines under "--" that lost its space

# Writing that is for programs: from its first line to its last, and what to call it.
_BEGIN_BLOCK = re.compile(
    r"(?:-----BEGIN (?P<pgp>PGP (?:SIGNATURE|PUBLIC KEY BLOCK))-----|begin [0-7]{3,4} (?P<uu>\S.{0,200})|"
    r"=ybegin .{0,300}name=(?P<yenc>.{1,200}))\s*$"
)
_END_BLOCK = re.compile(r"-----END PGP [A-Z ]{3,30}-----|end\s*$|=yend\b")
_UU_LINE = re.compile(r"[\x20-\x60]{1,64}$")
_PGP_NAMES = {"PGP SIGNATURE": "PGP signature", "PGP PUBLIC KEY BLOCK": "PGP key"}


class Line(NamedTuple):
    """One line without the marks of its quote, and how many marks it had."""

    depth: int
    text: str


@dataclass
class Block:
    """A run of lines of one kind, or a quote with the blocks inside it.

    Args:
        kind: "lines", "signature", "footer", "code", "quote".
        lines: its own lines; of a quote those that introduce it.
        label: what a folded block is called.
    """

    kind: str
    lines: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    label: str = ""
    is_folded: bool = False
    is_forward: bool = False

    @property
    def is_blank(self) -> bool:
        return self.kind == "lines" and not any(line.strip() for line in self.lines)

    def count(self) -> int:
        """How many lines it holds, without those that introduce quotes."""
        return (0 if self.kind == "quote" else len(self.lines)) + sum(block.count() for block in self.blocks)


def arrange(lines: Sequence[Line]) -> list[Block]:
    """The blocks of a message's text, in order."""
    return _folded(_Reader().blocks(lines, 0, 0))


class _Reader:
    """Reads lines into blocks, a level of quotes at a time."""

    def __init__(self) -> None:
        self._recogniser = Recogniser()
        self._quotes_left = MAX_QUOTES

    def blocks(self, lines: Sequence[Line], base: int, level: int) -> list[Block]:
        """The blocks of lines with `base` marks and more, which are `level` quotes deep."""
        if level >= MAX_LEVELS:
            return [Block("lines", [line.text for line in lines])]
        if self._quotes_left <= 0:
            return [Block("lines", [_marked(line, base) for line in lines])]
        out: list[Block] = []
        at = 0
        while at < len(lines):
            end = at
            is_marked = lines[at].depth > base
            while end < len(lines) and (lines[end].depth > base) is is_marked:
                end += 1
            if is_marked and self._quotes_left <= 0:
                out.append(Block("lines", [_marked(line, base) for line in lines[at:]]))
                break
            if is_marked:
                out.append(self._quote(lines[at:end], base, level, _taken_introduction(out, self._recogniser)))
                at = end
                continue
            texts = [line.text for line in lines[at:end]]
            below = self._other_message(texts)
            if below is None:
                out += _own(texts, is_top=level == 0)
                at = end
                continue
            start, separator = below
            out += _own(texts[:start], is_top=level == 0)
            inner = self.blocks(lines[at + start + separator.lines :], base, level + 1)
            introduction = texts[start : start + separator.lines]
            out.append(Block("quote", introduction, inner, separator.label, is_forward=separator.is_forward))
            break
        return _trimmed(out, is_top=level == 0)

    def _quote(self, lines: Sequence[Line], base: int, level: int, introduction: list[str]) -> Block:
        self._quotes_left -= 1
        inner = self.blocks(lines, base + 1, level + 1)
        if not introduction and len(inner) == 1 and inner[0].kind == "quote" and inner[0].lines:
            return inner[0]  # its attribution was quoted with it
        return Block("quote", introduction, inner, shortened(" ".join(introduction)))

    def _other_message(self, texts: Sequence[str]) -> tuple[int, Separator] | None:
        """The first line below which everything is another message, and what it says."""
        for at, text in enumerate(texts):
            if text and (found := self._recogniser.separator(texts, at)):
                return at, found
        return None


def _marked(line: Line, base: int) -> str:
    marks = ">" * min(line.depth - base, MAX_LEVELS)
    return f"{marks} {line.text}" if marks else line.text


def _trimmed(blocks: list[Block], *, is_top: bool) -> list[Block]:
    """Without the blank lines between two blocks: space does that on the page."""
    if not is_top and blocks and blocks[0].kind == "lines":
        blocks[0].lines = _without_blanks(blocks[0].lines)
    for before, after in pairwise(blocks):
        while before.kind != "quote" and before.lines and not before.lines[-1].strip():
            before.lines.pop()
        if after.kind == "lines":
            after.lines = _without_blanks(after.lines)
    return [block for block in blocks if block.lines or block.blocks] or blocks[:1]


def _without_blanks(lines: list[str]) -> list[str]:
    """Without the blank lines at the beginning."""
    return lines[next((at for at, line in enumerate(lines) if line.strip()), len(lines)) :]


def _own(texts: Sequence[str], *, is_top: bool) -> list[Block]:
    """Lines that are nobody's quote: words, code, and at the top level the signature and the footer of a list."""
    out: list[Block] = []
    rest = list(texts)
    footer: list[str] = []
    if is_top:
        start = list_footer(rest)
        rest, footer = rest[:start], rest[start:]
    signature_at = _signature(rest) if is_top else len(rest)
    ends = [at for at in range(signature_at) if _END_BLOCK.match(rest[at])]
    at = begun = 0
    while at < signature_at:
        code = _BEGIN_BLOCK.match(rest[at]) if rest[at][:1] in ("-", "b", "=") else None
        end = _code_end(rest, at, ends, is_uu=bool(code["uu"])) if code else 0
        if code and end:
            out += [
                Block("lines", rest[begun:at]),
                Block("code", rest[at:end], label=_code_label(code), is_folded=True),
            ]
            at = begun = end
        else:
            at += 1
    out.append(Block("lines", rest[begun:signature_at]))
    out.append(Block("signature", rest[signature_at:]))
    out.append(Block("footer", footer))
    return [block for block in out if block.lines]


def _signature(texts: Sequence[str]) -> int:
    """Where the signature begins: at the last "-- " (RFC 3676 §4.3), or what programs and telephones make of it."""
    for at in range(len(texts) - 1, -1, -1):
        if texts[at] == "-- ":
            return at
    last = next((at for at in range(len(texts) - 1, -1, -1) if texts[at].strip()), -1)
    if last > 0 and is_mobile_signature(texts[last]):
        return last
    for at in range(last - 1, max(last - _MAX_SHORT_SIGNATURE, 0) - 1, -1):
        below = [text for text in texts[at + 1 : last + 1] if text.strip()]
        if texts[at].rstrip() in ("--", "—", "– –") and at and all(len(text) <= 80 for text in below):
            return at
    return len(texts)


def _code_end(texts: Sequence[str], start: int, ends: Sequence[int], *, is_uu: bool) -> int:
    """The line behind a block for programs that begins at `start`; 0 where it isn't one."""
    place = bisect_right(ends, start)
    if place == len(ends):
        return 0
    end = ends[place]
    if is_uu and not all(_UU_LINE.match(text) for text in texts[start + 1 : end] if text.strip()):
        return 0  # a sentence that begins with "begin 644"
    return end + 1


def _code_label(found: re.Match[str]) -> str:
    if found["pgp"]:
        return _PGP_NAMES[found["pgp"]]
    return f"A file inside the text: {shortened(found['uu'] or found['yenc'])}"


def _taken_introduction(out: list[Block], recogniser: Recogniser) -> list[str]:
    """The attribution at the end of the words before a quote, taken away from them; at most one blank line between."""
    if not out or out[-1].kind not in ("lines", "signature", "footer"):
        return []
    texts = out[-1].lines
    end = len(texts) - (bool(texts) and not texts[-1].strip())
    count = recogniser.attribution(texts[max(end - 4, 0) : end])
    if not count:
        return []
    introduction = texts[end - count : end]
    out[-1].lines = texts[: end - count]
    if not out[-1].lines:
        out.pop()
    return introduction


def _folded(blocks: list[Block]) -> list[Block]:
    """Decide of each quote whether it is folded; see the module's own words."""
    own = [at for at, block in enumerate(blocks) if block.kind == "lines" and not block.is_blank]
    quotes = [at for at, block in enumerate(blocks) if block.kind == "quote"]
    for at in quotes:
        block = blocks[at]
        _folded(block.blocks)
        if not own or block.is_forward:
            continue
        if at > own[-1]:
            block.is_folded = block.count() >= FOLDED_FROM
        elif at < own[0] and len(quotes) == 1:
            block.is_folded = block.count() >= FOLDED_ABOVE_FROM
    return blocks
