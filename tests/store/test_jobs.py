"""The ledger against a real server: each change once, in order, whatever dies in between."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.mortal import live
from tests.reader import letter
from tests.servers import MailUser
from webmail.demo.imap_server import ImapServer
from webmail.models import Account, Job, Mailbox, Message
from webmail.protocol.connection import Connection
from webmail.protocol.errors import Refused
from webmail.protocol.types import Flag, FlagChange
from webmail.store import jobs, leases, pools, processes, sync, working
from webmail.store.bodies import client

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = ("job.leased", "flag.on_wire", "flag.answered", "job.answered", "job.settled", "job.indexed")


@pytest.fixture
def mail_user(mailbox_user: Callable[..., MailUser], imap_server: ImapServer) -> MailUser:
    """Somebody with six unread messages, on each of the two servers."""
    user = mailbox_user(imap_server)
    for number in range(1, 7):
        user.append("INBOX", letter(number))
    return user


@pytest.fixture
def box(inbox: Mailbox) -> Mailbox:
    """Their inbox, indexed."""
    sync.refresh(inbox)
    return inbox


def record(box: Mailbox, *numbers: int, add: tuple[Flag, ...] = (Flag.SEEN,), remove: tuple[Flag, ...] = ()) -> Job:
    rows = list(box.messages.select_related("mailbox").filter(subject__in=[f"Letter {n}" for n in numbers]))
    return jobs.record_flags(rows, add=add, remove=remove, idem_key=os.urandom(8).hex())


def flags_on_server(user: MailUser, number: int) -> str:
    """The flags of the message whose subject is “Letter `number`”, as another client sees them."""
    with user.imap() as client:
        client.select("INBOX", readonly=True)
        _, found = client.search(None, "HEADER", "Message-ID", f"letter-{number}@demo.test")
        _, answer = client.fetch(found[0].decode(), "(FLAGS)")
        return str(answer[0])


def row(box: Mailbox, number: int) -> Message:
    return box.messages.get(subject=f"Letter {number}")


def state(job: Job) -> str:
    job.refresh_from_db()
    return job.state


def test_a_flag_reaches_the_server(box: Mailbox, mail_user: MailUser) -> None:
    job = record(box, 1, 2)
    assert working.work(box.account_id) is False
    assert state(job) == Job.State.DONE
    assert "\\Seen" in flags_on_server(mail_user, 1)
    assert "\\Seen" in flags_on_server(mail_user, 2)
    assert "\\Seen" not in flags_on_server(mail_user, 3)
    assert box.messages.filter(seen=True).count() == 2


def test_set_then_cleared_ends_cleared(box: Mailbox, mail_user: MailUser) -> None:
    record(box, 1)
    record(box, 1, add=(), remove=(Flag.SEEN,))
    working.work(box.account_id)
    assert "\\Seen" not in flags_on_server(mail_user, 1)
    assert not row(box, 1).seen


def test_neighbours_that_ask_the_same_become_one_command(box: Mailbox) -> None:
    for number in (1, 2, 3):
        record(box, number)
    with pools.lend(box.account, box.name) as imap:
        before = imap.commands
    working.work(box.account_id)
    with pools.lend(box.account, box.name) as imap:
        assert imap.commands - before <= 3  # SELECT for writing, STORE, FETCH of what it did
    assert Job.objects.filter(state=Job.State.DONE).count() == 3


def test_a_message_gone_meanwhile_is_no_failure(box: Mailbox, mail_user: MailUser) -> None:
    with mail_user.imap() as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", "(\\Deleted)")
        client.expunge()
    job = record(box, 1, 2)
    working.work(box.account_id)
    assert state(job) == Job.State.DONE
    assert "\\Seen" in flags_on_server(mail_user, 2)


def test_a_renumbered_mailbox_is_left_alone(box: Mailbox, mail_user: MailUser) -> None:
    job = record(box, 1)
    Job.objects.update(uidvalidity=1)
    working.work(box.account_id)
    assert state(job) == Job.State.FAILED
    assert "renumbered" in job.error
    assert "\\Seen" not in flags_on_server(mail_user, 1)


def test_only_one_worker_has_an_account(box: Mailbox, mail_user: MailUser) -> None:
    Account.objects.update(lease_owner="somebody", lease_until=timezone.now() + timedelta(minutes=1))
    job = record(box, 1)
    assert working.work(box.account_id) is False
    assert state(job) == Job.State.QUEUED
    assert working.accounts_with_work() == []
    Account.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert working.accounts_with_work() == [box.account_id]
    working.work(box.account_id)
    assert state(job) == Job.State.DONE


def test_the_lease_of_a_worker_that_died_here_is_taken_at_once(box: Mailbox, mail_user: MailUser) -> None:
    """The system knows of its death; and whoever lives keeps its own, whatever Redis has forgotten."""
    job = record(box, 1)
    assert live("webmail.store.working:work", box.account_id, failpoint="flag.on_wire") == -signal.SIGKILL
    owner = Account.objects.get().lease_owner
    Account.objects.update(lease_owner=f"{processes.name()}/{owner.partition('/')[2]}")
    client.flushall()
    assert working.accounts_with_work() == [], "it lives"
    Account.objects.update(lease_owner=owner)
    assert working.accounts_with_work() == [box.account_id]
    working.work(box.account_id)
    assert state(job) == Job.State.DONE
    assert "\\Seen" in flags_on_server(mail_user, 1)


def test_a_worker_that_nobody_has_buried_yet_is_dead() -> None:
    """Killed, and still in the table of processes because its parent is busy."""
    child = os.fork()
    if child == 0:
        signal.pause()
    name = ":".join(["worker", processes.name().split(":")[1], str(child), "0"])
    assert not processes.has_ended_here(name)
    assert not processes.has_ended_here(f"worker:elsewhere:{child}:0")
    os.kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert processes.has_ended_here(name)
    os.waitpid(child, 0)
    assert processes.has_ended_here(name)
    assert not processes.has_ended_here(f"worker:elsewhere:{child}:0")


def test_a_worker_that_died_elsewhere_is_known_to_be_dead(box: Mailbox, mail_user: MailUser) -> None:
    """Once it is overdue and gives no sign of life; but not while Redis can't know, having come up empty."""
    job = record(box, 1)
    assert live("webmail.store.working:work", box.account_id, failpoint="flag.on_wire") == -signal.SIGKILL
    process = "worker:elsewhere:7:0"
    Account.objects.update(lease_owner=f"{process}/1")

    def may_work() -> bool:
        return working.accounts_with_work() == [box.account_id]

    assert not may_work(), "it may have been renewed a moment ago"
    Account.objects.update(lease_until=timezone.now() + leases.LEASE - leases.OVERDUE)
    client.flushall()
    assert not may_work(), "nobody is known to Redis yet"
    client.set("processes-since", 1)
    client.set(f"{processes.PREFIX}{process}", 1)
    assert not may_work(), "it lives"
    assert working.work(box.account_id) is False
    client.delete(f"{processes.PREFIX}{process}")
    assert may_work()
    working.work(box.account_id)
    assert state(job) == Job.State.DONE
    assert "\\Seen" in flags_on_server(mail_user, 1)


