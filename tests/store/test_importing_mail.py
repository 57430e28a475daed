"""Files of mail put into a mailbox: all of it, once, whatever dies in between; and exactly that taken out again."""

from __future__ import annotations

import hashlib
import signal
from collections import Counter
from datetime import timedelta
from typing import BinaryIO

import pytest
from django.conf import settings
from django.utils import timezone

from tests.mortal import live
from tests.reader import letter
from tests.servers import MailUser
from tests.store.acting import LACKING, alike, box_of, flags_of, key, lose, on_server, state, work
from tests.store.test_saving import in_mailbox
from webmail import tasks
from webmail.models import Account, Job, Mailbox, Upload, UploadPiece
from webmail.protocol.appending import Appended
from webmail.protocol.connection import Connection
from webmail.protocol.errors import ConnectionLost, Refused
from webmail.store import activity, bodies, exporting, jobs, sync, undoing, uploads
from webmail.store.kinds import imports
from webmail.store.selecting import Selection

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = ("job.leased", "job.frozen", "import.noted", "import.spooled", "import.sent", "job.answered", "job.settled")
ODD = (
    letter(2, body="From here on\r\n>From there\r\n" + "x" * 300_000 + "\r\nFrom the end"),
    letter(3, body="Content-Length below\r\n\r\nFrom nobody Tue Mar  3 14:02:00 2026\r\nSubject: x\r\n\r\ny"),
    letter(4).replace(b"Content-Type", b"Content-Length: 3\r\nX-Raw: \xe9\xff\r\nContent-Type") + b"\r\n\r\n",
    letter(5).replace(b"Message-ID: <letter-5@demo.test>\r\n", b"") + b"\x80\r\r\nno line end",
)


@pytest.fixture
def target(mail_user: MailUser, account: Account) -> Mailbox:
    with mail_user.imap() as client:
        client.create("Papers")
    sync.list_mailboxes(account)
    return box_of(account, "Papers")


