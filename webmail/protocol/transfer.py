"""Content-Transfer-Encodings undone as a stream (RFC 2045 §6), forgiving what real senders get wrong."""

from __future__ import annotations

import binascii
import re

_BASE64 = bytes(sorted(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
# What else the three are called, or meant where they are misspelt.
_OTHER_NAMES = {"base-64": "base64", "x-base64": "base64", "b": "base64", "quoted_printable": "quoted-printable",
                "quotedprintable": "quoted-printable", "quoted/printable": "quoted-printable", "qp": "quoted-printable",
                "q": "quoted-printable", "x-uuencode": "uuencode", "x-uue": "uuencode", "uue": "uuencode",
                "x-uu": "uuencode"}  # fmt: skip
# How many octets hold one, at most: base64 and uuencode with their line ends, "=C3" of quoted-printable.
_EXPANSION = {"base64": 1.4, "uuencode": 1.5, "quoted-printable": 3.0}
_PADDING = re.compile(rb"=+")
_CHUNK = 256 * 1024  # octets decoded at a time, so that hostile data costs no more memory than its size
_LONGEST_LINE = 64 * 1024  # octets of one quoted-printable line held back; a longer one is cut where it may be


class TransferDecoder:
    """Decode a part chunk by chunk, in memory that doesn't grow with the part.

    Args:
        encoding: the Content-Transfer-Encoding, any case. "base64", "quoted-printable" and the names of uuencode are
            undone; "7bit", "8bit", "binary" and everything unknown pass unchanged.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = _name_of(encoding)
        self._held = b""
        self._is_inside = False  # of uuencode: between "begin" and "end"

    def feed(self, chunk: bytes) -> bytes:
        """What can be decoded with `chunk` added; the rest is held back."""
        if self._encoding == "base64":
            return self._feed_base64(chunk)
        if self._encoding == "quoted-printable":
            return self._feed_quoted(chunk)
        if self._encoding == "uuencode":
            return self._feed_uuencoded(chunk)
        return chunk

    def finish(self) -> bytes:
        """What was held back, as far as it means anything."""
        held, self._held = self._held, b""
        if self._encoding == "base64":
            return _closed(held)
        if self._encoding == "quoted-printable":
            return _unquoted(held.rstrip(b" \t\r").removesuffix(b"="))
        return self._uuencoded_line(held) if self._encoding == "uuencode" else b""

    def _feed_base64(self, chunk: bytes) -> bytes:
        """Characters outside the alphabet are skipped; padding ends a block, and another block may follow it."""
        data = self._held + chunk.translate(None, _NOT_BASE64)
        out = b""
        if b"=" in data:
            *blocks, data = _PADDING.split(data)
            out = b"".join(map(_closed, blocks))
        whole = len(data) & ~3
        self._held = data[whole:]
        return out + binascii.a2b_base64(data[:whole])

    def _feed_quoted(self, chunk: bytes) -> bytes:
        data = self._held + chunk
        end = data.rfind(b"\n") + 1
        if not end and len(data) > _LONGEST_LINE:
            # No line end in sight: cut before an escape or white space whose meaning the next octets decide.
            end = len(data) - 1
            while end > len(data) - 1024 and (data[end - 1] in b" \t\r" or b"=" in data[end - 2 : end]):
                end -= 1
        self._held = data[end:]
        return _unquoted(data[:end])

    def _feed_uuencoded(self, chunk: bytes) -> bytes:
        *lines, self._held = (self._held + chunk).split(b"\n")
        self._held = self._held[:_LONGEST_LINE]
        return b"".join(map(self._uuencoded_line, lines))

    def _uuencoded_line(self, line: bytes) -> bytes:
        """A line's octets; b"" for what stands around the file, and for a line that is damaged beyond use."""
        line = line.rstrip(b"\r")
        if line.startswith(b"begin "):
            self._is_inside = True
            return b""
        if not self._is_inside or not line:
            return b""
        if line.strip() in (b"end", b"`"):
            self._is_inside = line.strip() == b"`"
            return b""
        # Senders leave out the spaces at the end, or put a check sum there.
        length = (line[0] - 0x20) & 0x3F
        digits = line[1 : 1 + -(-length // 3) * 4]
        try:
            return binascii.a2b_uu(line[:1] + digits.ljust(-(-length // 3) * 4))
        except binascii.Error:
            return b""


def decode_transfer(data: bytes, encoding: str) -> bytes:
    """The whole of a part's body decoded at once; see `TransferDecoder`."""
    decoder = TransferDecoder(encoding)
    pieces = [decoder.feed(data[start : start + _CHUNK]) for start in range(0, len(data), _CHUNK)]
    return b"".join((*pieces, decoder.finish()))


def encoded_octets(octets: int, encoding: str) -> int:
    """How much of a part has to be read to have `octets` of it once decoded, in lines as mailers write them."""
    return int(octets * _EXPANSION.get(_name_of(encoding), 1.0))


def _name_of(encoding: str) -> str:
    encoding = encoding.strip(" \t\"';").lower()
    return _OTHER_NAMES.get(encoding, encoding)


def _closed(block: bytes) -> bytes:
    """A base64 block whose padding was lost; a lone last character holds no octet."""
    if len(block) % 4 == 1:
        block = block[:-1]
    return binascii.a2b_base64(block + b"=" * (-len(block) % 4))


def _unquoted(data: bytes) -> bytes:
    """Quoted-printable lines decoded: soft breaks joined, padding at line ends dropped, wrong escapes left as text."""
    *lines, rest = data.split(b"\n")
    out = []
    for line in lines:
        text = line.rstrip(b" \t\r")
        out.append(text[:-1] if text.endswith(b"=") else text + (b"\r\n" if line.endswith(b"\r") else b"\n"))
    # binascii takes "=" before a bare CR for a soft break and then drops everything to the next LF.
    return binascii.a2b_qp(b"".join((*out, rest)).replace(b"=\r", b"=3D\r"))
