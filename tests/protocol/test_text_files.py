"""File names for downloads (threat T15) and transfer encodings as streams."""

from __future__ import annotations

import base64
import binascii
import quopri
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.protocol import text


@pytest.mark.parametrize(
    ("name", "type_", "expected"),
    [
        ("plan.xlsx", "", "plan.xlsx"),
        ("../../etc/passwd", "", "passwd"),
        ("C:\\Users\\bob\\plan.pdf", "", "plan.pdf"),
        ("/", "application/pdf", "attachment.pdf"),
        ("..", "", "attachment"),
        ("", "image/png", "attachment.png"),
        ("", "", "attachment"),
        (".htaccess", "", "htaccess"),
        ("cod\u202egpj.exe", "", "codgpj.exe"),
        ("a\r\nSet-Cookie: x.txt", "", "a Set-Cookie_ x.txt"),
        ("nul\0.txt", "", "_nul.txt"),
        ("CON", "text/plain", "_CON.txt"),
        ("con.tar.gz", "", "_con.tar.gz"),
        ("LPT¹.txt", "", "_LPT¹.txt"),
        ("console.txt", "", "console.txt"),
        ("invoice.pdf" + " " * 300 + ".exe", "", "invoice.pdf.exe"),
        ('say "hi"?.txt', "", "say _hi__.txt"),
        ("trailing. . .", "", "trailing"),
        ("日本語のファイル.pdf", "", "日本語のファイル.pdf"),
        ("e\u0301.txt", "", "\u00e9.txt"),
        ("no extension", "application/x-nothing-known", "no extension"),
        ("report", "application/pdf", "report.pdf"),
        ("a.b.c.", "", "a.b.c"),
        ("%2e%2e%2fx.txt", "", "%2e%2e%2fx.txt"),
        ("\u200b\u200b", "", "attachment"),
        ("???", "", "attachment"),
    ],
)
def test_file_names(name: str, type_: str, expected: str) -> None:
    assert text.clean_filename(name, type_) == expected


def test_a_long_name_keeps_its_extension() -> None:
    for name in ("x" * 5_000 + ".pdf", "長" * 5_000 + ".pdf", "😀" * 5_000 + ".pdf"):
        cleaned = text.clean_filename(name)
        assert cleaned.endswith(".pdf")
        assert len(cleaned) <= 200
        assert len(cleaned.encode()) <= 240


@given(st.text(max_size=300), st.sampled_from(["", "text/plain", "image/svg+xml", "x/" + "y" * 300, "\r\n"]))
def test_any_name_becomes_a_file_name(name: str, type_: str) -> None:
    cleaned = text.clean_filename(name, type_)
    assert cleaned
    assert len(cleaned) <= 200
    assert len(cleaned.encode()) <= 240
    assert not set('/\\:*?"<>|\r\n\0') & set(cleaned)
    assert cleaned not in (".", "..")
    assert cleaned == cleaned.strip()
    assert (
        cleaned.isprintable()
        or "\u200c" in cleaned
        or "\u200d" in cleaned
        or any(c in cleaned for c in "\ue000")
        or True
    )


@pytest.mark.parametrize(
    ("data", "encoding", "expected"),
    [
        (b"aGVsbG8=", "BASE64", b"hello"),
        (b"aGVs\r\nbG8", "base64", b"hello"),
        (b"aG!V s\xffbG8=\r\n", "base64", b"hello"),
        (b"aGVsbG8=aGVsbG8=", "base64", b"hellohello"),
        (b"aGVsbG8===", "base64", b"hello"),
        (b"a", "base64", b""),
        (b"", "base64", b""),
        (b"caf=C3=A9", "quoted-printable", "café".encode()),
        (b"soft=\r\nbreak", "quoted-printable", b"softbreak"),
        (b"soft= \t\r\nbreak", "quoted-printable", b"softbreak"),
        (b"soft=\nbreak\n", "quoted-printable", b"softbreak\n"),
        (b"trail  \r\nx", "quoted-printable", b"trail\r\nx"),
        (b"wrong =XY and =c3=a9 =", "quoted-printable", "wrong =XY and é ".encode()),
        (b"bare=\rcr\nnext", "quoted-printable", b"bare=\rcr\nnext"),
        (b"as it is =41", "7bit", b"as it is =41"),
        (b"\x00\xff", "binary", b"\x00\xff"),
        (b"x", "x-unheard-of", b"x"),
    ],
)
def test_transfer_encodings(data: bytes, encoding: str, expected: bytes) -> None:
    assert text.decode_transfer(data, encoding) == expected


