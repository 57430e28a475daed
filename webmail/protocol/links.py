"""Where the links of a mail really go, beside what their words say (T20, T21).

This runs before the washing: what it writes goes through nh3 like everything else. The target that was judged is
written as the link's first `href`, with its address as the first `title`; of an attribute that stands twice a parser
takes the first, so that what was judged is what is followed.
"""

from __future__ import annotations

import html as entities
import re
from functools import lru_cache
from html.entities import html5
from urllib.parse import unquote

from . import domains
from .css import trimmed, web_url
from .tidy import words
from .words import one_line

MAX_LINKS = 20_000  # of one mail
MAX_SAID = 20  # misleading links told one by one
_MAX_URL = 8 * 1024
_MAX_TITLE = 300
_MAX_LABEL = 300  # characters of a link's words in which domains are looked for

_A_TAG = re.compile(r"<(/?)a(?=[\s>])([^>]*)>")
_ATTRIBUTE = re.compile(r"""([^\s=]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"']++)))?+""")
_ALT = re.compile(r"""<img\b[^>]*?\balt\s*=\s*(?:"([^"]*)"|'([^']*)')[^>]*>""", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_REFERENCE = re.compile(r"&(?:#(?:[xX]([0-9a-fA-F]{1,6})|([0-9]{1,7}));?|([A-Za-z][A-Za-z0-9]{0,31})(;?)(?!=))")
_MAIL_LINK = re.compile(r"mailto:[^\s]", re.IGNORECASE)
_AUTHORITY = re.compile(r"(https?):[/\\]*([^/\\?#]*)", re.IGNORECASE)

_WORD_URL = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_WORD_HOST = re.compile(r"(?<![\w.@/-])((?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24})(?![\w@-])")
_WORD_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\"]{1,64}@(?:[\w-]{1,63}\.){1,8}[\w-]{2,63}")
# Top-level domains that are better known as the ends of file names.
_FILE_ENDS = words("ai app bz cc do md mov pl ps py rs sh so zip")

_MARK = (
    '<small style="display:inline !important;visibility:visible !important;font-size:12px !important;'
    'text-indent:0 !important;white-space:normal !important;text-decoration:none !important"> ({})</small>'
)


@lru_cache(maxsize=512)  # each link is judged here and again by the washing
def link_target(value: str) -> str:
    """A link's target, if it is a web or mail address, else ""."""
    if len(value) > _MAX_URL:
        return ""
    url = trimmed(value)
    return web_url(url) or (f"mailto:{url[7:]}" if _MAIL_LINK.match(url) else "")


def target_of(attributes: str) -> str:
    """The target of a link with these attributes, as `tidy` writes them; "" where it has none that may be followed."""
    return link_target(_href(attributes))


def mark(html: str) -> tuple[str, tuple[str, ...]]:
    """Give each link its target as title, and mark those whose words say another place than where they go.

    Args:
        html: as `tidy` writes it: tags well formed, no ">" in an attribute.

    Returns:
        The HTML, and a sentence for each marked link ("“paypal.test” goes to evil.example"), at most 20.
    """
    out: list[str] = []
    said: list[str] = []
    position = 0
    tags = _A_TAG.finditer(html)
    tag = next(tags, None)
    for _link in range(MAX_LINKS):
        if tag is None:
            break
        following = next(tags, None)
        out.append(html[position : tag.start()])
        position = tag.end()
        url = "" if tag[1] else target_of(tag[2])
        if not url:
            out.append(tag[0])
            tag = following
            continue
        out.append(f'<a href="{entities.escape(url)}" title="{entities.escape(title(url))}"{tag[2]}>')
        end = following.start() if following is not None else len(html)
        label = _label(html[position:end])
        fact = misleads(label, url)
        if fact:
            said.append(f"“{label[:80]}” {fact}")
            close = following.end() if following is not None and following[1] else end
            out.append(html[position:close] + _MARK.format(entities.escape(fact)))
            position = close
            if close != end:  # the end tag is written
                following = next(tags, None)
        tag = following
    out.append(html[position:])
    return "".join(out), tuple(said[:MAX_SAID])


