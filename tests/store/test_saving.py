"""An attachment saved in a mailbox: once, as itself or carried, whatever dies in between; and each refusal in words."""

from __future__ import annotations

import email
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from email.message import Message as Mail
from email.policy import SMTP, default

import pytest
from django.utils import timezone

from tests.mortal import live
from tests.servers import MailUser
from tests.store.test_jobs import state
from webmail.demo.imap_server import ImapServer
from webmail.models import Account, Job, Mailbox, Message
from webmail.protocol.appending import Appended
from webmail.protocol.connection import Connection
from webmail.protocol.errors import ConnectionLost, Forbidden, Refused
from webmail.store import enclosed, jobs, pools, saving, sync, working

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = ("job.leased", "append.spooled", "append.on_wire", "append.piece", "job.answered", "job.indexed")
PAPER = os.urandom(900_001)


@pytest.fixture
def mail_user(mailbox_user: Callable[..., MailUser], imap_server: ImapServer) -> MailUser:
    """Somebody with one message that has attachments, and a mailbox to save them in; on each of the two servers."""
    user = mailbox_user(imap_server)
    with user.imap() as client:
        client.create("Papers")
    user.append("INBOX", letter())
    return user


@pytest.fixture
def message(inbox: Mailbox) -> Message:
    """That message's row."""
    sync.refresh(inbox)
    return inbox.messages.select_related("mailbox", "account__provider").get()


@pytest.fixture
def target(message: Message) -> Mailbox:
    return message.account.mailboxes.get(name="Papers")


def letter(named: bool = True) -> bytes:
    """A message with a file at 2, and at 3 a message that has a Message-ID if it is `named`."""
    inner = EmailMessage(policy=SMTP)
    inner["Subject"] = "The older letter"
    inner["From"] = "carol@demo.test"
    inner["Date"] = "Mon, 02 Mar 2026 10:00:00 +0000"
    if named:
        inner["Message-ID"] = "<older@demo.test>"
    inner.set_content("As it was.\n")
    outer = EmailMessage(policy=SMTP)
    outer["Subject"] = "Plán na léto"
    outer["From"] = "Bob Novák <bob@demo.test>"
    outer["Date"] = "Tue, 03 Mar 2026 14:02:00 +0100"
    outer["Message-ID"] = "<outer@demo.test>"
    outer.set_content("Two things.\n")
    outer.add_attachment(PAPER, "application", "pdf", filename="plán 2026.pdf")
    outer.add_attachment(inner)
    return bytes(outer)


def record(message: Message, target: Mailbox, section: str = "2", key: str = "") -> Job:
    return jobs.record_append(message, enclosed.find(message, section), target, idem_key=key or os.urandom(8).hex())