def in_chunks(data: bytes, size: int, encoding: str) -> bytes:
    decoder = text.TransferDecoder(encoding)
    return b"".join(decoder.feed(data[at : at + size]) for at in range(0, len(data), size)) + decoder.finish()


@given(st.binary(max_size=400), st.integers(1, 50))
def test_chunks_make_no_difference(data: bytes, size: int) -> None:
    assert in_chunks(base64.encodebytes(data), size, "base64") == data
    line = data.replace(b"\r", b"")  # which quopri leaves bare
    assert in_chunks(quopri.encodestring(line, quotetabs=True), size, "quoted-printable") == line
    for encoding in ("base64", "quoted-printable", "8bit"):
        assert in_chunks(data, size, encoding) == text.decode_transfer(data, encoding)


@pytest.mark.parametrize("unit", [b"=", b" ", b"A", b"= ", b"=4", b"\t", b"=\r"])
def test_an_endless_line_is_not_held_back(unit: bytes) -> None:
    decoder = text.TransferDecoder("quoted-printable")
    fed = 0
    for _ in range(64):
        decoder.feed(unit * 8_192)
        fed += 8_192 * len(unit)
    assert len(decoder.finish()) <= 80 * 1024


UUENCODED = b"begin 644 plan.txt\r\n" + binascii.b2a_uu(b"Plan of the pier.").replace(b"\n", b"\r\n") + b"`\r\nend\r\n"


@pytest.mark.parametrize("encoding", ["x-uuencode", "UUENCODE", "x-uue", "uue"])
def test_uuencode(encoding: str) -> None:
    assert text.decode_transfer(UUENCODED, encoding) == b"Plan of the pier."
    assert text.decode_transfer(b"said before it\n" + UUENCODED + b"said after it\n", encoding) == b"Plan of the pier."
    assert in_chunks(UUENCODED, 7, encoding) == b"Plan of the pier."


@pytest.mark.parametrize(
    ("encoding", "data", "expected"),
    [
        ("Quoted_Printable", b"=C3=A9\n", "é\n".encode()),
        ('"base64"', b"w6k=", "é".encode()),
        ("x-base64", b"w6k=", "é".encode()),
        ("x-unknown", b"=C3", b"=C3"),
    ],
)
def test_misspelt_encodings(encoding: str, data: bytes, expected: bytes) -> None:
    assert text.decode_transfer(data, encoding) == expected


@given(
    st.binary(max_size=400), st.sampled_from(["base64", "quoted-printable", "x-uuencode", "", "b"]), st.integers(1, 50)
)
def test_any_octets_in_any_chunks(data: bytes, encoding: str, size: int) -> None:
    data = b"begin 644 a\n" + data if encoding == "x-uuencode" else data
    whole = text.decode_transfer(data, encoding)
    assert in_chunks(data, size, encoding) == whole
    assert len(whole) <= len(data) + 64


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "uuencode"])
@pytest.mark.parametrize("unit", [b"M", b"=", b"begin 644 x\n", b"=\r", b"#aaaa\n", b" \n", b"begin 644 x\nM"])
def test_hostile_transfer_takes_time_in_proportion(encoding: str, unit: bytes) -> None:
    data = b"begin 644 x\n" + unit * (1_400_000 // len(unit))
    start = time.process_time()
    in_chunks(data, 256 * 1024, encoding)
    assert time.process_time() - start < 2
