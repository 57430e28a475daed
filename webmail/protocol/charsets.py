"""Bytes of unknown or mistaken charset to text that can be shown and stored.

Nothing here raises, and nothing here trusts a charset's name (`charset_names`). Strict UTF-8 comes first, then what was
declared, then a guess (`guessing`), then Latin. Time is linear in the size of the data.
"""

from __future__ import annotations

import codecs
import re

from . import guessing
from .charset_names import DOUBLE_BYTE, SWITCHING, WIDE, codec_of
from .escapes import decode_switching, is_switching

_SURROGATES = re.compile("[\ud800-\udfff]")
_ASCII = bytes(range(128))
_CESU = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")
# Where the usual codec lacks characters that vendors added, one that has them.
_LARGER = {"euc_jp": "euc_jis_2004", "big5hkscs": "cp950", "koi8_r": "koi8_u"}
_ASCII_NAMES = frozenset(("utf-8", "us-ascii", "", "iso-8859-1"))
_SENSIBLE = re.compile("[\n\x20-\x7e\u00c0-\u024f\u0370-\u06ff\u0900-\u0e7f\u3001-\u30ff\u4e00-\u9fff\uac00-\ud7a3]")
_SHORT = 1024  # octets that no limit cuts
_HEAD = 8 * 1024  # octets of HTML in which it may name its charset
_NAMED_INSIDE = re.compile(
    rb"""<(?:meta\b[^>]{0,300}?\bcharset|\?xml\b[^>]{0,100}?\bencoding)\s*=\s*["']?\s*([A-Za-z0-9._:-]{2,40})""",
    re.IGNORECASE,
)
_SAMPLE = 16 * 1024
_MAX_MIXED = 1024 * 1024  # octets in which lines of several charsets are told apart


def decode_text(data: bytes, charset: str = "", hint: str = "") -> str:
    """Text of `data`, whatever was declared: UTF-8 if it is valid, else as declared, else a guess, else Latin.

    NUL and lone surrogates, which no database column and no page can hold, never come out.

    Args:
        data: any bytes; the caller bounds their number.
        charset: as the message declares it, any case, or "".
        hint: a charset that something else in the same message declares: it weighs in a guess.
    """
    if data.isascii() and b"\x1b" not in data and charset.lower() in _ASCII_NAMES:
        return data.decode("ascii").replace("\0", "")
    return clean_text(_decode(data, codec_of(charset), codec_of(hint)))


def decode_body(data: bytes, type: str, charset: str) -> str:
    """Text of a body part. Where the mail doesn't say in which charset its HTML is, the HTML may (`<meta charset>`).

    Args:
        data: the part with its transfer encoding undone. type: its media type. charset: as the part declares it.
    """
    if type == "text/html" and not codec_of(charset) and not data.isascii():
        named = _NAMED_INSIDE.search(data[:_HEAD])
        charset = named[1].decode("ascii") if named else charset
    return decode_text(data, charset)


def clean_text(text: str) -> str:
    """`text` without NUL, and with lone surrogates replaced by U+FFFD."""
    if text.isascii():
        return text.replace("\0", "")
    return _SURROGATES.sub("\ufffd", text).replace("\0", "")


def _decode(data: bytes, codec: str, hint: str) -> str:
    wide = _wide(data, codec)
    if wide is not None:
        return wide.removeprefix("\ufeff")
    utf8 = _utf8(data, whole=bool(codec) and len(data) < _SHORT)
    if codec in SWITCHING or (not codec and utf8 is not None):
        switching = codec if codec in SWITCHING else is_switching(data)
        text = decode_switching(data, switching) if switching else None
        if text is not None:
            return text
        codec = "" if codec in SWITCHING else codec
    if utf8 is not None:
        if codec in DOUBLE_BYTE and _could_be_chance(utf8):
            declared = _strictly(data, codec)
            if declared is not None:
                return declared
        return utf8.removeprefix("\ufeff")
    if _CESU.search(data):
        data = _CESU.sub(_one_character, data)
        if (utf8 := _utf8(data)) is not None:
            return utf8
    if codec and codec not in WIDE:
        return _as_declared(data, codec)
    return _guessed(data, hint)