def misleads(label: str, url: str) -> str:
    """What is to be said beside a link ("goes to evil.example"), or "" where its words and its target agree.

    Args:
        label: the link's words. url: from `link_target`.
    """
    if url.startswith("mailto:"):
        return _misleads_mail(label, url)
    found = _AUTHORITY.match(url)
    if found is None:
        return ""
    host = host_of(url)
    goes = f"goes to {domains.shown_domain(host)}"
    if "@" in found[2] or domains.ip_address(host) or domains.is_lookalike(host):
        return goes if label != domains.shown_domain(host) else ""
    text = label[:_MAX_LABEL]
    if "." not in text and ":" not in text:
        return ""  # says no place
    address = _WORD_URL.search(text)
    if address is not None:
        if domains.registrable(host_of(address[0])) != domains.registrable(host):
            return goes
        is_plain = found[1].lower() == "http" and address[0][:6].lower() == "https:"
        return f"{goes} without encryption" if is_plain else ""
    for word in _WORD_HOST.finditer(text):
        if _is_host(word, url) and domains.registrable(word[1]) != domains.registrable(host):
            return goes
    return ""


def title(url: str) -> str:
    """The target as a link's title shows it: its host first and honest, no user name before it, not too long."""
    if url.startswith("mailto:"):
        return one_line(f"Write to {unquote(url[7:].partition('?')[0])}")[:_MAX_TITLE]
    found = _AUTHORITY.match(url)
    if found is None:
        return one_line(url)[:_MAX_TITLE]
    port = re.search(r":(\d{1,5})$", found[2]) if ":" in found[2] else None
    shown = f"{found[1].lower()}://{domains.shown_domain(_host(found[2]))}{port[0] if port else ''}{url[found.end() :]}"
    return one_line(shown[: 2 * _MAX_TITLE])[:_MAX_TITLE]


def host_of(url: str) -> str:
    """The host a browser would go to: after the last "@", up to a slash of either kind, decoded, in ASCII."""
    found = _AUTHORITY.match(url)
    return _host(found[2]) if found is not None else ""


@lru_cache(maxsize=4096)
def _host(authority: str) -> str:
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        return domains.ip_address(host.partition("]")[0] + "]") or host
    host = domains.ascii_domain(one_line(unquote(host.partition(":")[0])))
    return domains.ip_address(host) or host


def _misleads_mail(label: str, url: str) -> str:
    targets = [part.strip().lower() for part in unquote(url[7:].partition("?")[0]).split(",")]
    written = _WORD_ADDRESS.search(label[:_MAX_LABEL])
    if written is None or written[0].lower().rstrip(".") in targets:
        return ""
    return f"writes to {domains.shown_address(one_line(targets[0])[:200])}" if targets[0] else ""


def _is_host(word: re.Match[str], url: str) -> bool:
    """Whether a word with dots is a domain, and not the end of a sentence or the name of the file that is linked."""
    last = word[1].rpartition(".")[2].lower()
    return domains.is_public(word[1]) and not (last in _FILE_ENDS and word[1] in url)


def _label(content: str) -> str:
    """The words of a link as a person reads them; an image counts by its description."""
    content = content[: 8 * _MAX_LABEL]
    if "<" in content:
        content = _TAG.sub("", _ALT.sub(lambda image: image[1] or image[2] or "", content))
    return one_line(" ".join(entities.unescape(content).split()))


def _href(attributes: str) -> str:
    """The first `href`, its character references resolved as in an attribute (HTML5 §13.2.5.73)."""
    for found in _ATTRIBUTE.finditer(attributes):
        if found[1].lower() == "href":
            value = found[2] or found[3] or found[4] or ""
            return _REFERENCE.sub(_resolved, value) if "&" in value else value
    return ""


def _resolved(reference: re.Match[str]) -> str:
    hexadecimal, decimal, name, semicolon = reference.groups()
    if name is None:
        return entities.unescape(f"&#{f'x{hexadecimal}' if hexadecimal else decimal};")
    return html5.get(name + semicolon) or reference[0]
