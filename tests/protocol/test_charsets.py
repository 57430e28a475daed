"""Charsets by every name mail gives them, those that switch alphabets, and text in several at once."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.protocol.charset_names import _LABELS, SWITCHING, codec_of
from webmail.protocol.text import decode_body, decode_text


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("Windows-1250", "cp1250"), ("win-1251", "cp1251"), ("x-cp1251", "cp1251"), ("CP-850", "cp850"),
        ("IBM037", "cp037"), ("iso8859-2", "iso8859_2"), ("ISO_8859-2:1987", "iso8859_2"), ("iso88591", "cp1252"),
        ("ISO-8859-8-I", "iso8859_8"), ("x-sjis", "cp932"), ("_iso-2022-jp$ESC", "iso-2022-jp"), ("ansi", "cp1252"),
        ("cswindows31j", "cp932"), ("x-mac-ce", "mac_latin2"), ("x-mac-roman", "mac_roman"), ("utf-8*en", ""),
        ('"koi8-r"', "koi8_r"), ("charset=koi8-r", "koi8_r"), ("gb_2312-80", "gb18030"), ("windows-936", "gb18030"),
        ("ks_c_5601-1987", "cp949"), ("windows-65001", ""), ("unicode-1-1-utf-7", "utf-7"), ("big5-hkscs", "big5hkscs"),
        ("hz-gb-2312", "hz"), ("x-user-defined", ""), ("zip", ""), ("unicode_escape", ""), ("punycode", ""),
        ("undefined", ""), ("koi8-r;format=flowed", "koi8_r"), ("\0", ""), ("windows-99999", ""),
    ],
)  # fmt: skip
def test_names(declared: str, codec: str) -> None:
    assert codec_of(declared) == codec


@pytest.mark.parametrize("codec", sorted(set(_LABELS) - SWITCHING))
def test_every_codec_named_is_there(codec: str) -> None:
    assert b"a".decode(codec, "replace")


@pytest.mark.parametrize(
    ("data", "charset", "expected"),
    [
        (b"\x1b$B-!$\"\x1b(B", "iso-2022-jp", "①あ"),  # NEC's row, which the standard lacks
        (b"\x1b(I1\x1b(B a", "iso-2022-jp", "ｱ a"),
        (b"\x1b$BF|K\\\nplain", "iso-2022-jp", "日本\nplain"),  # the line ends in the other alphabet
        (b"$BF|K\\(B", "iso-2022-jp", "日本"),  # its escapes were lost
        (b"price $B only", "iso-2022-jp", "price $B only"),
        (b"\x1b$BF|K\\\x1b(B", "", "日本"),
        (b"\x1b$BF|K\\\x1b(B", "us-ascii", "日本"),
        ("日本".encode("cp932"), "iso-2022-jp", "日本"),
        (b"\x1b$A<r\x1b(B", "iso-2022-jp", "简"),
        (b"\x1b$)C\x0eH8@G\x0f ok", "iso-2022-kr", "회의 ok"),
        (b"\x0eH8@G\x0f ok", "iso-2022-kr", "회의 ok"),  # without its header
        (b"\x1b$)A\x0eVPND\x0f ok", "iso-2022-cn", "中文 ok"),
        (b"~{<:Ky2;S{#,NpJ)l6HK!#~}ok", "hz-gb-2312", "己所不欲，勿施於人。ok"),
        (b"a~~b ~{VPND", "hz-gb-2312", "a~b 中文"),
        (b"caf&AOk- &- x", "utf-7-imap", "café & x"),
        (b"caf+AOk- + x", "utf-7", "café + x"),
        ("é".encode(), "utf-7", "é"),
        (b"\x80 5 \xd6\xd0", "gb2312", "€ 5 中"),
        ("Hello\r\nthere".encode("utf-16-le"), "utf-16", "Hello\r\nthere"),
        ("Hello\r\nthere".encode("utf-16-be"), "utf-16", "Hello\r\nthere"),
        ("Hello there".encode("utf-16-le"), "", "Hello there"),
        ("Hello there".encode("utf-16-le").replace(b"\0", b"\x80"), "utf-16", "Hello there"),  # as Dovecot sends it
        ("“Bob”".encode(), "", "“Bob”"),  # 0x80 is in each of these marks
        ("a\nbcdefgh".encode("utf-16-le").replace(b"\n", b"\r\n"), "utf-16le", "a\nbcdefgh"),
        ("会議の資料です".encode("utf-16-le"), "utf-16", "会議の資料です"),
        ("会議の資料です".encode("utf-16-be"), "utf-16", "会議の資料です"),
        (b"plain ASCII!", "utf-16", "plain ASCII!"),
        ("é".encode(), "utf-16", "é"),
        ("😀".encode("utf-32"), "utf-32", "😀"),
        (b"\xed\xa0\xbd\xed\xb8\x80 ok", "utf-8", "😀 ok"),  # CESU-8
        ("Příliš\n".encode("cp1250") + "— footer: žluťoučký\n".encode(), "utf-8", "Příliš\n— footer: žluťoučký\n"),
        ("日本①".encode("cp932"), "shift_jis", "日本①"),
        ("\u9ad9".encode("cp932"), "x-sjis", "\u9ad9"),
        ("Grüße".encode("mac_roman"), "x-mac-roman", "Grüße"),
        ("Příliš".encode("mac_latin2"), "x-mac-ce", "Příliš"),
        ("hello".encode("cp500"), "ibm500", "hello"),
        ("你好".encode("gb18030"), "x-user-defined", "你好"),
        ("Привет всем".encode("koi8-r"), "_autodetect_all", "Привет всем"),
    ],
)  # fmt: skip
def test_odd_text(data: bytes, charset: str, expected: str) -> None:
    assert decode_text(data, charset) == expected


@given(st.binary(max_size=300), st.sampled_from(sorted(_LABELS)), st.sampled_from(["", "koi8-r", "utf-16", "hz"]))
def test_any_codec_decodes_any_bytes(data: bytes, charset: str, hint: str) -> None:
    text = decode_text(data, charset, hint)
    text.encode()
    assert "\0" not in text
    assert len(text) <= 2 * len(data) + 2


BOMBS = {
    "escapes": b"\x1b$B" * 35_000, "lost escapes": b"$B" * 50_000, "lost pairs": b"$B!!" * 25_000,
    "shifts": b"\x0e" * 100_000, "tildes": b"~{" * 50_000, "ampersands": b"&A" * 50_000, "plus": b"+AA" * 33_000,
    "two charsets": ("é\n".encode() + b"\xe9\n") * 20_000, "surrogates": b"\xed\xa0\xbd\xed\xb8\x80" * 16_000,
    "0x80": b"\x80" * 100_000, "lines": b"\xe9\n" * 50_000,
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_hostile_text_takes_time_in_proportion(bomb: str) -> None:
    for charset in ("", "iso-2022-jp", "iso-2022-kr", "hz", "utf-7", "utf-7-imap", "utf-16", "big5"):
        start = time.process_time()
        decode_text(BOMBS[bomb], charset, "koi8-r")
        assert time.process_time() - start < 0.5, charset


@pytest.mark.parametrize(
    ("head", "charset"),
    [
        (b'<meta charset="windows-1257">', ""),
        (b"<META http-equiv=Content-Type content='text/html; charset=windows-1257'>", "utf-8"),
        (b'<?xml version="1.0" encoding="windows-1257"?>', "us-ascii"),
    ],
)
def test_html_may_name_its_charset(head: bytes, charset: str) -> None:
    assert decode_body(head + "į".encode("cp1257"), "text/html", charset) == head.decode() + "į"
    assert decode_body(head + "č".encode("cp1250"), "text/html", "windows-1250") == head.decode() + "č"  # the mail says
    assert decode_body(head + "é".encode(), "text/html", charset) == head.decode() + "é"  # it is UTF-8
