"""Mail made to kill whoever reads it: too deep, too long, too many, or costly for its size (T5, T16).

`BOMBS` maps a name to a function that makes the message, because some are large. All are mail that a server takes.
"""

from __future__ import annotations

import base64
import encodings.aliases
import struct
import zlib
from collections.abc import Callable, Iterable
from functools import partial

MEGA = 2**20
_ALPHABET = b"".join(bytes([65 + number % 26]) for number in range(76))


def _mail(
    body: bytes = b"Hello.\r\n",
    kind: bytes = b"text/plain; charset=utf-8",
    *,
    head: bytes = b"",
    encoding: bytes = b"8bit",
) -> bytes:
    """A message whose header is ordinary but for the lines of `head`, which come first."""
    return (
        head + b"From: Mallory <mallory@demo.test>\r\nTo: Alice <alice@demo.test>\r\nSubject: A bomb\r\n"
        b"Date: Tue, 03 Mar 2026 14:02:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: " + kind + b"\r\n"
        b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n" + body
    )


def _many(parts: Iterable[bytes], kind: bytes = b"mixed") -> bytes:
    """A multipart; each part brings its own header."""
    body = b"".join(b"--=_b\r\n" + part + b"\r\n" for part in parts) + b"--=_b--\r\n"
    return _mail(body, b'multipart/%b; boundary="=_b"' % kind)


def _html(markup: bytes) -> bytes:
    return _mail(markup, b"text/html; charset=utf-8", encoding=b"binary")


def _style(css: bytes) -> bytes:
    return _html(b"<style>" + css + b"</style><p class=a id=b>Hello</p>")


def _coded(data: bytes, kind: bytes, name: bytes = b"a.bin") -> bytes:
    """A part for `_many`, beside which there is a line of text."""
    encoded = base64.encodebytes(data).replace(b"\n", b"\r\n")
    return b'Content-Type: %b; name="%b"\r\nContent-Transfer-Encoding: base64\r\n\r\n%b' % (kind, name, encoded)


def _beside_text(data: bytes, kind: bytes, name: bytes = b"a.bin") -> bytes:
    return _many([b"\r\nHello.\r\n", _coded(data, kind, name)])


# Structure


def _deep_multipart(levels: int) -> bytes:
    opened = b"".join(
        b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (level, level + 1) for level in range(levels)
    )
    return _mail(opened + b"--b%d\r\n\r\nDeep.\r\n" % levels, b"multipart/mixed; boundary=b0")


def _deep_messages(levels: int) -> bytes:
    head = b"Subject: A level\r\nContent-Type: message/rfc822\r\n\r\n"
    return _mail(head * levels + b"Subject: The last\r\n\r\nDeep.\r\n", b"message/rfc822")


def _deep_both(levels: int) -> bytes:
    opened = b"".join(
        b"--m%d\r\nContent-Type: message/rfc822\r\n\r\nSubject: %d\r\n"
        b"Content-Type: multipart/mixed; boundary=m%d\r\n\r\n" % (level, level, level + 1)
        for level in range(levels)
    )
    return _mail(opened + b"--m%d\r\n\r\nDeep.\r\n" % levels, b"multipart/mixed; boundary=m0")


def _messages(count: int) -> bytes:
    inner = b"Content-Type: message/rfc822\r\n\r\nSubject: One of many\r\nFrom: bob@demo.test\r\n\r\nHello.\r\n"
    return _many([inner] * count, b"digest")


def _names(count: int, length: int) -> bytes:
    name = b"n" * length
    part = b'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="%b.txt"\r\n\r\nx\r\n'
    return _many([part % name] * count)


def _one_content_id(count: int) -> bytes:
    image = (
        b"Content-Type: image/png\r\nContent-ID: <same>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n"
    )
    return _many([b"Content-Type: text/html\r\n\r\n<img src=cid:same>\r\n", *[image] * count], b"related")


