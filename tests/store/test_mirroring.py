"""A draft in the Drafts mailbox: one copy, replaced, whatever dies in between; nothing of other programs is touched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.servers import MailUser
from tests.store.acting import box_of, mark_deleted, shown, work
from tests.store.copying import again, carry_out, hers, in_drafts, missing, pause, subjects
from tests.store.writing import PoliteSmtp, send, time_passes, use, write
from webmail.models import Account, Draft, DraftCopy, Mailbox
from webmail.protocol.connection import Connection
from webmail.protocol.errors import ConnectionLost, Refused
from webmail.protocol.reply import Kind
from webmail.store import answering, draft_copies, draft_files, drafts, jobs, mirroring, outbox, sending, sync, undoing
from webmail.store.drafts import Values

__all__ = ["hers", "missing"]
pytestmark = pytest.mark.django_db(transaction=True)
WORDS = Values(to="Bob <bob@demo.test>, half@", bcc="carol@demo.test", subject="Ferry", text="At nine.")
THEIRS = "\r\n".join((
    "From: alice@demo.test", "To: bob@demo.test", "Bcc: carol@demo.test", "Subject: =?utf-8?q?Pl=C3=A1n?=",
    "Message-ID: <theirs@demo.test>", "In-Reply-To: <one@demo.test>",
    "References: <zero@demo.test> <one@demo.test>", "MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="m"',
    "", "--m", "Content-Type: text/html; charset=utf-8", "", "<p>At <b>nine</b>.</p>",
    "--m", 'Content-Type: text/plain; name="plan.txt"', 'Content-Disposition: attachment; filename="plan.txt"', "",
    "a plan", "--m--", "",
)).encode()  # fmt: skip


def test_the_copy_is_the_draft(hers: Account, mail_user: MailUser) -> None:
    draft = write(hers, WORDS, in_reply_to=["one@demo.test"], references=["one@demo.test"])
    draft_files.attach(hers.user, draft.id, "plán.txt", "text/plain", b"a plan")
    assert mirroring.due() == [], "somebody types"
    carry_out()
    [mail] = in_drafts(mail_user)
    assert (mail["To"], mail["Bcc"], mail["Subject"]) == ("Bob <bob@demo.test>", "carol@demo.test", "Ferry")
    assert (mail["In-Reply-To"], mail["X-Draft-Key"]) == ("<one@demo.test>", draft.id.hex)
    assert "At nine." in mail.get_body().get_content()  # type: ignore[attr-defined]
    assert [part.get_filename() for part in mail.iter_attachments()] == ["plán.txt"]  # type: ignore[attr-defined]
    [row] = box_of(hers, "Drafts").messages.all()
    assert (row.subject, row.draft, row.seen) == ("Ferry", True, True)
    copy = draft_copies.of_message(row)
    assert copy is not None
    assert copy.draft_id == draft.id
    assert (mirroring.due(), mirroring.loose()) == ([], [])


def test_it_is_replaced_and_not_too_often(hers: Account, mail_user: MailUser) -> None:
    mail_user.append("Drafts", b"Subject: Somebody else's\r\n\r\nx\r\n")
    draft = write(hers)
    carry_out()
    for number in range(3):
        again(hers, draft, subject=f"Ferry {number}")
        assert subjects(mail_user) == ["Ferry" if not number else f"Ferry {number - 1}", "Somebody else's"]
        carry_out()
    assert subjects(mail_user) == ["Ferry 2", "Somebody else's"]
    assert shown(box_of(hers, "Drafts")) == ["Ferry 2", "Somebody else's"]
    assert DraftCopy.objects.count() == 1
    row = Draft.objects.get()
    for _ in range(10):
        row.touch()
    assert row.copy_since is not None
    assert row.copy_at is not None
    assert row.copy_at - row.saved_at <= timedelta(seconds=10)
    row.copy_since -= timedelta(seconds=55)
    row.touch()
    assert row.copy_at - row.saved_at <= timedelta(seconds=5), "a minute behind at most"


def test_what_is_large_or_blank_waits(hers: Account, mail_user: MailUser) -> None:
    blank = write(hers, Values())
    draft = write(hers)
    draft_files.attach(hers.user, draft.id, "large.bin", "application/octet-stream", b"x" * 1_100_000)
    carry_out()
    assert len(in_drafts(mail_user)) == 1
    again(hers, draft, subject="Later")
    carry_out()
    assert subjects(mail_user) == ["Ferry"]
    row = Draft.objects.get(pk=draft.id)
    assert row.copy_at is not None
    assert row.copy_at > timezone.now() + timedelta(seconds=50)
    Draft.objects.filter(pk=draft.id).update(saved_at=timezone.now() - timedelta(minutes=2))
    carry_out()
    assert subjects(mail_user) == ["Later"]
    assert Draft.objects.get(pk=blank.id).copy_at is None


def test_thrown_away_or_moved_to_another_account(hers: Account, mail_user: MailUser) -> None:
    one, two = write(hers), write(hers, Values(subject="Other"))
    carry_out()
    drafts.discard(hers.user, one.id)
    assert shown(box_of(hers, "Drafts")) == ["Other"], "at once"
    sync.refresh(box_of(hers, "Drafts"))
    assert shown(box_of(hers, "Drafts")) == ["Other"]
    Draft.objects.filter(pk=two.id).delete()  # however it goes
    carry_out()
    assert (subjects(mail_user), DraftCopy.objects.count()) == ([], 0)
    box = box_of(hers, "Drafts")
    assert (box.exists, box.leaving.count()) == (0, 0)


def test_sent(hers: Account, mail_user: MailUser) -> None:
    with PoliteSmtp() as server:
        use(hers, server)
        submission = send(hers)
        Draft.objects.update(copy_at=timezone.now())
        carry_out()
        assert in_drafts(mail_user) == [], "it is on its way"
        outbox.take_back(hers.user, submission.pk)
        carry_out()
        assert len(in_drafts(mail_user)) == 1
        draft = Draft.objects.get()
        again_sent = outbox.send(hers.user, draft.pk, version=draft.version, form_key="again")
        sending.carry_out(again_sent.pk)
        time_passes(again_sent)
        carry_out()
    assert (in_drafts(mail_user), DraftCopy.objects.count(), Draft.objects.count()) == ([], 0, 0)
    assert b"X-Draft-Key" not in server.messages[0]
    assert b"Bcc" not in server.messages[0]


def test_what_another_program_marked_stays(missing: tuple[str, ...], hers: Account, mail_user: MailUser) -> None:
    mail_user.append("Drafts", b"Subject: Foreign\r\n\r\nx\r\n")
    mark_deleted(mail_user, "Drafts", "1")
    draft = write(hers)
    carry_out()
    again(hers, draft, subject="Ferry 2")
    carry_out(2)
    left = ["Ferry"] if "UIDPLUS" in missing else []
    assert subjects(mail_user) == [*left, "Ferry 2", "Foreign"]
    assert "Ferry" not in shown(box_of(hers, "Drafts"))
    mark_deleted(mail_user, "Drafts", "1", "-")
    carry_out(2)
    assert subjects(mail_user) == ["Ferry 2", "Foreign"]


def test_an_answer_that_is_lost(hers: Account, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it was filed or not, and be it late: one copy in the end."""
    real = Connection.append
    late: list[Callable[[], object]] = []

    def no_answer(imap: Connection, *args: object, **more: object) -> object:
        late.append(lambda: real(imap, *args, **more))  # type: ignore[arg-type]
        raise ConnectionLost

    def filed_but_no_answer(imap: Connection, *args: object, **more: object) -> object:
        real(imap, *args, **more)  # type: ignore[arg-type]
        raise ConnectionLost

    draft = write(hers)
    with monkeypatch.context() as patch:
        patch.setattr(Connection, "append", filed_but_no_answer)
        pause()
        mirroring.mirror(draft.id)
    assert mirroring.loose() == [], "what was sent may still be being filed"
    carry_out()
    assert (subjects(mail_user), DraftCopy.objects.get().state) == (["Ferry"], "there")
    again(hers, draft, subject="Ferry 2")
    with monkeypatch.context() as patch:
        patch.setattr(Connection, "append", no_answer)
        pause()
        mirroring.mirror(draft.id)
    carry_out()  # it isn't there
    carry_out()
    assert subjects(mail_user) == ["Ferry 2"]
    [lost] = DraftCopy.objects.filter(state="lost")
    mail_user.append("Drafts", f"Message-ID: <{lost.message_id}>\r\nSubject: Late\r\n\r\nx\r\n".encode())
    carry_out(2)
    assert (subjects(mail_user), DraftCopy.objects.count()) == (["Ferry 2"], 1)


