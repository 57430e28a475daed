"""Domains as a person may see them: who owns one, and whether its letters are what they look like.

The law of this room: a name whose letters could pass for another's is shown as it stands on the wire (`xn--…`), an
honest one in its own script. The rule is the "highly restrictive" level of UTS 39 §5.2 for each label: one script, or
Latin beside those of Japanese, Chinese and Korean, as registries allow them; and none that is made wholly of letters
which look like ASCII, unless its top-level domain is at home in that script.
"""

from __future__ import annotations

import ipaddress
import re
from functools import cache

import idna
import regex
from publicsuffixlist import PublicSuffixList

from .elements import words
from .remembered import remembered

_MAX_DOMAIN = 320  # characters; a real one has at most 253
_DOTS = re.compile("[\u3002\uff0e\uff61]")

_SCRIPTS = (
    "Latin", "Cyrillic", "Greek", "Arabic", "Hebrew", "Armenian", "Georgian", "Devanagari", "Bengali", "Gurmukhi",
    "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala", "Thai", "Lao", "Khmer", "Myanmar",
    "Tibetan", "Ethiopic", "Thaana",
)  # fmt: skip
_TOGETHER = (
    ("Latin", "Han", "Hiragana", "Katakana"),
    ("Latin", "Han", "Bopomofo"),
    ("Latin", "Han", "Hangul"),
)
_ONE_SYSTEM = regex.compile(
    "|".join(
        "[" + "".join(rf"\p{{Script={script}}}" for script in (*scripts, "Common", "Inherited")) + "]+"
        for scripts in (*((script,) for script in _SCRIPTS), *_TOGETHER)
    )
)
# Letters of Latin beyond those that languages of today's registries write with are phonetic and historic lookalikes
# (ɑ, ɡ, ꞌ); marks that stand alone could be stacked on any letter.
_HOMELY_LATIN = regex.compile(
    r"[a-z0-9\-\u00b7ß-öø-ÿā-įĳ-ķĺ-ňŋ-žơưșțəǎ-ǜẁẃẅỳạ-ỹ\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Bopomofo}ー々〆〇]+"
)
_LATIN = regex.compile(r"\p{Script=Latin}")
# Strokes of Han and Kana that pass for "/", "-" and the like beside Latin letters.
_STROKES = re.compile("[a-z0-9-][ノソゾンー一丶丿〳〴〵・ハ]|[ノソゾンー一丶丿〳〴〵・][a-z0-9-]")
# Labels made of these alone look like ASCII; with the country codes where such labels are at home.
_LOOKALIKES = (
    (re.compile("[асԁеһіїјӏорԛѕԝхуъьҽпгѵѡү0-9-]+"), words("bg by kz mk mn rs ru su ua uz")),
    (re.compile("[αγεηικνορτυχωϲϳάέήίόύώϊϋ0-9-]+"), words("gr cy")),
    (re.compile("[ագզէլհյոսցօքոս0-9-]+"), words("am")),
    (re.compile("[იოსუყხჿ0-9-]+"), words("ge")),
    (re.compile("[וחטיןסם0-9-]+"), words("il")),
)
_MIXED_WORD = regex.compile(r"\p{Latin}\p{M}*[\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}]\p{M}*\p{Latin}")
_NO_LETTER = regex.compile(r"[^\p{L}\p{M}\p{N}-]+")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


@remembered(4096, longest=_MAX_DOMAIN)
def registrable(domain: str) -> str:
    """The domain that was registered ("example.co.uk" of "mail.example.co.uk"), in ASCII; an IP address is itself.

    Args:
        domain: a host or mail domain in any spelling; "" gives "".
    """
    name = ascii_domain(domain)
    if ip_address(name):
        return ip_address(name)
    return _suffixes().privatesuffix(name) or name


def is_public(domain: str) -> bool:
    """Whether the last label is a top-level domain that exists (for what may only look like a domain)."""
    return bool(_suffixes().publicsuffix(ascii_domain(domain), accept_unknown=False))


