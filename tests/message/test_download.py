"""Attachments, the raw message and its source: streamed, and never something a browser would run."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable

import pytest
from django.test import Client

from tests.message import letters
from webmail.models import Message
from webmail.store import pools

pytestmark = pytest.mark.django_db(transaction=True)
Received = Callable[..., Message]


def body(response) -> bytes:  # type: ignore[no-untyped-def]  # streamed and plain answers have different types
    return b"".join(response.streaming_content)


def test_an_attachment(reader: Client, received: Received) -> None:
    message = received(letters.with_attachments())
    assert "plán nábřeží.pdf" in reader.get(f"/message/{message.pk}/").content.decode()
    response = reader.get(f"/message/{message.pk}/part/2/")
    assert body(response) == b"%PDF-1.4 plan"
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''pl%C3%A1n")
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"] == "no-store, private"


def test_html_is_a_download_like_any_other(reader: Client, received: Received) -> None:
    response = reader.get(f"/message/{received(letters.with_attachments()).pk}/part/3/")
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == 'attachment; filename="evil.html"'


def test_a_large_one_arrives_whole(reader: Client, received: Received) -> None:
    data = os.urandom(3_000_001)
    message = received(letters.with_attachments(data))
    assert body(reader.get(f"/message/{message.pk}/part/2/")) == data
    with pools.lend(message.account, "INBOX") as imap:
        assert imap.usable


def test_one_given_up_half_way_leaves_the_account_usable(reader: Client, received: Received) -> None:
    message = received(letters.with_attachments(os.urandom(3_000_001)))
    response = reader.get(f"/message/{message.pk}/part/2/")
    next(iter(response.streaming_content))
    response.close()
    assert body(reader.get(f"/message/{message.pk}/part/3/")) == b"<script>alert(1)</script>\r\n"


@pytest.mark.parametrize("section", ["9", "1", "0", "HEADER", "2<0.1>", "TEXT", "..", "%0d%0a"])
def test_no_such_part(reader: Client, received: Received, section: str) -> None:
    message = received(letters.with_attachments())
    assert reader.get(f"/message/{message.pk}/part/{section}/").status_code == 404


def test_the_whole_message(reader: Client, received: Received) -> None:
    raw = letters.plain()
    response = reader.get(f"/message/{received(raw).pk}/raw/")
    assert body(response) == raw
    assert response["Content-Disposition"] == 'attachment; filename="Budget for Q3.eml"'


def test_the_source(reader: Client, received: Received) -> None:
    raw = letters.newsletter()
    shown = reader.get(f"/message/{received(raw).pk}/source/").content.decode()
    assert "Message-ID: &lt;" in shown
    assert "&lt;script&gt;" in shown
    assert "<script>document" not in shown


def test_memory_stays_flat(reader: Client, received: Received) -> None:
    size = 20_000_000
    message = received(letters.with_attachments(bytes(size)))
    body(reader.get(f"/message/{message.pk}/part/3/"))  # what any download needs is there
    tracemalloc.start()
    try:
        came = sum(map(len, reader.get(f"/message/{message.pk}/part/2/").streaming_content))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert came == size
    assert peak < 8_000_000