def test_another_program_changed_it(hers: Account, mail_user: MailUser) -> None:
    draft = write(hers)
    carry_out()
    mail_user.append("Drafts", b"X-Draft-Key: %s\r\nSubject: Theirs\r\n\r\nx\r\n" % draft.id.hex.encode())
    with mail_user.imap() as client:
        client.select("Drafts")
        client.store("1", "+FLAGS", "(\\Deleted)")
        client.expunge()
    again(hers, draft, subject="Ours")
    carry_out()
    assert subjects(mail_user) == ["Ours", "Theirs"]
    found = drafts.find(hers.user, draft.id)
    assert found is not None
    assert found.said == draft_copies.CHANGED
    again(hers, draft, subject="Ours 2")
    carry_out()
    assert subjects(mail_user) == ["Ours 2", "Theirs"]


def test_another_program_took_it_away(hers: Account, mail_user: MailUser) -> None:
    draft = write(hers)
    carry_out()
    with mail_user.imap() as client:
        client.select("Drafts")
        client.store("1", "+FLAGS", "(\\Deleted)")
        client.expunge()
    carry_out()
    assert subjects(mail_user) == [], "nothing was typed since"
    again(hers, draft, subject="Ours")
    carry_out()
    assert subjects(mail_user) == ["Ours"]
    assert Draft.objects.get().copy_said == draft_copies.REMOVED


