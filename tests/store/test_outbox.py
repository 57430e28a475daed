"""Sending: each message at most once, none forgotten, and what became of it in words."""

from __future__ import annotations

import signal
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from tests.mortal import live
from tests.protocol.letters import PNG
from tests.protocol.scripted_smtp import CUTS, PoliteSmtp
from tests.servers import MailUser
from tests.store.writing import (
    LETTER,
    draft_is_open,
    message_ids,
    send,
    sent_copies,
    state,
    time_passes,
    use,
    write,
)
from webmail.models import Account, Contact, Draft, Job, Mailbox, Message, Submission, User
from webmail.protocol.connection import Connection
from webmail.protocol.errors import ConnectionLost
from webmail.protocol.types import Address
from webmail.store import breaker, drafts, filing, outbox, outbox_page, reading, sending, sync
from webmail.store.drafts import Values

pytestmark = pytest.mark.django_db(transaction=True)
State = Submission.State


@pytest.fixture
def server() -> Iterator[PoliteSmtp]:
    with PoliteSmtp() as server:
        yield server


@pytest.fixture
def ready(account: Account, server: PoliteSmtp) -> Account:
    """An account that can send, with a mailbox for what was sent."""
    use(account, server)
    sync.list_mailboxes(account)
    assert account.mailboxes.filter(role="sent").exists()
    return Account.objects.select_related("provider", "user").get(pk=account.pk)


def test_from_the_draft_to_the_sent_mailbox(ready: Account, server: PoliteSmtp, mail_user: MailUser) -> None:
    values = Values(
        to="Bob <bob@demo.test>", bcc="Eve <eve@demo.test>", subject="Plán", html="<p>Nine</p>", is_html=True
    )
    submission = send(ready, values)
    assert not draft_is_open(ready), "it is on its way"
    assert sending.due() == [submission.pk]
    sending.carry_out(submission.pk)
    assert state(submission) == State.FILED
    [on_wire] = server.messages
    [copy] = sent_copies(mail_user)
    assert copy == b"Bcc: Eve <eve@demo.test>\r\n" + on_wire.removesuffix(b".\r\n")
    assert b"eve" not in on_wire.lower()
    assert b"RCPT TO:<eve@demo.test>\r\n" in server.lines
    assert (submission.message, submission.draft) == (None, None)
    assert not Draft.objects.exists()
    assert sending.due() == []
    sending.carry_out(submission.pk)
    assert (len(server.messages), len(sent_copies(mail_user))) == (1, 1)
    assert ready.mailboxes.get(role="sent").messages.count() in (0, 1)


def test_it_can_be_taken_back_while_it_waits(ready: Account, server: PoliteSmtp) -> None:
    submission = send(ready, undo=10)
    sending.carry_out(submission.pk)
    assert state(submission) == State.QUEUED
    [entry] = outbox_page.entries(ready.user)
    assert (entry.state, entry.can_take_back) == ("Waiting", True)
    draft_id = outbox.take_back(ready.user, submission.pk)
    assert draft_is_open(ready)
    assert drafts.find(ready.user, draft_id).values == LETTER  # type: ignore[arg-type, union-attr]
    time_passes(submission)
    sending.carry_out(submission.pk)
    assert (state(submission), server.messages) == (State.CANCELLED, [])
    with pytest.raises(outbox.TooLate):
        outbox.take_back(ready.user, submission.pk)


def test_what_is_sent_cannot_be_taken_back(ready: Account) -> None:
    submission = send(ready)
    Submission.objects.update(state=State.CLAIMED, claim="x", claim_until=timezone.now() + timedelta(seconds=20))
    for act in (outbox.take_back, outbox.send_now, outbox.dismiss):
        with pytest.raises(outbox.TooLate):
            act(ready.user, submission.pk)  # type: ignore[operator]
    draft = Draft.objects.get()
    with pytest.raises(drafts.OnItsWay):
        drafts.save(ready.user, draft.pk, LETTER, version=1)
    with pytest.raises(drafts.OnItsWay):
        drafts.discard(ready.user, draft.pk)


def test_later_and_now(ready: Account, server: PoliteSmtp) -> None:
    submission = send(ready, at=timezone.now() + timedelta(days=2))
    sending.carry_out(submission.pk)
    assert state(submission) == State.QUEUED
    outbox.send_now(ready.user, submission.pk)
    sending.carry_out(submission.pk)
    assert (state(submission), len(server.messages)) == (State.FILED, 1)


def test_a_form_sent_twice_is_one_message(ready: Account) -> None:
    draft = write(ready)
    one = outbox.send(ready.user, draft.id, version=1, form_key="same")
    assert outbox.send(ready.user, draft.id, version=1, form_key="same").pk == one.pk
    with pytest.raises(drafts.OnItsWay):
        outbox.send(ready.user, draft.id, version=1, form_key="the other tab")
    assert Submission.objects.count() == 1


