"""The one writer of the index: the server's facts first, the pending jobs on top."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from webmail.models import Account, Job, Mailbox, Message, Provider, User
from webmail.protocol.types import (
    Flag,
    FlagChange,
    Flags,
    MailboxInfo,
    MailboxStatus,
    MessageData,
    Part,
    Role,
    Selected,
)
from webmail.store import index, jobs, mailbox_rows

pytestmark = pytest.mark.django_db
SEEN = Flags(frozenset({Flag.SEEN}))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def shelf() -> Account:
    """An account of which only the database knows."""
    provider = Provider.objects.create(name="Nowhere", imap_host="imap.nowhere.test")
    user = User.objects.create_user("alice")
    return Account.objects.create(user=user, provider=provider, address="alice@nowhere.test")


@pytest.fixture
def box(shelf: Account) -> Mailbox:
    """Its inbox, completely indexed, with three unread messages of UIDs 1 to 3."""
    mailbox = Mailbox.objects.create(account=shelf, name="INBOX", role="inbox", uidvalidity=9, uidnext=4, lowest_uid=1)
    index.apply_messages(mailbox, [message(uid) for uid in (1, 2, 3)], read_at=timezone.now())
    mailbox.refresh_from_db()
    return mailbox


def message(uid: int, flags: Flags | None = None, modseq: int = 1) -> MessageData:
    return MessageData(
        uid=uid,
        flags=flags or Flags(),
        internal_date=datetime(2026, 3, 3, 12, tzinfo=UTC) + timedelta(minutes=uid),
        size=1000,
        modseq=modseq,
        header=b"From: Bob <bob@demo.test>\r\nSubject: Re: Letter %d\r\nMessage-ID: <%d@demo.test>\r\n\r\n"
        % (uid, uid),
        structure=Part(section="1", type="text/plain"),
    )


def seen(mailbox: Mailbox) -> list[int]:
    return list(mailbox.messages.filter(seen=True).order_by("uid").values_list("uid", flat=True))


def mark(mailbox: Mailbox, uid: int, key: str = "k") -> Job:
    row = Message.objects.select_related("mailbox").get(mailbox=mailbox, uid=uid)
    return jobs.record_flags([row], add=[Flag.SEEN], idem_key=key)


def test_rows_carry_what_lists_need(box: Mailbox) -> None:
    row = box.messages.get(uid=2)
    assert (row.subject, row.subject_key) == ("Re: Letter 2", "letter 2")
    assert (row.sender_name, row.sender_address, row.sender_key) == ("Bob", "bob@demo.test", "bob")
    assert (row.message_id, box.unread) == ("2@demo.test", 3)


def test_a_pending_job_survives_a_sync(box: Mailbox) -> None:
    mark(box, 2)
    index.apply_flags(box, [FlagChange(2, Flags(), 5)], read_at=timezone.now())
    box.refresh_from_db()
    assert seen(box) == [2]
    assert box.unread == 2


def test_a_job_done_while_the_server_was_being_read_survives_too(box: Mailbox) -> None:
    read_at = timezone.now()
    job = mark(box, 2)
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE, finished_at=timezone.now())
    index.apply_flags(box, [FlagChange(2, Flags(), 0)], read_at=read_at)
    assert seen(box) == [2]


def test_what_the_server_says_after_a_job_wins(box: Mailbox) -> None:
    job = mark(box, 2)
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE, finished_at=timezone.now() - timedelta(seconds=1))
    index.apply_flags(box, [FlagChange(2, Flags(), 7)], read_at=timezone.now())
    assert seen(box) == []


def test_an_older_report_is_no_news(box: Mailbox) -> None:
    index.apply_flags(box, [FlagChange(1, SEEN, 8)], read_at=timezone.now())
    index.apply_flags(box, [FlagChange(1, Flags(), 7)], read_at=LONG_AGO)
    assert seen(box) == [1]


def test_the_same_form_twice_is_one_job(box: Mailbox) -> None:
    assert mark(box, 1, "same").pk == mark(box, 1, "same").pk
    assert Job.objects.count() == 1


def test_two_accounts_may_use_the_same_key(box: Mailbox, shelf: Account) -> None:
    other = Account.objects.create(
        user=User.objects.create_user("bob"), provider=shelf.provider, address="b@nowhere.test"
    )
    theirs = Mailbox.objects.create(account=other, name="INBOX", uidvalidity=1, uidnext=2, lowest_uid=1)
    index.apply_messages(theirs, [message(1)], read_at=timezone.now())
    assert mark(box, 1, "same").pk != mark(theirs, 1, "same").pk


def test_another_uidvalidity_empties_the_mailbox(box: Mailbox) -> None:
    index.apply_selected(box, Selected("INBOX", uidvalidity=10, uidnext=4, exists=3))
    assert box.messages.count() == 0
    assert (box.uidvalidity, box.lowest_uid, box.uidnext) == (10, 0, 0)


def test_what_was_read_before_a_renumbering_says_nothing_after_it(box: Mailbox) -> None:
    """Two workers: one has read, the other sees another UIDVALIDITY before the first writes (law 8)."""
    mine = Mailbox.objects.get(pk=box.pk)
    index.apply_selected(box, Selected("INBOX", uidvalidity=10, uidnext=4, exists=3))
    index.apply_messages(box, [message(2)], read_at=timezone.now())
    index.apply_messages(mine, [message(1), message(3)], read_at=timezone.now())
    index.apply_flags(mine, [FlagChange(2, SEEN, 9)], read_at=timezone.now())
    assert index.apply_vanished(mine, [2]) == 0
    assert list(box.messages.values_list("uid", "seen")) == [(2, False)]


def test_a_vanished_row_is_unlinked_then_deleted(box: Mailbox, shelf: Account) -> None:
    assert index.apply_vanished(box, [2, 99]) == 1
    assert box.messages.count() == 2
    assert Message.objects.filter(mailbox=None).count() == 1
    index.delete_unlinked(timezone.now() - timedelta(minutes=5))
    assert Message.objects.count() == 3
    index.delete_unlinked(timezone.now() + timedelta(seconds=1))
    assert Message.objects.count() == 2


def test_a_renamed_mailbox_keeps_its_row_by_object_id(shelf: Account) -> None:
    mailbox_rows.apply_list(shelf, [MailboxInfo("INBOX", role=Role.INBOX), MailboxInfo("Old", object_id="F1")])
    before = shelf.mailboxes.get(name="Old").pk
    mailbox_rows.apply_list(shelf, [MailboxInfo("INBOX", role=Role.INBOX), MailboxInfo("New", object_id="F1")])
    assert shelf.mailboxes.get(name="New").pk == before
    assert not shelf.mailboxes.filter(name="Old").exists()


def test_the_list_brings_counts_but_a_complete_index_counts_itself(box: Mailbox, shelf: Account) -> None:
    status = MailboxStatus(messages=3, unseen=1, uidnext=4, uidvalidity=9)
    mailbox_rows.apply_list(
        shelf, [MailboxInfo("INBOX", role=Role.INBOX, status=status), MailboxInfo("More", status=status)]
    )
    assert shelf.mailboxes.get(name="INBOX").unread == 3
    assert shelf.mailboxes.get(name="More").unread == 1


def test_a_deleted_mailbox_goes(box: Mailbox, shelf: Account) -> None:
    mailbox_rows.apply_list(shelf, [])
    assert not shelf.mailboxes.exists()
