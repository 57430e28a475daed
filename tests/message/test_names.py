"""Two hundred file names (T15): each readable on its card, whole in its title, and no header ever split by one."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from io import BytesIO
from urllib.parse import unquote

import pytest
from django.test import Client

from tests.message.test_download import body
from webmail.models import Message

pytestmark = pytest.mark.django_db(transaction=True)
Received = Callable[..., Message]

ENDINGS = ["pdf", "exe", "html", "svg", "txt", "tar.gz", "JPG", "docx", "", "verylongextensionthatisnone"]
# Octets as a hostile or careless sender writes them between the quotes of filename="…", and what must be readable.
SHAPES: list[tuple[str, str]] = [
    ("invoice{}", "invoice"),
    ("../../../etc/passwd{}", "passwd"),
    ("..\\\\..\\\\windows\\\\system32\\\\evil{}", "evil"),
    ("C:\\\\Users\\\\bob\\\\plan{}", "plan"),
    ("/absolute/path/report{}", "report"),
    ("invoice\u202efdp{}", "invoicefdp"),
    ("zero\u200bwidth\u2060joined{}", "zerowidthjoined"),
    ("\u2066isolated\u2069 name{}", "isolated name"),
    ("CON{}", "CON"),
    ("nul{}", "nul"),
    ("com1{}", "com1"),
    ("plán nábřeží — návrh{}", "plán nábřeží — návrh"),
    ("見積書 最終版{}", "見積書 最終版"),
    ("תוכנית{}", "תוכנית"),
    ("🎉 party 🎈{}", "🎉 party 🎈"),
    ("<script>alert(1)</script>{}", "script"),
    ("a&b 'c' `d` $(e) %00 %0d%0a{}", "a&b"),
    ("x" * 5000 + "{}", "x" * 100),
    ("   spaced   out   {}", "spaced out"),
    ("semi;colon, comma = equals{}", "semi;colon"),
]


def names() -> list[tuple[str, str]]:
    pairs = [(shape.format(f".{end}" if end else ""), clue) for shape, clue in SHAPES for end in ENDINGS]
    assert len(pairs) == 200
    return pairs


def letter(written: list[str]) -> bytes:
    """One message with a file for each name; the names raw, in RFC 2231, in RFC 2047 and with a CR LF tried in turn."""
    parts = []
    for number, name in enumerate(written):
        octets = name.encode()
        if number % 3 == 0:
            field = b'attachment; filename="' + octets + b'"'
        elif number % 3 == 1:
            plain = name.replace("\\\\", "\\").encode()
            field = b"attachment; filename*=utf-8''" + b"".join(b"%%%02X" % octet for octet in plain)
        else:
            field = b'attachment;\r\n filename="' + octets + b'"; x="y\\"\r\n z"'
        parts.append(b"--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: " + field + b"\r\n\r\nx")
    head = b"From: bob@demo.test\r\nSubject: Names\r\nMessage-ID: <names@demo.test>\r\nMIME-Version: 1.0\r\n"
    return head + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"\r\n".join(parts) + b"\r\n--b--\r\n"


def test_two_hundred_names(reader: Client, received: Received) -> None:
    pairs = names()
    message = received(letter([name for name, _ in pairs]))
    page = reader.get(f"/message/{message.pk}/")
    cards = page.context["message"].attachments
    assert len(cards) == 200
    html = page.content.decode()
    assert "<script>alert(1)" not in html
    for card, (name, clue) in zip(cards, pairs, strict=True):
        assert clue in card.name, name[:60]
        assert len(card.name) <= 200
        assert not re.search(r'[\x00-\x1f\x7f"<>|?*:/\\\u200b\u202a-\u202e\u2060-\u2069]', card.name), name[:60]
        kept = re.sub("[\u200b\u202a-\u202e\u2060-\u2069]", "", name).replace("\\\\", "\\")
        if len(name) < 1000:  # a header field of more than 8 kB is cut
            assert " ".join(card.title.split()) in (" ".join(kept.split()), card.name), name
        assert clue.replace(" ", "") in card.title.replace(" ", ""), name[:60]
        response = reader.get(f"/message/{message.pk}/part/{card.section}/")
        assert body(response) == b"x"
        disposition = response["Content-Disposition"]
        assert "\r" not in disposition
        assert "\n" not in disposition
        assert disposition.isascii()
        assert disposition.startswith("attachment; filename")
        said = re.search(r"filename\*=utf-8''(.*)|filename=\"(.*)\"", disposition)
        assert said is not None
        assert (unquote(said[1]) if said[1] else said[2]) == card.name
        assert response["Content-Type"] == "application/octet-stream"


def test_two_hundred_names_in_one_archive(reader: Client, received: Received) -> None:
    message = received(letter([name for name, _ in names()]))
    with zipfile.ZipFile(BytesIO(body(reader.get(f"/message/{message.pk}/zip/")))) as archive:
        assert archive.testzip() is None
        entries = archive.namelist()
    assert len({entry.casefold() for entry in entries}) == len(entries) == 200
    assert not any("/" in entry or "\\" in entry or entry.startswith(".") for entry in entries)
