"""Received HTML made safe to show in the message frame.

The one law of this room: nh3 is the last to touch a message's HTML. Whatever has to change (Content-IDs, remote
images, style) changes before it or in the callback of that single pass, and nothing edits its output. The frame with
its sandbox and CSP is the other wall; neither is trusted alone.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

import nh3

from .charsets import clean_text
from .css import CleanCss, clean_sheet, clean_style, web_url
from .links import link_target, mark
from .plain import picture, text_to_html
from .tidy import TAGS, tidy

__all__ = ["Washed", "document", "html_to_text", "picture", "text_to_html", "wash"]

MAX_DATA_IMAGE = 256 * 1024  # octets
MAX_REMOTE = 1_000  # URLs reported
_MAX_URL = 8 * 1024

_EVERYWHERE = {"style", "dir", "lang", "title", "align", "valign", "bgcolor", "width", "height"}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": _EVERYWHERE,
    "a": {"href"},
    "img": {"src", "alt", "border", "hspace", "vspace"},
    "font": {"color", "face", "size"},
    "hr": {"size", "color", "noshade"},
    "ol": {"start", "type", "reversed"},
    "ul": {"type"},
    "li": {"value", "type"},
    "table": {"border", "cellpadding", "cellspacing", "bordercolor", "background", "rules", "frame"},
    "tr": {"background"},
    "td": {"background", "colspan", "rowspan", "nowrap", "bordercolor"},
    "th": {"background", "colspan", "rowspan", "nowrap", "bordercolor", "scope"},
    "div": {"background"},
    "col": {"span"},
    "colgroup": {"span"},
    "details": {"open"},
    "time": {"datetime"},
}
# Names are of use only where a style block may speak of them.
_NAMED_ATTRIBUTES = {**_ATTRIBUTES, "*": _EVERYWHERE | {"class", "id"}}
_SCHEMES = {"http", "https", "mailto", "cid", "data"}  # the callback decides which of them where

_BLANK = re.compile(r"[\x00-\x20\x7f-\xa0]+")
_OWN_PATH = re.compile(r"/(?![/\\])[\w./?=&%:~-]*")
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/]+={0,2}", re.IGNORECASE)
_LENGTH = re.compile(r"\s*\d{1,5}(?:\.\d+)?\s*(?:px|%|\*)?\s*")
_PLAIN_WORDS = re.compile(r"[\w .,#%+-]{0,200}")
_NAME = re.compile(r"[\w .:-]{1,500}")
_SPAN = re.compile(r"\d{1,3}")
# What other attributes may say; None for text, which nh3 escapes, and for what is our own.
_VALUES = {
    **dict.fromkeys(("width", "height"), _LENGTH),
    **dict.fromkeys(("class", "id"), _NAME),
    **dict.fromkeys(("colspan", "rowspan", "span"), _SPAN),
    **dict.fromkeys(("title", "alt", "datetime", "rel", "target"), None),
}

_COLOURS = ("bgcolor", "color", "background")
_COLOUR = re.compile(r"(?<![\w-])color:")

_MAX_SNIPPET_SOURCE = 64 * 1024
_UNREAD = re.compile(
    r"<!--.*?(?:-->|\Z)|<(head|style|script|title|svg)\b[^>]*+>.*?(?:</\1\b[^>]*+>|\Z)", re.IGNORECASE | re.DOTALL
)
_SPACES = re.compile(r"\s+")
_BREAKS = re.compile(
    r"</?(?:p|div|br|tr|table|li|ul|ol|h[1-6]|blockquote|hr|section|article|header|footer|pre|dd|dt)\b[^>]*+>",
    re.IGNORECASE,
)
_ANY_TAG = re.compile(r"<[a-zA-Z/!?][^>]*+(?:>|\Z)")


@dataclass(frozen=True, slots=True)
class Washed:
    """HTML that may be shown, in the frame only.

    Args:
        html: the washed fragment. css: the washed text of its style blocks, without any "<".
        remote: http(s) URLs of all its remote images and backgrounds, each once, in order; at most 1,000.
        used: Content-IDs (keys of `images`) that were put in, so that the other images can be listed as attachments.
        cut: whether something was left out because it was too long or too deep.
        coloured: whether it brings colours of its own, so that it wants the white paper they were chosen for.
        misleading: a sentence for each link whose words say another place than where it goes; at most 20.
    """

    html: str
    remote: tuple[str, ...] = ()
    cut: bool = False
    css: str = ""
    used: tuple[str, ...] = ()
    coloured: bool = False
    misleading: tuple[str, ...] = ()


def wash(html: str, *, images: Mapping[str, str], proxied: Mapping[str, str] | None = None) -> Washed:
    """Wash a message's HTML: nothing that runs, loads from elsewhere, or leaves the frame is left. Never raises.

    Remote images lose their source and keep their size. Links open in a new window without opener or referrer, and
    only http, https and mailto ones stay links.

    Args:
        html: the decoded part; beyond 1 MiB characters it is cut.
        images: Content-ID without brackets to the path of ours that serves it ("/m/5/part/1.2").
        proxied: URLs of remote images and backgrounds, as `Washed.remote` spells them, to the path of ours that
            serves each; only `get` is used, so that it may be computed. What it doesn't know is left out.
    """
    tidied = tidy(clean_text(html))
    sheet = clean_sheet("\n".join(tidied.styles)) if tidied.styles else CleanCss("")
    attributes = _AttributeFilter(images, proxied or {})
    linked, misleading = mark(tidied.html)
    washed = nh3.clean(
        linked,
        tags=set(TAGS),
        clean_content_tags=set(),
        attributes=_NAMED_ATTRIBUTES if sheet.text else _ATTRIBUTES,
        # A newsletter says the same attributes hundreds of times; what a hostile one says is bounded by its own size.
        attribute_filter=lru_cache(maxsize=None)(attributes),
        strip_comments=True,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_schemes=_SCHEMES,
    )
    css = sheet.filled(attributes.picture)
    remote = dict.fromkeys((*sheet.remote, *attributes.remote))
    return Washed(
        html=washed,
        remote=tuple(remote)[:MAX_REMOTE],
        cut=tidied.cut,
        css=css,
        used=tuple(attributes.used),
        coloured=attributes.coloured or _has_colours(css),
        misleading=misleading,
    )


def document(washed: Washed, *, dark: bool = False) -> str:
    """The complete HTML document of the message frame.

    Args:
        washed: from `wash`; put in as it is.
        dark: show mail that brings no colours of its own on a dark ground. Mail with colours keeps its white paper,
            for which it was designed.
    """
    scheme = "dark" if dark and not washed.coloured else "light"
    return (
        '<!doctype html>\n<html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f'<meta name="color-scheme" content="{scheme}"><title>Message</title>\n'
        f"<style>\n{_BASE_STYLE}{_PAPER[scheme]}{washed.css}\n</style></head>\n"
        f"<body>{washed.html}</body></html>\n"
    )


def html_to_text(html: str) -> str:
    """The text of an HTML message for previews and snippets: lines at blocks, no markup. Of long mail the beginning."""
    html = _UNREAD.sub(" ", html[:_MAX_SNIPPET_SOURCE])
    html = _BREAKS.sub("\n", _SPACES.sub(" ", html))
    text = clean_text(entities.unescape(_ANY_TAG.sub("", html)))
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


class _AttributeFilter:
    """Decides on each attribute that nh3 would keep; collects what it takes out.

    nh3 drops an attribute whose callback raised, so that a mistake in here loses text, not safety.
    """

    def __init__(self, images: Mapping[str, str], proxied: Mapping[str, str]) -> None:
        self._images = images
        self._proxied = proxied
        self.coloured = False
        self.remote: dict[str, None] = {}
        self.used: dict[str, None] = {}

    def __call__(self, tag: str, attribute: str, value: str) -> str | None:
        """The attribute's value as it may stay, or None."""
        if attribute == "style":
            style = clean_style(value)
            if style.remote:
                self.remote.update(dict.fromkeys(style.remote))
            self.coloured = self.coloured or _has_colours(style.text)
            return style.filled(self.picture) or None
        if attribute == "href":
            return link_target(value) or None
        if attribute in ("src", "background"):
            return self._image(value)
        if attribute in _COLOURS:
            self.coloured = True
        allowed = _VALUES.get(attribute, _PLAIN_WORDS)
        return value if allowed is None or allowed.fullmatch(value) else None

    def picture(self, address: str) -> str | None:
        """The path of ours for an image that is in the message or that `proxied` knows; a remote one is noted."""
        if address.lstrip()[:4].lower() == "cid:":
            content_id = unquote(_BLANK.sub("", address)[4:]).strip("<>")
            path = self._images.get(content_id)
            if path is None or not _OWN_PATH.fullmatch(path):
                return None
            self.used[content_id] = None
            return path
        url = web_url(address)
        if not url:
            return None
        self.remote[url] = None
        path = self._proxied.get(url)
        return path if path is not None and _OWN_PATH.fullmatch(path) else None

    def _image(self, value: str) -> str | None:
        """The address of an image that may be shown."""
        if value.lstrip()[:5].lower() == "data:":
            url = _BLANK.sub("", value)
            return url if len(url) <= MAX_DATA_IMAGE * 4 // 3 + 64 and _DATA_IMAGE.fullmatch(url) else None
        return self.picture(value) if len(value) <= _MAX_URL else None