def test_what_a_dead_worker_was_copying_is_looked_for_later(box: Mailbox, mail_user: MailUser) -> None:
    """The server may still be at it, and then the copy isn't there yet."""
    with mail_user.imap() as imap:
        imap.create("Papers")
    sync.list_mailboxes(box.account)
    papers = Mailbox.objects.get(name="Papers")
    copy = jobs.record_copy([row(box, 1)], papers, idem_key="copy")
    other = record(box, 2)
    assert live("webmail.store.working:work", box.account_id, failpoint="copy.on_wire") == -signal.SIGKILL
    Account.objects.update(lease_until=timezone.now() + leases.LEASE - leases.OVERDUE)
    client.flushall()
    client.set("processes-since", 1)
    working.work(box.account_id)
    assert (state(copy), state(other)) == (Job.State.ON_WIRE, Job.State.DONE)
    copy.refresh_from_db()
    assert copy.not_before > timezone.now() + working.DOUBT_PAUSE / 2


def test_who_lost_the_lease_sends_nothing(box: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch) -> None:
    job = record(box, 1)

    def steal(name: str) -> None:
        if name == "job.leased":
            Account.objects.update(lease_owner="somebody", fence=99)

    monkeypatch.setattr(working, "reach", steal)
    working.work(box.account_id)
    assert state(job) == Job.State.LEASED
    assert "\\Seen" not in flags_on_server(mail_user, 1)
    account = Account.objects.get()
    assert (account.lease_owner, account.fence) == ("somebody", 99)


def test_a_server_that_is_away_is_tried_again_later(box: Mailbox) -> None:
    job = record(box, 1)
    pools.forget(box.account)
    box.account.provider.imap_port = 1
    box.account.provider.save()
    working.work(box.account_id)
    assert state(job) == Job.State.RETRY
    assert job.attempts == 1
    assert job.not_before > timezone.now()
    assert row(box, 1).seen
    assert Account.objects.get().state == Account.State.AWAY