def put(target: Mailbox, *files: tuple[str, bytes], seen: bool = True) -> Job:
    """What the page does with these files."""
    upload = uploads.begin(target.account, key())
    for number, (_, data) in enumerate(files):
        for piece in range(0, len(data), uploads.PIECE):
            uploads.take(upload, number, piece // uploads.PIECE, data[piece : piece + uploads.PIECE])
    uploads.close(upload, [(name, len(data)) for name, data in files])
    return jobs.record_import(upload, target, seen=seen)


def mbox(*letters: bytes) -> bytes:
    line = b"From bob@demo.test Tue Mar  3 13:02:00 2026\n"
    return b"".join(line + each.replace(b"\r\n", b"\n") + b"\n" for each in letters)


def digests(user: MailUser, mailbox: str) -> Counter[str]:
    """Every message there by its octets, but for empty lines at its end."""
    return Counter(hashlib.sha256(raw.rstrip(b"\r\n")).hexdigest() for raw in in_mailbox(user, mailbox))


def test_what_was_exported_comes_back(target: Mailbox, mail_user: MailUser) -> None:
    for raw in (letter(1), *ODD):
        mail_user.append("INBOX", raw)
    account = target.account
    inbox = box_of(account, "INBOX")
    sync.refresh(inbox)
    exported = b"".join(exporting.export([Selection(inbox)], "mbox"))
    job = put(target, ("Inbox.mbox", exported))
    assert activity.what(job) == "Import mail into Papers"
    work(account)
    assert (state(job), job.count, job.done) == (Job.State.DONE, 5, 5)
    assert activity.what(job) == "Import 5 messages into Papers"
    assert digests(mail_user, "Papers") == digests(mail_user, "INBOX")
    assert not UploadPiece.objects.exists()
    dates = {row.subject: row.date for row in inbox.messages.all()}
    assert {row.subject: row.date for row in target.messages.all()} == dates

    # Again, with others and one of them twice: only what is new comes in, and Undo takes only that.
    more = put(
        target, ("Inbox.mbox", exported), ("a.eml", letter(7)), ("b.mbox", mbox(letter(8), letter(7), letter(8)))
    )
    work(account)
    more.refresh_from_db()
    assert (more.state, more.count, more.evidence["there"]) == (Job.State.DONE, 9, 7)
    assert on_server(mail_user, "Papers").total() == 7
    assert activity.describe(more, account.user).note == "7 were there already."
    undoing.undo(more, key())
    work(account)
    assert digests(mail_user, "Papers") == digests(mail_user, "INBOX")
    undoing.undo(job, key())
    work(account)
    assert on_server(mail_user, "Papers").total() == 0
    alike(mail_user, account, ["Papers"])


def test_flags_and_what_could_not_be_read(
    target: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MOST_APPENDED", 300_000)
    read = letter(1).replace(b"Subject", b"Status: RO\r\nX-Status: AF\r\nX-Keywords: Crew\r\nSubject")
    files = (
        ("old.mbox", mbox(read, letter(2).replace(b"Subject", b"Status: O\r\nSubject"), letter(3))),
        ("picture.png", b"\x89PNG\r\n\x1a\n" * 9),
        ("mail.zip", b"PK\x03\x04 and so on"),
        ("large.eml", letter(4, body="x" * 300_000)),
        ("nul.eml", letter(5, body="a\0b")),
        ("gone.mbox", mbox(letter(6).replace(b"Subject", b"X-Mozilla-Status: 0009\r\nSubject"))),
    )
    job = put(target, *files)
    work(target.account)
    act = activity.describe(job := Job.objects.get(pk=job.pk), target.account.user)
    assert (act.state, job.count) == ("Done", 8)
    assert act.note == "4 were left out."
    assert act.notes == (
        "No. 4: it is no mail message.",
        "No. 5: it is an archive: unpack it first.",
        "No. 6: it has over 300 kB.",
        "No. 7: it is in, but NUL octets, which no mail server takes, were left out.",
        "No. 8: it was deleted in Thunderbird.",
    )
    assert flags_of(mail_user, "Papers", "Letter 1").count("Crew") == 1
    assert all(flag in flags_of(mail_user, "Papers", "Letter 1") for flag in ("\\Seen", "\\Answered", "\\Flagged"))
    assert "\\Seen" not in flags_of(mail_user, "Papers", "Letter 2")
    assert "\\Seen" in flags_of(mail_user, "Papers", "Letter 3")
    assert b"ab" in in_mailbox(mail_user)[-1]


@pytest.mark.parametrize("missing", ["move+uidplus", "neither"])
def test_killed_at_each_step(
    target: Mailbox, mail_user: MailUser, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Worker after worker dies over the same file; then nothing is missing, nothing twice, and Undo takes all of it."""
    monkeypatch.setattr(Connection, "_welcome", Connection._welcome)
    lose(LACKING[missing])
    mail_user.append("Papers", letter(3))
    job = put(target, ("Old.mbox", mbox(*(letter(number) for number in range(1, 7)))))
    for step in STEPS:
        died = live("tests.store.acting:work_without", target.account_id, list(LACKING[missing]), failpoint=step)
        assert died == -signal.SIGKILL, step
        Account.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        bodies.client.flushdb()
    work(target.account)
    assert (state(job), job.done, job.evidence["there"]) == (Job.State.DONE, 6, 1)
    assert on_server(mail_user, "Papers") == Counter(f"Letter {number}" for number in range(1, 7))
    if missing != "neither":  # without UIDPLUS nothing is expunged beside what others may have marked
        undoing.undo(job, key())
        work(target.account)
        assert on_server(mail_user, "Papers") == Counter(["Letter 3"])


def failing_at(patch: pytest.MonkeyPatch, words: bytes, error: Exception) -> None:
    """The server answers like this to each message that holds these words."""
    real = Connection.append

    def append(imap: Connection, name: str, message: BinaryIO, **more: object) -> Appended:
        if message.seek(0) == 0 and words in message.read():
            raise error
        return real(imap, name, message, **more)  # type: ignore[arg-type]

    patch.setattr(Connection, "append", append)


def test_an_outage_and_a_message_that_ends_the_connection(
    target: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_at(monkeypatch, b"Letter 2", ConnectionLost())
    job = put(target, ("Old.mbox", mbox(letter(1), letter(2), letter(3))))
    work(target.account)
    assert state(job) == Job.State.DONE
    assert on_server(mail_user, "Papers") == Counter(["Letter 1", "Letter 3"])
    assert job.evidence["notes"] == [[2, "the mail server ended the connection over it each time"]]


def test_a_full_account_keeps_what_is_in_and_goes_on_later(
    target: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = put(target, ("Old.mbox", mbox(*(letter(number) for number in range(1, 6)))))
    with monkeypatch.context() as patch:
        failing_at(patch, b"Letter 3", Refused("Your mail account is full.", "Quota", "OVERQUOTA"))
        work(target.account)
    assert (state(job), job.done, job.error) == (Job.State.FAILED, 2, "Your mail account is full. (Quota)")
    assert undoing.may_retry(job)
    assert undoing.can_undo(job)
    undoing.retry(job)
    work(target.account)
    assert (state(job), job.done) == (Job.State.DONE, 5)
    assert on_server(mail_user, "Papers").total() == 5


def test_cancelled_under_way(target: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports.Imports, "most", 2)
    job = put(target, ("Old.mbox", mbox(*(letter(number) for number in range(1, 6)))))
    real = Connection.append

    def append(imap: Connection, name: str, message: BinaryIO, **more: object) -> Appended:
        if undoing.cancel(Job.objects.get(pk=job.pk)):
            assert activity.describe(Job.objects.get(pk=job.pk), target.account.user).state == "Being stopped"
        return real(imap, name, message, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Connection, "append", append)
    work(target.account)
    assert (state(job), job.done) == (Job.State.CANCELLED, 2)
    assert on_server(mail_user, "Papers").total() == 2
    undoing.undo(job, key())
    work(target.account)
    assert on_server(mail_user, "Papers").total() == 0
    uploads.forget_old()
    assert not Upload.objects.exists()


def test_it_takes_no_worker_that_people_wait_for(target: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks, "enqueue", lambda task, *_: sent.append(task.name))
    job = put(target, ("a.eml", letter(1)))
    tasks.work(target.account_id)
    assert (sent, state(job)) == (["webmail.tasks.bring_in"], Job.State.QUEUED)
    tasks.bring_in(target.account_id)
    assert state(job) == Job.State.DONE


def test_what_is_uploaded_lies_sealed_within_its_limits(target: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "IMPORT_BYTES_PER_PERSON", 3 * uploads.PIECE)
    upload = uploads.begin(target.account, "one form")
    data = b"Private to alice " * (uploads.PIECE // 17 + 1)
    uploads.take(upload, 0, 0, data[: uploads.PIECE])
    uploads.take(upload, 0, 0, data[: uploads.PIECE])
    assert b"Private" not in bytes(upload.pieces.get().data)
    assert uploads.room(target.account) == 2 * uploads.PIECE
    uploads.take(upload, 0, 1, data[uploads.PIECE :])
    uploads.take(upload, 1, 0, data[: uploads.PIECE])
    with pytest.raises(uploads.TooLarge):
        uploads.take(upload, 1, 1, data[: uploads.PIECE])
    UploadPiece.objects.filter(file=1).delete()
    with pytest.raises(uploads.NotWhole):
        uploads.close(upload, [("a.mbox", len(data) + 1)])
    uploads.close(uploads.begin(target.account, "one form"), [("a.mbox", len(data))])
    read = uploads.reader(Upload.objects.get(), 0)
    assert read(uploads.PIECE - 5, 10) == data[uploads.PIECE - 5 : uploads.PIECE + 5]
    Upload.objects.update(created_at=timezone.now() - timedelta(hours=13))
    uploads.forget_old()
    assert not UploadPiece.objects.exists()