def _has_colours(css: str) -> bool:
    """Whether clean CSS sets a colour of anything but lines."""
    return "background" in css or _COLOUR.search(css) is not None


# Layered, so that every rule the mail brings wins over these.
_BASE_STYLE = """@layer base {
  html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
  body { margin: 16px; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
    overflow-wrap: break-word; }
  body:has(> :is(div, table, center):first-child:is([bgcolor], [style*="background"])) { margin: 0; }
  img { max-width: 100%; object-fit: contain; }
  img:not([src]) { border: 1px dashed color-mix(in srgb, currentColor 25%, transparent); border-radius: 4px;
    box-sizing: border-box; font-size: 12px; color: color-mix(in srgb, currentColor 60%, transparent); }
  img:not([src])[width="1"], img:not([src])[height="1"], img:not([src])[width="0"] { display: none; }
  pre { white-space: pre-wrap; }
  blockquote { margin: 0.75em 0; padding-inline-start: 1em;
    border-inline-start: 2px solid color-mix(in srgb, currentColor 20%, transparent); }
  table { font-size: inherit; }
}
"""
_PAPER = {
    "light": "@layer base { :root { color-scheme: light; } body { background: #fff; color: #1c2026; } "
    "a { color: #1a56c4; } }\n",
    "dark": "@layer base { :root { color-scheme: dark; } body { background: #16191e; color: #e3e6eb; } "
    "a { color: #86b4ff; } }\n",
}