def _near_boundaries(count: int) -> bytes:
    return _mail(
        b"--=_boundar\r\n" * count + b"--=_boundary\r\n\r\nHello.\r\n", b'multipart/mixed; boundary="=_boundary"'
    )


# Header fields


def _field(name: bytes, value: bytes) -> bytes:
    return _mail(head=name + b": " + value + b"\r\n")


def _words(size: int) -> bytes:
    word = b"=?utf-8?q?=C3=A1?= "
    return word * (size // len(word))


def _folded(lines: int) -> bytes:
    return _field(b"Subject", b"endless\r\n\t" * lines + b"end")


def _continued_name(count: int) -> bytes:
    pieces = b"".join(b"; filename*%d*=%%C3%%A1" % number for number in range(count))
    return _many([b"Content-Disposition: attachment" + pieces + b"\r\n\r\nx\r\n"])


def _every_charset_in_words() -> bytes:
    words = b" ".join(b"=?%b?b?4eLj5OU=?=" % name for name in _charset_names())
    return _field(b"Subject", words)


def _every_charset_in_parts() -> bytes:
    octets = bytes(range(32, 256)) + b"\r\n"
    return _many([b"Content-Type: text/plain; charset=%b\r\n\r\n%b" % (name, octets) for name in _charset_names()])


def _charset_names() -> list[bytes]:
    """Every name that Python's own registry knows, what is no charset included, and some that nobody knows."""
    known = {*encodings.aliases.aliases, *encodings.aliases.aliases.values(), "undefined", "idna", "raw_unicode_escape"}
    return [name.encode() for name in sorted(known)] + [b"x-mac-%d" % number for number in range(20)]


# HTML and CSS


def _attributes(count: int) -> bytes:
    return _html(b"<p " + b" ".join(b"a%d=x" % number for number in range(count)) + b">Hello</p>")


def _images(count: int) -> bytes:
    return _html(b"".join(b"<img src='https://pixel.example/%d.gif' width=1>" % number for number in range(count)))


# Formats inside


def _tnef(*attributes: bytes) -> bytes:
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attributes)


def _tnef_attribute(data: bytes, number: int, *, level: int = 1, length: int | None = None) -> bytes:
    size = len(data) if length is None else length
    return struct.pack("<BII", level, number, size) + data + struct.pack("<H", sum(data) & 0xFFFF)


def _tnef_nested(levels: int) -> bytes:
    inner = _tnef(_tnef_attribute(b"innermost\0", 0x00018004))
    for _ in range(levels):
        inner = _tnef(
            _tnef_attribute(struct.pack("<HIIH", 1, 0, 0, 0) + b"\0\0", 0x00069002, level=2),
            _tnef_attribute(b"winmail.dat\0", 0x00018010, level=2),
            _tnef_attribute(inner, 0x0006800F, level=2),
        )
    return inner


def _tnef_properties(count: int, stated: int) -> bytes:
    """A block of MAPI properties that says it has `stated` and has `count`."""
    each = struct.pack("<HHI", 0x001E, 0x0037, 1) + struct.pack("<I", 4) + b"abc\0"
    return _tnef(_tnef_attribute(struct.pack("<I", stated) + each * count, 0x00069003))


def _calendar(*lines: bytes) -> bytes:
    return b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\n" + b"".join(lines) + b"END:VCALENDAR\r\n"


def _event(number: int = 0, extra: bytes = b"") -> bytes:
    return (
        b"BEGIN:VEVENT\r\nUID:%d@demo.test\r\nDTSTAMP:20260303T140200Z\r\nDTSTART:20260303T140200Z\r\n"
        b"SUMMARY:A bomb\r\n%bEND:VEVENT\r\n" % (number, extra)
    )


def _card(number: int = 0, extra: bytes = b"") -> bytes:
    return b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Mallory %d\r\nN:Mallory;;;;\r\n%bEND:VCARD\r\n" % (number, extra)


