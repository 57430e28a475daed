"""Charsets that switch alphabets inside a line: ISO-2022, HZ, UTF-7, in the forms that real mailers send.

Python's codecs for them are strict about headers, line ends and vendors' characters; these are not. Each takes any
bytes, never raises, and takes linear time.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable

from .charset_names import HZ, ISO_2022_CN, ISO_2022_JP, ISO_2022_KR, UTF_7, UTF_7_IMAP

_JAPANESE = re.compile(rb"\x1b(\$\(?[@A-DO-Q]|\([A-Z]|\.[AF]|&@)|(\r?\n)")
_LOST_ESCAPES = re.compile(rb"\$([@B])((?:[!-~]{2}){1,40}?)\(([BJ])")
_SINGLE_SHIFT = re.compile(rb"\x1bN([\x20-\x7f])")
_ESCAPE = re.compile(rb"\x1b\$[)*+][A-M]")
_SHIFTED = re.compile(rb"\x0e([^\x0e\x0f\r\n]*)\x0f?")
_TILDE = re.compile(rb"~(?:\{([^~\r\n]*)(?:~\})?|(~)|\r?\n|\})")
_MODIFIED_BASE64 = re.compile(rb"&([A-Za-z0-9+,]*)-")
_STRAY_PLUS = re.compile(rb"\+(?![A-Za-z0-9+/-])")
_HIGH = bytes(byte | 0x80 if byte > 0x20 else byte for byte in range(256))
_ESCAPED = re.compile(rb"\x1b(?:\$[@B]|\([JI])")


def is_switching(data: bytes) -> str:
    """The charset that the escape sequences of 7-bit `data` speak of, or ""."""
    if b"\x1b" not in data:
        return ""
    if b"\x1b$)C" in data and b"\x0e" in data:
        return ISO_2022_KR
    return ISO_2022_JP if _ESCAPED.search(data) else ""


def decode_switching(data: bytes, codec: str) -> str | None:
    """Text of `data` in one of the charsets of this room; None where it can't be in that: 8-bit where there is none."""
    return _DECODERS[codec](data)


def _iso_2022_jp(data: bytes) -> str | None:
    if not data.isascii():
        return None
    if b"\x1b" not in data:
        data = _LOST_ESCAPES.sub(b"\x1b$\\1\\2\x1b(\\3", data)  # a gateway took them for controls
    try:
        return data.decode("iso2022_jp_ext")
    except ValueError:
        return _vendors_japanese(data)


def _vendors_japanese(data: bytes) -> str:
    """With the characters that NEC and IBM added ("①", "㈱", "髙") and the other alphabets of RFC 1554 and RFC 2237."""
    out: list[str] = []
    position, current = 0, b"(B"
    for escape in _JAPANESE.finditer(data):
        out.append(_alphabet(data[position : escape.start()], current))
        position = escape.end()
        if escape[2]:
            out.append("\n")
            current = b"(B"  # RFC 1468: a line ends in ASCII, whether it says so or not
        elif escape[1] != b"&@":
            current = escape[1]
    out.append(_alphabet(data[position:], current))
    return "".join(out)


def _alphabet(run: bytes, escape: bytes) -> str:
    if not run:
        return ""
    kind = escape.replace(b"$(", b"$")
    if kind in (b"$@", b"$B"):
        return _shift_jis(run).decode("cp932", "replace")
    if kind == b"(I":
        return run.translate(_HIGH).decode("cp932", "replace")
    if kind in (b"$A", b"$C", b"$O", b"$Q"):
        codec = {b"$A": "gb18030", b"$C": "cp949"}.get(kind, "euc_jis_2004")
        return run.translate(_HIGH).decode(codec, "replace")
    if kind in (b"$D", b"$P"):
        pairs = b"".join(b"\x8f" + run[at : at + 2] for at in range(0, len(run), 2))
        return pairs.translate(_HIGH).decode("euc_jp" if kind == b"$D" else "euc_jis_2004", "replace")
    return _SINGLE_SHIFT.sub(lambda shift: bytes((shift[1][0] | 0x80,)), run).decode("latin_1")


def _shift_jis(run: bytes) -> bytes:
    """JIS X 0208 pairs as Shift JIS; spaces and controls between them stand for themselves."""
    out = bytearray()
    at = 0
    while at < len(run):
        first = run[at]
        if first < 0x21 or at + 1 >= len(run):
            out.append(first)
            at += 1
            continue
        second = run[at + 1]
        lead = ((first - 0x21) >> 1) + 0x81
        out.append(lead + 0x40 if lead > 0x9F else lead)
        out.append((second + (0x20 if second >= 0x60 else 0x1F) if first & 1 else second + 0x7E) & 0xFF)
        at += 2
    return bytes(out)


def _iso_2022_kr(data: bytes) -> str | None:
    return _shifted(data, "cp949")


def _iso_2022_cn(data: bytes) -> str | None:
    return _shifted(data, "gb18030")


def _shifted(data: bytes, codec: str) -> str | None:
    if not data.isascii():
        return None
    plain = _ESCAPE.sub(b"", data)
    return _SHIFTED.sub(lambda run: run[1].translate(_HIGH), plain).replace(b"\x0f", b"").decode(codec, "replace")


def _hz(data: bytes) -> str | None:
    if not data.isascii():
        return None
    return _TILDE.sub(lambda run: run[1].translate(_HIGH) if run[1] else run[2] or b"", data).decode(
        "gb18030", "replace"
    )


def _utf_7(data: bytes) -> str | None:
    return _STRAY_PLUS.sub(b"+-", data).decode("utf_7", "replace") if data.isascii() else None


def _utf_7_imap(data: bytes) -> str | None:
    """RFC 3501 §5.1.3, meant for mailbox names; some programs declare it for text."""
    if not data.isascii():
        return None
    return _MODIFIED_BASE64.sub(_unshifted, data).decode("utf_8", "replace")


def _unshifted(run: re.Match[bytes]) -> bytes:
    digits = run[1].replace(b",", b"/")
    if not digits:
        return b"&"
    digits = digits[:-1] if len(digits) % 4 == 1 else digits
    wide = binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
    return wide.decode("utf_16_be", "replace").encode("utf-8", "replace")


_DECODERS: dict[str, Callable[[bytes], str | None]] = {
    ISO_2022_JP: _iso_2022_jp,
    ISO_2022_KR: _iso_2022_kr,
    ISO_2022_CN: _iso_2022_cn,
    HZ: _hz,
    UTF_7: _utf_7,
    UTF_7_IMAP: _utf_7_imap,
}
