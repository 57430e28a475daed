"""Text that came in a message, as text that can be shown: the one door to everything that decodes.

Every function behind it takes what a stranger sent, is bounded in time and size (`security.md` §5.5), and never raises.
"""

from __future__ import annotations

import re

from .addresses import addresses
from .charsets import decode_text
from .envelope import date, envelope
from .filenames import clean_filename
from .transfer import TransferDecoder, decode_transfer
from .words import decode_header, decode_params, one_line

__all__ = [
    "TransferDecoder",
    "addresses",
    "clean_filename",
    "date",
    "decode_header",
    "decode_params",
    "decode_text",
    "decode_transfer",
    "display",
    "envelope",
    "preview",
]

_MAX_DISPLAY = 2_000
_BLANKS = re.compile(r"\s+")
_RULE = re.compile(r"[-_=*~#.+—–]{4,}")
_ATTRIBUTION = re.compile(r"^.{0,200}(?:wrote|writes|schrieb|escribió|écrit|napsal\(a\)|пишет)\s?:\s*$")


def display(value: str) -> str:
    """`value` as one line for a list row: no controls, no bidi overrides, white space collapsed, ≤ 2,000 characters."""
    return _BLANKS.sub(" ", one_line(value[: 2 * _MAX_DISPLAY]))[:_MAX_DISPLAY].strip()


def preview(text: str, limit: int = 140) -> str:
    """The beginning of a message in one line: without quoted lines, signature, rules and the line above a quote.

    Args:
        text: a plain-text body, or `html.html_to_text` of an HTML one.
        limit: characters; a longer text ends in "…", at a word's end where there is one.
    """
    kept: list[str] = []
    length = 0
    for line in text[: 64 * 1024].splitlines():
        stripped = line.strip()
        if line.rstrip() == "--" and kept:
            break
        if not stripped or stripped.startswith(">") or _ATTRIBUTION.match(stripped):
            continue
        kept.append(stripped)
        length += len(stripped) + 1
        if length > 4 * limit:
            break
    line = display(_RULE.sub(" ", " ".join(kept)))
    if len(line) <= limit:
        return line
    shortened = line[: limit - 1]
    head, space, _rest = shortened.rpartition(" ")
    return (head if space and len(head) > limit // 2 else shortened).rstrip(" ,;:") + "…"
