"""Opening a message: what is shown, what is not, and that it counts as read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.message import letters
from tests.servers import MailUser
from webmail.models import Job, Mailbox, Message
from webmail.protocol.errors import ConnectionFailed
from webmail.store import bodies, pools, sync, working

pytestmark = pytest.mark.django_db(transaction=True)
Received = Callable[..., Message]


def page(reader: Client, message: Message, **headers: str) -> str:
    response = reader.get(f"/message/{message.pk}/", headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_plain_text(reader: Client, received: Received) -> None:
    shown = page(reader, received(letters.plain()))
    assert "I went through the numbers." in shown
    assert 'href="https://studio.example/q3"' in shown
    assert "Budget for Q3" in shown
    assert "bob@demo.test" in shown


def test_html_comes_in_the_frame_alone(reader: Client, received: Received) -> None:
    message = received(letters.newsletter())
    shown = page(reader, message)
    assert f'src="/message/{message.pk}/frame/"' in shown
    assert 'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"' in shown
    assert "1 remote image was not loaded" in shown
    frame = reader.get(f"/message/{message.pk}/frame/", headers={"Sec-Fetch-Dest": "iframe"})
    body = frame.content.decode()
    assert "Dear Alice" in body
    assert f'src="/message/{message.pk}/inline/' in body
    for hostile in ("<script", "onerror", "tracker.example"):
        assert hostile not in body
    assert frame["Content-Security-Policy"].startswith("sandbox allow-same-origin")
    assert "allow-scripts" not in frame["Content-Security-Policy"]


def test_the_frame_by_itself_leads_to_the_message(reader: Client, received: Received) -> None:
    message = received(letters.newsletter())
    response = reader.get(f"/message/{message.pk}/frame/", headers={"Sec-Fetch-Dest": "document"})
    assert (response.status_code, response["Location"]) == (302, f"/message/{message.pk}/")


def test_an_inline_image(reader: Client, received: Received) -> None:
    message = received(letters.newsletter())
    response = reader.get(f"/message/{message.pk}/inline/2.2/")
    assert response["Content-Type"] == "image/png"
    assert response.content == letters.PIXEL
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_an_index_that_was_read_anew_has_links_of_its_own(reader: Client, received: Received) -> None:
    """The frame is kept longer than the row whose number its links carry (law 1)."""
    before = received(letters.newsletter())
    assert f"/message/{before.pk}/inline/" in reader.get(f"/message/{before.pk}/frame/").content.decode()
    inbox = before.mailbox
    assert inbox is not None
    Message.objects.filter(mailbox=inbox).delete()
    Mailbox.objects.filter(pk=inbox.pk).update(lowest_uid=0, uidnext=0, highestmodseq=0)
    sync.refresh(Mailbox.objects.select_related("account__provider").get(pk=inbox.pk))
    again = Message.objects.get(mailbox=inbox)
    assert again.pk != before.pk
    document = reader.get(f"/message/{again.pk}/frame/").content.decode()
    assert f"/message/{again.pk}/inline/" in document
    assert f"/message/{before.pk}/" not in document


def test_an_image_that_the_html_never_shows_is_listed(reader: Client, received: Received) -> None:
    message = letters.letter("Two images")
    message.set_content("<p>One: <img src=cid:one></p>", subtype="html")
    message.add_related(letters.PIXEL, "image", "png", cid="<one>", filename="one.png")
    message.add_related(letters.PIXEL, "image", "png", cid="<two>", filename="two.png")
    row = received(bytes(message))
    for _ in ("read", "kept"):
        names = [card.name for card in reader.get(f"/message/{row.pk}/").context["message"].attachments]
        assert names == ["two.png"]


def test_what_only_says_it_is_an_image_is_not_shown(reader: Client, received: Received) -> None:
    message = letters.letter("Not an image")
    message.set_content("Look.\n")
    message.add_attachment(b"<svg onload=alert(1)>", "image", "png", filename="a.png")
    response = reader.get(f"/message/{received(bytes(message)).pk}/inline/2/")
    assert response.status_code == 404


def test_opening_marks_as_read_through_a_job(reader: Client, received: Received, mail_user: MailUser) -> None:
    message = received(letters.plain())
    page(reader, message)
    message.refresh_from_db()
    assert message.seen
    assert Job.objects.get().state == Job.State.QUEUED
    working.work(message.account_id)
    with mail_user.imap() as client:
        client.select("INBOX", readonly=True)
        assert b"\\Seen" in client.fetch("1", "(FLAGS)")[1][0]


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Purpose": "prefetch;prerender"}])
def test_a_look_from_elsewhere_changes_nothing(reader: Client, received: Received, headers: dict[str, str]) -> None:
    page(reader, received(letters.plain()), **headers)
    assert not Job.objects.exists()


def test_a_second_opening_asks_the_server_nothing(
    reader: Client, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = received(letters.newsletter())
    page(reader, message)
    monkeypatch.setattr(pools, "lend", None)
    assert "frame" in page(reader, message)
    assert reader.get(f"/message/{message.pk}/frame/").status_code == 200


def test_what_is_kept_is_sealed(reader: Client, received: Received) -> None:
    page(reader, received(letters.plain()))
    keys = bodies.client.keys("body:*")
    assert keys
    assert not any(b"numbers" in value for value in bodies.client.mget(keys))


def test_without_redis_it_is_read_all_the_same(
    reader: Client, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = received(letters.plain())
    monkeypatch.setattr(bodies, "client", bodies.redis.Redis(unix_socket_path="/nonexistent"))
    assert "I went through the numbers." in page(reader, message)


def test_the_server_away(reader: Client, received: Received, monkeypatch: pytest.MonkeyPatch) -> None:
    message = received(letters.plain())

    def away(account_id: int) -> None:
        raise ConnectionFailed

    pools.forget(message.account)
    monkeypatch.setattr(pools, "_connect", away)
    shown = page(reader, message)
    assert "can&#x27;t be reached" in shown
    assert "Budget for Q3" in shown
    assert not Job.objects.exists()


def test_a_message_deleted_meanwhile(reader: Client, received: Received, mail_user: MailUser) -> None:
    message = received(letters.plain())
    with mail_user.imap() as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", "(\\Deleted)")
        client.expunge()
    pools.forget(message.account)  # its session would go on showing the message for a while
    assert "no longer in this mailbox" in page(reader, message)
    assert reader.get(f"/message/{message.pk}/").status_code == 404


def test_a_renumbered_mailbox(reader: Client, received: Received) -> None:
    message = received(letters.plain())
    message.mailbox.uidvalidity += 1
    message.mailbox.save()
    assert "renumbered" in page(reader, message)
