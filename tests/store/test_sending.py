"""What a worker makes of the outbox: each message at most once, whatever dies in between, and one copy of it."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.mortal import live
from tests.protocol.letters import PNG
from tests.protocol.scripted_smtp import CUTS, PoliteSmtp
from tests.protocol.strict import check
from tests.servers import MailUser
from tests.store.writing import (
    at_once,
    draft_is_open,
    message_ids,
    send,
    sent_copies,
    state,
    time_passes,
    use,
    write,
)
from webmail import tasks
from webmail.models import Account, Draft, Job, Mailbox, Message, Submission
from webmail.protocol.appending import Appended
from webmail.protocol.connection import Connection
from webmail.protocol.errors import ConnectionLost
from webmail.protocol.types import Address
from webmail.store import breaker, draft_files, drafts, filing, outbox, outbox_page, reading, sending, sync
from webmail.store.drafts import Values

pytestmark = pytest.mark.django_db(transaction=True)
State = Submission.State


def test_request_and_sweeper_at_once(ready: Account, server: PoliteSmtp, mail_user: MailUser) -> None:
    submission = send(ready)
    at_once(4, lambda _n: [sending.carry_out(pk) for pk in (submission.pk, *sending.due())])
    assert len(server.messages) == 1
    time_passes(submission)
    sending.carry_out(submission.pk)
    assert (state(submission), len(sent_copies(mail_user))) == (State.FILED, 1)


STEPS = {
    "send.claimed": (0, State.FILED), "send.uploaded": (0, State.FILED), "send.on_wire": (0, State.UNCLEAR),
    "send.answered": (1, State.UNCLEAR), "send.sent": (1, State.FILED), "file.looked": (1, State.FILED),
    "file.on_wire": (1, State.FILED), "file.appended": (1, State.FILED), "file.done": (1, State.FILED),
}  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step(ready: Account, server: PoliteSmtp, mail_user: MailUser, step: str) -> None:
    """What was sent before the kill is not sent again; what wasn't is, or the person is asked."""
    before, ends = STEPS[step]
    submission = send(ready)
    assert live("webmail.tasks:send_message", str(submission.pk), failpoint=step) == -signal.SIGKILL
    assert len(server.messages) == before
    time_passes(submission)
    assert submission.pk in sending.due() or step == "file.done"
    for _ in range(2):
        sending.carry_out(submission.pk)
        time_passes(submission)
    assert state(submission) == ends
    assert submission.claim == "" or ends == State.UNCLEAR
    assert len(server.messages) == (before if ends == State.UNCLEAR else 1)
    if ends == State.FILED:
        assert message_ids(sent_copies(mail_user)) == [submission.message_id]
    else:
        assert submission.message is not None
        [entry] = outbox_page.entries(ready.user)
        assert (entry.state, entry.can_decide) == ("May have been sent", True)
        assert "may have been sent" in entry.sentence
        assert outbox_page.needs_attention(ready.user) == 1


@pytest.mark.parametrize("cut", CUTS)
def test_cut_at_each_point(ready: Account, server: PoliteSmtp, cut: str) -> None:
    server.cut = cut
    submission = send(ready)
    sending.carry_out(submission.pk)
    server.cut = ""
    if cut == "END" or state(submission) == State.UNCLEAR:  # all of it may lie in the network when it is cut
        assert state(submission) == State.UNCLEAR
        assert cut in ("END", "MIDDLE")
        for _ in range(3):
            time_passes(submission)
            sending.carry_out(submission.pk)
        assert state(submission) == State.UNCLEAR, "it is never sent again by itself"
        return
    assert state(submission) == State.RETRY
    assert submission.error.endswith(")")
    assert submission.not_before > timezone.now()
    time_passes(submission)
    sending.carry_out(submission.pk)
    assert (state(submission), len(server.messages)) == (State.FILED, 1)


