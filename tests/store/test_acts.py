"""Every act on mail against Dovecot, with each set of capabilities a server may have, while another client looks on."""

from __future__ import annotations

import pytest
from django.utils import timezone

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
    mark_deleted,
    on_server,
    refresh,
    rows,
    shown,
    state,
    work,
)
from webmail.models import Account, Job, Mailbox
from webmail.protocol.connection import Connection
from webmail.protocol.errors import Refused
from webmail.protocol.types import Flag
from webmail.store import index, jobs, leases, pools, undoing, working
from webmail.store.afterwards import Afterwards
from webmail.store.kinds.kind import CannotUndo

__all__ = ["box", "lacking", "mailbox_on"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_moved_at_once_and_for_real(
    lacking: tuple[str, ...], box: Mailbox, mailbox_on: Account, mail_user: MailUser
) -> None:
    papers, keys = box_of(mailbox_on, "Papers"), {row.subject: row.pk for row in rows(box, 1, 2, 5)}
    job = jobs.record_move(rows(box, 1, 2, 5), papers, idem_key=key())
    assert shown(papers) == ["Letter 1", "Letter 2", "Letter 5"], "shown at once"
    assert shown(box) == ["Letter 3", "Letter 4", "Letter 6"]
    assert (counts(box), counts(papers)) == ((3, 2), (3, 2))
    assert on_server(mail_user, "Papers") == {}
    refresh(mailbox_on, "INBOX", "Papers")
    assert (shown(box), counts(box)) == (["Letter 3", "Letter 4", "Letter 6"], (3, 2)), "a sync takes nothing back"
    assert counts(papers) == (3, 2)
    work(mailbox_on)
    assert state(job) == Job.State.DONE
    assert on_server(mail_user, "Papers") == {"Letter 1": 1, "Letter 2": 1, "Letter 5": 1}
    assert sorted(on_server(mail_user, "INBOX")) == ["Letter 3", "Letter 4", "Letter 6"]
    assert {row.subject: row.pk for row in papers.messages.all()} == keys, "rows keep their keys"
    alike(mail_user, mailbox_on, ("INBOX", "Papers"))
    refresh(mailbox_on, "INBOX", "Papers")
    assert {row.subject: row.pk for row in papers.messages.all()} == keys
    alike(mail_user, mailbox_on, ("INBOX", "Papers"))


def test_a_move_is_undone(lacking: tuple[str, ...], box: Mailbox, mailbox_on: Account, mail_user: MailUser) -> None:
    keys = {row.subject: row.pk for row in box.messages.all()}
    job = jobs.record_archive(rows(box, 1, 2), idem_key=key())
    work(mailbox_on)
    assert sorted(on_server(mail_user, "Archive")) == ["Letter 1", "Letter 2"]
    once = key()
    back = undoing.undo(job, once)
    assert back == undoing.undo(job, once), "a double click is one"
    assert shown(box) == ALL
    work(mailbox_on)
    assert state(back) == Job.State.DONE
    assert (sorted(on_server(mail_user, "INBOX")), on_server(mail_user, "Archive")) == (ALL, {})
    assert {row.subject: row.pk for row in box.messages.all()} == keys
    alike(mail_user, mailbox_on, ("INBOX", "Archive"))
    with pytest.raises(CannotUndo, match="already"):
        undoing.undo(job, key())


def test_what_waits_is_simply_cancelled(box: Mailbox, mailbox_on: Account, mail_user: MailUser) -> None:
    keys = {row.subject: row.pk for row in box.messages.all()}
    job = jobs.record_delete(rows(box, 3), idem_key=key())
    assert undoing.undo(job, key()) == job
    assert state(job) == Job.State.CANCELLED
    assert ({row.subject: row.pk for row in box.messages.all()}, counts(box)) == (keys, (6, 4))
    work(mailbox_on)
    alike(mail_user, mailbox_on, ("INBOX", "Trash"))


def test_what_later_acts_build_on_is_not_cancelled_under_them(
    box: Mailbox, mailbox_on: Account, mail_user: MailUser
) -> None:
    """Moved, and moved on: without the first move the second one could not be done."""
    papers, archive = box_of(mailbox_on, "Papers"), box_of(mailbox_on, "Archive")
    one = jobs.record_move(rows(box, 1, 2), papers, idem_key=key())
    two = jobs.record_move(rows(papers, 1), archive, idem_key=key())
    assert not undoing.cancel(one)
    with pytest.raises(CannotUndo, match="Undo that first"):
        undoing.undo(one, key())
    assert undoing.undo(two, key()) == two
    three = jobs.record_move(rows(papers, 2), archive, idem_key=key())
    work(mailbox_on)
    assert [state(job) for job in (one, two, three)] == [Job.State.DONE, Job.State.CANCELLED, Job.State.DONE]
    assert (on_server(mail_user, "Papers"), on_server(mail_user, "Archive")) == ({"Letter 1": 1}, {"Letter 2": 1})
    alike(mail_user, mailbox_on, ("INBOX", "Papers", "Archive"))


def test_deleted_to_the_trash_and_then_for_good(
    lacking: tuple[str, ...], box: Mailbox, mailbox_on: Account, mail_user: MailUser
) -> None:
    jobs.record_delete(rows(box, 1, 6), idem_key=key())
    work(mailbox_on)
    trash = box_of(mailbox_on, "Trash")
    assert sorted(on_server(mail_user, "Trash")) == ["Letter 1", "Letter 6"]
    job = jobs.record_delete(rows(trash, 1), idem_key=key())
    assert job.kind == Job.Kind.EXPUNGE
    assert (shown(trash), counts(trash)) == (["Letter 6"], (1, 1))
    work(mailbox_on)
    assert on_server(mail_user, "Trash") == {"Letter 6": 1}
    alike(mail_user, mailbox_on, ("INBOX", "Trash"))
    with pytest.raises(CannotUndo, match="can't be brought back"):
        undoing.undo(Job.objects.get(pk=job.pk), key())


def test_what_another_client_marked_is_never_expunged(
    lacking: tuple[str, ...], box: Mailbox, mailbox_on: Account, mail_user: MailUser
) -> None:
    mark_deleted(mail_user, "INBOX", "6")
    jobs.record_move(rows(box, 1), box_of(mailbox_on, "Papers"), idem_key=key())
    jobs.record_delete(rows(box, 2), for_good=True, idem_key=key())
    work(mailbox_on)
    assert on_server(mail_user, "Papers") == {"Letter 1": 1}
    left = ["Letter 3", "Letter 4", "Letter 5", "Letter 6"]
    assert sorted(on_server(mail_user, "INBOX")) == (sorted(ALL) if "UIDPLUS" in lacking else left)
    for _ in range(2):
        assert shown(box) == left, "what could only be marked is hidden, and a sync doesn't bring it back"
        assert counts(box)[0] == 4
        refresh(mailbox_on, "INBOX", "Papers")
    mark_deleted(mail_user, "INBOX", "6" if "UIDPLUS" in lacking else "4", "-")
    jobs.record_delete(rows(box, 3), for_good=True, idem_key=key())
    work(mailbox_on)
    assert sorted(on_server(mail_user, "INBOX")) == ["Letter 4", "Letter 5", "Letter 6"], "and goes when it may"
    refresh(mailbox_on, "INBOX")
    alike(mail_user, mailbox_on, ("INBOX", "Papers"))


def test_copied(lacking: tuple[str, ...], box: Mailbox, mailbox_on: Account, mail_user: MailUser) -> None:
    job = jobs.record_copy(rows(box, 1, 3), box_of(mailbox_on, "Papers"), idem_key=key())
    work(mailbox_on)
    assert sorted(on_server(mail_user, "Papers")) == ["Letter 1", "Letter 3"]
    assert sorted(on_server(mail_user, "INBOX")) == ALL
    alike(mail_user, mailbox_on, ("INBOX", "Papers"))
    job.refresh_from_db()
    undoing.undo(job, key())
    work(mailbox_on)
    assert on_server(mail_user, "Papers") == {}
    assert sorted(on_server(mail_user, "INBOX")) == ALL


def test_junk_says_so_to_filters(box: Mailbox, mailbox_on: Account, mail_user: MailUser) -> None:
    job = jobs.record_junk(rows(box, 2), idem_key=key())
    work(mailbox_on)
    assert "$Junk" in flags_of(mail_user, "Junk", "Letter 2")
    undoing.undo(Job.objects.get(pk=job.pk), key())
    work(mailbox_on)
    flags = flags_of(mail_user, "INBOX", "Letter 2")
    assert "$Junk" not in flags
    assert "$NotJunk" in flags
    jobs.record_junk(rows(box, 2), idem_key=key())
    work(mailbox_on)
    jobs.record_junk(rows(box_of(mailbox_on, "Junk"), 2), junk=False, idem_key=key())
    work(mailbox_on)
    assert "$NotJunk" in flags_of(mail_user, "INBOX", "Letter 2")
    alike(mail_user, mailbox_on, ("INBOX", "Junk"))


def test_labels(box: Mailbox, mailbox_on: Account, mail_user: MailUser) -> None:
    job = jobs.record_flags(rows(box, 1, 2), label=["Work"], idem_key=key())
    assert {row.keywords for row in rows(box, 1, 2)} == {"Work"}
    work(mailbox_on)
    assert "Work" in flags_of(mail_user, "INBOX", "Letter 1")
    undoing.undo(Job.objects.get(pk=job.pk), key())
    work(mailbox_on)
    assert "Work" not in flags_of(mail_user, "INBOX", "Letter 1")
    assert {row.keywords for row in rows(box, 1, 2)} == {""}


def test_acts_on_a_message_that_is_still_on_its_way(
    lacking: tuple[str, ...], box: Mailbox, mailbox_on: Account, mail_user: MailUser
) -> None:
    """Moved, flagged where it is shown, and moved on: three jobs, the later ones learn its real UID."""
    papers, archive = box_of(mailbox_on, "Papers"), box_of(mailbox_on, "Archive")
    [row] = rows(box, 1)
    one = jobs.record_move([row], papers, idem_key=key())
    two = jobs.record_flags(rows(papers, 1), add=[Flag.FLAGGED], idem_key=key())
    three = jobs.record_move(rows(papers, 1), archive, idem_key=key())
    assert (shown(papers), shown(archive)) == ([], ["Letter 1"])
    assert two.early
    work(mailbox_on)
    assert [state(job) for job in (one, two, three)] == [Job.State.DONE] * 3
    assert on_server(mail_user, "Archive") == {"Letter 1": 1}
    assert "\\Flagged" in flags_of(mail_user, "Archive", "Letter 1")
    assert archive.messages.get().pk == row.pk
    alike(mail_user, mailbox_on, ("INBOX", "Papers", "Archive"))


def test_what_builds_on_a_refused_move_falls_with_it(
    box: Mailbox, mailbox_on: Account, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    papers, archive = box_of(mailbox_on, "Papers"), box_of(mailbox_on, "Archive")
    one = jobs.record_move(rows(box, 1), papers, idem_key=key())
    two = jobs.record_move(rows(papers, 1), archive, idem_key=key())
    with monkeypatch.context() as patch:

        def refuse(*_args: object, **_more: object) -> None:
            raise Refused("Your mail account is full, so nothing more can be put into it.", "quota", "OVERQUOTA")

        patch.setattr(Connection, "move", refuse)
        work(mailbox_on)
    assert (state(one), state(two)) == (Job.State.FAILED, Job.State.FAILED)
    assert one.error == "Your mail account is full, so nothing more can be put into it. (quota)"
    assert shown(box) == ALL
    assert (counts(box), counts(papers), counts(archive)) == ((6, 4), (0, 0), (0, 0))
    alike(mail_user, mailbox_on, ("INBOX", "Papers", "Archive"))
    assert undoing.retry(one)
    work(mailbox_on)
    assert on_server(mail_user, "Papers") == {"Letter 1": 1}
    alike(mail_user, mailbox_on, ("INBOX", "Papers"))


def test_one_that_another_client_took(
    lacking: tuple[str, ...], box: Mailbox, mailbox_on: Account, mail_user: MailUser
) -> None:
    with mail_user.imap() as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", "(\\Deleted)")
        client.expunge()
    job = jobs.record_archive(rows(box, 1, 3), idem_key=key())
    work(mailbox_on)
    assert state(job) == Job.State.DONE
    assert job.evidence["lost"] == 1
    assert on_server(mail_user, "Archive") == {"Letter 3": 1}
    alike(mail_user, mailbox_on, ("INBOX", "Archive"))


def test_a_session_that_still_speaks_of_what_was_moved(box: Mailbox, mailbox_on: Account, mail_user: MailUser) -> None:
    """It had the mailbox selected before: what it says comes after the move, and must bring no row back."""
    with pools.lend(mailbox_on, "INBOX") as imap:
        imap.select("INBOX", fresh=True)
        stale = imap.fetch_range("INBOX", box.uidvalidity, 1, None)
    jobs.record_move(rows(box, 1), box_of(mailbox_on, "Papers"), idem_key=key())
    work(mailbox_on)
    index.apply_messages(box, stale, read_at=timezone.now())
    assert shown(box) == ALL[1:]


def test_away_and_back_and_acted_on_before_any_of_it(box: Mailbox, mailbox_on: Account, mail_user: MailUser) -> None:
    """It is in the second mailbox twice: what is recorded last means the second time."""
    papers, archive = box_of(mailbox_on, "Papers"), box_of(mailbox_on, "Archive")
    [row] = rows(box, 1)
    jobs.record_move([row], papers, idem_key=key())
    jobs.record_move(rows(papers, 1), archive, idem_key=key())
    jobs.record_move(rows(archive, 1), papers, idem_key=key())
    with leases.take(mailbox_on.pk) as lease:
        assert lease is not None
        working._go_on(lease, Afterwards())  # it has come to Papers for the first time
    refresh(mailbox_on, "INBOX", "Papers", "Archive")
    jobs.record_flags(rows(papers, 1), add=[Flag.FLAGGED], idem_key=key())
    work(mailbox_on)
    assert on_server(mail_user, "Papers") == {"Letter 1": 1}
    assert "\\Flagged" in flags_of(mail_user, "Papers", "Letter 1")
    assert papers.messages.get().pk == row.pk
    alike(mail_user, mailbox_on, ("INBOX", "Papers", "Archive"))
