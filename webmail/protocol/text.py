"""Text that came in a message, as text that can be shown: the one door to everything that decodes.

Every function behind it takes what a stranger sent, is bounded in time and size (`security.md` §5.5), and never raises.
"""

from __future__ import annotations

import re

from .addresses import addresses
from .charsets import decode_body, decode_text
from .envelope import date, envelope
from .filenames import clean_filename
from .quoting import MAX_ATTRIBUTION_LINES, Recogniser, is_mobile_signature
from .transfer import TransferDecoder, decode_transfer, encoded_octets
from .words import decode_header, decode_params, one_line

__all__ = [
    "TransferDecoder",
    "addresses",
    "clean_filename",
    "date",
    "decode_body",
    "decode_header",
    "decode_params",
    "decode_text",
    "decode_transfer",
    "display",
    "encoded_octets",
    "envelope",
    "preview",
]

_MAX_DISPLAY = 2_000
_BLANKS = re.compile(r"\s+")
_RULE = re.compile(r"[-_=*~#.+—–]{4,}")


def display(value: str) -> str:
    """`value` as one line for a list row: no controls, no bidi overrides, white space collapsed, ≤ 2,000 characters."""
    return _BLANKS.sub(" ", one_line(value[: 2 * _MAX_DISPLAY]))[:_MAX_DISPLAY].strip()


def preview(text: str, limit: int = 140) -> str:
    """The beginning of a message in one line: without quotes and what introduces them, signature, rules and footers.

    Args:
        text: a plain-text body, or `html.html_to_text` of an HTML one.
        limit: characters; a longer text ends in "…", at a word's end where there is one.
    """
    lines = text[: 64 * 1024].splitlines()
    recogniser = Recogniser()
    kept: list[str] = []
    length = 0
    for at, line in enumerate(lines):
        stripped = line.strip()
        if kept and (line.rstrip() == "--" or is_mobile_signature(stripped) or recogniser.separator(lines, at)):
            break
        if not stripped:
            continue
        if stripped[0] in ">＞":
            if kept and (taken := recogniser.attribution(kept[-MAX_ATTRIBUTION_LINES:])):
                del kept[-taken:]
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