def test_no_mailbox_for_drafts_is_said_once(hers: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    hers.mailboxes.filter(role="drafts").update(role="")
    monkeypatch.setattr(sync, "list_mailboxes", lambda _account: None)  # as a server answers that has none
    one, two = write(hers), write(hers)
    carry_out()
    said = [Draft.objects.get(pk=each.id).copy_said for each in (one, two)]
    assert sorted(said) == ["", draft_copies.NO_MAILBOX]
    assert (mirroring.due(), DraftCopy.objects.count()) == ([], 0)


def test_a_mailbox_that_is_full_or_renumbered(
    hers: Account, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = write(hers)

    def full(*_: object, **__: object) -> object:
        raise Refused("Your mail account is full.")

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "append", full)
        carry_out()
    assert "Your mail account is full." in Draft.objects.get().copy_said
    assert mirroring.due() == []
    again(hers, draft, subject="Ferry 2")
    carry_out()
    assert (subjects(mail_user), Draft.objects.get().copy_said) == (["Ferry 2"], "")
    raw = b"Message-ID: <%s>\r\nSubject: Ferry 2\r\n\r\nx\r\n" % DraftCopy.objects.get().message_id.encode()
    with mail_user.imap() as client:
        client.delete("Drafts")
        client.create("Drafts")
    mail_user.append("Drafts", b"Subject: Foreign\r\n\r\nx\r\n")
    mail_user.append("Drafts", raw)
    again(hers, draft, subject="Ferry 3")
    carry_out(2)
    assert subjects(mail_user) == ["Ferry 3", "Foreign"]


def test_moved_by_the_person_it_is_a_message(hers: Account, mail_user: MailUser) -> None:
    draft, newer = write(hers), write(hers, Values(subject="Newer"))
    carry_out()
    again(hers, newer, text="words that the copy has not")
    box: Mailbox = box_of(hers, "Drafts")
    job = jobs.record_move(list(box.messages.select_related("mailbox__account")), box_of(hers, "Trash"), idem_key="x")
    assert [row.pk for row in Draft.objects.all()] == [newer.id]
    assert Draft.objects.get().copy_at is None, "it doesn't come back by itself"
    work(hers)
    carry_out()
    assert (subjects(mail_user), drafts.find(hers.user, draft.id)) == ([], None)
    undoing.undo(job, "y")
    work(hers)
    assert subjects(mail_user) == ["Ferry", "Newer"]
    assert not DraftCopy.objects.exists()


def test_another_programs_draft_is_written_on_here(hers: Account, mail_user: MailUser) -> None:
    """All of it is taken over; nothing happens to it until it is saved; then ours takes its place."""
    mail_user.append("INBOX", b"Message-ID: <one@demo.test>\r\nSubject: Question\r\n\r\nx\r\n")
    sync.refresh(box_of(hers, "INBOX"))
    mail_user.append("Drafts", THEIRS, "\\Draft \\Seen")
    box = box_of(hers, "Drafts")
    sync.refresh(box)
    message = box.messages.select_related("mailbox", "account__provider", "account__user").get()
    begun = [answering.begin(hers.user, message, Kind.EDIT_DRAFT, form_key=key, is_signed=True) for key in "ab"]
    assert [(each.draft.id, each.left_out) for each in begun] == [(begun[0].draft.id, ())] * 2
    draft = begun[0].draft
    values = draft.values
    assert (values.to, values.bcc, values.subject) == ("bob@demo.test", "carol@demo.test", "Plán")
    assert (values.is_html, "<b>nine</b>" in values.html) == (True, True)
    assert [(file.name, file.size) for file in draft.files] == [("plan.txt", 6)]
    row = Draft.objects.get()
    assert (row.kind, row.in_reply_to, row.references) == ("reply", "one@demo.test", "zero@demo.test one@demo.test")
    carry_out()
    assert subjects(mail_user) == ["Plán"]
    assert draft_copies.draft_of(message) == draft.id, "opened again it leads to the same"
    again(hers, draft, subject="Plan B")
    carry_out()
    assert subjects(mail_user) == ["Plan B"]


def test_drafts_without_a_message_id_are_told_apart(hers: Account, mail_user: MailUser) -> None:
    for name in (b"One", b"Two"):
        mail_user.append("Drafts", b"To: bob@demo.test\r\nSubject: %s\r\n\r\nx\r\n" % name, "\\Draft")
    box = box_of(hers, "Drafts")
    sync.refresh(box)
    rows = box.messages.select_related("mailbox", "account__provider", "account__user")
    begun = answering.begin(hers.user, rows.get(subject="One"), Kind.EDIT_DRAFT, form_key="a")
    again(hers, begun.draft, subject="One here")
    carry_out()
    assert (subjects(mail_user), Draft.objects.get().copy_said) == (["One here", "Two"], "")


def test_nobody_wrote_in_it(hers: Account, mail_user: MailUser) -> None:
    mail_user.append("Drafts", THEIRS, "\\Draft \\Seen")
    box = box_of(hers, "Drafts")
    sync.refresh(box)
    message = box.messages.select_related("mailbox", "account__provider", "account__user").get()
    answering.begin(hers.user, message, Kind.EDIT_DRAFT, form_key="a")
    Draft.objects.update(saved_at=timezone.now() - 2 * drafts.UNTOUCHED)
    drafts.forget_untouched(hers.user)
    carry_out()
    assert (subjects(mail_user), Draft.objects.count(), DraftCopy.objects.count()) == (["Plán"], 0, 0)


def test_what_cannot_be_taken_over_whole_stays(
    hers: Account, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "_WHOLE", 10)
    mail_user.append("Drafts", THEIRS, "\\Draft \\Seen")
    box = box_of(hers, "Drafts")
    sync.refresh(box)
    message = box.messages.select_related("mailbox", "account__provider", "account__user").get()
    begun = answering.begin(hers.user, message, Kind.EDIT_DRAFT, form_key="a")
    assert begun.left_out == (answering.KEPT,)
    again(hers, begun.draft, subject="Plan B")
    carry_out()
    assert subjects(mail_user) == ["Plan B", "Plán"]
