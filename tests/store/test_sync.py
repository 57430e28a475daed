"""Bringing the index up to date, on the rich server and on the poorest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.reader import letter, make_account
from tests.servers import MailUser
from webmail.demo.imap_server import ImapServer
from webmail.models import Mailbox
from webmail.store import prefetch, sync
from webmail.store.comparing import Differences

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mail_user(mailbox_user: Callable[..., MailUser], imap_server: ImapServer) -> MailUser:
    """Somebody on each of the two servers."""
    user = mailbox_user(imap_server)
    for number in range(1, 6):
        user.append("INBOX", letter(number), "\\Seen" if number < 3 else "")
    return user


def subjects(mailbox: Mailbox) -> list[str]:
    return list(mailbox.messages.order_by("date", "uid").values_list("subject", flat=True))


def store(user: MailUser, numbers: str, flags: str) -> None:
    """What another client does meanwhile, by message numbers; what is deleted goes at once."""
    with user.imap() as client:
        client.select("INBOX")
        client.store(numbers, "+FLAGS", f"({flags})")
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


def test_more_new_mail_than_a_chunk(inbox: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch) -> None:
    sync.refresh(inbox)
    for number in range(6, 11):
        mail_user.append("INBOX", letter(number))
    monkeypatch.setattr(sync, "CHUNK", 2)
    sync.refresh(inbox)
    assert subjects(inbox) == [f"Letter {number}" for number in range(1, 11)]
    sync.refresh(inbox)
    assert inbox.messages.count() == 10


def test_flags_another_client_changed(inbox: Mailbox, mail_user: MailUser) -> None:
    sync.refresh(inbox)
    store(mail_user, "5", "\\Seen \\Flagged $Work")
    sync.refresh(inbox)
    row = inbox.messages.get(subject="Letter 5")
    assert (row.seen, row.flagged) == (True, True)
    assert inbox.unread == 2


def test_messages_another_client_deleted(inbox: Mailbox, mail_user: MailUser) -> None:
    sync.refresh(inbox)
    store(mail_user, "2,4", "\\Deleted")
    sync.refresh(inbox)
    assert subjects(inbox) == ["Letter 1", "Letter 3", "Letter 5"]
    assert inbox.exists == 3


def test_deleted_and_new_at_once(inbox: Mailbox, mail_user: MailUser) -> None:
    sync.refresh(inbox)
    store(mail_user, "5", "\\Deleted")
    mail_user.append("INBOX", letter(6))
    sync.refresh(inbox)
    assert subjects(inbox) == ["Letter 1", "Letter 2", "Letter 3", "Letter 4", "Letter 6"]


def test_a_comparison_finds_what_the_index_lost_or_made_up(inbox: Mailbox) -> None:
    sync.refresh(inbox)
    inbox.messages.filter(subject="Letter 3").delete()
    inbox.messages.filter(subject="Letter 2").update(uid=inbox.uidnext + 5, message_id="made-up")
    Mailbox.objects.update(uidnext=inbox.uidnext + 9)
    assert sync.reconcile(inbox) == Differences(appeared=2, vanished=1)
    assert sync.reconcile(inbox) == Differences()
    assert subjects(inbox) == [f"Letter {number}" for number in range(1, 6)]


def test_an_emptied_mailbox(inbox: Mailbox, mail_user: MailUser) -> None:
    sync.refresh(inbox)
    store(mail_user, "1:*", "\\Deleted")
    sync.refresh(inbox)
    assert subjects(inbox) == []
    assert (inbox.exists, inbox.unread) == (0, 0)


def test_backfill_goes_down_in_chunks_and_ends(
    inbox: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "FIRST_CHUNK", 2)
    monkeypatch.setattr(sync, "CHUNK", 2)
    sync.refresh(inbox)
    assert subjects(inbox) == ["Letter 4", "Letter 5"]
    assert not inbox.is_complete
    assert sync.backfill(inbox) is True
    assert len(subjects(inbox)) > 2
    while sync.backfill(inbox):
        pass
    assert subjects(inbox) == [f"Letter {number}" for number in range(1, 6)]
    assert inbox.is_complete
    assert inbox.unread == 3


def test_the_first_page_takes_no_more_than_it_shows(inbox: Mailbox) -> None:
    newest = sync.first_page(inbox, 2)
    assert subjects(inbox) == ["Letter 4", "Letter 5"]
    assert inbox.lowest_uid == newest[-1]
    before = sync.first_page(inbox, 2, skip=2)
    assert subjects(inbox) == ["Letter 2", "Letter 3", "Letter 4", "Letter 5"]
    assert before == [newest[0] - 2, newest[0] - 3]
    assert inbox.lowest_uid == newest[-1]


def test_first_words(inbox: Mailbox) -> None:
    sync.refresh(inbox)
    assert prefetch.read_previews(inbox, 10) == 5
    assert {message.preview for message in inbox.messages.all()} == {"Hello."}
    assert prefetch.read_previews(inbox, 10) == 0


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
    assert subjects(theirs) == []


def test_a_monstrous_message_does_not_hide_the_others(inbox: Mailbox, mail_user: MailUser) -> None:
    name = b"n" * 3000
    part = b'--b\r\nContent-Type: image/png; name="%b"\r\nContent-Disposition: attachment; filename="%b"\r\n\r\nx\r\n'
    head = b"Subject: Monster\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    mail_user.append("INBOX", head + part % (name, name) * 400)
    mail_user.append("INBOX", b"Subject: " + b"a" * 300_000 + b"\r\nFrom: bob@demo.test\r\n\r\nx\r\n")
    mail_user.append("INBOX", letter(6))
    sync.refresh(inbox)
    assert inbox.is_complete
    assert inbox.messages.count() == 8
    assert {"Monster", "Letter 1", "Letter 6"} < set(subjects(inbox))


def test_a_look_at_the_account_reads_what_has_news_and_nothing_else(
    inbox: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for mailbox in inbox.account.mailboxes.filter(selectable=True):
        sync.refresh(mailbox)
    refreshed: list[str] = []
    real = sync.refresh

    def refresh(mailbox: Mailbox) -> None:
        refreshed.append(mailbox.name)
        real(mailbox)

    monkeypatch.setattr(sync, "refresh", refresh)
    sync.look(inbox.account)
    # Without MODSEQ nobody can say that no flag changed, so there the inbox is always looked at.
    assert refreshed == ([] if _modseq(inbox) else ["INBOX"])
    mail_user.append("INBOX", letter(6))
    refreshed.clear()
    sync.look(inbox.account)
    assert refreshed == ["INBOX"]
    assert "Letter 6" in subjects(inbox)
    store(mail_user, "1", "\\Deleted")
    sync.look(inbox.account)
    assert "Letter 1" not in subjects(inbox)


def _modseq(mailbox: Mailbox) -> int:
    return Mailbox.objects.get(pk=mailbox.pk).highestmodseq
