"""Several texts of one message, HTML and plain, and the pictures between them, as one HTML text to be washed.

Apple Mail sends text, picture, text; mailing lists add a footer to an HTML letter. Each piece is closed by itself
before the next begins, so that what one leaves open doesn't swallow the others. All this comes before the wash.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

from .charsets import clean_text
from .tidy import tidy


def html_piece(source: str) -> str:
    """A text that is HTML already, brought into nesting; its style blocks stay beside it."""
    tidied = tidy(clean_text(source))
    styles = "".join(f"<style>{css}</style>" for css in tidied.styles)
    return f"{styles}<div>{tidied.html}</div>"


def plain_piece(safe: str) -> str:
    """A plain text, from `text_to_html`."""
    return f'<div style="margin-top: 1em; white-space: pre-wrap">{safe}</div>'


def picture_piece(content_id: str, name: str) -> str:
    """A picture in its place between texts. `content_id` is what `wash` is told to find it by."""
    return f'<p><img src="cid:{html.escape(content_id)}" alt="{html.escape(name)}"></p>'


def joined(pieces: Iterable[str]) -> str:
    """The pieces in their order."""
    return "\n".join(pieces)
