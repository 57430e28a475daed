"""HTML that a person wrote, or took over into a reply, made fit to be sent: what a letter needs and nothing that runs.

It comes from an editor in a browser, so it is as untrusted as received mail. nh3 is the last to touch it. Pictures are
those that go with the message (`cid:`) and those of web pages; which ones of the former are shown is found here too.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

import nh3

from .charsets import clean_text
from .css import clean_style, web_url
from .elements import TAGS
from .links import link_target
from .tidy import tidy

_EVERYWHERE = {"style", "dir", "lang", "align", "valign", "bgcolor", "width", "height"}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": _EVERYWHERE,
    "a": {"href"},
    "img": {"src", "alt", "border"},
    "font": {"color", "face", "size"},
    "blockquote": {"type"},
    "ol": {"start", "type", "reversed"},
    "ul": {"type"},
    "li": {"value"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_PLAIN_WORDS = re.compile(r"[\w .,#%+-]{0,200}")
_PICTURE = re.compile(r"""<img\b[^>]*?\bsrc="cid:([^"]{1,300})\"""", re.IGNORECASE)
_SIGHT = re.compile(r"<(?:img|hr)\b|[^\s<>&](?![^<>]*>)")


def clean(html: str) -> str:
    """The body's inside, ready for `compose.Letter`. Never raises; beyond 1 MiB it is cut."""
    cleaned: str = nh3.clean(
        tidy(clean_text(html), folding=False).html,
        tags=set(TAGS),
        clean_content_tags=set(),
        attributes=_ATTRIBUTES,
        attribute_filter=_kept,
        strip_comments=True,
        link_rel=None,
        url_schemes={"http", "https", "mailto", "cid"},
    )
    return cleaned


def pictures(cleaned: str) -> frozenset[str]:
    """The Content-IDs that a clean body shows."""
    return frozenset(unquote(found).replace("&amp;", "&") for found in _PICTURE.findall(cleaned))


def is_blank(cleaned: str) -> bool:
    """Whether a clean body shows nothing at all."""
    return _SIGHT.search(cleaned.replace("&nbsp;", " ")) is None


def _kept(_tag: str, attribute: str, value: str) -> str | None:
    if attribute == "style":
        return clean_style(value).filled(lambda _address: None) or None
    if attribute == "href":
        return link_target(value) or None
    if attribute == "src":
        if value.lstrip()[:4].lower() == "cid:":
            return "cid:" + value.strip()[4:]
        return web_url(value) or None
    if attribute == "alt":
        return value
    return value if _PLAIN_WORDS.fullmatch(value) else None
