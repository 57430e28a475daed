"""Other looks at a message: as plain text, all headers, on paper, larger."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from tests.message import letters
from webmail.models import Account, Job, Message
from webmail.protocol.errors import ConnectionFailed
from webmail.store import pools

pytestmark = pytest.mark.django_db(transaction=True)
Received = Callable[..., Message]


def designed(
    plain: str = "", html: str = "<h1>Bread</h1><p>Dear <b>Alice</b>, five kinds of bread await you."
) -> bytes:
    """A message with HTML, and perhaps a plain version."""
    message = letters.letter("Bread")
    if plain:
        message.set_content(plain)
        message.add_alternative(html, subtype="html")
    else:
        message.set_content(html, subtype="html")
    return bytes(message)


def shown(reader: Client, message: Message, path: str = "") -> str:
    response = reader.get(f"/message/{message.pk}/{path}")
    assert response.status_code == 200
    return response.content.decode()


def test_html_as_plain_text(reader: Client, received: Received) -> None:
    message = received(designed())
    page = shown(reader, message, "?plain=1")
    assert "Dear Alice, five kinds of bread await you." in page
    assert "<iframe" not in page
    assert "plain=0" in page
    assert "<iframe" in shown(reader, message)
    assert "plain=1" in shown(reader, message)


def test_the_plain_version_that_came_along_is_taken(reader: Client, received: Received) -> None:
    page = shown(reader, received(designed("Dear Alice, this is the plain version.\n")), "?plain=1")
    assert "this is the plain version" in page
    assert "five kinds" not in page


def test_one_that_says_nothing_is_not(reader: Client, received: Received) -> None:
    page = shown(reader, received(designed("See\n")), "?plain=1")
    assert "five kinds" in page


def test_nothing_of_it_is_markup(reader: Client, received: Received) -> None:
    page = shown(
        reader, received(designed(html="<p>&lt;script&gt;alert(1)&lt;/script&gt;<img alt='<script>'>")), "?plain=1"
    )
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>" not in page


def test_somebody_who_prefers_it(reader: Client, received: Received, account: Account) -> None:
    message = received(designed())
    response = reader.post("/settings/preferences/", {"prefer_plain": "True"})
    assert response.status_code == 302
    account.user.refresh_from_db()
    assert account.user.prefer_plain
    assert "<iframe" not in shown(reader, message)
    assert "<iframe" in shown(reader, message, "?plain=0")
    reader.post("/settings/preferences/", {"prefer_plain": "False"})
    assert "<iframe" in shown(reader, message)


def test_plain_mail_offers_no_choice(reader: Client, received: Received) -> None:
    assert "plain=" not in shown(reader, received(letters.plain()))


def test_the_list_it_was_opened_from_is_kept(reader: Client, received: Received) -> None:
    page = shown(reader, received(designed()), "?filter=unread")
    assert re.search(r'href="/message/\d+/\?filter=unread&amp;plain=1"', page)


def test_all_headers(reader: Client, received: Received) -> None:
    raw = (
        b"X-Odd: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nSubject: =?utf-8?b?xb5sdcWlb3XEjWvDvQ==?=\r\n"
        b"From: Bob <bob@demo.test>\r\nX-Long: a\r\n  b\r\n\tc\r\nX-Script: <script>alert(1)</script>\r\n"
        b"X-Twice: 1\r\nX-Twice: 2\r\n\r\nNot: a header\r\n"
    )
    page = shown(reader, received(raw), "headers/")
    table = re.findall(r'<th scope="row">(.*?)</th><td dir="auto">(.*?)</td>', page)
    assert ("X-Odd", "Grüße") in table
    assert ("Subject", "žluťoučký") in table
    assert ("X-Long", "a b c") in table
    assert [value for name, value in table if name == "X-Twice"] == ["1", "2"]
    assert "Not: a header" not in page
    assert "=?utf-8?q?Gr=C3=BC=C3=9Fe?=" in page  # as it came
    assert "<script>alert" not in page


def test_on_paper(reader: Client, received: Received) -> None:
    message = received(letters.with_attachments())
    page = shown(reader, message, "print/")
    for words in (
        "bob@demo.test",
        "alice@demo.test",
        "carol@demo.test",
        "Two files.",
        "plán nábřeží.pdf",
        "2 attachments",
    ):
        assert words in page
    assert "message-bar" not in page
    assert not Job.objects.exists()
    assert f'src="/message/{received(designed()).pk}/frame/?paper=white"' in shown(
        reader, Message.objects.latest("pk"), "print/"
    )
    assert "five kinds" in shown(reader, Message.objects.latest("pk"), "print/?plain=1")


@pytest.mark.parametrize("path", ["headers/", "print/"])
def test_the_server_away(reader: Client, received: Received, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    message = received(letters.plain())

    def away(account_id: int) -> None:
        raise ConnectionFailed

    pools.forget(message.account)
    monkeypatch.setattr(pools, "_connect", away)
    response = reader.get(f"/message/{message.pk}/{path}")
    assert response.status_code in {200, 503}
    assert "can&#x27;t be reached" in response.content.decode()


def test_larger_and_smaller_text(reader: Client, received: Received, account: Account) -> None:
    message = received(letters.plain())
    assert 'class="message-body" data-size="1"' in shown(reader, message)
    sizes = []
    for by in ("1", "1", "1", "-1", "-1", "-1", "-1"):
        response = reader.post(f"/message/{message.pk}/text-size/", {"by": by})
        assert (response.status_code, response["Location"]) == (302, f"/message/{message.pk}/")
        account.user.refresh_from_db()
        sizes.append(account.user.text_size)
    assert sizes == [2, 3, 3, 2, 1, 0, 0]
    assert 'class="message-body" data-size="0"' in shown(reader, message)
    assert reader.post(f"/message/{message.pk}/text-size/", {"by": "7"}).status_code == 400
    assert (
        reader.post(f"/message/{message.pk}/text-size/", {"by": "1"}, headers={"HX-Request": "true"}).status_code == 204
    )


def test_links_that_mislead_are_told_of_on_the_page(reader: Client, received: Received) -> None:
    message = received(
        designed(html='<a href="https://evil.example/">https://bank.example</a> <a href="https://a.example">x</a>')
    )
    for _ in ("read", "kept"):
        page = shown(reader, message)
        assert "A link goes elsewhere than it says" in page
        assert "“https://bank.example” goes to evil.example." in page
    frame = reader.get(f"/message/{message.pk}/frame/").content.decode()
    assert "(goes to evil.example)</small>" in frame
    assert 'title="https://a.example"' in frame


def test_the_word_about_the_sender(reader: Client, received: Received, account: Account) -> None:
    forged = b"Authentication-Results: mx.demo.test; dmarc=pass header.from=demo.test\r\n"
    ours = b"Authentication-Results: mx.demo.test; dmarc=fail header.from=demo.test\r\n"
    theirs = b"Authentication-Results: mx.evil.example; dmarc=pass header.from=demo.test\r\n"
    message = received(theirs + ours + forged + letters.plain())
    assert "verdict" not in shown(reader, message)
    account.provider.authserv_ids = "mx.demo.test"
    account.provider.save()
    page = shown(reader, message)
    assert re.search(r'class="verdict" data-state="bad">.*?Failed</span>', page)
    assert "DMARC failed for demo.test." in page
    assert "Checked by mx.demo.test." in page


def test_ids_are_the_message_s_own(reader: Client, received: Received) -> None:
    message = received(letters.with_attachments())
    page = reader.get(f"/message/{message.pk}/", headers={"HX-Request": "true"}).content.decode()
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert ids
    assert all(str(message.pk) in name.split("-") for name in ids), ids
