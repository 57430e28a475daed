"""Received HTML made safe to show in the message frame.

The one law of this room: nh3 is the last to touch a message's HTML. Whatever has to change (Content-IDs, remote
images, style) changes before it or in the callback of that single pass, and nothing edits its output. The frame with
its sandbox and CSP is the other wall; neither is trusted alone.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote

import nh3

from .charsets import clean_text
from .css import clean_sheets, clean_style, web_url
from .darkening import darken_attribute, darken_sheet, darken_style
from .elements import TAGS
from .links import link_target, mark
from .odd_tags import attributes_of
from .paper import document
from .plain import picture, text_to_html
from .tidy import Tidied, tidy
from .washed import Washed

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
    "details": {"open", "class"},
    "time": {"datetime"},
}
# Names are of use only where a style block may speak of them.
_NAMED_ATTRIBUTES = {**_ATTRIBUTES, "*": _EVERYWHERE | {"class", "id"}}
_BODY_ATTRIBUTES = _EVERYWHERE - {"align", "valign", "width", "height", "title"} | {
    *("class", "id", "background", "text", "link", "vlink"),
    *("leftmargin", "topmargin", "rightmargin", "bottommargin", "marginwidth", "marginheight"),
}
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

_COLOURS = ("bgcolor", "color", "background", "text")
_COLOUR = re.compile(r"(?<![\w-])color:")

_BOTH = re.compile(r"(?<!prefers-)color-scheme:[^;}]*dark")
# Which doctypes ask for what (HTML Standard §13.2.6.4.1).
_STANDARDS = re.compile(
    r"html(?:\s+system\s.*)?\s*$|html\s+public\s+[\"']-//w3c//dtd (?:x?html 1\.[01] strict|xhtml 1\.1|html 4\.01)//",
    re.DOTALL,
)
_QUIRKS = re.compile(r"$|(?!html\b)|html\s+public\s+[\"'](?!-//w3c//dtd (?:xhtml|html 4\.01))")

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


def wash(
    html: str, *, images: Mapping[str, str], proxied: Mapping[str, str] | None = None, darken: bool = False
) -> Washed:
    """Wash a message's HTML: nothing that runs, loads from elsewhere, or leaves the frame is left. Never raises.

    Remote images lose their source and keep their size. Links open in a new window without opener or referrer, and
    only http, https and mailto ones stay links.

    Args:
        html: the decoded part; beyond 1 MiB characters it is cut.
        images: Content-ID without brackets to the path of ours that serves it ("/m/5/part/1.2").
        proxied: URLs of remote images and backgrounds, as `Washed.remote` spells them, to the path of ours that
            serves each; only `get` is used, so that it may be computed. What it doesn't know is left out.
        darken: exchange its colours for colours on dark paper, unless it brings a design for dark screens.
    """
    tidied = tidy(clean_text(html))
    # Each block for itself: what it leaves open ends with it.
    sheets = clean_sheets(tidied.styles)
    css = "\n".join(sheet.text for sheet in sheets)
    for_both = "prefers-color-scheme" in css and (tidied.schemes or _BOTH.search(css) is not None)
    attributes = _AttributeFilter(images, proxied or {}, darken=darken and not for_both)
    body = _body(tidied, attributes, named=bool(css))
    linked, misleading = mark(tidied.html)
    washed = nh3.clean(
        linked,
        tags=set(TAGS),
        clean_content_tags=set(),
        attributes=_NAMED_ATTRIBUTES if sheets else _ATTRIBUTES,
        # A newsletter says the same attributes hundreds of times; what a hostile one says is bounded by its own size.
        attribute_filter=lru_cache(maxsize=None)(attributes),
        strip_comments=True,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_schemes=_SCHEMES,
    )
    coloured = attributes.coloured or _has_colours(css)
    if darken and not for_both:
        css = darken_sheet(css)
    else:
        css = "\n".join(sheet.filled(attributes.picture) for sheet in sheets)
    doctype = tidied.doctype.lower()
    remote = dict.fromkeys((*(url for sheet in sheets for url in sheet.remote), *attributes.remote))
    return Washed(
        html=washed,
        remote=tuple(remote)[:MAX_REMOTE],
        cut=tidied.cut,
        css=css,
        used=tuple(attributes.used),
        body=body,
        coloured=coloured,
        darkened=darken and coloured and not for_both,
        misleading=misleading,
        for_both=for_both,
        designed=bool(css) or "style=" in body or "<table" in washed,
        standards=_STANDARDS.match(doctype) is not None,
        quirks=_QUIRKS.match(doctype) is not None,
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

    def __init__(self, images: Mapping[str, str], proxied: Mapping[str, str], *, darken: bool) -> None:
        self._images = images
        self._proxied = proxied
        self._darken = darken
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
            return (darken_style(style.text) if self._darken else style.filled(self.picture)) or None
        if attribute == "href":
            return link_target(value) or None
        if attribute in _COLOURS:
            self.coloured = True
        if attribute in ("src", "background"):
            path = self._image(value)
            return None if self._darken and attribute == "background" else path
        allowed = _VALUES.get(attribute, _PLAIN_WORDS)
        if allowed is not None and not allowed.fullmatch(value):
            return None
        return darken_attribute(attribute, value) if self._darken else value

    def picture(self, address: str) -> str | None:
        """The path of ours for an image that is in the message or that `proxied` knows; a remote one is noted."""
        if address[:4] != "http" and address.lstrip()[:4].lower() == "cid:":
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
        if value[:4] != "http" and value.lstrip()[:5].lower() == "data:":
            url = _BLANK.sub("", value)
            return url if len(url) <= MAX_DATA_IMAGE * 4 // 3 + 64 and _DATA_IMAGE.fullmatch(url) else None
        return self.picture(value) if len(value) <= _MAX_URL else None


def _body(tidied: Tidied, attributes: _AttributeFilter, *, named: bool) -> str:
    """The attributes of the body, judged like all others and written anew."""
    outer = attributes_of(tidied.body)
    outer |= {name: value for name, value in attributes_of(tidied.root).items() if name in ("dir", "lang")} | outer
    kept = []
    for name in _BODY_ATTRIBUTES & outer.keys() if named else (_BODY_ATTRIBUTES - {"class", "id"}) & outer.keys():
        value = attributes("body", name, outer[name])
        if value is not None:
            kept.append(f' {name}="{entities.escape(value)}"')
    return "".join(sorted(kept))


def _has_colours(css: str) -> bool:
    """Whether clean CSS sets a colour of anything but lines."""
    return "background" in css or _COLOUR.search(css) is not None
