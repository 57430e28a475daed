"""Acts on all that matches, as it was when that was said."""

from __future__ import annotations

import pytest

from tests.reader import letter
from tests.servers import MailUser
from tests.store.acting import (
    ALL,
    alike,
    box,
    box_of,
    counts,
    flags_of,
    key,
    lacking,
    mailbox_on,
    on_server,
    refresh,
    rows,
    shown,
    state,
    work,
)
from webmail.models import Account, Job, Mailbox, Message
from webmail.store import jobs, undoing
from webmail.store.selecting import Selection

__all__ = ["box", "lacking", "mailbox_on"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_all_read_and_exactly_that_undone(box: Mailbox, mailbox_on: Account, mail_user: MailUser) -> None:
    job = jobs.record_mark_read(Selection(box), idem_key=key())
    assert (job.count, counts(box)) == (4, (6, 0))
    work(mailbox_on)
    assert all("\\Seen" in flags_of(mail_user, "INBOX", subject) for subject in ALL)
    undoing.undo(Job.objects.get(pk=job.pk), key())
    assert counts(box) == (6, 4)
    work(mailbox_on)
    read = [subject for subject in ALL if "\\Seen" in flags_of(mail_user, "INBOX", subject)]
    assert read == ["Letter 2", "Letter 4"]
    alike(mail_user, mailbox_on, ("INBOX",))


def test_a_selection_is_what_it_was(box: Mailbox, mailbox_on: Account, mail_user: MailUser) -> None:
    """What arrives later isn't meant, nor what was taken out of it again."""
    [kept] = rows(box, 5)
    job = jobs.record_move(Selection(box, "unread", without=[kept.pk]), box_of(mailbox_on, "Papers"), idem_key=key())
    mail_user.append("INBOX", letter(7))
    refresh(mailbox_on, "INBOX")
    work(mailbox_on)
    assert job.count == 3
    assert sorted(on_server(mail_user, "Papers")) == ["Letter 1", "Letter 3", "Letter 6"]
    assert sorted(on_server(mail_user, "INBOX")) == ["Letter 2", "Letter 4", "Letter 5", "Letter 7"]
    alike(mail_user, mailbox_on, ("INBOX", "Papers"))


def test_a_selection_beyond_the_index(box: Mailbox, mailbox_on: Account, mail_user: MailUser) -> None:
    """A mailbox of which only the newest is indexed: the server says what else is meant."""
    Mailbox.objects.filter(pk=box.pk).update(lowest_uid=5)
    Message.objects.filter(mailbox=box, uid__lt=5).delete()
    box.refresh_from_db()
    job = jobs.record_mark_read(Selection(box), idem_key=key())
    work(mailbox_on)
    assert state(job) == Job.State.DONE
    assert all("\\Seen" in flags_of(mail_user, "INBOX", subject) for subject in ALL)
    undoing.undo(job, key())
    work(mailbox_on)
    assert [s for s in ALL if "\\Seen" in flags_of(mail_user, "INBOX", s)] == ["Letter 2", "Letter 4"]


def test_emptied(lacking: tuple[str, ...], box: Mailbox, mailbox_on: Account, mail_user: MailUser) -> None:
    jobs.record_empty(box, idem_key=key())
    assert (shown(box), counts(box)) == ([], (0, 0))
    mail_user.append("INBOX", letter(7))
    work(mailbox_on)
    assert sorted(on_server(mail_user, "INBOX")) == ["Letter 7"]
    refresh(mailbox_on, "INBOX")
    alike(mail_user, mailbox_on, ("INBOX",))
