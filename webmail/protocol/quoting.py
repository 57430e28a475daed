"""Lines that say "what follows was said before", in the languages of mail: attributions, separators, header blocks.

Nothing here decides what is folded (`folding` does). Every look is at a few lines of bounded length, so that a message
of a million lines costs a million short looks. quotequail is asked about single lines only: its search through a whole
text takes quadratic time (9 s for 4,000 lines of "a: b") and one of its expressions cubic time in the line's length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import quotequail

from .quoting_words import BEGINS, FORWARDED, FROM, MOBILE, OPENER, ORIGINAL, OTHERS, WROTE

MAX_ATTRIBUTION = 400  # characters of the lines of one attribution
MAX_ATTRIBUTION_LINES = 3
_MAX_ASKED = 200  # characters quotequail is asked about
_MAX_LABEL = 110
_MAX_HEADERS = 12  # lines of a header block

_WROTE = re.compile(WROTE, re.IGNORECASE)
_OPENER = re.compile(OPENER, re.IGNORECASE)
_TIME = re.compile(r"\d{1,2}[:.h時时]\s?\d{2}|\b(?:19|20)\d\d\b|\d年|\d년")
_ADDRESS = re.compile(r"[^\s<>@]@[^\s<>@]")
_COLON = re.compile(r"[:：]\s*$")

# Lines between rules, "-----Original Message-----", and what Apple's and others' programs write instead.
_RULED = re.compile(r"[-=_*─—]{2,}\s?(?=\S)(.{3,60}?)\s?[-=_*─—]{2,}\s*$")
_KNOWN_RULED = re.compile(f"(?:{ORIGINAL})", re.IGNORECASE)
_KNOWN_FORWARD = re.compile(f"(?:{FORWARDED})", re.IGNORECASE)
_BEGINS = re.compile(BEGINS, re.IGNORECASE)
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNDERSCORES = re.compile(r"_{20,}\s*$")

_FIELD = re.compile(
    rf"[*_\s]{{0,3}}(?:(?P<from>{FROM})|{OTHERS})\s?[*_]{{0,2}}\s?[:：][*_]{{0,2}}(?P<value>.*)$", re.IGNORECASE
)
_MAY_BE_FIELD = re.compile(r".{2,40}?[:：]")
_SENT = re.compile(r"\d{1,2}[:.]\d\d")

_MOBILE = re.compile(MOBILE, re.IGNORECASE)
_LIST_RULE = re.compile(r"(?:_{10,}|-{20,}|={20,}|(?:-=){6,}-?|\*{20,}|~{4,}.{0,10})\s*$")
_LIST_WORDS = re.compile(
    r"unsubscribe|mailing.?list|listinfo|googlegroups|groups\.io|abbestell|abmelden|désabonn|desuscri|odhlás|wypis|отпис|"
    r"afmelden|avregistrera|配信停止|退订|subscri|@lists?\.",
    re.IGNORECASE,
)


class Separator(NamedTuple):
    """Where everything below a line is somebody else's mail.

    Args:
        lines: how many lines the separator and its header block take. label: what to call what follows.
        is_forward: it was sent on for its own sake, so it isn't folded away.
    """

    lines: int
    label: str
    is_forward: bool


class Recogniser:
    """Recognises lines of one message. Keeps count of the questions that cost more than a moment."""

    def __init__(self) -> None:
        self._questions = 40  # to quotequail
        self._blocks = 200  # of headers that are looked for

    def attribution(self, lines: Sequence[str]) -> int:
        """How many of the last `lines` are the attribution of a quote that follows them; 0 for none."""
        weak = 0
        for count in range(1, min(MAX_ATTRIBUTION_LINES, len(lines)) + 1):
            if not lines[-count].strip():
                break
            text = _BIDI.sub("", " ".join(line[:MAX_ATTRIBUTION].strip() for line in lines[-count:]))
            if len(text) > MAX_ATTRIBUTION:
                break
            if not self._is_attribution(text):
                continue
            if _OPENER.match(text) and text.count("<") == text.count(">"):
                return count
            weak = weak or count
        return weak

    def separator(self, lines: Sequence[str], at: int) -> Separator | None:
        """Whether everything from `lines[at]` on is another message without marks of a quote."""
        line = _BIDI.sub("", lines[at][: 2 * MAX_ATTRIBUTION]).strip()
        if not 4 <= len(line) <= MAX_ATTRIBUTION:
            return None
        ruled = _RULED.match(line) if line[0] in "-=_*─—" else None
        if ruled:
            headers, label = self._headers(lines, at + 1)
            forward = bool(_KNOWN_FORWARD.match(ruled[1]))
            if headers or forward or _KNOWN_RULED.match(ruled[1]):
                return Separator(1 + headers, label or shortened(ruled[1]), forward)
            return None
        if _BEGINS.match(line):
            headers, label = self._headers(lines, at + 1)
            return Separator(1 + headers, label or shortened(line), is_forward=True)
        if _UNDERSCORES.match(line):
            headers, label = self._headers(lines, at + 1)
            return Separator(1 + headers, label, is_forward=False) if headers else None
        if _MAY_BE_FIELD.match(line) and _FIELD.match(line):
            headers, label = self._headers(lines, at)
            return Separator(headers, label, is_forward=False) if headers else None
        if _COLON.search(line) and _WROTE.search(line) and _OPENER.match(line) and _TIME.search(line):
            # Where nothing follows on the same level it is the attribution of the quote below.
            follows = any(text.strip() for text in lines[at + 1 : at + 4])
            return Separator(1, shortened(line), is_forward=False) if follows else None
        return None

    def _headers(self, lines: Sequence[str], at: int) -> tuple[int, str]:
        self._blocks -= 1
        return _header_block(lines, at) if self._blocks >= 0 else (0, "")

    def _is_attribution(self, text: str) -> bool:
        if _COLON.search(text):
            if _WROTE.search(text) or (_ADDRESS.search(text) and (_TIME.search(text) or "<" in text)):
                return True
        elif not (_ADDRESS.search(text) or _WROTE.search(text)):
            return False
        if self._questions <= 0 or len(text) > _MAX_ASKED:
            return False
        self._questions -= 1
        return not quotequail.quote(text)[-1][0]


def shortened(line: str) -> str:
    """A line as a label: one line, at most 110 characters."""
    line = " ".join(line.split())
    return line if len(line) <= _MAX_LABEL else line[: _MAX_LABEL - 1].rstrip() + "…"


def is_mobile_signature(line: str) -> bool:
    """Whether a line is what a telephone puts under each mail."""
    return len(line) <= 100 and bool(_MOBILE.match(line.strip()))


def list_footer(lines: Sequence[str]) -> int:
    """Where the footer of a mailing list begins in a text's lines; `len(lines)` where there is none."""
    for start in range(len(lines) - 1, max(len(lines) - 14, -1), -1):
        if _LIST_RULE.match(lines[start][:200]) and any(_LIST_WORDS.search(line[:200]) for line in lines[start + 1 :]):
            before = start
            while before > 0 and before > len(lines) - 14 and _LIST_RULE.match(lines[before - 1][:200]):
                before -= 1
            return before
    return len(lines)


def _header_block(lines: Sequence[str], at: int) -> tuple[int, str]:
    """The lines that a header block at `lines[at]` takes, blank ones before and after it too, and who sent it when.

    A block names a sender within its first two fields and has three fields in a row, or two of which one is a date.
    """
    fields = 0
    sender = sent = ""
    place = last = at
    while place < min(at + _MAX_HEADERS, len(lines)):
        line = lines[place][:MAX_ATTRIBUTION]
        field = _FIELD.match(line) if line.strip() else None
        if field:
            fields += 1
            last = place + 1
            value = field["value"].strip(" *_\t")
            if field["from"] and not sender and fields <= 2:
                sender = value or "?"
            elif not sent and _SENT.search(value) and not _ADDRESS.search(value):
                sent = value
        elif line.strip():
            if not fields or not line[:1].isspace() or place != last:
                break
            last = place + 1  # a field that goes on
        elif fields:
            break
        place += 1
    if not sender or fields < 3 - bool(sent):
        return 0, ""
    label = " · ".join(part for part in (sender, sent) if part)
    while last < len(lines) and not lines[last].strip() and last < at + _MAX_HEADERS + 2:
        last += 1
    return last - at, shortened(label)