def test_some_are_refused_and_some_wait(ready: Account, server: PoliteSmtp) -> None:
    answers = {b"bob": b"550 5.1.1 nobody here\r\n", b"carol": b"451 4.7.1 later\r\n"}
    server.change = lambda line, usual: next(
        (answer for name, answer in answers.items() if line.startswith(b"RCPT") and name in line), usual
    )
    submission = send(ready, Values(to="bob@demo.test, carol@demo.test, dave@demo.test", text="x"))
    sending.carry_out(submission.pk)
    assert state(submission) == State.RETRY
    assert [fate for _, fate, _ in submission.recipients] == ["refused", "deferred", "accepted"]
    assert "did not take it for bob@demo.test" in submission.error
    answers.pop(b"carol")
    time_passes(submission)
    sending.carry_out(submission.pk)
    assert state(submission) == State.FILED
    assert [line for line in server.lines if line.startswith(b"RCPT")][3:] == [b"RCPT TO:<carol@demo.test>\r\n"]
    [entry] = outbox_page.entries(ready.user)
    assert [line.address for line in entry.refused] == ["bob@demo.test"], "that is still to be seen"


def test_it_is_given_up_in_the_end(ready: Account, server: PoliteSmtp) -> None:
    server.change = lambda line, usual: b"451 4.3.0 later\r\n" if line.startswith(b"MAIL") else usual
    submission = send(ready)
    long_ago = timezone.now() - timedelta(hours=5)
    Submission.objects.update(created_at=long_ago, send_after=long_ago)
    for _ in range(sending.FEWEST_ATTEMPTS):
        assert state(submission) in Submission.WAITING, "perhaps it was this machine that was away"
        Submission.objects.update(not_before=long_ago)
        sending.carry_out(submission.pk)
    assert state(submission) == State.FAILED
    assert draft_is_open(ready)


def test_one_that_kills_its_workers_runs_out_of_tries(ready: Account, server: PoliteSmtp) -> None:
    submission = send(ready)
    past = timezone.now() - timedelta(seconds=1)
    Submission.objects.update(state=State.CLAIMED, claim="x", claim_until=past, attempts=sending.MAX_ATTEMPTS)
    sending.carry_out(submission.pk)
    assert (state(submission), server.connections) == (State.FAILED, 0)
    assert submission.error == "This was tried too often. The last time: it broke off."
    assert draft_is_open(ready)


def test_a_wrong_password_is_not_tried_at_once_again(ready: Account, server: PoliteSmtp) -> None:
    server.change = lambda line, usual: b"535 5.7.8 wrong\r\n" if line.startswith(b"AUTH") else usual
    submission = send(ready)
    sending.carry_out(submission.pk)
    assert state(submission) == State.RETRY
    assert submission.not_before > timezone.now() + timedelta(minutes=4)
    assert "password" in submission.error


def test_a_server_that_is_away_is_not_asked_for_every_message(
    ready: Account, server: PoliteSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "FIRST_PAUSE", 60.0)
    monkeypatch.setattr(breaker.random, "random", lambda: 1.0)
    server.cut = "GREETING"
    for _ in range(5):
        sending.carry_out(send(ready).pk)
    assert server.connections == 3
    assert set(Submission.objects.values_list("state", flat=True)) == {State.RETRY}


