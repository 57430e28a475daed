"""Sending: each message at most once, none forgotten, and what became of it in words."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.protocol.scripted_smtp import PoliteSmtp
from tests.servers import MailUser
from tests.store.writing import (
    LETTER,
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
from webmail.models import Account, Contact, Draft, Message, Submission, User
from webmail.store import draft_files, draft_room, drafts, outbox, outbox_page, sending
from webmail.store.drafts import Values

pytestmark = pytest.mark.django_db(transaction=True)
State = Submission.State


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
    assert outbox.take_back(ready.user, submission.pk) == draft_id, "pressed twice"


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


@pytest.mark.parametrize("keys", [("same", "same", "same"), ("one", "two", "three")])
def test_tabs_and_clicks_at_once(ready: Account, keys: tuple[str, ...]) -> None:
    draft = write(ready)
    results = at_once(3, lambda n: outbox.send(ready.user, draft.id, version=1, form_key=keys[n]).pk)
    assert Submission.objects.count() == 1
    made = [each for each in results if not isinstance(each, Exception)]
    assert set(made) == {Submission.objects.get().pk}
    assert (
        len(made) == 3 if keys[0] == keys[1] else all(isinstance(e, drafts.OnItsWay) for e in results if e not in made)
    )


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
    assert (entry.refused[0].reason, entry.refused[0].said) == ("There is no such address.", "550 5.1.1 nobody here")
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


def test_what_was_changed_after_a_failure_is_not_sent_as_it_was(ready: Account, server: PoliteSmtp) -> None:
    """To the person who was just taken out of it, say."""
    server.change = lambda line, usual: b"554 no\r\n" if line == b"END" else usual
    failed = send(ready)
    sending.carry_out(failed.pk)
    server.change = lambda line, usual: usual
    [entry] = outbox_page.entries(ready.user)
    assert entry.can_try_again
    drafts.save(ready.user, failed.draft_id, Values(to="carol@demo.test", text="x"), version=1)  # type: ignore[arg-type]
    [entry] = outbox_page.entries(ready.user)
    assert (entry.can_try_again, entry.draft) == (False, failed.draft_id)
    with pytest.raises(outbox.TooLate, match="You changed this message"):
        outbox.try_again(ready.user, failed.pk)
    assert (state(failed), sending.due()) == (State.FAILED, [])


def test_the_rest_can_be_given_up(ready: Account, server: PoliteSmtp) -> None:
    server.change = lambda line, usual: b"451 later\r\n" if b"TO:<carol" in line else usual
    submission = send(ready, Values(to="bob@demo.test, carol@demo.test", text="x"))
    sending.carry_out(submission.pk)
    assert outbox.take_back(ready.user, submission.pk) is None
    sending.carry_out(submission.pk)
    assert (state(submission), len(server.messages)) == (State.FILED, 1)


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
    assert 0 < draft_room.room(draft.id, ready) < 8_000
    with pytest.raises(drafts.TooLarge, match=r"50 kB in all"):
        draft_files.attach(ready.user, draft.id, "a.pdf", "application/pdf", b"x" * 9_000)
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
    with pytest.raises(outbox.NotReady, match="to others"):  # the browser's Back, and another name in the field
        outbox.redirect(ready.user, original, from_address="", to="carol@demo.test", form_key="x")
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
        lambda: outbox.keep_no_copy(mallory, submission.pk),
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
    again = Values(to="bob@demo.test", text="At Quay Ltd <quay.test>\n\nQuay Ltd <quay.test>\n")
    html = Values(to="bob@demo.test", html="<p>x</p><p>Quay Ltd &lt;quay.test&gt;</p>", is_html=True)
    for values in (again, html):
        sending.carry_out(send(ready, values).pk)
    assert [message.count(b"Quay Ltd") for message in server.messages[2:]] == [2, 2], "once in each form"
    server.messages[2:] = []
    use(ready, server, footer="", footer_html="<b>{address}</b>")
    ready.provider.refresh_from_db()
    for values in (LETTER, Values(to="bob@demo.test", html="<p>x</p>", is_html=True)):
        sending.carry_out(send(ready, values).pk)
    assert f"It leaves at nine.\r\n\r\n{ready.address}\r\n".encode() in server.messages[2]
    assert f"<p>x</p><b>{ready.address}</b>".encode() in server.messages[3].replace(b"=\r\n", b"").replace(b"=3D", b"=")


def test_what_is_over_is_forgotten_in_the_end(ready: Account) -> None:
    done, failed = send(ready), send(ready)
    old = timezone.now() - outbox.KEPT - timedelta(days=1)
    Submission.objects.filter(pk=done.pk).update(state=State.FILED, finished_at=old)
    Submission.objects.filter(pk=failed.pk).update(state=State.FAILED, finished_at=old)
    assert outbox.forget_old() == 1
    assert Submission.objects.get().pk == failed.pk


def test_a_picture_taken_out_of_the_text_is_not_sent(ready: Account, server: PoliteSmtp) -> None:
    for values in (Values(to="bob@demo.test", html="<p>No.</p>", is_html=True), Values(to="bob@demo.test", text="No.")):
        draft = write(ready, values)
        draft_files.attach(ready.user, draft.id, "secret.png", "image/png", b"png", shown=True)
        draft_files.attach(ready.user, draft.id, "paper.pdf", "application/pdf", b"%PDF")
        sending.carry_out(outbox.send(ready.user, draft.id, version=1, form_key=uuid.uuid4().hex).pk)
    assert all(b"secret" not in message and b"paper.pdf" in message for message in server.messages)
    assert len(server.messages) == 2