@remembered(4096, longest=_MAX_DOMAIN)
def ascii_domain(domain: str) -> str:
    """The domain in lower case ASCII (IDNA 2008); labels that IDNA refuses are spelt in punycode all the same."""
    labels = _DOTS.sub(".", domain[:_MAX_DOMAIN]).strip().rstrip(".").lower().split(".")
    return ".".join(label if label.isascii() else _ascii_label(label) for label in labels)


@remembered(4096, longest=_MAX_DOMAIN)
def shown_domain(domain: str) -> str:
    """The domain as it is shown: in its own script where that is honest, in ASCII where its letters could deceive."""
    name = ascii_domain(domain)
    if "xn--" not in name:
        return name
    labels = name.split(".")
    shown = [_unicode_label(label) for label in labels]
    return ".".join(shown) if all(_is_honest(label, labels[-1]) for label in shown) else name


def shown_address(address: str) -> str:
    """The mail address with its domain as `shown_domain` has it."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{shown_domain(domain)}" if at else address


@remembered(4096, longest=_MAX_DOMAIN)
def is_lookalike(domain: str) -> bool:
    """Whether the domain is spelt with letters of another alphabet that could pass for others."""
    name = shown_domain(domain)
    if "xn--" not in name:
        return False
    labels = name.split(".")
    return not all(_is_honest(_letters(label), labels[-1]) for label in labels)


def has_mixed_word(text: str) -> bool:
    """Whether Latin letters stand directly beside Cyrillic or Greek ones ("Раypal")."""
    return not text.isascii() and _MIXED_WORD.search(text) is not None


@remembered(4096, longest=_MAX_DOMAIN)
def ip_address(host: str) -> str:
    """The address a host in numbers stands for, as browsers read it ("0x7f.1" is 127.0.0.1); "" for a name."""
    bare = host.strip("[]")
    if ":" in bare:
        try:
            return str(ipaddress.IPv6Address(bare.partition("%")[0]))
        except ValueError:
            return ""
    pieces = host.split(".")
    if not 1 <= len(pieces) <= 4 or not all(_NUMBER.fullmatch(piece) and len(piece) < 13 for piece in pieces):
        return ""
    try:
        numbers = [_number(piece) for piece in pieces]
    except ValueError:  # an 8 in an octal number
        return ""
    *first, last = numbers
    if any(number > 255 for number in first) or last >= 256 ** (5 - len(numbers)):
        return ""
    value = last + sum(number << 8 * (3 - place) for place, number in enumerate(first))
    return str(ipaddress.IPv4Address(value))


def _number(piece: str) -> int:
    if piece.startswith("0x"):
        return int(piece[2:] or "0", 16)
    return int(piece, 8 if piece.startswith("0") else 10)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def _ascii_label(label: str) -> str:
    try:
        return idna.encode(label, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return f"xn--{label.encode('punycode').decode()}"


def _unicode_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return idna.decode(label)
    except (idna.IDNAError, UnicodeError):
        return label


def _letters(label: str) -> str:
    """The letters and digits that punycode stands for, even where IDNA refuses them (capitals; without emoji)."""
    if not label.startswith("xn--"):
        return label
    try:
        letters = label[4:].encode().decode("punycode").lower()
    except UnicodeError:
        return ""
    return str(_NO_LETTER.sub("", letters))


def _is_honest(label: str, top: str) -> bool:
    if label.isascii():
        return not label.startswith("xn--")
    if not _ONE_SYSTEM.fullmatch(label):
        return False
    if _LATIN.search(label) and not _HOMELY_LATIN.fullmatch(label) and not (top == "tr" and "ı" in label):
        return False
    if _STROKES.search(label):
        return False
    at_home = top.startswith("xn--")
    return not any(letters.fullmatch(label) and not at_home and top not in homes for letters, homes in _LOOKALIKES)
