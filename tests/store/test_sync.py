"""Bringing the index up to date, on the rich server and on the poorest."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db.models import F

from tests.servers import MailUser
from tests.store.conftest import letter, make_account
from webmail.demo.imap_server import ImapServer
from webmail.models import Mailbox
from webmail.store import sync

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mail_user(mailbox_user: Callable[..., MailUser], imap_server: ImapServer) -> MailUser:
    """Somebody on each of the two servers."""
    user = mailbox_user(imap_server)
    for number in range(1, 6):
        user.append("INBOX", letter(number), "\\Seen" if number < 3 else "")
    return user


def uids(mailbox: Mailbox) -> list[int]:
    return list(mailbox.messages.order_by("uid").values_list("uid", flat=True))


def subjects(mailbox: Mailbox) -> list[str]:
    return list(mailbox.messages.order_by("date", "uid").values_list("subject", flat=True))


def command(user: MailUser, *words: str) -> None:
    """What another client does meanwhile."""
    with user.imap() as client:
        client.select("INBOX")
        client.uid(*words)
        client.expunge()


def test_the_list_of_mailboxes(inbox: Mailbox) -> None:
    assert inbox.name == "INBOX"
    assert inbox.exists == 5
    assert inbox.unread == 3


def test_the_first_refresh_indexes_the_newest(inbox: Mailbox) -> None:
    sync.refresh(inbox)
    assert subjects(inbox) == [f"Letter {number}" for number in range(1, 6)]
    assert inbox.is_complete
    assert inbox.checked_at is not None
    assert inbox.unread == 3


def test_new_mail(inbox: Mailbox, mail_user: MailUser) -> None:
    sync.refresh(inbox)
    mail_user.append("INBOX", letter(6, subject="Nové"))
    sync.refresh(inbox)
    assert subjects(inbox)[-1] == "Nové"
    assert inbox.exists == 6
    assert inbox.unread == 4


def test_flags_another_client_changed(inbox: Mailbox, mail_user: MailUser) -> None:
    sync.refresh(inbox)
    command(mail_user, "STORE", "5", "+FLAGS", "(\\Seen \\Flagged $Work)")
    sync.refresh(inbox)
    row = inbox.messages.get(uid=5)
    assert (row.seen, row.flagged) == (True, True)
    assert inbox.unread == 2


def test_messages_another_client_deleted(inbox: Mailbox, mail_user: MailUser) -> None:
    sync.refresh(inbox)
    command(mail_user, "STORE", "2,4", "+FLAGS", "(\\Deleted)")
    sync.refresh(inbox)
    assert uids(inbox) == [1, 3, 5]
    assert inbox.exists == 3


def test_deleted_and_new_at_once(inbox: Mailbox, mail_user: MailUser) -> None:
    sync.refresh(inbox)
    command(mail_user, "STORE", "5", "+FLAGS", "(\\Deleted)")
    mail_user.append("INBOX", letter(6))
    sync.refresh(inbox)
    assert uids(inbox) == [1, 2, 3, 4, 6]


def test_a_comparison_finds_what_the_index_lost_or_made_up(inbox: Mailbox) -> None:
    sync.refresh(inbox)
    inbox.messages.filter(uid=3).delete()
    inbox.messages.filter(uid=2).update(uid=F("uid") + 100, modseq=0)
    sync.refresh(inbox, compare=True)
    assert 3 in uids(inbox)
    assert 2 in uids(inbox)


def test_an_emptied_mailbox(inbox: Mailbox, mail_user: MailUser) -> None:
    sync.refresh(inbox)
    command(mail_user, "STORE", "1:*", "+FLAGS", "(\\Deleted)")
    sync.refresh(inbox)
    assert uids(inbox) == []
    assert (inbox.exists, inbox.unread) == (0, 0)


def test_backfill_goes_down_in_chunks_and_ends(
    inbox: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "FIRST_CHUNK", 2)
    monkeypatch.setattr(sync, "CHUNK", 2)
    sync.refresh(inbox)
    assert uids(inbox) == [4, 5]
    assert not inbox.is_complete
    assert sync.backfill(inbox) is True
    assert uids(inbox) == [2, 3, 4, 5]
    assert sync.backfill(inbox) is False
    assert uids(inbox) == [1, 2, 3, 4, 5]
    assert inbox.is_complete
    assert inbox.unread == 3


def test_the_first_page_takes_no_more_than_it_shows(inbox: Mailbox) -> None:
    assert sync.first_page(inbox, 2) == [5, 4]
    assert inbox.lowest_uid == 4
    assert sync.first_page(inbox, 2, skip=2) == [3, 2]
    assert inbox.lowest_uid == 4


def test_first_words(inbox: Mailbox) -> None:
    sync.refresh(inbox)
    assert sync.read_previews(inbox, 10) == 5
    assert set(inbox.messages.values_list("preview", flat=True)) == {"Hello."}
    assert sync.read_previews(inbox, 10) == 0


def test_a_mailbox_made_anew_is_read_anew(inbox: Mailbox, mail_user: MailUser) -> None:
    sync.refresh(inbox)
    Mailbox.objects.filter(pk=inbox.pk).update(uidvalidity=1)
    inbox.refresh_from_db()
    sync.refresh(inbox)
    assert subjects(inbox) == [f"Letter {number}" for number in range(1, 6)]
    assert inbox.uidvalidity != 1


def test_accounts_of_other_servers_are_apart(inbox: Mailbox, mailbox_user: Callable[..., MailUser]) -> None:
    other = make_account(mailbox_user(None))
    sync.list_mailboxes(other)
    theirs = other.mailboxes.get(role="inbox")
    sync.refresh(theirs)
    assert uids(theirs) == []
