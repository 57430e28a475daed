"""Plain text as format=flowed (RFC 3676): paragraphs that any window can wrap anew, quotes that keep their level.

What is typed is one line a paragraph. It goes out in lines of at most 72 characters whose last blank says that the
paragraph goes on. Text without blanks (Chinese, Japanese, Thai) is broken between any two letters: then `delsp` says
that the blank at the break is none of the text's. A line that begins with ">" is a quote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .charsets import clean_text

WIDTH = 72  # characters of a line (RFC 3676 §4.2 advises 66 to 78)
SIGNATURE = "-- "  # RFC 3676 §4.3: never wrapped, never joined

_MARKS = re.compile(r"(?:> ?)*>")
_MAX_UNBROKEN = 900  # octets of a word that is not broken, such as a long address of a web page
_STUFFED = (" ", ">", "From ")


@dataclass(frozen=True, slots=True)
class Flowed:
    """Lines without line ends; whether the blank at the end of a line that goes on is to be dropped."""

    lines: tuple[str, ...]
    delsp: bool

    @property
    def text(self) -> str:
        """All of it, each line ended by LF."""
        return "".join(f"{line}\n" for line in self.lines)


def flow(text: str) -> Flowed:
    """Wrap a text for sending. Blanks at the end of a line are dropped; what the text says is kept otherwise."""
    source = clean_text(text).replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    paragraphs = [_levelled(line) for line in source]
    delsp = any(_is_unbroken(content) for _, content in paragraphs)
    lines: list[str] = []
    for level, content in paragraphs:
        lines += _wrapped(level, content, delsp=delsp)
    return Flowed(tuple(lines), delsp)


def _levelled(line: str) -> tuple[int, str]:
    """How deep a quote the line is in, and what it says."""
    marks = _MARKS.match(line)
    if marks is None:
        return 0, line if line == SIGNATURE else line.rstrip()
    content = line[marks.end() :].removeprefix(" ")
    return marks[0].count(">"), content if content == SIGNATURE else content.rstrip()


def _is_unbroken(content: str) -> bool:
    """Whether a line has a run without blanks that has to be broken all the same: of letters that are wide."""
    return len(content.encode()) > WIDTH and any(_needs_breaking(word) for word in content.split(" "))


def _needs_breaking(word: str) -> bool:
    size = len(word.encode())
    return size > _MAX_UNBROKEN or (size > WIDTH and not word.isascii() and "://" not in word)


def _wrapped(level: int, content: str, *, delsp: bool) -> list[str]:
    if content == SIGNATURE:
        return [_line(level, content)]
    pieces = _pieces(content, max(WIDTH - level - 1, 24), delsp=delsp)
    ends = " " if delsp else ""
    return [_line(level, piece + ends) for piece in pieces[:-1]] + [_line(level, pieces[-1])]


def _pieces(content: str, room: int, *, delsp: bool) -> list[str]:
    """The content cut so that the pieces joined are it again; all but the last end in a blank, or `delsp`."""
    words = re.findall(r"[^ ]* +|[^ ]+$", content)
    atoms: list[str] = []
    for word in words:
        if delsp and _needs_breaking(word.rstrip(" ")):
            atoms += word
        else:
            atoms.append(word)
    pieces = [""]
    for atom in atoms:
        # A piece that is "-- " would be taken for the signature's line.
        if pieces[-1] not in ("", SIGNATURE) and _width(pieces[-1] + atom.rstrip(" ")) > room:
            pieces.append("")
        pieces[-1] += atom
    return pieces


def _width(text: str) -> int:
    """Letters of alphabets with wide ones take two columns."""
    return len(text) if text.isascii() else sum(1 + (char > "\u1100") for char in text)


def _line(level: int, content: str) -> str:
    if level:
        return f"{'>' * level} {content}"
    return f" {content}" if content.startswith(_STUFFED) else content