def _at_once(count: int, act: object) -> list[object]:
    """What `count` threads get that do it at the same moment."""
    assert callable(act)
    start, results = threading.Barrier(count), []

    def run(number: int) -> None:
        try:
            start.wait(20)
            results.append(act(number))
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


@pytest.mark.parametrize("keys", [("same", "same", "same"), ("one", "two", "three")])
def test_tabs_and_clicks_at_once(ready: Account, keys: tuple[str, ...]) -> None:
    draft = write(ready)
    results = _at_once(3, lambda n: outbox.send(ready.user, draft.id, version=1, form_key=keys[n]).pk)
    assert Submission.objects.count() == 1
    made = [each for each in results if not isinstance(each, Exception)]
    assert set(made) == {Submission.objects.get().pk}
    assert (
        len(made) == 3 if keys[0] == keys[1] else all(isinstance(e, drafts.OnItsWay) for e in results if e not in made)
    )


def test_request_and_sweeper_at_once(ready: Account, server: PoliteSmtp, mail_user: MailUser) -> None:
    submission = send(ready)
    _at_once(4, lambda _n: [sending.carry_out(pk) for pk in (submission.pk, *sending.due())])
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


def test_what_the_person_says_of_an_unclear_one(ready: Account, server: PoliteSmtp, mail_user: MailUser) -> None:
    server.cut = "END"
    again, sent = send(ready), send(ready)
    for each in (again, sent):
        sending.carry_out(each.pk)
        assert state(each) == State.UNCLEAR
    server.cut = ""
    outbox.decide(ready.user, again.pk, again=True)
    outbox.decide(ready.user, sent.pk, again=False)
    for each in (again, sent):
        with pytest.raises(outbox.TooLate):
            outbox.decide(ready.user, each.pk, again=True)
        sending.carry_out(each.pk)
        assert state(each) == State.FILED
    assert len(server.messages) == 3
    assert sorted(message_ids(sent_copies(mail_user))) == sorted([again.message_id, sent.message_id])


def test_refused_for_good(ready: Account, server: PoliteSmtp) -> None:
    server.change = lambda line, usual: b"550 5.1.1 nobody here\r\n" if line.startswith(b"RCPT") else usual
    submission = send(ready)
    sending.carry_out(submission.pk)
    assert state(submission) == State.FAILED
    assert draft_is_open(ready)
    [entry] = outbox_page.entries(ready.user)
    assert (entry.state, entry.draft) == ("Not sent", submission.draft_id)
    assert entry.refused[0].words == "550 5.1.1 nobody here"
    server.change = lambda line, usual: usual
    outbox.try_again(ready.user, submission.pk)
    sending.carry_out(submission.pk)
    assert (state(submission), len(server.messages)) == (State.FILED, 1)


def test_a_new_try_replaces_the_one_that_failed(ready: Account, server: PoliteSmtp) -> None:
    server.change = lambda line, usual: b"554 5.7.1 spam\r\n" if line == b"END" else usual
    failed = send(ready)
    sending.carry_out(failed.pk)
    assert (state(failed), failed.error) == (
        State.FAILED, "The mail server refused this message. (554 5.7.1 spam)",
    )  # fmt: skip
    server.change = lambda line, usual: usual
    draft = drafts.open_drafts(ready.user)[0]
    saved = drafts.save(ready.user, draft.id, Values(to="bob@demo.test", text="Better."), version=draft.version)
    second = outbox.send(ready.user, draft.id, version=saved.version, form_key="second")
    assert (state(failed), failed.message) == (State.CANCELLED, None)
    with pytest.raises(outbox.TooLate):
        outbox.try_again(ready.user, failed.pk)
    sending.carry_out(second.pk)
    assert state(second) == State.FILED


def test_words_typed_after_a_failure_outlive_the_old_octets(ready: Account, server: PoliteSmtp) -> None:
    server.change = lambda line, usual: b"554 no\r\n" if line == b"END" else usual
    failed = send(ready)
    sending.carry_out(failed.pk)
    server.change = lambda line, usual: usual
    drafts.save(ready.user, failed.draft_id, Values(text="Much better."), version=1)  # type: ignore[arg-type]
    outbox.try_again(ready.user, failed.pk)
    sending.carry_out(failed.pk)
    assert state(failed) == State.FILED
    assert drafts.open_drafts(ready.user)[0].values.text == "Much better."


