"""Where an HTML reply quotes what it answers, so that `tidy` can fold the quote.

Mail programs mark their quotes by the names and attributes below; where none does, nothing is folded. Forwarded mail
stays open, for it is what the mail is about, and so does a mail that says nothing but its quote.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

FOLD = '<details class="quoted"><summary>Quoted text</summary>'
MAX_FOLDS = 50
# Elements that may begin a quote.
NAMES = frozenset(("div", "blockquote", "hr"))

# How far a quote goes: "one" is the element alone, "rest" all to the end of what is around it, "box" likewise from
# the box on that the element stands first in.
Form = Literal["", "one", "rest", "box"]

_HINTS = ("quote", "cite", "divRplyFwdMsg", "solid #E1E1E1", "solid #B5C4DF", "reference-message")
_ONE = re.compile(
    r"""\bclass\s*=\s*["'][^"']*\b(?:gmail_quote|yahoo_quoted|protonmail_quote|tutanota_quote|zmail_extra)\b"""
    r"""|\btype\s*=\s*["']?cite\b"""
    r"""|\bid\s*=\s*["'](?:yahoo_quoted|mail-editor-reference-message|ms-outlook-mobile-reference-message)""",
    re.IGNORECASE,
)
_OUTLOOK_HEAD = re.compile(r"""\bid\s*=\s*["']?(?:x_)*divRplyFwdMsg\b""", re.IGNORECASE)
_OUTLOOK_RULE = re.compile(r"border-top:\s*solid\s+#(?:E1E1E1|B5C4DF)\s+1(?:\.0)?pt", re.IGNORECASE)
_AHEAD = 600  # characters after an element's tag that tell what it begins

_MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)|<(head|style|script|title)\b.*?(?:</\1\s*>|\Z)|<[^<>]*+>?|&(?:nbsp|#160|#xa0);?",
    re.IGNORECASE | re.DOTALL,
)
_FORWARDED = re.compile(r"\s*(?:-{5,}|begin forwarded message)", re.IGNORECASE)
_WORD = re.compile(r"\w")


def may_quote(html: str) -> bool:
    """Whether any mark of a quote is in a mail at all."""
    return any(hint in html for hint in _HINTS)


def form_of(name: str, attributes: str, html: str, start: int, end: int) -> Form:
    """How an element whose tag is `html[start:end]` begins a quote; "" where it doesn't."""
    if name == "hr":
        ahead = html[end : end + _AHEAD]
        return "rest" if "tabindex" in attributes and _OUTLOOK_HEAD.search(ahead) else ""
    form: Form = ""
    if _ONE.search(attributes):
        form = "one"
    elif name == "div" and _OUTLOOK_HEAD.search(attributes):
        form = "rest"
    elif name == "div" and _OUTLOOK_RULE.search(attributes):
        form = "box"
    if form == "one" and (
        _FORWARDED.match(_MARKUP.sub("", html[end : end + _AHEAD]))
        or "forwarded message" in html[max(0, start - _AHEAD) : start].lower()
    ):
        return ""
    return form


def to_fold(html: str, quotes: Sequence[tuple[int, int]]) -> list[bool]:
    """Which of a mail's quotes, from where to where each, are folded.

    A single one is, if the mail says something else; of several those after which nothing is said, so that answers
    between the lines keep the lines they answer.
    """
    starts, ends = [0, *(end for _, end in quotes)], [*(start for start, _ in quotes), len(html)]
    said = [_says_something(html[start:end]) for start, end in zip(starts, ends, strict=True)]
    if not any(said):
        return [False] * len(quotes)
    if len(quotes) == 1:
        return [True]
    folded = [False] * len(quotes)
    for place in reversed(range(len(quotes))):
        if said[place + 1]:
            break
        folded[place] = True
    return folded


def _says_something(html: str) -> bool:
    return "<img" in html or _WORD.search(_MARKUP.sub(" ", html)) is not None
