"""Bytes of unknown or mistaken charset to text that can be shown and stored.

Nothing here raises, and nothing here trusts a charset's name: only the codecs of an allowlist are ever reached
(Python also registers "zip", "rot13", "unicode_escape" and a quadratic "punycode" under such names). Time is
linear in the size of the data.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping

# What mail declares, to the codec that decodes it. Where a label is commonly used for its superset
# (WHATWG Encoding §4.2) the superset's codec is named.
_CODECS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "gb-2312-80": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "hz-gb-2312": "hz",
    "hz": "hz",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "cp950": "cp950",
    "x-x-big5": "big5hkscs",
    "euc-kr": "cp949",
    "ks-c-5601-1987": "cp949",
    "ks-c-5601": "cp949",
    "ksc5601": "cp949",
    "cp949": "cp949",
    "uhc": "cp949",
    "johab": "johab",
    "iso-2022-kr": "iso2022_kr",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "cp932": "cp932",
    "windows-31j": "cp932",
    "ms-kanji": "cp932",
    "euc-jp": "euc_jis_2004",
    "x-euc-jp": "euc_jis_2004",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-2022-jp-1": "iso2022_jp_ext",
    "iso-2022-jp-2": "iso2022_jp_2",
    "iso-2022-jp-3": "iso2022_jp_3",
    "iso-2022-jp-ms": "iso2022_jp_ext",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_u",
    "koi8-ru": "koi8_u",
    "koi8-t": "koi8_t",
    "koi": "koi8_r",
    "tis-620": "cp874",
    "iso-8859-11": "cp874",
    "windows-874": "cp874",
    "macintosh": "mac_roman",
    "x-mac-roman": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-mac-centraleurroman": "mac_latin2",
    "x-mac-ce": "mac_latin2",
    "x-mac-greek": "mac_greek",
    "x-mac-turkish": "mac_turkish",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "l1": "cp1252",
    "iso8859": "cp1252",
    "ansi": "cp1252",
    "iso-8859-9": "cp1254",
    "latin5": "cp1254",
    "iso-8859-8-i": "iso8859_8",
    "iso-8859-8-e": "iso8859_8",
    "iso-8859-6-i": "iso8859_6",
    "latin2": "iso8859_2",
    "utf-7": "utf_7",
    "unicode-1-1-utf-7": "utf_7",
    "utf-16": "utf_16",
    "utf-16le": "utf_16_le",
    "utf-16-le": "utf_16_le",
    "utf-16be": "utf_16_be",
    "utf-16-be": "utf_16_be",
    "utf-32": "utf_32",
    "utf-32le": "utf_32_le",
    "utf-32be": "utf_32_be",
    **{f"iso-8859-{n}": f"iso8859_{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{f"{prefix}{n}": f"cp{n}" for n in range(1250, 1259) for prefix in ("windows-", "cp", "win-")},
    **{f"{prefix}{n}": f"cp{n}" for n in (437, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 865, 866, 869)
       for prefix in ("cp", "ibm", "ibm-")},
}  # fmt: skip

# Labels that say nothing: UTF-8 is tried anyway and a guess follows.
_VAGUE = {"", "utf-8", "utf8", "us-ascii", "ascii", "ansi-x3.4-1968", "unknown", "unknown-8bit", "x-unknown", "8bit",
          "default", "default-charset", "binary", "none", "646", "ansi-x3-4-1968"}  # fmt: skip

# Codecs whose bytes are (or can be) plain ASCII, so that "valid UTF-8" proves nothing.
_STATEFUL = {"hz", "iso2022_kr", "iso2022_jp_ext", "iso2022_jp_2", "iso2022_jp_3", "utf_7",
             "utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"}  # fmt: skip
_DOUBLE_BYTE = {"gb18030", "big5hkscs", "cp950", "cp949", "johab", "cp932", "euc_jis_2004"}

_ISO_2022_JP = re.compile(rb"\x1b\$[@B]|\x1b\([JI]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_GUESS_FROM = 16 * 1024  # octets: enough to tell a language's charset


def decode_text(data: bytes, charset: str = "") -> str:
    """Text of `data`, whatever was declared: UTF-8 if it is valid, else as declared, else a guess, else Latin.

    NUL and lone surrogates, which no database column and no page can hold, never come out.

    Args:
        data: any bytes; the caller bounds their number.
        charset: as the message declares it, any case, or "".
    """
    if data.isascii() and b"\x1b" not in data and charset.lower() in ("utf-8", "us-ascii", "", "iso-8859-1"):
        return data.decode("ascii").replace("\0", "")
    return clean_text(_decode(data, codec_of(charset)))


def codec_of(charset: str) -> str:
    """The Python codec for a declared charset, or "" where the name says nothing or isn't on the list.

    A language suffix (RFC 2231 §5: "utf-8*en") and quotes are ignored.
    """
    name = charset.partition("*")[0].strip(" \t\r\n\"';").lower().replace("_", "-")
    if name in _VAGUE:
        return ""
    return _CODECS.get(name) or _CODECS.get(
        name.replace("iso8859", "iso-8859").removeprefix("x-").removeprefix("cs"), ""
    )


def clean_text(text: str) -> str:
    """`text` without NUL, and with lone surrogates replaced by U+FFFD."""
    if text.isascii():
        return text.replace("\0", "")
    return _SURROGATES.sub("\ufffd", text).replace("\0", "")


def _decode(data: bytes, codec: str) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") and (not codec or codec.startswith("utf_16")):
        return data.decode("utf_16", "replace")
    if codec in _STATEFUL:
        text = _strictly(data, codec)
        if text is not None:
            return text.removeprefix("\ufeff")
        if data.isascii() or codec.startswith(("utf_16", "utf_32")):
            return data.decode(codec, "replace")
    utf8 = _utf8(data)
    if utf8 is not None:
        if not codec and data.isascii() and _ISO_2022_JP.search(data):
            return data.decode("iso2022_jp_ext", "replace")
        if codec in _DOUBLE_BYTE and _could_be_chance(utf8):
            declared = _strictly(data, codec)
            if declared is not None:
                return declared
        return utf8.removeprefix("\ufeff")
    if codec:
        return _as_declared(data, codec)
    return _guess(data)


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _utf8(data: bytes) -> str | None:
    """`data` as UTF-8, or None; its last character may be cut, as a body fetched up to a limit often is."""
    try:
        text, used = codecs.utf_8_decode(data, "strict", False)
    except UnicodeError:
        return None
    if used == len(data):
        return text
    return None if text.isascii() else text + "\ufffd"


def _as_declared(data: bytes, codec: str) -> str:
    """Decode by the declared codec, unless so much of it is wrong that the declaration must be."""
    text = _strictly(data, codec)
    if text is not None:
        return text
    text = data.decode(codec, "replace")
    if text.count("\ufffd") * 20 <= len(text):
        return text
    # Mostly UTF-8 with a byte or two broken (a body cut in mid-character) is likelier than the declaration.
    utf8 = data.decode("utf_8", "replace")
    if utf8.count("\ufffd") * 2 <= text.count("\ufffd"):
        return utf8
    return text if codec in _DOUBLE_BYTE or codec in _STATEFUL else _guess(data)


def _could_be_chance(utf8: str) -> bool:
    """Whether so few characters are not ASCII that double-byte text could be valid UTF-8 by chance."""
    return sum(1 for char in utf8[:4096] if char > "\x7f") < 4


# --- guessing -----------------------------------------------------------------------------------------------------

# Letters that make up nearly all of ordinary text in the language a codec was made for.
_EXPECTED = {
    "euc_jis_2004": re.compile("[ぁ-んァ-ヶ、。ー]"),
    "cp932": re.compile("[ぁ-んァ-ヶ、。ー]"),
    "cp949": re.compile("[가-힣]"),
    "gb18030": re.compile("[的一是不了在人有我他这个们你好来到时大地为子中说生国年着就和要她出也，。请谢您]"),
    "big5hkscs": re.compile("[的一是不了在人有我他這個們你好來到時大地為子中說生國年著就和要她出也，。請謝您]"),
}
_LEAST_SHARE = {"euc_jis_2004": 0.35, "cp932": 0.35, "cp949": 0.7, "gb18030": 0.12, "big5hkscs": 0.12}

# Single-byte alphabets beside Latin: lower-case or unicameral letters, which ordinary text mostly consists of.
_ALPHABETS = {
    "cp1251": re.compile("[а-яёєії]"),
    "koi8_u": re.compile("[а-яёєії]"),
    "cp866": re.compile("[а-яё]"),
    "iso8859_7": re.compile("[ά-ώ]"),
    "cp1256": re.compile("[\u0621-\u064a]"),  # by number: Arabic would turn this line around
    "cp874": re.compile("[\u0e01-\u0e4e]"),
}
# windows-1255's letters are windows-1251's small ones without "ы" to "я"; Russian of any length has those or a capital.
_NEVER_HEBREW = re.compile(rb"[\xc0-\xdf\xfb-\xff]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_MIXED = re.compile(rb"[A-Za-z][\x80-\xff]|[\x80-\xff][A-Za-z]")  # "Grüße": an accent inside a Latin word
_NOT_ASCII = re.compile("[^\x00-\x7f]")


def _guess(data: bytes) -> str:
    """Decode undeclared 8-bit text that is not UTF-8."""
    sample = data[:_GUESS_FROM]
    mended = data.decode("utf_8", "replace")
    if mended.count("\ufffd") * 20 < sum(1 for char in mended[:_GUESS_FROM] if char > "\x7f"):
        return mended  # UTF-8 with a few broken characters
    runs = _HIGH_RUN.findall(sample)
    # Western text has lone accented letters; other scripts come in runs.
    if sum(map(len, runs)) >= 1.8 * len(runs):
        best = _likeliest(sample, _EXPECTED)
        if not best and 5 * len(_MIXED.findall(sample)) < len(runs):
            best = _likeliest(sample, _ALPHABETS)
        if best == "cp1251" and len(b"".join(runs)) > 20 and not _NEVER_HEBREW.search(sample):
            best = "cp1255"
        if best:
            return data.decode(best, "replace")
    text1252 = _strictly(data, "cp1252")
    return text1252 if text1252 is not None else data.decode("latin_1")


def _likeliest(sample: bytes, candidates: Mapping[str, re.Pattern[str]]) -> str:
    """The codec whose expected letters make up most of what isn't ASCII, or "" where none has enough of them."""
    best, best_share = "", 1.0
    for codec, letters in candidates.items():
        text = _whole_characters(sample, codec)
        foreign = len(_NOT_ASCII.findall(text))
        share = len(letters.findall(text)) / foreign / _LEAST_SHARE.get(codec, 0.6) if foreign else 0.0
        if share > best_share:
            best, best_share = codec, share
    return best


def _whole_characters(sample: bytes, codec: str) -> str:
    """`sample` decoded strictly, the last few octets left off where they are half a character; else ""."""
    for end in range(len(sample), max(len(sample) - 4, 0), -1):
        text = _strictly(sample[:end], codec)
        if text is not None:
            return text
    return ""
