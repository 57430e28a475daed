"""What a reply or a forward takes over of another message's words: as plain text and as HTML, introduced by a line."""

from __future__ import annotations

import html as entities
from collections.abc import Iterable, Sequence
from itertools import groupby

from .folding import Line
from .recipients import field_text
from .types import Envelope

FORWARDED = "---------- Forwarded message ----------"
_SIGNATURE = "-- "


def attribution(sender: str, when: str) -> str:
    """The line above a quote. `when` is the date in the reader's words, "" where there is none."""
    return f"On {when}, {sender} wrote:" if when else f"{sender} wrote:"


def quoted_text(lines: Sequence[Line], introduction: str) -> str:
    """The lines a level deeper below their introduction, without the signature."""
    quoted = [_marked(line.depth + 1, line.text) for line in _without_signature(lines)]
    return "\n".join([introduction, *quoted])


def quoted_html(inside: str, introduction: str) -> str:
    """Clean HTML as a quote below its introduction."""
    return f'<p>{entities.escape(introduction)}</p><blockquote type="cite">{inside}</blockquote>'


def forwarded_text(lines: Iterable[Line], envelope: Envelope, when: str) -> str:
    """The message below what its head says."""
    head = [f"{name}: {value}" for name, value in _head(envelope, when)]
    words = [_marked(line.depth, line.text) if line.depth else line.text for line in lines]
    return "\n".join([FORWARDED, *head, "", *words])


def forwarded_html(inside: str, envelope: Envelope, when: str) -> str:
    """Clean HTML below what its message's head says."""
    head = "<br>".join(f"<b>{name}:</b> {entities.escape(value)}" for name, value in _head(envelope, when))
    return f"<p>{FORWARDED}<br>{head}</p><div>{inside}</div>"


def as_html(lines: Sequence[Line]) -> str:
    """Lines of plain text as HTML, quotes nested, blanks kept; without the signature."""
    pieces: list[str] = []
    depth = 0
    for level, run in groupby(_without_signature(lines), key=lambda line: line.depth):
        pieces += ['<blockquote type="cite">'] * (level - depth) + ["</blockquote>"] * (depth - level)
        depth = level
        pieces.append("<div>" + "<br>".join(_spaced(line.text) for line in run) + "</div>")
    return "".join((*pieces, "</blockquote>" * depth))


def _marked(depth: int, text: str) -> str:
    return f"{'>' * depth} {text}" if text else ">" * depth


def _without_signature(lines: Sequence[Line]) -> Sequence[Line]:
    """The lines above the last signature that is nobody's quote (RFC 3676 §4.3)."""
    for at in range(len(lines) - 1, -1, -1):
        if lines[at] == (0, _SIGNATURE):
            end = at
            while end and not lines[end - 1].text.strip() and not lines[end - 1].depth:
                end -= 1
            return lines[:end]
    return lines


def _head(envelope: Envelope, when: str) -> list[tuple[str, str]]:
    fields = [
        ("From", field_text(envelope.from_)),
        ("Date", when),
        ("Subject", envelope.subject),
        ("To", field_text(envelope.to)),
        ("Cc", field_text(envelope.cc)),
    ]
    return [(name, value) for name, value in fields if value]


def _spaced(text: str) -> str:
    """Escaped, with blanks that count kept."""
    escaped = entities.escape(text.rstrip(), quote=False).replace("\t", "    ").replace("  ", " &nbsp;")
    return f"&nbsp;{escaped[1:]}" if escaped.startswith(" ") else escaped
