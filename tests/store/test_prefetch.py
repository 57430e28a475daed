"""What is read ahead: opening it asks no server, and nothing is marked as read by it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.test import Client

from tests.reader import letter, reader
from tests.servers import MailUser
from webmail.models import Mailbox, Message
from webmail.store import bodies, pools, prefetch, sync

__all__ = ["reader"]

pytestmark = pytest.mark.django_db(transaction=True)

ALTERNATIVE = (
    b"Subject: Both\r\nFrom: Bob <bob@demo.test>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/alternative; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nPlain.\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Rich.</p>\r\n--b--\r\n"
)


@pytest.fixture
def read(inbox: Mailbox, mail_user: MailUser) -> Mailbox:
    """An inbox with three unread letters, of which one is large, and one that was read."""
    mail_user.append("INBOX", letter(1), "\\Seen")
    mail_user.append("INBOX", letter(2, body="Small."))
    mail_user.append("INBOX", letter(3, body="Large. " * 12_000))
    mail_user.append("INBOX", ALTERNATIVE)
    sync.refresh(inbox)
    return inbox


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The loans of connections since the fixture was asked for."""
    lent: list[str] = []
    real = pools.lend

    def lend(*arguments: object, **options: object) -> object:
        lent.append(str(arguments))
        return real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(pools, "lend", lend)
    return lent


def test_small_unread_texts_are_there_before_they_are_opened(
    read: Mailbox, reader: Client, mail_user: MailUser, trips: list[str]
) -> None:
    assert prefetch.read_texts(read) == 2
    with mail_user.imap() as client:
        client.select("INBOX", readonly=True)
        assert client.search(None, "UNSEEN")[1] == [b"2 3 4"]
    trips.clear()
    for subject in ("Letter 2", "Both"):
        page = reader.get(f"/message/{read.messages.get(subject=subject).pk}/")
        assert page.status_code == 200
    assert b"Small." in reader.get(f"/message/{read.messages.get(subject='Letter 2').pk}/").content
    assert trips == []
    assert prefetch.read_texts(read) == 0, "it is there already"
    assert trips == []


def test_what_is_kept_is_sealed(read: Mailbox) -> None:
    prefetch.read_texts(read)
    kept = [bodies.client.get(key) for key in bodies.client.keys(f"body:{read.account_id}:*")]
    assert kept
    assert not any(b"Small." in (value or b"") for value in kept)


@pytest.mark.parametrize("octets", [0, 100])
def test_an_account_gets_so_much_and_no_more(
    read: Mailbox, mail_user: MailUser, settings: LazySettings, octets: int, find: Callable[[str], Message]
) -> None:
    settings.PREFETCH_BYTES = octets
    assert prefetch.read_texts(read) == (2 if octets else 0)
    mail_user.append("INBOX", letter(9))
    sync.refresh(read)
    assert prefetch.read_texts(read) == 0
    assert bodies.get(find("Letter 9"), ["HEADER"]) == {}


@pytest.fixture
def find(read: Mailbox) -> Callable[[str], Message]:
    return lambda subject: Message.objects.select_related("mailbox").get(mailbox=read, subject=subject)


def test_without_the_cache_nothing_is_read(read: Mailbox, monkeypatch: pytest.MonkeyPatch, trips: list[str]) -> None:
    class Away:
        def pipeline(self, **_: object) -> object:
            raise bodies.redis.ConnectionError

    monkeypatch.setattr(bodies, "client", Away())
    assert prefetch.read_texts(read) == 0
    assert trips == []
