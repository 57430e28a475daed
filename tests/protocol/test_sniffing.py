"""What a file is by its own octets, and what is said about one whose name says something else (T15)."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.protocol.cautions import caution
from webmail.protocol.sniffing import EXCEL, HEAD, POWERPOINT, PROGRAM, WORD, media_type


def zipped(*names: str, first: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        if first:
            file.writestr("mimetype", first)
        for name in names:
            file.writestr(name, b"x")
    return out.getvalue()


HEADS: list[tuple[bytes, str]] = [
    (b"\x89PNG\r\n\x1a\n....", "image/png"),
    (b"\xff\xd8\xff\xe0..JFIF", "image/jpeg"),
    (b"GIF89a....", "image/gif"),
    (b"RIFF....WEBPVP8 ", "image/webp"),
    (b"RIFF....WAVEfmt ", "audio/wav"),
    (b"\0\0\0\x20ftypavif", "image/avif"),
    (b"\0\0\0\x20ftypheic", "image/heic"),
    (b"\0\0\0\x20ftypisom", "video/mp4"),
    (b"%PDF-1.7\n", "application/pdf"),
    (b"\r\n\r\n%PDF-1.4", "application/pdf"),
    (b"MZ\x90\0\x03", PROGRAM),
    (b"\x7fELF\x02", PROGRAM),
    (b"\xca\xfe\xba\xbe\0\0", PROGRAM),
    (b"#!/bin/sh\nrm -rf ~\n", PROGRAM),
    (b"\x4c\x00\x00\x00\x01\x14\x02\x00\0\0", PROGRAM),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (zipped("notes.txt"), "application/zip"),
    (zipped("[Content_Types].xml", "word/document.xml"), WORD),
    (zipped("[Content_Types].xml", "xl/workbook.xml"), EXCEL),
    (zipped("[Content_Types].xml", "ppt/presentation.xml"), POWERPOINT),
    (
        zipped("content.xml", first=b"application/vnd.oasis.opendocument.text"),
        "application/vnd.oasis.opendocument.text",
    ),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"\0" * 257 + b"ustar\0", "application/x-tar"),
    (b"<!DOCTYPE html><p>", "text/html"),
    (b"\xef\xbb\xbf  \n<HTML>", "text/html"),
    (b"<!-- hello --> <script>alert(1)</script>", "text/html"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'>", "image/svg+xml"),
    (b"<?xml version='1.0'?>\n<!-- x -->\n<svg>", "image/svg+xml"),
    (b"<?xml version='1.0'?><note/>", "application/xml"),
    (b"BEGIN:VCARD\r\n", "text/vcard"),
    (b"BEGIN:VCALENDAR\r\n", "text/calendar"),
    ("Město;Cena\nBrno;12\n".encode(), "text/plain"),
    ("Město".encode("cp1250"), "text/plain"),
    ("text".encode("utf-16"), "text/plain"),
    (b"a\0b\x01c", ""),
    (b"", ""),
    (b" \n", ""),
]


@pytest.mark.parametrize(
    ("head", "expected"), HEADS, ids=[f"{number}-{kind}" for number, (_, kind) in enumerate(HEADS)]
)
def test_type_by_content(head: bytes, expected: str) -> None:
    assert media_type(head) == expected


@given(st.binary(max_size=HEAD + 10))
def test_any_octets_have_an_answer(head: bytes) -> None:
    assert isinstance(media_type(head), str)


@pytest.mark.parametrize(
    "head", [b" " * HEAD, b"<!--" * 1024, b"<!---->" * 600, b"<?xml " * 700, b"\xef\xbb\xbf" * 1300, b"\0" * HEAD]
)
def test_odd_octets_take_no_time(head: bytes) -> None:
    for _ in range(20):
        media_type(head)


@pytest.mark.parametrize(
    ("name", "found", "said"),
    [
        ("plan.pdf", "application/pdf", ""),
        ("plan.pdf", "", ""),
        ("plan.pdf", "text/html", "Its name says a PDF, but inside is a web page."),
        ("plan.pdf", PROGRAM, "Its name says a PDF, but inside is a program."),
        ("invoice.pdf.exe", "", "This is a program whose name pretends to be a pdf file."),
        ("invoice.pdf                .scr", "", "This is a program whose name pretends to be a pdf file."),
        ("setup.exe", "", "This is a program. Open it only if you expected one."),
        ("photo.jpg", "image/png", ""),
        ("photo.jpg", "image/svg+xml", "Its name says a picture, but inside is a drawing that can hold scripts."),
        ("report", PROGRAM, "This is a program. Open it only if you expected one."),
        ("build.py", PROGRAM, ""),
        ("rates.csv", "text/plain", ""),
        ("rates.csv", EXCEL, "Its name says text, but inside is a spreadsheet."),
        ("letter.docx", WORD, ""),
        ("letter.docx", "application/x-ole-storage", ""),
        ("letter.docm", WORD, "This document can run macros. Open it only if you expected one."),
        ("disk.img", "", "This is a program. Open it only if you expected one."),
        ("login.html", "text/html",
         "This is a web page: opened outside of here it can run scripts and pretend to be a sign-in page."),
        ("archive.tar.gz", "application/gzip", ""),
        ("v1.2.exe.txt", "text/plain", ""),
        ("", "", ""),
        (".exe", "", "This is a program. Open it only if you expected one."),
    ],
)  # fmt: skip
def test_what_is_said(name: str, found: str, said: str) -> None:
    assert caution(name, found) == said
