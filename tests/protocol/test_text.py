"""Header text, parameters, charsets and one-line text, in their right, broken and hostile forms."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.protocol import text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Plain", "Plain"),
        (b"Folded\r\n  over\r\n\tlines", "Folded over lines"),
        ("=?utf-8?Q?caf=C3=A9?=", "café"),
        ("=?UTF-8?b?w6nDqQ==?=", "éé"),
        ("=?iso-8859-1?q?a?= =?iso-8859-1?q?b?=", "ab"),
        ("=?utf-8?Q?a?=\r\n =?utf-8?Q?b?= c", "ab c"),
        ("=?iso-8859-1*en?Q?l=E4nguage?=", "länguage"),
        ("=?utf-8?Q?with space?=", "with space"),
        ("=?utf-8?Q?why??=", "why?"),
        ("=?utf-8?Q?a_b?=", "a b"),
        ("x=?utf-8?Q?=C3=A9?=y", "xéy"),
        ("=?utf-8?B?w6nDqQ", "éé"),
        ("=?utf-8?B?w6nDqQ=?=", "éé"),
        ("=?utf-8?Q?abc =?utf-8?Q?def?=", "abcdef"),
        ("=?utf-8?Q?=E2=9C?= =?utf-8?Q?=93?=", "✓"),
        ("=?gb2312?B?xOO6ww==?=", "你好"),
        ("=?gbk?B?warNqA==?=", "联通"),
        ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        ("=?x-nonsense?Q?ab?=", "ab"),
        ("=?zip?Q?ab?=", "ab"),
        ("=?utf-8?X?ab?=", "=?utf-8?X?ab?="),
        ("=?utf-8?B?caf=C3=A9_x?=", "café x"),  # the wrong letter
        ("=?utf-8?Q?w6nDqQ==?=", "éé"),
        ("=?utf-8?B?w6nDq?= =?utf-8?B?cOp?=", "ééé"),  # cut inside a group of four
        ("=?utf-8?B?w6nDqQ==?==?utf-8?B?w6nDqQ==?=", "éééé"),
        ("=?utf-8?Q?=C3=A9?= =?iso-8859-1?Q?=E9?= =?koi8-r?Q?=C4?=", "ééд"),
        ("=?_iso-2022-jp$ESC?B?GyRCRnxLXBsoQg==?=", "日本"),
        ("=?iso-2022-jp?B?GyRCRnw=?= =?iso-2022-jp?B?S1wbKEI=?=", "日本"),
        ("=?unicode-1-1-utf-7?Q?Hi_+Jjo-?=", "Hi ☺"),
        ("=??Q?abc?=", "abc"),
        ('=?"utf-8"?Q?caf=C3=A9?=', "café"),
        ("=?utf-8 ?Q?caf=C3=A9?=", "café"),
        ("=?utf-8?Q?caf=C3=A9?\r\n = x", "café x"),  # folded inside its end
        ("=?iso-8859-1?Q?Wo?=E4?=", "Wo?ä"),  # "?" that should have been encoded
        ("=?utf-8?Q?=3D=3Futf-8=3FQ=3Fcaf=3DC3=3DA9=3F=3D?=", "café"),  # encoded twice
        ("=?utf-8?Q?caf=E9?=", "café"),  # Latin that says it is UTF-8
        ("=?utf-8?B??=", ""),
        ("=?utf-8?Q?tab=09nul=00end?=", "tab nulend"),
        ("=?utf-8?Q?line=0D=0ABcc:_x?=", "line  Bcc: x"),
        ("Grüße".encode(), "Grüße"),
        ("Grüße".encode("latin-1"), "Grüße"),
        ("Привет, как дела".encode("koi8-r"), "Привет, как дела"),
        ("Привет, как дела".encode("cp1251"), "Привет, как дела"),
        ("日本語のメールです".encode("cp932"), "日本語のメールです"),
        ("日本語のメールです".encode("iso2022_jp"), "日本語のメールです"),
        ("안녕하세요 여러분".encode("euc_kr"), "안녕하세요 여러분"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("\u2066Bob\u2069\u200b", "Bob"),
        ("\U000e0041tag", "tag"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("pay\u200dpal", "paypal"),
        ("\udce9 lone", "é lone"),
        ("\ud83d lone", "? lone"),
        ("", ""),
    ],
)
def test_header_text(raw: bytes | str, expected: str) -> None:
    assert text.decode_header(raw) == expected


def test_a_long_header_is_cut_at_8_kib_and_200_words() -> None:
    assert len(text.decode_header("x" * 100_000)) == 8 * 1024
    bomb = "=?utf-8?B?aGVsbG8=?= " * 70_000
    assert len(bomb) > 1_400_000
    assert len(text.decode_header(bomb)) <= 8 * 1024
    many = " ".join(["=?u?Q?a?="] * 300)
    assert text.decode_header(many).startswith("a" * 200 + " =?u?Q?a?=")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ([("filename", "a.txt")], {"filename": "a.txt"}),
        ([("Filename*", b"utf-8''%e4%bd%a0.txt")], {"filename": "你.txt"}),
        ([("filename*0*", "utf-8''%e4%bd"), ("filename*1*", "%a0.txt")], {"filename": "你.txt"}),
        ([("filename*1", "b.txt"), ("filename*0", "a")], {"filename": "ab.txt"}),
        ([("filename*0*", "iso-8859-1'de'gr%FC"), ("filename*1", "n%.txt")], {"filename": "grün%.txt"}),
        ([("filename", "plain"), ("filename*", "utf-8''better")], {"filename": "better"}),
        ([("filename*", "no-quotes%20here")], {"filename": "no-quotes here"}),
        ([("name", "=?utf-8?B?w6kudHh0?=")], {"name": "é.txt"}),
        ([("name*0", "=?utf-8?B?w6ku"), ("name*1", "dHh0?=")], {"name": "é.txt"}),
        ([("name", "é.txt".encode("latin-1"))], {"name": "é.txt"}),
        ([("name*0", "a"), ("name*2", "c")], {"name": "a"}),
        ([("name*1*", "utf-8''%e4%bd"), ("name*2*", "%a0.txt")], {"name": "你.txt"}),  # counted from one
        ([("name", "utf-8''%e4%bd%a0.txt")], {"name": "你.txt"}),  # its star was lost
        ([("name*0", "utf-8''%e4%bd"), ("name*1", "%a0.txt")], {"name": "你.txt"}),
        ([("name*", "utf-8'%e4%bd%a0.txt")], {"name": "你.txt"}),
        ([("name*", "utf-8'en'%e4%bd%a0.txt")], {"name": "你.txt"}),
        ([("name*", "utf-8''=?utf-8?Q?=C3=A9.txt?=")], {"name": "é.txt"}),
        ([("name", "%E4%BD%A0.txt")], {"name": "你.txt"}),
        ([("name", "100%25 sure.txt")], {"name": "100%25 sure.txt"}),
        ([("name", "it's 50% off's.txt")], {"name": "it's 50% off's.txt"}),
        ([("name", "=?utf-8?Q?a_b=C3=A9?=.txt")], {"name": "a bé.txt"}),
        ([("name*999999", "a"), ("name*x", "b"), ("name*-1", "c")], {}),
        ([("name", "a\r\nb")], {"name": "a b"}),
        ([], {}),
    ],
)
def test_parameters(params: list[tuple[str, bytes | str]], expected: dict[str, str]) -> None:
    assert text.decode_params(params) == expected


@pytest.mark.parametrize(
    ("data", "charset", "expected"),
    [
        ("é".encode(), "us-ascii", "é"),
        ("é".encode(), "iso-8859-1", "é"),
        (b"\x93q\x94", "iso-8859-1", "“q”"),
        ("ž".encode("cp1250"), "Windows-1250", "ž"),
        ("ž".encode("iso8859_2"), '"ISO_8859-2"', "ž"),
        ("ž".encode("iso8859_2"), "iso8859-2", "ž"),
        ("ğ".encode("cp1254"), "iso-8859-9", "ğ"),
        ("รายงาน".encode("cp874"), "tis-620", "รายงาน"),
        ("你好".encode("gb18030"), "gb2312", "你好"),
        ("你好".encode("big5"), "Big5", "你好"),
        ("€uro".encode("utf-16"), "utf-16", "€uro"),
        ("€uro".encode("utf-16"), "", "€uro"),
        (b"Hi Mom +Jjo-!", "utf-7", "Hi Mom ☺!"),
        (b"\xef\xbb\xbfbom", "utf-8", "bom"),
        ("日本".encode("iso2022_jp"), "", "日本"),
        (b"a\x00b", "utf-8", "ab"),
        (b"cut \xe4\xbd\xa0\xe5\xa5\xbd\xe4", "utf-8", "cut 你好\ufffd"),
        (b"zip", "zip_codec", "zip"),
        (b"ab", "unicode_escape", "ab"),
        (b"\\x41", "unicode_escape", "\\x41"),
    ],
)
def test_body_text(data: bytes, charset: str, expected: str) -> None:
    assert text.decode_text(data, charset) == expected


@pytest.mark.parametrize(
    ("codec", "words"),
    [
        ("koi8-r", "Здравствуйте, посылаю отчёт о прошедшей неделе."),
        ("cp1251", "Здравствуйте, посылаю отчёт о прошедшей неделе."),
        ("iso8859_7", "Καλημέρα σας, πώς είστε σήμερα;"),
        ("cp1255", "שלום לכולם, הפגישה נדחתה למחר בבוקר"),
        ("cp1256", "مرحبا كيف حالك اليوم يا صديقي"),
        ("cp874", "สวัสดีครับ วันนี้เป็นอย่างไรบ้าง"),
        ("euc_jp", "会議の資料をお送りします。"),
        ("cp932", "会議の資料をお送りします。"),
        ("euc_kr", "오늘 회의 자료를 보냅니다"),
        ("gb18030", "你好，这是我们开会的资料，请看一下，谢谢。"),
        ("big5", "你好，這是我們開會的資料，請看一下，謝謝。"),
        ("cp1252", "Größere Übungen für Anfänger, déjà vu"),
    ],
)
def test_an_undeclared_charset_is_guessed(codec: str, words: str) -> None:
    assert text.decode_text(words.encode(codec), "") == words


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Mon, 23 Nov 2026 07:49:16 +0100", "2026-11-23T07:49:16+01:00"),
        ("23 Nov 2026 07:49 +0000", "2026-11-23T07:49:00+00:00"),
        ("Mon, 23 Nov 2026 07:49:60 -0000", "2026-11-23T07:49:59+00:00"),
        ("23 Nov 26 7:49:01 EST", "2026-11-23T07:49:01-05:00"),
        ("Mon Nov 23 07:49:16 2026", "2026-11-23T07:49:16+00:00"),
        ("Monday, November 23, 2026 5:10 PM", "2026-11-23T17:10:00+00:00"),
        ("2026-11-23T07:49:16Z", "2026-11-23T07:49:16+00:00"),
        ("2026-11-23 07:49:16.123 +02:00", "2026-11-23T07:49:16+02:00"),
        ("Mon, 23 Nov 2026 07.49.16 +0100 (CET)", "2026-11-23T07:49:16+01:00"),
        ("Tue, 1 Jul 103 10:00:00 GMT", "2003-07-01T10:00:00+00:00"),
        ("Mon, 3 Aug 2026 10:00:00 +9999", "2026-08-03T10:00:00+00:00"),
        ("Mon, 3 Aug 2026", "2026-08-03T00:00:00+00:00"),
    ],
)
def test_dates(raw: str, expected: str) -> None:
    found = text.date(raw)
    assert found is not None
    assert found.isoformat() == expected


@pytest.mark.parametrize(
    "raw",
    ["", "yesterday", "Mon, 31 Feb 2026 10:00 +0000", "1 Jan 0001 00:00:00 +0000", "31 Dec 9999 23:59:59 -1400",
     "99 Nov 2026", "Mon, 23 Nov 99999 07:49:16 +0100", "1 Jan 2026 25:00", "\0", "9" * 10_000, "Nov " * 10_000],
)  # fmt: skip
def test_no_date(raw: str) -> None:
    assert text.date(raw) is None


def test_display_is_one_line() -> None:
    assert text.display("a\r\nb\t c\u2028d\x1b[31m\u202e") == "a b c d[31m"
    assert len(text.display("x" * 100_000)) == 2_000


def test_preview_skips_what_was_said_before() -> None:
    body = (
        "Dear Alice,\n\n> old words\nOn Monday, Bob <bob@demo.test> wrote:\n> more\nthe ferry leaves at ten.\n-- \nBob"
    )
    assert text.preview(body) == "Dear Alice, the ferry leaves at ten."
    assert text.preview("=====\nword " + "long " * 100).endswith("…")
    assert len(text.preview("word " * 1000)) <= 140
    assert len(text.preview("x" * 1000)) == 140
    assert text.preview("> only\n> quotes") == ""


@given(st.binary(max_size=2_000))
def test_nothing_raises_on_any_bytes(raw: bytes) -> None:
    for value in (text.decode_header(raw), text.decode_text(raw, ""), text.display(raw.decode("latin-1"))):
        value.encode()
        assert "\0" not in value
    text.envelope(raw)
    text.date(raw)
    text.addresses(raw)
    text.decode_params([("a", raw), ("b*0*", raw), ("b*1", raw), ("c*", raw)])


@given(st.text(max_size=500))
def test_a_header_never_holds_what_is_not_seen(raw: str) -> None:
    line = text.decode_header(raw)
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in line)
    assert not any(
        char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f\ufeff" for char in line
    )


CHARSETS = [
    "utf-8", "utf-7", "utf-16", "hz", "iso-2022-jp", "iso-2022-kr", "gb18030", "big5", "koi8-r", "johab", "cp1252",
    "euc-jp", "shift_jis", "idna", "punycode", "rot13", "bz2", "hex", "mbcs", "undefined", "\0", "x" * 10_000,
]  # fmt: skip


@given(st.binary(max_size=500), st.sampled_from(CHARSETS))
def test_any_charset_decodes_any_bytes(data: bytes, charset: str) -> None:
    decoded = text.decode_text(data, charset)
    decoded.encode()
    assert "\0" not in decoded
