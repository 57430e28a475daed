"""Leaving a list: said first, done by a form, through the guard, telling nothing more, and not asked twice."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from tests.internet import PUBLIC, Internet, internet, trust_its_certificate
from tests.message import letters
from tests.protocol.test_guard import ALL_FORMS
from webmail.models import Mailbox, Message, Provider, Submission, Unsubscription
from webmail.models.message import hash_of
from webmail.protocol import web
from webmail.protocol.errors import ProtocolError

pytestmark = pytest.mark.django_db
Received = Callable[..., Message]
WAYS = "<https://news.example/leave?u=7f3a>, <mailto:leave@bakery.test?subject=off%20please>"
ONE_CLICK = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


@pytest.fixture(autouse=True)
def net(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_url: str) -> Iterator[Internet]:
    with internet(monkeypatch, tmp_path) as net:
        trust_its_certificate(monkeypatch, tmp_path)
        net.answers["/leave?u=7f3a"] = (200, {"Set-Cookie": "id=1"}, b"Bye.")
        yield net


def newsletter(ways: str = WAYS, more: str = ONE_CLICK, subject: str = "Bread") -> bytes:
    message = letters.letter(subject)
    message.replace_header("From", "The Loaf <news@bakery.test>")
    message.set_content("Dear Alice, bread.\n")
    return f"{more}List-Id: Loaf <loaf.bakery.test>\r\nList-Unsubscribe: {ways}\r\n".encode() + bytes(message)


def page(reader: Client, message: Message, of: str = "") -> str:
    return reader.get(f"/message/{message.pk}/{of}").content.decode()


def leave(reader: Client, message: Message, way: str) -> str:
    """What is said of it."""
    path = f"/message/{message.pk}/unsubscribe/"
    response = reader.post(path, {"way": way}, headers={"HX-Request": "true"})
    return response.content.decode()


def test_one_click(reader: Client, received: Received, net: Internet) -> None:
    message = received(newsletter())
    assert f'<a href="/message/{message.pk}/unsubscribe/" data-dialog>Unsubscribe</a>' in page(reader, message)
    assert "news.example gets one request" in page(reader, message, "unsubscribe/")
    assert net.asked == [], "nothing is asked before the person says so"
    assert leave(reader, message, "post") == "news.example accepted it: you are off the list “The Loaf”."
    [asked] = net.asked
    assert (asked.host, asked.path, asked.form) == ("news.example", "/leave?u=7f3a", b"List-Unsubscribe=One-Click")
    assert asked.fields.keys() == {
        "Host", "Accept-Encoding", "Content-Length", "Accept", "Content-Type", "User-Agent", "Connection",
    }  # fmt: skip
    another = received(newsletter(subject="More bread"))
    assert "You unsubscribed on" in page(reader, another)
    assert "unsubscribe/" not in page(reader, another)
    leave(reader, another, "post")
    assert len(net.asked) == 1, "not asked twice"
    assert not Submission.objects.exists()


def test_a_list_that_goes_on_can_be_left_again(reader: Client, received: Received, net: Internet) -> None:
    leave(reader, received(newsletter()), "post")
    Unsubscription.objects.update(at=timezone.now() - timedelta(days=11))
    another = received(newsletter(subject="More bread"))
    assert "It still writes to you." in page(reader, another)
    assert leave(reader, another, "post").startswith("news.example accepted it")
    assert len(net.asked) == 2


def test_what_was_not_accepted_is_said_and_offered_again(reader: Client, received: Received, net: Internet) -> None:
    message = received(newsletter())
    answers: tuple[tuple[int, dict[str, str]], ...] = (
        (500, {}),
        (302, {"Location": "https://news.example/x"}),
        (404, {}),
    )
    for number, (status, headers) in enumerate(answers, 1):
        net.answers["/leave?u=7f3a"] = (status, headers, b"")
        response = reader.post(f"/message/{message.pk}/unsubscribe/", {"way": "post"}, follow=True)
        assert "news.example did not accept it. You may still be on the list." in response.content.decode()
        assert len(net.asked) == number, "no redirect is followed"
        assert 'value="post"' in page(reader, message, "unsubscribe/")


def test_by_mail_from_the_address_that_it_writes_to(reader: Client, received: Received) -> None:
    message = received(newsletter("<mailto:leave@bakery.test?subject=off%20please&cc=eve@eve.test>", ""))
    Provider.objects.update(smtp_host="127.0.0.1", smtp_port=9)
    assert "A mail goes to leave@bakery.test" in page(reader, message, "unsubscribe/")
    for _ in range(2):
        assert "is on its way to leave@bakery.test" in leave(reader, message, "mail") or "You asked" in leave(
            reader, message, "mail"
        )
    submission = Submission.objects.get()
    octets = bytes(submission.message or b"")
    assert (submission.kind, submission.recipients) == ("leaving", [["leave@bakery.test", "", ""]])
    assert b"\r\nSubject: off please\r\n" in octets and b"eve@" not in octets
    assert "You asked to be taken off on" in page(reader, message)
    # It came back: nothing was asked, and one may ask again.
    message.account.reports.create(
        kind="delivery", message_id=submission.message_id, message_hash=hash_of(submission.message_id),
        recipient="leave@bakery.test", outcome="failed", at=timezone.now(),
    )  # fmt: skip
    assert "could not be delivered" in page(reader, message)
    assert "is on its way to leave@bakery.test" in leave(reader, message, "mail")
    assert Submission.objects.count() == 2
    assert "You asked to be taken off on" in page(reader, message)


def test_a_mail_that_cannot_be_sent_is_not_taken_for_done(reader: Client, received: Received) -> None:
    message = received(newsletter("<mailto:leave@bakery.test>", ""))
    Provider.objects.update(smtp_host="")
    assert "can't be sent from this account" in leave(reader, message, "mail")
    assert 'value="mail"' in page(reader, message, "unsubscribe/")


def test_only_a_page(reader: Client, received: Received, net: Internet) -> None:
    message = received(newsletter("<http://news.example/leave>", ONE_CLICK))
    shown = page(reader, message, "unsubscribe/")
    assert (
        '<a class="button primary" href="http://news.example/leave" target="_blank" rel="noopener noreferrer">' in shown
    )
    assert leave(reader, message, "post") == "This list can't be left in that way."
    assert net.dialled == []


def test_nothing_is_offered_where_nobody_should_answer(reader: Client, received: Received, net: Internet) -> None:
    message = received(newsletter())
    for role in ("junk", "sent"):
        Mailbox.objects.filter(pk=message.mailbox_id).update(role=role)
        assert "unsubscribe/" not in page(reader, message)
        assert leave(reader, message, "post") == "This list can't be left in that way."
    assert net.dialled == []


def test_one_click_needs_the_signer_where_anybody_looked(reader: Client, received: Received) -> None:
    Provider.objects.update(authserv_ids="mx.demo.test")
    for number, (result, signed, is_believed) in enumerate(
        (
            ("dkim=pass header.d=bakery.test", "list-unsubscribe:list-unsubscribe-post:from", True),
            ("dkim=pass header.d=bakery.test", "from:list-unsubscribe", False),
            ("dkim=pass header.d=other.test", "list-unsubscribe:list-unsubscribe-post", False),
            ("dkim=fail header.d=bakery.test", "list-unsubscribe:list-unsubscribe-post", False),
            ("spf=pass smtp.mailfrom=bakery.test", "list-unsubscribe:list-unsubscribe-post", False),
        )
    ):
        more = f"DKIM-Signature: v=1; d=bakery.test; s=a; h={signed}; bh=x; b=y\r\n{ONE_CLICK}"
        raw = newsletter(more=more, subject=f"Bread {number}")
        message = received(f"Authentication-Results: mx.demo.test; {result}\r\n".encode() + raw)
        shown = page(reader, message, "unsubscribe/")
        assert ('value="post"' in shown) is is_believed, result
        assert 'value="mail"' in shown


def test_no_form_of_a_bad_address_is_dialled(net: Internet) -> None:
    """T9: the form that RFC 8058 sends goes to no other host than an image would be fetched from."""
    for host in ALL_FORMS:
        for url in (f"https://{host}/x", f"https://[{host}]/x"):
            with contextlib.suppress(ProtocolError, ValueError, OSError, http.client.HTTPException):
                web.post(url, 5.0, form=b"x")
    assert set(net.dialled) <= {(PUBLIC, 443)}
    assert {asked.host for asked in net.asked} <= {"mail.example"}  # line ends in an address go


def test_what_is_no_address_to_ask(net: Internet) -> None:
    for url in (
        "http://news.example/x", "https://news.example:8443/x", "https://a:b@news.example/x", "ftp://news.example/x",
    ):  # fmt: skip
        with pytest.raises(ValueError, match="not a"):
            web.post(url, 5.0, form=b"x")
    assert net.dialled == []


def test_it_ends_at_its_time(net: Internet) -> None:
    net.answers["/slow"] = (200, {}, [5.0, b"x"])
    assert web.post("https://news.example/slow", 2.0, form=b"x") == 200, "the body is nobody's concern"
    net.names["news.example"] = [["127.0.0.1"]]
    with pytest.raises(Exception, match="server"):
        web.post("https://news.example/slow", 1.0, form=b"x")
