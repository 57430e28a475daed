"""How one leaves a mailing list, as its mail says (RFC 2369 §3.2, RFC 8058), and whose signature vouches for that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from .fields import Field

ONE_CLICK = b"List-Unsubscribe=One-Click"  # the form that is sent (RFC 8058 §3.1)
UNSUBSCRIBE, POST = "list-unsubscribe", "list-unsubscribe-post"
_MAX_URL = 2_000  # characters
_MAX_WAYS = 10  # of one field
_ANGLES = re.compile(r"<([^<>]{1,2500})>")
_TAG = re.compile(r"(?:^|;)\s*([a-z]{1,2})\s*=([^;]*)", re.IGNORECASE)
_MASS = ("list-id", "list-post", "list-unsubscribe", "list-help", "feedback-id")


@dataclass(frozen=True, slots=True)
class Leaving:
    """The ways out, "" for those there are not.

    Args:
        one_click: https address that takes the form ONE_CLICK. mail: a `mailto:` link. page: http or https address.
    """

    one_click: str = ""
    mail: str = ""
    page: str = ""

    def __bool__(self) -> bool:
        return bool(self.mail or self.page)

    @property
    def host(self) -> str:
        """Where its pages are, or ""."""
        return _host(self.one_click or self.page)


def leaving(header: Sequence[Field]) -> Leaving:
    """The ways out that a header names: the first of each kind. Never raises.

    One click is offered only where both fields stand there once: whoever adds a second one is not believed.
    """
    ways = [field.raw for field in header if field.name.lower() == UNSUBSCRIBE]
    posts = [field.raw for field in header if field.name.lower() == POST]
    if not ways:
        return Leaving()
    urls = ["".join(url.split()) for url in _ANGLES.findall(ways[0])[:_MAX_WAYS]]
    urls = [url for url in urls if len(url) <= _MAX_URL and url.isascii() and url.isprintable()]
    pages = [url for url in urls if url.lower().startswith(("https://", "http://")) and _host(url)]
    secure = next((url for url in pages if url.lower().startswith("https://")), "")
    asks = [post.replace(" ", "").lower() for post in posts] == [ONE_CLICK.decode().lower()]
    return Leaving(
        one_click=secure if asks and len(ways) == 1 else "",
        mail=next((url for url in urls if url.lower().startswith("mailto:")), ""),
        page=secure or next(iter(pages), ""),
    )


def vouched_for(header: Iterable[Field], names: Iterable[str]) -> frozenset[str]:
    """The domains whose DKIM signatures cover all of these fields (RFC 6376 §3.5). Whether they are right is not known.

    Args:
        names: in lower case.
    """
    found = set()
    wanted = set(names)
    for field in header:
        if field.name.lower() == "dkim-signature":
            tags = {name.lower(): value.strip() for name, value in _TAG.findall(field.raw[:8_192])}
            covered = {name.strip().lower() for name in tags.get("h", "").split(":")}
            if wanted <= covered and tags.get("d"):
                found.add(tags["d"].lower())
    return frozenset(found)


def is_mass_mail(header: Iterable[Field]) -> bool:
    """Whether a message was sent to many or by a machine (RFC 2919, RFC 2369, RFC 3834)."""
    for field in header:
        name, value = field.name.lower(), field.raw.strip().lower()
        if name in _MASS or (name == "precedence" and value in ("bulk", "list", "junk")):
            return True
        if name == "auto-submitted" and value.partition(";")[0].strip() != "no":
            return True
    return False


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