def recorded_and_lost(message: Message, target: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job whose connection was lost when the message was sent."""
    job = record(message, target)
    with monkeypatch.context() as patch:
        patch.setattr(Connection, "append", _lost)
        working.work(message.account_id)
    assert state(job) == Job.State.RETRY
    return job


def in_mailbox(user: MailUser, mailbox: str = "Papers") -> list[bytes]:
    """Every message there, as another client sees it."""
    with user.imap() as client:
        client.select(mailbox, readonly=True)
        _, found = client.search(None, "ALL")
        return [client.fetch(number.decode(), "(BODY.PEEK[])")[1][0][1] for number in found[0].split()]  # type: ignore[index]


def carried(raw: bytes) -> tuple[Mail, Mail]:
    """A message that carries a file, and the part that is the file."""
    mail = email.message_from_bytes(raw, policy=default)
    return mail, next(part for part in mail.walk() if part.get_filename())


def test_a_file_is_carried_by_a_message(message: Message, target: Mailbox, mail_user: MailUser) -> None:
    job = record(message, target)
    name = enclosed.find(message, "2").name  # pymap doesn't tell names with other letters
    assert working.work(message.account_id) is False
    assert state(job) == Job.State.DONE
    [raw] = in_mailbox(mail_user)
    mail, part = carried(raw)
    assert mail["Subject"] == "Saved from: Plán na léto"
    assert mail["From"] == f"<{message.account.address}>" or mail["From"] == message.account.address
    assert (part.get_filename(), part.get_content_type()) == (name, "application/pdf")
    assert part.get_payload(decode=True) == PAPER
    words = mail.get_body().get_content()  # type: ignore[attr-defined]  # an EmailMessage
    assert f"{name} came with “Plán na léto”" in words
    assert "Bob Novák <bob@demo.test>, Tuesday 3 March 2026" in words
    assert all(len(line) <= 200 and line.isascii() for line in raw.split(b"\r\n"))
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert b"\\Seen" in flags_of(mail_user)


def flags_of(user: MailUser) -> bytes:
    with user.imap() as client:
        client.select("Papers", readonly=True)
        return bytes(client.fetch("1", "(FLAGS)")[1][0])  # type: ignore[arg-type]


def test_a_message_is_saved_as_itself(message: Message, target: Mailbox, mail_user: MailUser) -> None:
    job = record(message, target, "3")
    working.work(message.account_id)
    assert state(job) == Job.State.DONE
    [raw] = in_mailbox(mail_user)
    assert raw.startswith(b"Subject: The older letter\r\n")
    assert raw.rstrip().endswith(b"As it was.")
    assert job.evidence["uid"]


def test_it_shows_at_once_where_it_was_saved(message: Message, target: Mailbox) -> None:
    sync.refresh(target)
    record(message, target)
    working.work(message.account_id)
    assert target.messages.get().subject == "Saved from: Plán na léto"


def test_a_double_click_is_one_message(message: Message, target: Mailbox, mail_user: MailUser) -> None:
    one, two = record(message, target, key="once"), record(message, target, key="once")
    assert one == two
    record(message, target, key="again")
    working.work(message.account_id)
    assert len(in_mailbox(mail_user)) == 2


@pytest.mark.parametrize("section", ["2", "3"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step(message: Message, target: Mailbox, mail_user: MailUser, step: str, section: str) -> None:
    job = record(message, target, section)
    assert live("webmail.store.working:work", message.account_id, failpoint=step) == -signal.SIGKILL
    Account.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert live("webmail.store.working:work", message.account_id) == 0
    assert state(job) == Job.State.DONE
    [raw] = in_mailbox(mail_user)
    if section == "2":
        assert carried(raw)[1].get_payload(decode=True) == PAPER


@pytest.mark.parametrize("section", ["2", "3"])
@pytest.mark.parametrize("named", [True, False])
def test_an_answer_that_was_lost(
    inbox: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch, named: bool, section: str
) -> None:
    """The server has it; the worker doesn't know. It looks before it tries again."""
    with mail_user.imap() as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", "(\\Deleted)")
        client.expunge()
    mail_user.append("INBOX", letter(named))
    sync.refresh(inbox)
    message = inbox.messages.select_related("mailbox", "account__provider").get()
    target = message.account.mailboxes.get(name="Papers")
    mail_user.append("Papers", b"Subject: Was there before\r\n\r\nx\r\n")
    job = record(message, target, section)
    real = Connection.append

    def lose(imap: Connection, *args: object, **more: object) -> Appended:
        real(imap, *args, **more)  # type: ignore[arg-type]
        raise ConnectionLost

    monkeypatch.setattr(Connection, "append", lose)
    working.work(message.account_id)
    assert state(job) == Job.State.RETRY
    assert job.not_before - timezone.now() > timedelta(seconds=8), "what was sent may still be on its way to the disk"
    mail_user.append("Papers", b"Subject: Came later\r\n\r\nx\r\n")
    Job.objects.update(not_before=timezone.now())
    working.work(message.account_id)
    assert state(job) == Job.State.DONE
    assert job.evidence["looked"] == 1
    assert len(in_mailbox(mail_user)) == 3


def test_one_that_never_arrived_is_sent_again(
    message: Message, target: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = recorded_and_lost(message, target, monkeypatch)
    before = job.target_uidnext
    mail_user.append("Papers", b"Subject: Came later\r\n\r\nx\r\n")
    Job.objects.update(not_before=timezone.now())
    working.work(message.account_id)
    assert (state(job), job.target_uidnext) == (Job.State.DONE, before)
    assert len(in_mailbox(mail_user)) == 2


def test_a_renumbered_target_leaves_it_unclear(
    message: Message, target: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = recorded_and_lost(message, target, monkeypatch)
    Job.objects.update(not_before=timezone.now(), target_uidvalidity=1)
    working.work(message.account_id)
    assert state(job) == Job.State.UNCLEAR
    assert "Look there" in job.error
    assert in_mailbox(mail_user) == []


def test_a_target_that_is_gone(message: Message, target: Mailbox, mail_user: MailUser) -> None:
    job = record(message, target)
    with mail_user.imap() as client:
        client.delete("Papers")
    working.work(message.account_id)
    assert state(job) == Job.State.FAILED
    assert "no longer exists" in job.error
    with mail_user.imap() as client:
        assert not any(b"Papers" in line for line in client.list()[1]), "it is never made"  # type: ignore[operator]


def test_a_target_deleted_here_too(message: Message, target: Mailbox) -> None:
    job = record(message, target)
    target.delete()
    working.work(message.account_id)
    assert state(job) == Job.State.FAILED
    assert job.target_name == "Papers"


def test_a_full_account(message: Message, target: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object, **_more: object) -> Appended:
        raise Refused("Your mail account is full, so nothing more can be saved in it.", "quota", "OVERQUOTA")

    monkeypatch.setattr(Connection, "append", full)
    job = record(message, target)
    working.work(message.account_id)
    assert state(job) == Job.State.FAILED
    assert job.error.startswith("Your mail account is full")


def test_a_source_that_is_gone(message: Message, target: Mailbox, mail_user: MailUser) -> None:
    job = record(message, target)
    with mail_user.imap() as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", "(\\Deleted)")
        client.expunge()
    pools.forget(message.account)
    working.work(message.account_id)
    assert state(job) == Job.State.FAILED
    assert in_mailbox(mail_user) == []


def test_who_lost_the_lease_files_nothing(
    message: Message, target: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even when it is lost in the middle of the literal."""
    monkeypatch.setattr(saving, "_CHECK_SECONDS", 0.0)
    job = record(message, target)
    pieces = 0

    def steal(name: str) -> None:
        nonlocal pieces
        pieces += name == "append.piece"
        if pieces == 3:
            Account.objects.update(lease_owner="somebody", fence=99)

    monkeypatch.setattr(saving, "reach", steal)
    working.work(message.account_id)
    assert pieces >= 3
    assert state(job) == Job.State.ON_WIRE
    assert in_mailbox(mail_user) == []


def test_only_what_fits_and_only_within_the_account(message: Message, target: Mailbox) -> None:
    item = enclosed.find(message, "2")
    with pytest.raises(Forbidden, match="too large"):
        jobs.record_append(message, replace(item, size=saving.LARGEST + 1), target, idem_key="a")
    target.selectable = False
    with pytest.raises(ValueError, match="mailbox"):
        jobs.record_append(message, item, target, idem_key="b")
    assert not Job.objects.exists()


def _lost(*_args: object, **_more: object) -> Appended:
    raise ConnectionLost
