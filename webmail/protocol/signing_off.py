"""Signatures and templates in both forms: HTML cleaned to a tiny list of tags by Bleach (design §6), and plain text."""

from __future__ import annotations

import html as entities

import bleach

from .charsets import clean_text
from .links import link_target
from .readable import readable

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


def as_plain(html: str) -> str:
    """A signature's words for a message in plain text: where a link goes stands beside it."""
    return readable(html, has_targets_beside=True)


def as_formatted(text: str) -> str:
    """Plain words for a message with formatting, to stand inside a block."""
    return entities.escape(text).replace("\n", "<br>")


def both_forms(text: str, html: str) -> tuple[str, str]:
    """What a person wrote, as text and as clean HTML; the text is made from that where it is empty.

    HTML without a word in it is "".
    """
    html = clean_signature(html).strip()
    made = as_plain(html)
    text = text[:MAX_CHARACTERS].replace("\r\n", "\n").strip("\n")
    return (text if text.strip() else made), (html if made.strip() else "")


def _kept(tag: str, name: str, value: str) -> bool:
    return tag == "a" and name == "href" and bool(link_target(value))
