"""The line above a quote in the reader's own language, with the date as they write it there."""

from __future__ import annotations

import re
from datetime import datetime

_LINES = {
    "cs": "Dne {day}. {month}. {year} v {clock} {who} napsal(a):",
    "da": "Den {day:02}.{month:02}.{year} kl. {clock} skrev {who}:",
    "de": "Am {day:02}.{month:02}.{year} um {clock} schrieb {who}:",
    "es": "El {day:02}/{month:02}/{year} a las {clock}, {who} escribió:",
    "fi": "{who} kirjoitti {day}.{month}.{year} klo {clock}:",
    "fr": "Le {day:02}/{month:02}/{year} à {clock}, {who} a écrit :",
    "hu": "{year}. {month:02}. {day:02}. {clock} keltezéssel {who} írta:",
    "it": "Il {day:02}/{month:02}/{year} alle {clock}, {who} ha scritto:",
    "ja": "{year}/{month:02}/{day:02} {clock} {who} さんは書きました:",
    "nb": "Den {day:02}.{month:02}.{year} kl. {clock} skrev {who}:",
    "nl": "Op {day:02}-{month:02}-{year} om {clock} schreef {who}:",
    "pl": "W dniu {day:02}.{month:02}.{year} o {clock} {who} pisze:",
    "pt": "Em {day:02}/{month:02}/{year} às {clock}, {who} escreveu:",
    "ru": "{day:02}.{month:02}.{year} {clock}, {who} пишет:",
    "sk": "Dňa {day}. {month}. {year} o {clock} {who} napísal(a):",
    "sv": "Den {year}-{month:02}-{day:02} kl. {clock} skrev {who}:",
    "tr": "{day:02}.{month:02}.{year} {clock} tarihinde {who} yazdı:",
    "uk": "{day:02}.{month:02}.{year} {clock}, {who} пише:",
    "zh": "在 {year}-{month:02}-{day:02} {clock}，{who} 写道：",
}
_ALIASES = {"no": "nb", "nn": "nb"}
_FIRST = re.compile(r"\s*([a-z]{2,3})(?![a-z])")


def attribution(languages: str, who: str, when: datetime) -> str:
    """The line; "" where the reader's first language is English, or none that is known here.

    Args:
        languages: as a browser says them (Accept-Language, RFC 9110 §12.5.4). when: in the reader's zone.
    """
    found = _FIRST.match(languages.lower())
    line = _LINES.get(_ALIASES.get(found[1], found[1])) if found else None
    if line is None:
        return ""
    clock = f"{when.hour:02}:{when.minute:02}"
    return line.format(day=when.day, month=when.month, year=when.year, clock=clock, who=who)