def test_some_are_refused_and_some_wait(ready: Account, server: PoliteSmtp) -> None:
    answers = {b"bob": b"550 5.1.1 nobody here\r\n", b"carol": b"451 4.7.1 later\r\n"}
    server.change = lambda line, usual: next(
        (answer for name, answer in answers.items() if line.startswith(b"RCPT") and name in line), usual
    )
    submission = send(ready, Values(to="bob@demo.test, carol@demo.test, dave@demo.test", text="x"))
    sending.carry_out(submission.pk)
    assert state(submission) == State.RETRY
    assert [fate for _, fate, _ in submission.recipients] == ["refused", "deferred", "accepted"]
    assert "refused bob@demo.test" in submission.error
    answers.pop(b"carol")
    time_passes(submission)
    sending.carry_out(submission.pk)
    assert state(submission) == State.FILED
    assert [line for line in server.lines if line.startswith(b"RCPT")][3:] == [b"RCPT TO:<carol@demo.test>\r\n"]
    [entry] = outbox_page.entries(ready.user)
    assert [line.address for line in entry.refused] == ["bob@demo.test"], "that is still to be seen"


def test_the_rest_can_be_given_up(ready: Account, server: PoliteSmtp) -> None:
    server.change = lambda line, usual: b"451 later\r\n" if b"TO:<carol" in line else usual
    submission = send(ready, Values(to="bob@demo.test, carol@demo.test", text="x"))
    sending.carry_out(submission.pk)
    assert outbox.take_back(ready.user, submission.pk) is None
    sending.carry_out(submission.pk)
    assert (state(submission), len(server.messages)) == (State.FILED, 1)


def test_it_is_given_up_in_the_end(ready: Account, server: PoliteSmtp) -> None:
    server.change = lambda line, usual: b"451 4.3.0 later\r\n" if line.startswith(b"MAIL") else usual
    submission = send(ready)
    Submission.objects.update(
        created_at=timezone.now() - timedelta(hours=5), send_after=timezone.now() - timedelta(hours=5)
    )
    sending.carry_out(submission.pk)
    assert state(submission) == State.FAILED
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


def test_a_server_that_files_what_it_sends(ready: Account, server: PoliteSmtp, mail_user: MailUser) -> None:
    use(ready, server, files_sent=True)
    submission = send(ready)
    sending.carry_out(submission.pk)
    assert state(submission) == State.SENT, "it is given five seconds"
    mail_user.append("Sent", server.messages[0].removesuffix(b".\r\n"))
    time_passes(submission)
    sending.carry_out(submission.pk)
    assert (state(submission), len(sent_copies(mail_user))) == (State.FILED, 1)
    forgotten = send(ready)
    sending.carry_out(forgotten.pk)
    Submission.objects.filter(pk=forgotten.pk).update(sent_at=timezone.now() - filing.SERVER_FILES_WITHIN)
    time_passes(forgotten)
    sending.carry_out(forgotten.pk)
    assert (state(forgotten), len(sent_copies(mail_user))) == (State.FILED, 2)


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