def test_who_lost_the_claim_sends_nothing(ready: Account, server: PoliteSmtp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that slept until others took over finds the row gone before the last piece goes out."""
    submission = send(ready)

    def steal(name: str) -> None:
        if name == "send.uploaded":
            Submission.objects.filter(pk=submission.pk).update(claim="somebody else")

    monkeypatch.setattr(sending, "reach", steal)
    sending.carry_out(submission.pk)
    assert (state(submission), server.messages) == (State.CLAIMED, [])


def test_a_late_answer_settles_the_doubt(ready: Account, server: PoliteSmtp, monkeypatch: pytest.MonkeyPatch) -> None:
    submission = send(ready)

    def swept(name: str) -> None:
        if name == "send.answered":
            time_passes(submission)
            sending._note_doubt(submission.pk)
            assert state(submission) == State.UNCLEAR

    monkeypatch.setattr(sending, "reach", swept)
    sending.carry_out(submission.pk)
    assert (state(submission), len(server.messages)) == (State.FILED, 1)


def test_the_sent_copy_is_retried_by_itself(
    ready: Account, server: PoliteSmtp, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the first APPEND arrived or not: one copy, and the message went out once."""
    real = Connection.append

    def arrives_but_no_answer(imap: Connection, *args: object, **more: object) -> object:
        real(imap, *args, **more)  # type: ignore[arg-type]
        raise ConnectionLost

    submission = send(ready)
    with monkeypatch.context() as patch:
        patch.setattr(Connection, "append", arrives_but_no_answer)
        sending.carry_out(submission.pk)
    assert state(submission) == State.SENT
    assert submission.error.startswith("The message was sent.")
    assert submission.message is not None
    time_passes(submission)
    sending.carry_out(submission.pk)
    assert (state(submission), len(server.messages)) == (State.FILED, 1)
    assert len(sent_copies(mail_user)) == 1


@pytest.mark.parametrize("renamed", [False, True])
def test_a_server_that_files_what_it_sends(
    ready: Account, server: PoliteSmtp, mail_user: MailUser, *, renamed: bool
) -> None:
    """By its own Message-ID, as outlook.com does it, too."""
    use(ready, server, files_sent=True)
    mail_user.append("Sent", b"From: alice@demo.test\r\nSubject: Ferry\r\nMessage-ID: <another@demo.test>\r\n\r\nx\r\n")
    submission = send(ready)
    sending.carry_out(submission.pk)
    assert state(submission) == State.SENT, "it is given five seconds"
    named = submission.message_id.encode()
    copy = server.messages[0].removesuffix(b".\r\n")
    mail_user.append("Sent", copy.replace(named, b"of-the-server@prod.demo.test") if renamed else copy)
    time_passes(submission)
    sending.carry_out(submission.pk)
    assert (state(submission), len(sent_copies(mail_user))) == (State.FILED, 2)
    time.sleep(1.1)  # nobody writes the same to the same within a second
    forgotten = send(ready)
    sending.carry_out(forgotten.pk)
    Submission.objects.filter(pk=forgotten.pk).update(sent_at=timezone.now() - filing.SERVER_FILES_WITHIN)
    time_passes(forgotten)
    sending.carry_out(forgotten.pk)
    assert (state(forgotten), len(sent_copies(mail_user))) == (State.FILED, 3)


def test_an_unclear_one_is_found_where_the_server_files_it(
    ready: Account, server: PoliteSmtp, mail_user: MailUser
) -> None:
    use(ready, server, files_sent=True)
    server.cut = "END"
    submission = send(ready)
    sending.carry_out(submission.pk)
    time_passes(submission)
    sending.carry_out(submission.pk)
    assert state(submission) == State.UNCLEAR
    mail_user.append("Sent", server.messages[0].removesuffix(b".\r\n"))
    time_passes(submission)
    assert submission.pk in sending.due()
    sending.carry_out(submission.pk)
    assert (state(submission), submission.error, len(sent_copies(mail_user))) == (State.FILED, "", 1)


def test_a_server_that_shows_what_it_filed_by_another_name(
    ready: Account, server: PoliteSmtp, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One without UIDPLUS that makes a Message-ID of its own, as Exchange may: its OK is believed."""
    append = Connection.append
    monkeypatch.setattr(Connection, "append", lambda *args, **more: (append(*args, **more), Appended())[1])
    monkeypatch.setattr(filing, "_look", lambda *_: False)
    submission = send(ready)
    for _ in range(3):
        sending.carry_out(submission.pk)
        time_passes(submission)
    assert (state(submission), len(sent_copies(mail_user))) == (State.FILED, 1)


def test_no_mailbox_for_sent_mail(ready: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    ready.mailboxes.filter(role="sent").update(role="")
    monkeypatch.setattr(sync, "list_mailboxes", lambda _account: None)  # as a server answers that has none
    submission = send(ready)
    sending.carry_out(submission.pk)
    assert (state(submission), submission.error) == (State.SENT, filing.NO_MAILBOX)
    assert submission.message is not None
    [entry] = outbox_page.entries(ready.user)
    assert (entry.state, entry.can_keep_no_copy) == ("Sent, being filed", True)
    outbox.keep_no_copy(ready.user, submission.pk)
    assert (state(submission), submission.message, Draft.objects.count()) == (State.FILED, None, 0)
    with pytest.raises(outbox.TooLate):
        outbox.keep_no_copy(ready.user, submission.pk)


def test_the_original_is_marked(ready: Account, received: object) -> None:
    assert callable(received)
    original: Message = received(b"From: bob@demo.test\r\nMessage-ID: <one@demo.test>\r\nSubject: x\r\n\r\nx\r\n")
    draft = write(ready, kind=Draft.Kind.REPLY, original=original, in_reply_to=["one@demo.test"])
    submission = outbox.send(ready.user, draft.id, version=1, form_key="x")
    sending.carry_out(submission.pk)
    job = Job.objects.get()
    assert (job.arguments["add"], job.uids) == (["answered"], [original.uid])
    original.refresh_from_db()
    assert original.answered


def test_the_index_of_the_sent_mailbox_shows_it(ready: Account) -> None:
    target: Mailbox = ready.mailboxes.select_related("account__provider").get(role="sent")
    sync.refresh(target)
    submission = send(ready)
    sending.carry_out(submission.pk)
    assert target.messages.get().message_id == submission.message_id


def test_what_was_sent_reads_as_it_was_written(ready: Account, server: PoliteSmtp, mail_user: MailUser) -> None:
    """Through the wire, Dovecot and our own reader."""
    draft = write(ready, Values(to="Bob Novák <bob@demo.test>", bcc="eve@demo.test", subject="Plán na léto 🚢"))
    picture = draft_files.attach(ready.user, draft.id, "quay.png", "image/png", PNG, shown=True)
    draft_files.attach(ready.user, draft.id, "plán cesty.pdf", "application/pdf", b"%PDF-1.4")
    html = f'<p>Dear <b>Bob</b>, žluťoučký kůň</p><img src="cid:{picture.content_id}">'
    values = replace(draft.values, html=html, is_html=True)
    saved = drafts.save(ready.user, draft.id, values, version=1)
    sending.carry_out(outbox.send(ready.user, draft.id, version=saved.version, form_key="x").pk)
    target: Mailbox = ready.mailboxes.select_related("account__provider").get(role="sent")
    sync.refresh(target)
    message = target.messages.select_related("mailbox", "account__provider").get()
    whole = check(server.messages[0].removesuffix(b".\r\n"))
    kinds = [each.type.rpartition("/")[2] for each in whole.walk()]
    assert kinds == ["mixed", "alternative", "plain", "related", "html", "png", "pdf"]
    assert b"eve" not in server.messages[0] and whole.fields["message-id"].endswith("@demo.test>")
    [copy] = sent_copies(mail_user)
    assert copy == b"Bcc: eve@demo.test\r\n" + server.messages[0].removesuffix(b".\r\n"), "octet for octet"
    body = reading.body(message, "/part/")
    assert body.envelope.subject == "Plán na léto 🚢"
    assert body.envelope.to == (Address("Bob Novák", "bob@demo.test"),)
    assert body.frame is not None
    assert "Dear <b>Bob</b>, žluťoučký kůň" in body.frame.washed.html
    assert 'src="/part/' in body.frame.washed.html
    assert [item.name for item in body.content.attachments] == ["plán cesty.pdf"]
    assert reading.inline_image(message, body.content.inline[0].section) == ("image/png", PNG)
    alternative = body.content.alternative
    assert alternative is not None
    assert dict(alternative.params)["format"] == "flowed"


def test_the_sweeper_wakes_workers_for_what_is_due(ready: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    now, later = send(ready), send(ready, undo=10)
    dead, lives, unclear = send(ready), send(ready), send(ready)
    past, future = timezone.now() - timedelta(seconds=1), timezone.now() + timedelta(seconds=20)
    Submission.objects.filter(pk=dead.pk).update(state=State.SENDING, claim="x", claim_until=past)
    Submission.objects.filter(pk=lives.pk).update(state=State.CLAIMED, claim="y", claim_until=future)
    Submission.objects.filter(pk=unclear.pk).update(state=State.UNCLEAR, finished_at=past)
    woken = []
    monkeypatch.setattr(tasks, "send", lambda task, *ids: woken.append((task.name, *ids)))
    tasks.sweep_outbox()
    assert sorted(woken) == sorted(("webmail.tasks.send_message", str(each.pk)) for each in (now, dead))
    ready.user.is_active = False
    ready.user.save()
    assert sending.due() == []
    assert state(later) == State.QUEUED


def test_who_is_known_to_keep_sent_mail(ready: Account, server: PoliteSmtp) -> None:
    assert not ready.provider.keeps_sent
    use(ready, server, smtp_host="smtp.gmail.com")
    submission = send(ready)
    Submission.objects.update(state=State.UNCLEAR, finished_at=timezone.now())
    assert sending.due() == [submission.pk]
