"""What a sender calls himself, held against the address he writes from (T21)."""

from __future__ import annotations

import re
import unicodedata

from . import domains
from .types import Address

_MAX_NAME = 1_000  # characters of a name looked at
_ADDRESS = re.compile(r"""[^\s@<>()\[\],;:"'|/\\]{1,64}@([\w-]{1,63}(?:\.[\w-]{1,63}){1,8})""")
_SPELT_AT = re.compile(r"\s?[\[({<]\s?at\s?[\])}>]\s?", re.IGNORECASE)
_HOST = re.compile(r"(?<![\w.@-])(?:[\w-]{1,63}\.){1,4}[^\W\d_]{2,24}(?![\w@-])")


def other_address(name: str, address: str) -> str:
    """The first mail address in `name` that isn't `address`, or ""."""
    if "@" not in (text := _plain(name)):
        return ""
    own = _plain(address)
    for found in _ADDRESS.finditer(text):
        if found[0] != own and domains.shown_address(found[0]) != domains.shown_address(own):
            return found[0]
    return ""


def other_domain(name: str, address: str) -> str:
    """The first domain named in `name` that belongs to somebody else than the address's, or ""."""
    own = domains.registrable(address.rpartition("@")[2])
    for found in _HOST.finditer(_plain(name)):
        if domains.is_public(found[0]) and domains.registrable(found[0]) != own:
            return found[0]
    return ""


def shown_name(address: Address) -> str:
    """What somebody is called: the name given, unless that poses as an address of its own; "" where there is none."""
    return shown_as(address.name, address.address)


def shown_as(name: str, address: str) -> str:
    """`shown_name` for a name and an address apart, as an index row keeps them."""
    if not name or ("@" in _plain(name) and _ADDRESS.search(_plain(name))):
        return domains.shown_address(address)
    return name


def _plain(text: str) -> str:
    """Lower case, with the many forms of "@" and of letters made one (NFKC), so that "＠" hides nothing."""
    text = text[:_MAX_NAME].lower()
    if text.isascii() and "at" not in text:
        return text
    return _SPELT_AT.sub("@", unicodedata.normalize("NFKC", text))
