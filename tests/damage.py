"""Mail damaged at random, the same each time: what the corpus becomes on a bad way, or in bad hands.

`damaged(count)` gives as many messages as are asked for; the number in a name is enough to make that one again.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
SEED = 3
MOST = 6  # kinds of damage in one message
LARGEST = 2 * 2**20  # octets; damage that multiplies stops here

_CHARSETS = (
    b"utf-8", b"us-ascii", b"iso-8859-1", b"windows-1252", b"koi8-r", b"iso-2022-jp", b"shift_jis", b"gb2312", b"big5",
    b"euc-kr", b"utf-7", b"utf-16", b"utf-32", b"hz-gb-2312", b"cp037", b"rot13", b"base64", b"idna", b"punycode",
    b"unicode_escape", b"x-unknown", b"", b'"', b"\xff\xfe", b"8bit", b"utf-8\x00", b"a" * 5000,
)  # fmt: skip
_ENCODINGS = (
    b"7bit", b"8bit", b"binary", b"base64", b"quoted-printable", b"x-uuencode", b"uuencode", b"yenc", b"gzip", b"",
    b"base64, base64", b"BASE64 ; x=y", b"\x00", b"quoted printable",
)  # fmt: skip
_TYPES = (
    b"text/plain", b"text/html", b"text/calendar", b"text/vcard", b"text/enriched", b"multipart/mixed",
    b"multipart/alternative", b"multipart/related", b"multipart/digest", b"multipart/signed", b"multipart/encrypted",
    b"multipart/report; report-type=delivery-status", b"message/rfc822", b"message/partial", b"message/external-body",
    b"message/delivery-status", b"message/disposition-notification", b"application/ms-tnef", b"application/pdf",
    b"application/pkcs7-mime", b"application/octet-stream", b"image/png", b"image/svg+xml", b"text", b"/", b"x" * 3000,
)  # fmt: skip
_CHARSET = re.compile(rb'(charset\*?=\s*"?)([^";\s]*)', re.IGNORECASE)
_WORD_CHARSET = re.compile(rb"(=\?)([^?\s]{1,40})(?=\?)")
_ENCODING = re.compile(rb"(?im)^(content-transfer-encoding:[ \t]*)([^\r\n]*)")
_TYPE = re.compile(rb"(?im)^(content-type:[ \t]*)([^;\r\n]*)")
_DELIMITER = re.compile(rb"(?m)^--[^\r\n]+\r?\n")

Damage = Callable[[random.Random, bytes], bytes]


def damaged(count: int, *, seed: int = SEED) -> Iterator[tuple[str, bytes]]:
    """Name and octets of `count` messages. Lines end as IMAP wants them in most, and not in some."""
    for number in range(count):
        yield damage(number, seed=seed)


def damage(number: int, *, seed: int = SEED) -> tuple[str, bytes]:
    """The message with this number: one of the corpus, damaged in one way or several."""
    rng = random.Random(f"{seed}/{number}")
    path = rng.choice(_corpus())
    raw = path.read_bytes()
    done = []
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, MOST))):
        kind = rng.choice(KINDS)
        raw = kind(rng, raw)[:LARGEST] or b"\r\n"
        done.append(kind.__name__.strip("_"))
    return f"{number} {path.stem}: {', '.join(done)}", raw


@cache
def _corpus() -> tuple[Path, ...]:
    return tuple(sorted(CORPUS.glob("*.eml")))


def _flip(rng: random.Random, raw: bytes) -> bytes:
    octets = bytearray(raw)
    for _ in range(rng.randint(1, 30)):
        octets[rng.randrange(len(octets))] = rng.randrange(256)
    return bytes(octets)


def _flip_head(rng: random.Random, raw: bytes) -> bytes:
    head, gap, body = _split(raw)
    return _flip(rng, head or b"\0") + gap + body


def _insert(rng: random.Random, raw: bytes) -> bytes:
    at = rng.randrange(len(raw))
    odd = rng.choice(
        (rng.randbytes(rng.randint(1, 200)), b"\0" * 40, b"\r" * 9, b"\n\n\n", b"=?utf-8?b?", b'"', b"=" * 80)
    )
    return raw[:at] + odd + raw[at:]


def _truncate(rng: random.Random, raw: bytes) -> bytes:
    return raw[: rng.randrange(1, len(raw) + 1)]


def _behead(rng: random.Random, raw: bytes) -> bytes:
    return raw[rng.randrange(len(raw)) :]


def _cut_out(rng: random.Random, raw: bytes) -> bytes:
    first, second = sorted(rng.randrange(len(raw) + 1) for _ in range(2))
    return raw[:first] + raw[second:]


def _repeat(rng: random.Random, raw: bytes) -> bytes:
    first, second = sorted(rng.randrange(len(raw) + 1) for _ in range(2))
    return raw[:second] + raw[first:second] * rng.choice((1, 2, 50)) + raw[second:]


def _double_header(rng: random.Random, raw: bytes) -> bytes:
    head, gap, body = _split(raw)
    lines = head.splitlines(keepends=True) or [b"\r\n"]
    for _ in range(rng.choice((1, 3, 300))):
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
    return b"".join(lines) + gap + body


def _remove_header(rng: random.Random, raw: bytes) -> bytes:
    head, gap, body = _split(raw)
    lines = head.splitlines(keepends=True)
    for _ in range(min(len(lines), rng.randint(1, 4))):
        del lines[rng.randrange(len(lines))]
    return b"".join(lines) + gap + body


def _shuffle_header(rng: random.Random, raw: bytes) -> bytes:
    head, gap, body = _split(raw)
    lines = head.splitlines(keepends=True)
    rng.shuffle(lines)
    return b"".join(lines) + gap + body


def _close_gap(rng: random.Random, raw: bytes) -> bytes:
    del rng
    head, _, body = _split(raw)
    return head + body


def _double_boundary(rng: random.Random, raw: bytes) -> bytes:
    found = list(_DELIMITER.finditer(raw))
    if not found:
        return _repeat(rng, raw)
    one = rng.choice(found)
    return raw[: one.end()] + one[0] * rng.choice((1, 2, 400)) + raw[one.end() :]


def _remove_boundary(rng: random.Random, raw: bytes) -> bytes:
    found = list(_DELIMITER.finditer(raw))
    if not found:
        return _cut_out(rng, raw)
    one = rng.choice(found)
    return raw[: one.start()] + raw[one.end() :]


def _swap_charset(rng: random.Random, raw: bytes) -> bytes:
    return _swap(rng, rng.choice((_CHARSET, _WORD_CHARSET)), _CHARSETS, raw)


def _swap_encoding(rng: random.Random, raw: bytes) -> bytes:
    return _swap(rng, _ENCODING, _ENCODINGS, raw)


def _swap_type(rng: random.Random, raw: bytes) -> bytes:
    return _swap(rng, _TYPE, _TYPES, raw)


def _swap(rng: random.Random, pattern: re.Pattern[bytes], values: tuple[bytes, ...], raw: bytes) -> bytes:
    """Put another value in each place of the pattern, or name one at the top where there is no place."""
    if not pattern.search(raw):
        return b"Content-Transfer-Encoding: " + rng.choice(_ENCODINGS) + b"\r\n" + raw
    return pattern.sub(lambda found: found[1] + rng.choice(values), raw)


def _nest(rng: random.Random, raw: bytes) -> bytes:
    for level in range(rng.choice((1, 2, 5, 60))):
        raw = b"Subject: Level %d\r\nContent-Type: message/rfc822\r\n\r\n%b" % (level, raw)
    return raw


def _nest_copies(rng: random.Random, raw: bytes) -> bytes:
    kind = rng.choice((b"mixed", b"alternative", b"related", b"digest", b"signed", b"report", b"x-odd"))
    copies = rng.choice((1, 2, 3, 30))
    each = rng.choice((b"--=_n\r\n\r\n", b"--=_n\r\nContent-Type: message/rfc822\r\n\r\n", b"--=_n\r\n"))
    head = b'Subject: Copies\r\nContent-Type: multipart/%b; boundary="=_n"\r\n\r\n' % kind
    return head + b"".join(each + raw + b"\r\n" for _ in range(copies)) + b"--=_n--\r\n"


def _splice(rng: random.Random, raw: bytes) -> bytes:
    other = rng.choice(_corpus()).read_bytes()
    return raw[: rng.randrange(len(raw) + 1)] + other[rng.randrange(len(other) + 1) :]


def _other_line_ends(rng: random.Random, raw: bytes) -> bytes:
    return raw.replace(b"\r\n", rng.choice((b"\n", b"\r", b"\r\r\n", b"\n\r", b"\x0b", b"\xe2\x80\xa8")))


def _fold(rng: random.Random, raw: bytes) -> bytes:
    head, gap, body = _split(raw)
    pieces = head.split(b" ")
    return b"".join(each + rng.choice((b" ", b"\r\n ", b"\r\n\t", b"\r\n \r\n ")) for each in pieces) + gap + body


def _eighth_bit(rng: random.Random, raw: bytes) -> bytes:
    return bytes(octet | 0x80 if octet > 32 and rng.random() < 0.02 else octet for octet in raw)


def _lengthen(rng: random.Random, raw: bytes) -> bytes:
    head, gap, body = _split(raw)
    lines = head.splitlines(keepends=True) or [b"X:"]
    at = rng.randrange(len(lines))
    lines[at] = lines[at].rstrip(b"\r\n") * rng.choice((2, 100, 5000)) + b"\r\n"
    return b"".join(lines) + gap + body


def _split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """Head, the empty line with the line end before it, body."""
    found = re.search(rb"\r?\n\r?\n", raw)
    if found is None:
        return raw, b"", b""
    return raw[: found.start() + len(found[0]) // 2], found[0][len(found[0]) // 2 :], raw[found.end() :]


KINDS: tuple[Damage, ...] = (
    _flip,
    _flip_head,
    _insert,
    _truncate,
    _behead,
    _cut_out,
    _repeat,
    _double_header,
    _remove_header,
    _shuffle_header,
    _close_gap,
    _double_boundary,
    _remove_boundary,
    _swap_charset,
    _swap_encoding,
    _swap_type,
    _nest,
    _nest_copies,
    _splice,
    _other_line_ends,
    _fold,
    _eighth_bit,
    _lengthen,
)
