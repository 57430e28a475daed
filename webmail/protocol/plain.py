"""Plain text as safe HTML: lines kept, links made, quotes and signatures set apart."""

from __future__ import annotations


def text_to_html(text: str, *, flowed: bool = False, delsp: bool = False) -> str:
    """Safe HTML for a plain-text body (RFC 3676 when `flowed`)."""
    raise NotImplementedError
