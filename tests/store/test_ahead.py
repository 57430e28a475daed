"""Images of trusted senders, there before their mail is opened; nobody else's, and none in Junk."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cast import client_of
from tests.internet import Internet, internet
from tests.message.test_images import newsletter
from tests.servers import MailUser
from webmail import tasks
from webmail.models import Account, Mailbox, Message, TrustedSender
from webmail.protocol import redraw
from webmail.store import ahead, bodies, image_cache

pytestmark = pytest.mark.django_db(transaction=True)
Received = Callable[..., Message]


@pytest.fixture(autouse=True)
def net(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_url: str) -> Iterator[Internet]:
    bodies.client.flushdb()
    with internet(monkeypatch, tmp_path) as net:
        for name in ("a", "b"):
            net.picture(f"/{name}.png")
        yield net


@pytest.fixture
def trusting(account: Account) -> Account:
    """An account whose owner always sees the bakery's images."""
    TrustedSender.objects.create(user=account.user, kind="domain", name="bakery.example")
    return account


IMAGES = (
    '<img src="http://cdn.example/a.png"><img src="http://cdn.example/b.png">'
    '<img src="http://news.example/a.gif" width=1 height=1>'
)


def mailbox_of(account: Account) -> Mailbox:
    return account.mailboxes.select_related("account__provider", "account__user").get(name="INBOX")


def test_opening_asks_nobody_anything(trusting: Account, received: Received, net: Internet) -> None:
    message = received(newsletter(IMAGES))
    assert ahead.fetch(mailbox_of(trusting)) == 2
    assert sorted(asked.path for asked in net.asked) == ["/a.png", "/b.png"], "never the pixel"
    net.asked.clear()
    reader = client_of(trusting.user)
    document = reader.get(f"/message/{message.pk}/frame/").content.decode()
    paths = re.findall(r"/message/\d+/remote/[\w=-]+/", document)
    assert len(paths) == 2
    assert all(reader.get(path).content != redraw.placeholder() for path in paths)
    assert net.asked == []
    assert ahead.fetch(mailbox_of(trusting)) == 0, "once a message"


def test_what_is_away_is_not_asked_twice(trusting: Account, received: Received, net: Internet) -> None:
    received(newsletter('<img src="http://cdn.example/gone.png">'))
    ahead.fetch(mailbox_of(trusting))
    received(newsletter('<img src="http://cdn.example/gone.png">'))
    ahead.fetch(mailbox_of(trusting))
    assert len(net.asked) == 1


@pytest.mark.parametrize("role", ["junk", "trash"])
def test_never_in_junk(trusting: Account, received: Received, net: Internet, role: str) -> None:
    received(newsletter(IMAGES))
    Mailbox.objects.filter(name="INBOX").update(role=role)
    assert ahead.fetch(mailbox_of(trusting)) == 0
    assert net.dialled == []


def test_nobody_elses(trusting: Account, received: Received, net: Internet) -> None:
    received(newsletter(IMAGES, sender="mallory@evil.example"))
    received(newsletter(IMAGES, sender="news@bakery.example, mallory@evil.example"))
    assert ahead.fetch(mailbox_of(trusting)) == 0
    assert net.dialled == []


def test_not_what_was_read(trusting: Account, received: Received, net: Internet) -> None:
    received(newsletter(IMAGES), "\\Seen")
    assert ahead.fetch(mailbox_of(trusting)) == 0
    assert net.dialled == []


def test_not_for_those_who_never_want_them(trusting: Account, received: Received, net: Internet) -> None:
    received(newsletter(IMAGES))
    trusting.user.remote_images = "never"
    trusting.user.save()
    assert ahead.fetch(mailbox_of(trusting)) == 0
    assert net.dialled == []


def test_it_is_bounded(trusting: Account, received: Received, net: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = [f"http://cdn.example/many/{number}.png" for number in range(100)]
    for number in range(3):
        received(newsletter("".join(f'<img src="{url}?{number}">' for url in urls)))
    asked: list[str] = []
    monkeypatch.setattr("webmail.store.remote.fetch", lambda account_id, url: asked.append(url) or b"x" * 1000)
    ahead.fetch(mailbox_of(trusting))
    assert len(asked) == 3 * ahead.MOST_IMAGES
    for key in (*bodies.client.keys("body:*"), *bodies.client.keys("fetches:*")):
        bodies.client.delete(key)
    asked.clear()
    monkeypatch.setattr(ahead, "MOST_OCTETS", 5_500)
    ahead.fetch(mailbox_of(trusting))
    assert len(asked) == 6
    monkeypatch.setattr(image_cache, "PER_MINUTE_AHEAD", 10)
    asked.clear()
    monkeypatch.setattr(ahead, "MOST_OCTETS", 10**9)
    ahead.fetch(mailbox_of(trusting))
    assert len(asked) == 4


def test_one_that_is_gone_holds_up_no_other(trusting: Account, received: Received, mail_user: MailUser) -> None:
    received(newsletter(IMAGES))
    gone = received(newsletter(IMAGES))
    with mail_user.imap() as client:
        client.select("INBOX")
        client.uid("STORE", str(gone.uid), "+FLAGS", "(\\Deleted)")
        client.expunge()
    assert ahead.fetch(mailbox_of(trusting)) == 2


def test_it_ends_in_time(trusting: Account, received: Received, net: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    received(newsletter(IMAGES))
    monkeypatch.setattr(ahead, "SECONDS", -1.0)
    assert ahead.fetch(mailbox_of(trusting)) == 0
    assert net.dialled == []


def test_a_refresh_wakes_the_worker(
    trusting: Account, received: Received, net: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks, "send", lambda task, row_id: woken.append((task.name, row_id)))
    received(newsletter(IMAGES))
    inbox = mailbox_of(trusting)
    tasks.refresh_mailbox(inbox.pk)
    assert ("webmail.tasks.fetch_images", inbox.pk) in woken
    tasks.fetch_images(inbox.pk)
    assert len(net.asked) == 2
    TrustedSender.objects.all().delete()
    woken.clear()
    tasks.refresh_mailbox(inbox.pk)
    assert "webmail.tasks.fetch_images" not in [name for name, _ in woken]
