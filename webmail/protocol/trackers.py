"""Which of a mail's remote images are there to be seen, and which only to tell that the mail was opened.

Nothing here is a wall: an image taken for the wrong kind is shown or left out, and both go the same guarded way.
A size that the mail itself gives outweighs what an address looks like.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from .css import web_url

MAX_SOURCE = 2**20  # characters looked at
MAX_IMAGES = 5_000
_MAX_TAG = 16 * 1024
_MAX_LOOKED_AT = 500  # characters of an address
SMALLEST_SEEN = 3  # pixels of both sides from which an image is something to see

# "<" ends a tag too, so that a mail of unclosed tags is gone through once.
_IMAGE = re.compile(r"<ima?ge?\b([^<>]*+)", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""(?<![a-zA-Z-])([a-zA-Z-]++)\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++)""")
_BLANK = re.compile(r"[\x00-\x20\x7f-\xa0]+")
_NUMBER = re.compile(r"\s*(\d{1,5})(?:\.\d*)?\s*(?:px)?\s*(?:!important\s*)?")
_DECLARATION = re.compile(r"(?:^|;)\s*((?:max-)?(?:width|height)|display|visibility|opacity|mso-hide)\s*:([^;]*)")

# Words in the host or path of what senders' systems ask for when a mail is opened …
_WORD = re.compile(
    r"(?:^|[/._-])(?:opens?|opened|track(?:ing|er)?|trk|trck|pixel|px|beacon|spy|impression|imp|readreceipt|"
    r"emailopen|mailopen|wf/open|o\.gif|p\.gif|t\.gif|cl\.gif|blank\.gif|1x1|transp(?:arent)?)(?:[/._-]|$)",
    re.IGNORECASE,
)
# … and a piece long and mixed enough to name one mail of one person.
_ID = re.compile(r"(?=[\w%~+-]{0,30}\d)[\w%~+-]{12,}|=[\w%~.+@-]{6,}")


def find(source: str) -> frozenset[str]:
    """The addresses of images that only report, as `html.wash` spells them: of no size, hidden, or named like it.

    Args:
        source: the HTML as it came.
    """
    reports: dict[str, bool] = {}
    for attributes in _images(source):
        if url := _address(attributes):  # one place where it can be seen is enough
            reports[url] = reports.get(url, True) and _only_reports(url, attributes)
    return frozenset(url for url, only in reports.items() if only)


def without(source: str) -> str:
    """HTML without the images that only report, and without those beyond what is looked at; the rest as it came.

    What comes of it is to be washed like any other HTML: it was cut as text.

    Args:
        source: the HTML as it came.
    """
    reports = find(source)
    kept, end = [], 0
    for number, image in enumerate(_IMAGE.finditer(source)):
        if number >= MAX_IMAGES or image.start() > MAX_SOURCE or _address(_attributes(image[1])) in reports:
            kept.append(source[end : image.start()])
            end = image.end() + source.startswith(">", image.end())
    return "".join((*kept, source[end:])) if kept else source


def host_of(url: str) -> str:
    """The host of an http(s) address as a person may read it: ASCII, in lower case."""
    try:
        host = urlsplit(url).hostname or ""
        return host if host.isascii() else host.encode("idna").decode()
    except (ValueError, UnicodeError):
        return "an unreadable address"


def _images(source: str) -> Iterator[dict[str, str]]:
    for number, image in enumerate(_IMAGE.finditer(source[:MAX_SOURCE])):
        if number >= MAX_IMAGES:
            return
        yield _attributes(image[1])


def _attributes(inside: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for attribute in _ATTRIBUTE.finditer(inside[:_MAX_TAG]):
        found.setdefault(attribute[1].lower(), html.unescape(attribute[2].strip("\"'")))
    return found


def _address(attributes: dict[str, str]) -> str:
    """What the image is asked for at; "" where that is nothing of the web."""
    return web_url(_BLANK.sub("", attributes.get("src", ""))) or ""


def _only_reports(url: str, attributes: dict[str, str]) -> bool:
    style = {name.lower(): value.strip().lower() for name, value in _DECLARATION.findall(attributes.get("style", ""))}
    width = _pixels(attributes.get("width"), style.get("width"), style.get("max-width"))
    height = _pixels(attributes.get("height"), style.get("height"), style.get("max-height"))
    if width == 0 or height == 0:
        return True
    known = [side for side in (width, height) if side is not None]
    if known:
        return max(known) < SMALLEST_SEEN
    # What a class may make visible again is another picture for telephones.
    hidden = style.get("display") == "none" or style.get("visibility") == "hidden" or style.get("opacity") == "0"
    if hidden and "class" not in attributes:
        return True
    return _looks_like_a_report(url)


def _looks_like_a_report(url: str) -> bool:
    try:
        parts = urlsplit(url[:_MAX_LOOKED_AT])
    except ValueError:
        return False
    place = f"{parts.hostname or ''}{parts.path}"
    return bool(_WORD.search(place) and _ID.search(f"{parts.path}?{parts.query}"))


def _pixels(*said: str | None) -> int | None:
    """The smallest side in pixels that is said; None where none is, as for one in per cent."""
    found = [int(number[1]) for text in said if text and (number := _NUMBER.fullmatch(text))]
    return min(found, default=None)