def _wide(data: bytes, codec: str) -> str | None:
    """`data` in UTF-16 or UTF-32, by its mark, by what was declared, or by its NULs; None where it is in neither."""
    sample = data[:2048]
    if codec.startswith("utf_32") or data[:4] == b"\xff\xfe\0\0":
        return data.decode(codec or "utf_32", "replace") if b"\0" in sample else None
    # Dovecot, which can't send NUL, sends 0x80 for it. In UTF-8 it is the middle of “ and ”.
    zero = next((octet for octet in (b"\0", b"\x80") if sample.count(octet) * 5 > len(sample) >= 8), b"")
    if zero == b"\x80" and _utf8(data) is not None:
        zero = b""
    if zero:
        # A server put a CR before each octet that looked like the end of a line.
        data = data.replace(b"\r\n" + zero, b"\n" + zero).replace(zero + b"\r\n", zero + b"\n")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") and (zero or not codec or codec in WIDE):
        return data.replace(zero or b"\0", b"\0").decode("utf_16", "replace")
    if codec and codec not in WIDE:
        return None
    sample = data[:2048]
    even, odd = (half.count(zero) if zero else 0 for half in (sample[::2], sample[1::2]))
    if max(even, odd) * 5 > len(sample) and max(even, odd) >= 4 * min(even, odd):
        return data.replace(zero, b"\0").decode("utf_16_be" if even > odd else "utf_16_le", "replace")
    if not codec or _utf8(data) is not None:
        return None  # where it was declared, a converter changed the text and left the label
    # Without a mark RFC 2781 says big-endian and programs say what their machine is.
    found = [data.decode(wide, "replace") for wide in ("utf_16_le", "utf_16_be")]
    return max(found, key=lambda text: len(_SENSIBLE.findall(text[:1024])))


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _utf8(data: bytes, *, whole: bool = False) -> str | None:
    """`data` as UTF-8, or None; its last character may be cut, as a body fetched up to a limit often is."""
    try:
        text, used = codecs.utf_8_decode(data, "strict", False)
    except UnicodeError:
        return None
    if used == len(data):
        return text
    return None if whole or text.isascii() else text + "\ufffd"


def _as_declared(data: bytes, codec: str) -> str:
    """Decode by the declared codec, unless so much of it is wrong that the declaration must be."""
    text = _strictly(data, codec)
    if text is None and codec in _LARGER:
        text = _strictly(data, _LARGER[codec])
    if text is not None and codec != "cp1252":
        return text
    if codec == "cp1252":
        # What programs declare that know nothing else.
        other = guessing.contradicts(data)
        return data.decode(other, "replace") if other else _western(data) if text is None else text
    text = data.decode(codec, "mend")
    if text.count("\ufffd") * 20 <= len(text):
        return text
    # Mostly UTF-8 with a byte or two broken (a body cut in mid-character) is likelier than the declaration.
    utf8 = data.decode("utf_8", "replace")
    if utf8.count("\ufffd") * 2 <= text.count("\ufffd"):
        return utf8
    return text if codec in DOUBLE_BYTE else _guessed(data, codec)


def _guessed(data: bytes, hint: str) -> str:
    """Decode undeclared 8-bit text that is not UTF-8, or not all of it."""
    mixed = _mixed(data, hint)
    if mixed is not None:
        return mixed
    codec = guessing.guess(data, hint)
    if not codec and hint:
        text = None if hint in SWITCHING or hint in WIDE else _strictly(data, hint)
        if text is not None:
            return text
    return data.decode(codec, "mend") if codec and codec != "cp1252" else _western(data)


def _mixed(data: bytes, hint: str) -> str | None:
    """Text of which much is UTF-8: lines in another charset, which a list's footer brings, or a few broken octets."""
    lines = data.splitlines(keepends=True) if len(data) <= _MAX_MIXED else [data]
    texts = [_strictly(line, "utf_8") for line in lines]
    others = b"".join(line for line, text in zip(lines, texts, strict=True) if text is None)
    foreign = len(others.translate(None, _ASCII))
    valid = len(data.translate(None, _ASCII)) - foreign
    if valid <= 2 or valid < foreign / 4:
        return _broken(data)
    codec = guessing.guess(others, hint) or "cp1252"
    return "".join(
        (_broken(line) or line.decode(codec, "mend")) if text is None else text
        for line, text in zip(lines, texts, strict=True)
    )


def _broken(data: bytes) -> str | None:
    """UTF-8 with a few broken characters, which stay marked as such; None where that is not what it is."""
    text = data.decode("utf_8", "replace")
    sample = text[:_SAMPLE]
    return text if sample.count("\ufffd") * 20 < sum(1 for char in sample if char > "\x7f") else None


def _western(data: bytes) -> str:
    text = _strictly(data, "cp1252")
    return text if text is not None else data.decode("latin_1")


def _could_be_chance(utf8: str) -> bool:
    """Whether so few characters are not ASCII that double-byte text could be valid UTF-8 by chance."""
    return sum(1 for char in utf8[:4096] if char > "\x7f") < 4


def _one_character(pair: re.Match[bytes]) -> bytes:
    """Two surrogates that Java wrote as three octets each (CESU-8), as the one character they stand for."""
    surrogates = pair[0].decode("utf_8", "surrogatepass")
    return surrogates.encode("utf_16_le", "surrogatepass").decode("utf_16_le", "replace").encode()


def _mend(error: UnicodeError) -> tuple[str, int]:
    """0x80 is the euro sign to Microsoft's double-byte charsets; everything else is U+FFFD."""
    assert isinstance(error, UnicodeDecodeError)
    return ("€" if error.object[error.start] == 0x80 else "\ufffd"), error.start + 1


codecs.register_error("mend", _mend)