def test_no_mailbox_for_sent_mail(ready: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    ready.mailboxes.filter(role="sent").update(role="")
    monkeypatch.setattr(sync, "list_mailboxes", lambda _account: None)  # as a server answers that has none
    submission = send(ready)
    sending.carry_out(submission.pk)
    assert (state(submission), submission.error) == (State.SENT, filing.NO_MAILBOX)
    assert submission.message is not None


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


def test_what_is_wrong_is_said_before_anything_is_sent(ready: Account, server: PoliteSmtp) -> None:
    cases = {
        "Say whom": Values(text="x"),
        "has no @": Values(to="bob", text="x"),
        "100 at most": Values(to=", ".join(f"u{number}@demo.test" for number in range(101))),
        "can't write as": Values(to="bob@demo.test", from_address="eve@elsewhere.test"),
        "too long": Values(to="bob@demo.test", subject="x" * 9_000),
    }
    for words, values in cases.items():
        with pytest.raises(outbox.NotReady) as caught:
            send(ready, values)
        assert words in caught.value.problems[0][1]
    use(ready, server, smtp_host="")
    with pytest.raises(outbox.NotReady, match="no server for sending"):
        send(ready)
    assert not Submission.objects.exists()
    assert Draft.objects.count() == 6, "nothing is lost"


def test_rate_and_size(ready: Account, server: PoliteSmtp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_PER_HOUR", 2)
    send(ready)
    send(ready)
    with pytest.raises(outbox.NotReady, match="within an hour"):
        send(ready)
    Submission.objects.update(created_at=timezone.now() - timedelta(hours=2))
    use(ready, server, smtp_size_limit=50_000)
    draft = write(ready)
    assert 0 < drafts.room(draft.id, ready) < 8_000
    with pytest.raises(drafts.TooLarge, match=r"50 kB in all"):
        drafts.attach(ready.user, draft.id, "a.pdf", "application/pdf", b"x" * 9_000)
    use(ready, server, smtp_size_limit=1_000)
    with pytest.raises(drafts.TooLarge, match="can be sent"):
        send(ready, Values(to="bob@demo.test", text="x" * 3_000))


def test_a_version_from_another_tab(ready: Account) -> None:
    draft = write(ready)
    drafts.save(ready.user, draft.id, Values(to="bob@demo.test", text="newer"), version=1)
    with pytest.raises(drafts.Changed) as caught:
        outbox.send(ready.user, draft.id, version=1, form_key="x")
    assert caught.value.current.values.text == "newer"
    assert not Submission.objects.exists()


def test_people_are_remembered(ready: Account) -> None:
    send(ready, Values(to="Bob Novák <bob@demo.test>", cc=f"{ready.address}", bcc="Eve@demo.test", text="x"))
    assert set(Contact.objects.values_list("key", "name")) == {("bob@demo.test", "Bob Novák"), ("eve@demo.test", "")}


def test_redirected(ready: Account, server: PoliteSmtp, received: object) -> None:
    assert callable(received)
    original: Message = received(b"From: carol@demo.test\r\nSubject: x\r\n\r\nAs it was.\r\n")
    submission = outbox.redirect(ready.user, original, from_address="", to="bob@demo.test", form_key="x")
    sending.carry_out(submission.pk)
    assert state(submission) == State.FILED
    assert server.messages[0].startswith(b"Resent-From: ")
    assert server.messages[0].endswith(b"As it was.\r\n.\r\n")
    again = outbox.redirect(ready.user, original, from_address="", to="bob@demo.test", form_key="x")
    assert again.pk == submission.pk
    with pytest.raises(outbox.NotReady):
        outbox.redirect(ready.user, original, from_address="", to="bob", form_key="y")


def test_mallory_has_nothing_to_do_with_it(ready: Account, mallory: User) -> None:
    submission = send(ready, undo=10)
    draft = Draft.objects.get()
    for act in (
        lambda: outbox.take_back(mallory, submission.pk),
        lambda: outbox.send_now(mallory, submission.pk),
        lambda: outbox.decide(mallory, submission.pk, again=True),
        lambda: outbox.try_again(mallory, submission.pk),
        lambda: outbox.dismiss(mallory, submission.pk),
        lambda: outbox.send(mallory, draft.pk, version=1, form_key=uuid.uuid4().hex),
    ):
        with pytest.raises((Submission.DoesNotExist, Draft.DoesNotExist)):
            act()
    assert outbox_page.entries(mallory) == []
    assert outbox_page.entry(mallory, submission.pk) is None


def test_the_footer_of_the_administrator(ready: Account, server: PoliteSmtp) -> None:
    use(ready, server, footer="Quay Ltd <quay.test>")
    ready.provider.refresh_from_db()
    for values in (LETTER, Values(to="bob@demo.test", html="<p>x</p>", is_html=True)):
        sending.carry_out(send(ready, values).pk)
    assert b"It leaves at nine.\r\n\r\nQuay Ltd <quay.test>\r\n" in server.messages[0]
    assert b"<p>Quay Ltd &lt;quay.test&gt;</p>" in server.messages[1].replace(b"=\r\n", b"").replace(b"=3D", b"=")


def test_the_index_of_the_sent_mailbox_shows_it(ready: Account) -> None:
    target: Mailbox = ready.mailboxes.select_related("account__provider").get(role="sent")
    sync.refresh(target)
    submission = send(ready)
    sending.carry_out(submission.pk)
    assert target.messages.get().message_id == submission.message_id


def test_what_was_sent_reads_as_it_was_written(ready: Account) -> None:
    """Through the wire, Dovecot and our own reader."""
    draft = write(ready, Values(to="Bob Novák <bob@demo.test>", subject="Plán na léto 🚢"))
    picture = drafts.attach(ready.user, draft.id, "quay.png", "image/png", PNG, shown=True)
    drafts.attach(ready.user, draft.id, "plán cesty.pdf", "application/pdf", b"%PDF-1.4")
    html = f'<p>Dear <b>Bob</b>, žluťoučký kůň</p><img src="cid:{picture.content_id}">'
    values = replace(draft.values, html=html, is_html=True)
    saved = drafts.save(ready.user, draft.id, values, version=1)
    sending.carry_out(outbox.send(ready.user, draft.id, version=saved.version, form_key="x").pk)
    target: Mailbox = ready.mailboxes.select_related("account__provider").get(role="sent")
    sync.refresh(target)
    message = target.messages.select_related("mailbox", "account__provider").get()
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


def test_what_is_over_is_forgotten_in_the_end(ready: Account) -> None:
    done, failed = send(ready), send(ready)
    old = timezone.now() - outbox.KEPT - timedelta(days=1)
    Submission.objects.filter(pk=done.pk).update(state=State.FILED, finished_at=old)
    Submission.objects.filter(pk=failed.pk).update(state=State.FAILED, finished_at=old)
    assert outbox.forget_old() == 1
    assert Submission.objects.get().pk == failed.pk
