"""Where the links of a mail really go, beside what their words say (T20, T21).

This runs before the washing: what it writes goes through nh3 like everything else. The target that was judged is
written as the link's first `href`, with its address as the first `title`; of an attribute that stands twice a parser
takes the first, so that what was judged is what is followed.
"""

from __future__ import annotations

import html as entities
import re
from html.entities import html5
from typing import NamedTuple
from urllib.parse import unquote

from . import domains
from .css import trimmed, web_url
from .elements import words
from .remembered import remembered
from .words import one_line

MAX_LINKS = 20_000  # of one mail
MAX_SAID = 20  # misleading links told one by one
_MAX_URL = 8 * 1024
_MAX_TITLE = 300
_MAX_LABEL = 300  # characters of a link's words in which domains are looked for

_A_TAG = re.compile(r"<(/?)a(?=[\s>])([^>]*)>")
_ATTRIBUTE = re.compile(r"""([^\s=]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"']++)))?+""")
_IMAGE = re.compile(r"""<img\b[^>]*?\balt\s*=\s*(?:"([^"]*)"|'([^']*)')[^>]*>""", re.IGNORECASE)
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


class Place(NamedTuple):
    """Where a web address leads.

    Args:
        host: as a browser resolves it, in ASCII. begins: the address up to its path as it is shown, without a user.
        poses: whether it may be mistaken for another: by a user before the host, by numbers, by its letters.
    """

    host: str
    begins: str
    poses: bool


def link_target(value: str) -> str:
    """A link's target, if it is a web or mail address, else ""."""
    if len(value) > _MAX_URL:
        return ""
    return web_url(value) or (f"mailto:{url[7:]}" if _MAIL_LINK.match(url := trimmed(value)) else "")


def target_of(attributes: str) -> str:
    """The target of a link with these attributes, as `tidy` writes them; "" where it has none that may be followed."""
    return link_target(_without_href(attributes)[0])


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
        href, others = ("", "") if tag[1] else _without_href(tag[2])
        url = link_target(href)
        if not url:
            out.append(tag[0])
            tag = following
            continue
        place, path = _leads(url)
        written, shown = entities.escape(url), _title(url, place, path)
        out.append(f'<a href="{written}" title="{written if shown == url else entities.escape(shown)}"{others}>')
        end = following.start() if following is not None else len(html)
        words = _words(html[position : min(end, position + 8 * _MAX_LABEL)])
        # Nearly all links only say "Read on", and lead to a host that is what it looks like.
        label = fact = ""
        if _says_a_place(words) or (place is not None and place.poses):
            label = _label(words)
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
    place, _ = _leads(url)
    if place is None:
        return ""
    host = place.host
    goes = f"goes to {domains.shown_domain(host)}"
    if place.poses:
        return goes if label != domains.shown_domain(host) else ""
    text = label[:_MAX_LABEL]
    if "." not in text and ":" not in text:
        return ""  # says no place
    address = _WORD_URL.search(text)
    if address is not None:
        if domains.registrable(host_of(address[0])) != domains.registrable(host):
            return goes
        is_plain = url[:5].lower() == "http:" and address[0][:6].lower() == "https:"
        return f"{goes} without encryption" if is_plain else ""
    for word in _WORD_HOST.finditer(text):
        if _is_host(word, url) and domains.registrable(word[1]) != domains.registrable(host):
            return goes
    return ""


def title(url: str) -> str:
    """The target as a link's title shows it: its host first and honest, no user name before it, not too long."""
    return _title(url, *_leads(url))


def host_of(url: str) -> str:
    """The host a browser would go to: after the last "@", up to a slash of either kind, decoded, in ASCII."""
    place, _ = _leads(url)
    return "" if place is None else place.host


def _title(url: str, place: Place | None, path: str) -> str:
    if url.startswith("mailto:"):
        return one_line(f"Write to {unquote(url[7:].partition('?')[0])}")[:_MAX_TITLE]
    shown = url if place is None else f"{place.begins}{path}"
    return one_line(shown[: 2 * _MAX_TITLE])[:_MAX_TITLE]


def _leads(url: str) -> tuple[Place | None, str]:
    """Where a web address leads, and what it says behind that. Most links of a mail lead to the same few places."""
    found = _AUTHORITY.match(url)
    if found is None:
        return None, url
    scheme, authority = found.groups()
    return _place(authority, scheme), url[found.end() :]


@remembered(4096, longest=300)
def _place(authority: str, scheme: str) -> Place:
    host = _host(authority)
    port = re.search(r":(\d{1,5})$", authority) if ":" in authority else None
    begins = f"{scheme.lower()}://{domains.shown_domain(host)}{port[0] if port else ''}"
    return Place(host, begins, "@" in authority or bool(domains.ip_address(host)) or domains.is_lookalike(host))


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


def _says_a_place(words: str) -> bool:
    """Whether these words could name one: without these characters they are no address, nor a reference to one."""
    return "." in words or ":" in words or "@" in words or "&" in words


def _words(content: str) -> str:
    """The text of a link without its tags, as it is written; an image counts by its description."""
    if "<" not in content:
        return content
    image = _IMAGE.match(content)
    if image is not None and "<" not in content[image.end() :]:  # as in nearly all
        return f"{image[1] or image[2] or ''}{content[image.end() :]}"
    if "<img" in content:
        content = _IMAGE.sub(lambda image: image[1] or image[2] or "", content)
    return _TAG.sub("", content)


def _label(words: str) -> str:
    """The words of a link as a person reads them."""
    return one_line(" ".join(entities.unescape(words).split()))


def _without_href(attributes: str) -> tuple[str, str]:
    """The first `href`, its character references resolved as in an attribute (HTML5 §13.2.5.73), and all the others."""
    for found in _ATTRIBUTE.finditer(attributes):
        if found[1].lower() == "href":
            value = found[2] or found[3] or found[4] or ""
            others = attributes[: found.start()] + attributes[found.end() :]
            return _resolved(value), others
    return "", attributes


def _resolved(value: str) -> str:
    references = value.count("&")
    if references and references == value.count("&amp;"):  # as in nearly all
        return value.replace("&amp;", "&")
    return _REFERENCE.sub(_character, value) if references else value


def _character(reference: re.Match[str]) -> str:
    hexadecimal, decimal, name, semicolon = reference.groups()
    if name is None:
        return entities.unescape(f"&#{f'x{hexadecimal}' if hexadecimal else decimal};")
    return html5.get(name + semicolon) or reference[0]
