"""Raw text for somebody who looks at how a mail is made: as it came, with what is unseen made to be seen."""

from __future__ import annotations

import re

from .charsets import clean_text

_LINE_ENDS = re.compile(r"\r\n|\n")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """The text with controls as their pictures (U+2400), and bidi and zero-width characters as their numbers.

    Line ends become LF; a CR of its own is shown, for it may be what a mail is about.
    """
    text = _LINE_ENDS.sub("\n", clean_text(text))
    return _UNSEEN.sub(_picture, text)


def _picture(found: re.Match[str]) -> str:
    number = ord(found[0])
    if number < 0x20:
        return chr(0x2400 + number)
    return "\u2421" if number == 0x7F else f"⟨U+{number:04X}⟩"