def test_a_job_that_never_succeeds_ends_and_holds_up_only_its_own_messages(box: Mailbox, mail_user: MailUser) -> None:
    poison, same, other = record(box, 1), record(box, 1, add=(Flag.FLAGGED,)), record(box, 2)
    Job.objects.filter(pk=poison.pk).update(
        state=Job.State.RETRY, attempts=working.MAX_ATTEMPTS, not_before=timezone.now() + timedelta(minutes=5)
    )
    working.work(box.account_id)
    assert (state(poison), state(same), state(other)) == (Job.State.RETRY, Job.State.QUEUED, Job.State.DONE)
    Job.objects.filter(pk=poison.pk).update(not_before=timezone.now())
    working.work(box.account_id)
    assert (state(poison), state(same)) == (Job.State.DEAD, Job.State.DONE)
    assert (row(box, 1).seen, row(box, 1).flagged) == (False, True)
    assert "\\Seen" not in flags_on_server(mail_user, 1)


def test_what_the_server_refuses_is_undone_and_said(box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    job = record(box, 1)
    assert row(box, 1).seen

    def refuse(*_args: object, **_more: object) -> list[FlagChange]:
        raise Refused(detail="No more than ten read messages are allowed")

    monkeypatch.setattr(Connection, "store", refuse)
    working.work(box.account_id)
    assert state(job) == Job.State.FAILED
    assert job.error == "The mail server refused. (No more than ten read messages are allowed)"
    assert not row(box, 1).seen
    box.refresh_from_db()
    assert box.unread == 6


def test_one_bad_job_spoils_no_neighbour(box: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch) -> None:
    """They went out as one command; halves of it are tried after it was refused."""
    good, bad, other = record(box, 1), record(box, 2), record(box, 3)
    poison = row(box, 2).uid
    real = Connection.store

    def refuse(imap: Connection, name: str, uidvalidity: int, uids: Sequence[int], **more: object) -> list[FlagChange]:
        if poison in uids:
            raise Refused
        return real(imap, name, uidvalidity, uids, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Connection, "store", refuse)
    working.work(box.account_id)
    assert [state(job) for job in (good, bad, other)] == [Job.State.DONE, Job.State.FAILED, Job.State.DONE]
    assert "\\Seen" not in flags_on_server(mail_user, 2)
    assert "\\Seen" in flags_on_server(mail_user, 3)


@pytest.fixture
def papers(mail_user: MailUser, box: Mailbox) -> Mailbox:
    """Another mailbox of theirs, indexed, with a copy of the first message."""
    with mail_user.imap() as client:
        client.create("Papers")
        client.select("INBOX")
        client.copy("1", "Papers")
    sync.list_mailboxes(box.account)
    made = box.account.mailboxes.select_related("account__provider").get(name="Papers")
    sync.refresh(made)
    return made


def test_a_mailbox_that_another_client_renamed_is_found_again(
    mail_user: MailUser, box: Mailbox, papers: Mailbox
) -> None:
    job = record(papers, 1)
    with mail_user.imap() as client:
        client.rename("Papers", "Letters")
    pools.forget(box.account)
    working.work(box.account_id)
    working.work(box.account_id)
    papers.refresh_from_db()
    assert papers.name == "Letters"
    assert state(job) == Job.State.DONE


def test_a_mailbox_that_is_gone(mail_user: MailUser, box: Mailbox, papers: Mailbox) -> None:
    job = record(papers, 1)
    with mail_user.imap() as client:
        client.delete("Papers")
    pools.forget(box.account)
    working.work(box.account_id)
    assert state(job) == Job.State.FAILED
    assert "no longer exists" in job.error
    with mail_user.imap() as client:
        assert client.select("Papers")[0] == "NO", "never made anew"


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step(box: Mailbox, mail_user: MailUser, step: str) -> None:
    one, two = record(box, 1, 2), record(box, 3, add=(Flag.FLAGGED,))
    assert live("webmail.store.working:work", box.account_id, failpoint=step) == -signal.SIGKILL
    Account.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert live("webmail.store.working:work", box.account_id) == 0
    assert (state(one), state(two)) == (Job.State.DONE, Job.State.DONE)
    for number, flag in ((1, "\\Seen"), (2, "\\Seen"), (3, "\\Flagged")):
        assert flag in flags_on_server(mail_user, number)
    assert "\\Seen" not in flags_on_server(mail_user, 3)
    assert set(box.messages.filter(seen=True).values_list("subject", flat=True)) == {"Letter 1", "Letter 2"}
