"""What is done to mailboxes, and what becomes of acts whose mailbox is no longer what it was."""

from __future__ import annotations

import pytest

from tests.servers import MailUser
from tests.store.acting import (
    ALL,
    alike,
    box,
    box_of,
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
from webmail.models import Account, Job, Mailbox
from webmail.store import jobs, mailbox_acts, sync, undoing

__all__ = ["box", "lacking", "mailbox_on"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_renumbered_mailbox_is_left_alone(box: Mailbox, mailbox_on: Account, mail_user: MailUser) -> None:
    job = jobs.record_archive(rows(box, 1), idem_key=key())
    Job.objects.update(uidvalidity=1)
    work(mailbox_on)
    assert state(job) == Job.State.FAILED
    assert "renumbered" in job.error
    assert (sorted(on_server(mail_user, "INBOX")), on_server(mail_user, "Archive")) == (ALL, {})
    assert shown(box) == ALL


def test_a_target_that_is_gone_is_never_made(
    lacking: tuple[str, ...], box: Mailbox, mailbox_on: Account, mail_user: MailUser
) -> None:
    job = jobs.record_move(rows(box, 1), box_of(mailbox_on, "Papers"), idem_key=key())
    with mail_user.imap() as client:
        client.delete("Papers")
    work(mailbox_on)
    assert state(job) == Job.State.FAILED
    assert "no longer exists" in job.error
    assert shown(box) == ALL
    assert not mailbox_on.mailboxes.filter(name="Papers").exists()
    alike(mail_user, mailbox_on, ("INBOX",))


def test_a_mailbox_is_made_and_filled_at_once(box: Mailbox, mailbox_on: Account, mail_user: MailUser) -> None:
    made = mailbox_acts.record_create(mailbox_on, "Účty", idem_key=key())
    assert made.mailbox is not None
    jobs.record_move(rows(box, 1), made.mailbox, idem_key=key())
    sync.list_mailboxes(mailbox_on)
    assert shown(made.mailbox) == ["Letter 1"], "a listing doesn't take away what is about to be made"
    work(mailbox_on)
    assert state(made) == Job.State.DONE
    refresh(mailbox_on, "INBOX", "Účty")
    alike(mail_user, mailbox_on, ("INBOX", "Účty"))
    assert box_of(mailbox_on, "Účty").pk == made.mailbox_id


def test_renamed_undone_unsubscribed_and_deleted(box: Mailbox, mailbox_on: Account, mail_user: MailUser) -> None:
    papers = box_of(mailbox_on, "Papers")
    mailbox_acts.record_create(mailbox_on, "2026", inside=papers, idem_key=key())
    work(mailbox_on)
    renamed = mailbox_acts.record_rename(papers, "Documents", idem_key=key())
    work(mailbox_on)
    assert {"Documents", "Documents/2026"} <= set(mailbox_on.mailboxes.values_list("name", flat=True))
    assert box_of(mailbox_on, "Documents").pk == papers.pk
    undoing.undo(Job.objects.get(pk=renamed.pk), key())
    work(mailbox_on)
    assert box_of(mailbox_on, "Papers").pk == papers.pk
    mailbox_acts.record_subscribe(papers, on=False, idem_key=key())
    work(mailbox_on)
    assert not box_of(mailbox_on, "Papers").subscribed
    mailbox_acts.record_remove(box_of(mailbox_on, "Papers/2026"), idem_key=key())
    removed = mailbox_acts.record_remove(box_of(mailbox_on, "Papers"), idem_key=key())
    work(mailbox_on)
    assert state(removed) == Job.State.DONE
    assert not mailbox_on.mailboxes.filter(name__startswith="Papers").exists()


def test_subscriptions_go_along_with_a_renamed_mailbox(box: Mailbox, mailbox_on: Account, mail_user: MailUser) -> None:
    """Those of the mailboxes in it too; what wasn't subscribed to still isn't."""
    papers = box_of(mailbox_on, "Papers")
    for title in ("2025", "2026"):
        mailbox_acts.record_create(mailbox_on, title, inside=papers, idem_key=key())
    work(mailbox_on)
    mailbox_acts.record_subscribe(box_of(mailbox_on, "Papers/2025"), on=False, idem_key=key())
    work(mailbox_on)
    with mail_user.imap() as client:
        client.subscribe("Papers")
    sync.list_mailboxes(mailbox_on)
    mailbox_acts.record_rename(box_of(mailbox_on, "Papers"), "Work", idem_key=key())
    work(mailbox_on)
    with mail_user.imap() as client:
        answer = b" ".join(line for line in client.lsub()[1] if isinstance(line, bytes))
    assert (b"Work/2026" in answer, b"Work/2025" in answer, b"Papers" in answer) == (True, False, False)
    found = dict(mailbox_on.mailboxes.filter(name__startswith="Work").values_list("name", "subscribed"))
    assert found == {"Work": True, "Work/2025": False, "Work/2026": True}


def test_names_that_no_mailbox_can_have(box: Mailbox, mailbox_on: Account) -> None:
    for title in ("", "  ", "a/b", "what*", "x" * 400, "papers", "a\nb\0"):
        with pytest.raises(mailbox_acts.BadName):
            mailbox_acts.record_create(mailbox_on, title, idem_key=key())
    with pytest.raises(mailbox_acts.BadName):
        mailbox_acts.record_remove(box, idem_key=key())
    assert not Job.objects.exists()