def _png(width: int, height: int) -> bytes:
    """A PNG that says it is this large, all of one colour; its octets are few."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    lines = zlib.compress(bytes(min(width * height // 8, 8 * MEGA)), 9)
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def _gif(frames: int) -> bytes:
    frame = b"\x2c\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0"
    return b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff" + frame * frames + b";"


def _pdf(pages: int) -> bytes:
    """Pages that name one another as their kids, and a stream that says it is long."""
    kids = b" ".join(b"%d 0 R" % (2 + number % 3) for number in range(pages))
    objects = b"".join(
        b"%d 0 obj<</Type/Pages/Count %d/Kids[%b]>>endobj\n" % (number, pages, kids) for number in (2, 3, 4)
    )
    return b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n" + objects + b"trailer<</Root 1 0 R>>\n%%EOF\n"


def _der(levels: int) -> bytes:
    """Sequences within sequences, of indefinite length, as S/MIME might begin."""
    return b"\x30\x80" * levels + b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" + b"\0\0" * levels


def _report(groups: int) -> bytes:
    group = b"Final-Recipient: rfc822; bob@demo.test\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    status = b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.demo.test\r\n\r\n" + group * groups
    return _many([b"\r\nIt failed.\r\n", status], b"report; report-type=delivery-status")


BOMBS: dict[str, Callable[[], bytes]] = {
    "multiparts 1,000 deep": partial(_deep_multipart, 1000),
    "messages 1,000 deep": partial(_deep_messages, 1000),
    "messages and multiparts 300 deep": partial(_deep_both, 300),
    "100,000 parts": lambda: _many([b"\r\nx\r\n"] * 100_000),
    "100,000 alternatives": lambda: _many([b"Content-Type: text/html\r\n\r\n<p>x\r\n"] * 100_000, b"alternative"),
    "10,000 attached messages": partial(_messages, 10_000),
    "1,000 names of 5,000 characters": partial(_names, 1000, 5000),
    "1,000 images of one Content-ID": partial(_one_content_id, 1000),
    "100,000 lines that are almost the boundary": partial(_near_boundaries, 100_000),
    "a boundary of 900 kB": lambda: _mail(
        b"--x\r\n\r\nHello.\r\n", b'multipart/mixed; boundary="%b"' % (b"b" * 900_000)
    ),
    "a subject of 1.4 MB of encoded words": lambda: _field(b"Subject", _words(1_400_000)),
    "a subject that is one encoded word of 1.4 MB": lambda: _field(
        b"Subject", b"=?utf-8?b?" + b"4" * 1_400_000 + b"?="
    ),
    "a sender of 1.4 MB of encoded words": lambda: _field(b"From", _words(1_400_000) + b"<mallory@demo.test>"),
    "20,000 quotes": lambda: _field(b"From", b'"' * 20_001 + b" <mallory@demo.test>"),
    "20,000 comments": lambda: _field(b"From", b"(" * 20_000 + b" <mallory@demo.test>"),
    "20,000 angles": lambda: _field(b"From", b"<" * 20_000 + b"mallory@demo.test" + b">" * 20_000),
    "100,000 backslashes": lambda: _field(b"From", b'"' + b"\\" * 100_001 + b'" <mallory@demo.test>'),
    "200,000 addresses": lambda: _field(b"To", b",\r\n ".join(b"u%d@demo.test" % n for n in range(200_000))),
    "200,000 groups": lambda: _field(b"Cc", b"g:;" * 200_000),
    "1,000,000 at signs": lambda: _field(b"Reply-To", b"@" * 1_000_000),
    "every charset name in parts": _every_charset_in_parts,
    "every charset name in the subject": _every_charset_in_words,
    "a header line of 50 MB": lambda: _field(b"X-Long", b"a" * (50 * MEGA)),
    "a subject of 4 MB": lambda: _field(b"Subject", b"a" * (4 * MEGA)),
    "400,000 header lines": lambda: _mail(head=b"".join(b"X-%d: x\r\n" % number for number in range(400_000))),
    "200,000 lines of one folded field": partial(_folded, 200_000),
    "100,000 references": lambda: _field(b"References", b"\r\n ".join(b"<%d@demo.test>" % n for n in range(100_000))),
    "20,000 verdicts": lambda: _mail(head=b"Authentication-Results: mx.demo.test; dkim=pass; spf=fail\r\n" * 20_000),
    "one verdict of 1 MB": lambda: _field(b"Authentication-Results", b"mx.demo.test; " + b"dkim=pass (" * 90_000),
    "a date of 1 MB": lambda: _field(b"Date", b"9" * MEGA),
    "100,000 parameters": lambda: _mail(kind=b"text/plain" + b"".join(b"; p%d=x" % n for n in range(100_000))),
    "a name in 20,000 pieces": partial(_continued_name, 20_000),
    "base64 of nothing": lambda: _mail(b"=" * MEGA + b"\r\n" * 1000, encoding=b"base64"),
    "20 MB of base64 in one line": lambda: _mail(_ALPHABET * (20 * MEGA // 76), encoding=b"base64"),
    "1 MB of equals signs": lambda: _mail(b"=" * MEGA, encoding=b"quoted-printable"),
    "soft line ends alone": lambda: _mail(b"=\r\n" * 300_000, encoding=b"quoted-printable"),
    "one line of 1 MB": lambda: _mail(b"a" * MEGA),
    "one word of 5 MB with a link in each place": lambda: _mail(b"http://a.example/" * 300_000),
    "100,000 beginnings of links": lambda: _mail(b"http://" * 100_000 + b"www." * 100_000),
    "1 MB of mail addresses": lambda: _mail(b"a@b." * (MEGA // 4)),
    "quotes 500,000 deep": lambda: _mail(b">" * 500_000 + b" Hello\r\n"),
    "a quote one level deeper in each line": lambda: _mail(b"".join(b">" * n + b" x\r\n" for n in range(1400))),
    "200,000 quoted lines": lambda: _mail(b"> x\r\n" * 200_000),
    "200,000 introductions of quotes": lambda: _mail(b"On Tue, Mar 3, 2026 at 14:02 Bob wrote:\r\n" * 25_000),
    "format=flowed that never ends": lambda: _mail(b"x \r\n" * 250_000, b"text/plain; format=flowed; delsp=yes"),
    "1 MB of combining marks": lambda: _mail(b"e" + "\u0301".encode() * (MEGA // 2)),
    "300,000 changes of direction": lambda: _mail("\u202e\u202d\u2066".encode() * 100_000),
    "elements 100,000 deep": lambda: _html(b"<div>" * 100_000),
    "tables 5,000 deep": lambda: _html(b"<table><tr><td>" * 5000),
    "100,000 open fonts": lambda: _html(b"<font color=red>" * 50_000 + b"<p>" * 50_000),
    "open formatting over paragraphs": lambda: _html(b"<b><i><u><s><tt>" * 500 + b"<p>x" * 10_000),
    "1 MB of ampersands": lambda: _html(b"&" * MEGA),
    "1 MB of opened tags": lambda: _html(b"<" * MEGA),
    "1 MB of comments": lambda: _html(b"<!--" * (MEGA // 4)),
    "100,000 attributes": partial(_attributes, 100_000),
    "an attribute of 5 MB": lambda: _html(b"<p title='" + b"a" * (5 * MEGA) + b"'>Hello"),
    "20,000 remote images": partial(_images, 20_000),
    "50,000 links": lambda: _html(b"<a href=https://a.example/>x</a>" * 50_000),
    "an image in the text of 10 MB": lambda: _html(b"<img src='data:image/png;base64," + b"A" * (10 * MEGA) + b"'>"),
    "30 MB of HTML": lambda: _html(b"<p>Hello</p>\r\n" * (30 * MEGA // 14)),
    "100,000 rules": lambda: _style(b"".join(b".a%d{color:red}" % number for number in range(70_000))),
    "blocks 100,000 deep": lambda: _style(b"a{" * 100_000),
    "@media 50,000 deep": lambda: _style(b"@media screen{" * 50_000),
    "brackets 300,000 deep": lambda: _style(b"a{color:" + b"(" * 300_000),
    "a selector of 500,000 parts": lambda: _style(b",".join([b"a"] * 500_000) + b"{color:red}"),
    "a selector that holds itself": lambda: _style(b":not(" * 100_000 + b"a{color:red}"),
    "1 MB of open strings": lambda: _style(b"a{content:'" * 90_000),
    "a style attribute of 1 MB": lambda: _html(b"<p style='" + b"color:red;" * 100_000 + b"'>Hello"),
    "10,000 style attributes": lambda: _html(
        b"".join(b"<p style='margin:%dpx;color:#%06x'>x" % (n, n) for n in range(10_000))
    ),
    "TNEF that says it is 4 GB": lambda: _beside_text(
        _tnef(_tnef_attribute(b"x", 0x0006800F, level=2, length=0xFFFFFFF0)), b"application/ms-tnef", b"winmail.dat"
    ),
    "TNEF of 50,000 attributes": lambda: _beside_text(
        _tnef(*[_tnef_attribute(b"x\0", 0x00018004)] * 50_000), b"application/ms-tnef", b"winmail.dat"
    ),
    "TNEF 100 deep": lambda: _beside_text(_tnef_nested(100), b"application/ms-tnef", b"winmail.dat"),
    "TNEF of 4,000,000,000 properties": lambda: _beside_text(
        _tnef_properties(2000, 0xFFFFFFF0), b"application/ms-tnef", b"winmail.dat"
    ),
    "10,000 events": lambda: _beside_text(_calendar(*map(_event, range(10_000))), b"text/calendar"),
    "an event every second for ever": lambda: _beside_text(
        _calendar(_event(0, b"RRULE:FREQ=SECONDLY\r\n" * 100)), b"text/calendar"
    ),
    "an event with 20,000 guests": lambda: _beside_text(
        _calendar(_event(0, b"".join(b"ATTENDEE;CN=U%d:mailto:u%d@demo.test\r\n" % (n, n) for n in range(20_000)))),
        b"text/calendar",
    ),
    "an event that is one folded line": lambda: _beside_text(
        _calendar(_event(0, b"DESCRIPTION:" + b"x\r\n " * 200_000 + b"\r\n")), b"text/calendar"
    ),
    "components 20,000 deep": lambda: _beside_text(_calendar(b"BEGIN:VEVENT\r\n" * 20_000), b"text/calendar"),
    "10,000 cards": lambda: _beside_text(b"".join(map(_card, range(10_000))), b"text/vcard"),
    "a card with a photo of 3 MB": lambda: _beside_text(
        _card(0, b"PHOTO;ENCODING=b;TYPE=JPEG:" + b"QUJD" * (3 * MEGA // 4) + b"\r\n"), b"text/vcard"
    ),
    "cards 20,000 deep": lambda: _beside_text(b"BEGIN:VCARD\r\nVERSION:3.0\r\n" * 20_000, b"text/vcard"),
    "a report of 20,000 failures": partial(_report, 20_000),
    "a picture of 65,000 by 65,000": lambda: _beside_text(_png(65_000, 65_000), b"image/png", b"a.png"),
    "a picture of 100,000 frames": lambda: _beside_text(_gif(100_000), b"image/gif", b"a.gif"),
    "a document whose pages hold themselves": lambda: _beside_text(_pdf(20_000), b"application/pdf", b"a.pdf"),
    "zeros that were zipped": lambda: _beside_text(zlib.compress(bytes(50 * MEGA), 9), b"application/zip", b"a.zip"),
    "sequences 100,000 deep": lambda: _beside_text(_der(100_000), b"application/pkcs7-mime", b"smime.p7m"),
}
