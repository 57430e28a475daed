"""A mail address as one comparable spelling, so that a person is the same person however they type it."""

from __future__ import annotations

import re
import unicodedata

import idna

MAX_ADDRESS = 254  # RFC 5321 §4.5.3.1.3, less the angle brackets
MAX_LOCAL = 64  # RFC 5321 §4.5.3.1.1

# A dot-atom of RFC 5322 §3.2.3, widened by RFC 6532 to every character that is not ASCII. No quoted strings.
_LOCAL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+)*"
)


def normalise(text: str) -> str:
    """The address `text` in lower case, its domain as ASCII (IDNA 2008, UTS 46 without transitional mappings).

    The part before the @ is folded too: in theory it has case (RFC 5321 §2.4), in practice telephones capitalise it.

    Raises:
        ValueError: not a mail address.
    """
    local, _, domain = deliverable(text).rpartition("@")
    return f"{local.lower()}@{domain}"


def deliverable(text: str) -> str:
    """The address `text` as a mail server gets it: its domain as ASCII, the part before the @ as it was written.

    Raises:
        ValueError: not a mail address.
    """
    local, at, domain = unicodedata.normalize("NFC", text.strip()).rpartition("@")
    if not at or len(local) > MAX_LOCAL or not _LOCAL.fullmatch(local):
        raise ValueError("not a mail address")
    if any(unicodedata.category(letter)[0] in "CZ" for letter in local):
        raise ValueError("not a mail address")
    address = f"{local}@{normalise_domain(domain)}"
    if len(address) > MAX_ADDRESS:
        raise ValueError("not a mail address")
    return address


def normalise_domain(text: str) -> str:
    """The domain `text` in lower case ASCII, without a closing dot.

    Raises:
        ValueError: not the name of a mail domain (one label, an address literal, a wrong character).
    """
    try:
        domain = idna.encode(text.strip().removesuffix("."), uts46=True, std3_rules=True).decode()
    except idna.IDNAError as error:
        raise ValueError("not a mail domain") from error
    labels = domain.split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        raise ValueError("not a mail domain")
    return domain


def domain_of(address: str) -> str:
    """The domain of a normalised address."""
    return address.rpartition("@")[2]
