"""A signature in HTML, cleaned to a tiny list of tags by Bleach (design §6): what people and administrators write."""

from __future__ import annotations

import bleach

from .charsets import clean_text
from .links import link_target

MAX_CHARACTERS = 20_000
_TAGS = frozenset(("a", "b", "br", "div", "em", "i", "li", "ol", "p", "span", "strong", "u", "ul"))


def clean_signature(html: str) -> str:
    """The signature with nothing in it but words, lines, lists and links. Never raises; too long, it is cut."""
    return bleach.clean(
        clean_text(html)[:MAX_CHARACTERS],
        tags=_TAGS,
        attributes=_kept,
        protocols={"http", "https", "mailto"},
        strip=True,
        strip_comments=True,
    )


def _kept(tag: str, name: str, value: str) -> bool:
    return tag == "a" and name == "href" and bool(link_target(value))
