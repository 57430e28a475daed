"""A message that some of its recipients have and others don't: none of them is forgotten, none gets it twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.protocol.scripted_smtp import PoliteSmtp
from tests.servers import MailUser
from tests.store.writing import send, sent_copies, state, time_passes, use
from webmail.models import Account, Job, Message, Submission
from webmail.store import outbox, outbox_page, sending, sync
from webmail.store.drafts import Values

pytestmark = pytest.mark.django_db(transaction=True)
State = Submission.State
THREE = Values(to="bob@demo.test, carol@demo.test, dave@demo.test", subject="Ferry", text="x")


@pytest.fixture
def answers(server: PoliteSmtp) -> dict[bytes, bytes]:
    """What is said of the recipients whose address begins so."""
    told: dict[bytes, bytes] = {}
    server.change = lambda line, usual: next(
        (answer for name, answer in told.items() if line.startswith(b"RCPT") and b"<" + name in line), usual
    )
    return told


def asked(server: PoliteSmtp) -> list[str]:
    """Of whom the server heard since the last time this was asked."""
    names = [line.split(b"<")[1].split(b"@")[0].decode() for line in server.lines if line.startswith(b"RCPT")]
    server.lines.clear()
    return names


def fates(submission: Submission) -> list[str]:
    submission.refresh_from_db()
    return [fate for _, fate, _ in submission.recipients]


@pytest.fixture
def rest_unclear(ready: Account, server: PoliteSmtp, answers: dict[bytes, bytes]) -> Submission:
    """Bob has it; carol, to whom it went in a second try, may have it; dave was put off both times."""
    submission = send(ready, THREE)
    answers |= {b"carol": b"451 4.7.1 later\r\n", b"dave": b"451 4.7.1 later\r\n"}
    sending.carry_out(submission.pk)
    assert (state(submission), fates(submission)) == (State.RETRY, ["accepted", "deferred", "deferred"])
    answers.pop(b"carol")
    server.cut = "END"
    time_passes(submission)
    sending.carry_out(submission.pk)
    server.cut = ""
    answers.clear()
    assert (state(submission), fates(submission)) == (State.UNCLEAR, ["accepted", "unsure", "deferred"])
    asked(server)
    return submission


def test_again_goes_to_those_of_whom_nobody_knows(
    ready: Account, server: PoliteSmtp, mail_user: MailUser, rest_unclear: Submission
) -> None:
    [entry] = outbox_page.entries(ready.user)
    assert [line.fate for line in entry.recipients] == ["sent", "may have it", "not taken yet"]
    outbox.decide(ready.user, rest_unclear.pk, again=True)
    sending.carry_out(rest_unclear.pk)
    assert (asked(server), state(rest_unclear)) == (["carol", "dave"], State.FILED)
    assert fates(rest_unclear) == ["accepted"] * 3
    assert len(sent_copies(mail_user)) == 1


@pytest.mark.parametrize("by", ["its writer", "a report"])
def test_it_arrived_and_who_was_put_off_gets_it_still(
    ready: Account, server: PoliteSmtp, mail_user: MailUser, rest_unclear: Submission, by: str
) -> None:
    if by == "a report":
        outbox.note_sent(ready.pk, rest_unclear.message_id)
    else:
        outbox.decide(ready.user, rest_unclear.pk, again=False)
    assert state(rest_unclear) == State.RETRY
    sending.carry_out(rest_unclear.pk)
    assert (asked(server), state(rest_unclear), fates(rest_unclear)) == (["dave"], State.FILED, ["accepted"] * 3)
    assert len(sent_copies(mail_user)) == 1


def test_a_copy_that_the_server_filed_settles_it_too(
    ready: Account, server: PoliteSmtp, mail_user: MailUser, rest_unclear: Submission
) -> None:
    use(ready, server, files_sent=True)
    mail_user.append("Sent", f"Message-ID: <{rest_unclear.message_id}>\r\n\r\nx\r\n".encode())
    time_passes(rest_unclear)
    for _ in range(2):
        sending.carry_out(rest_unclear.pk)
    assert (asked(server), state(rest_unclear), fates(rest_unclear)) == (["dave"], State.FILED, ["accepted"] * 3)
    assert len(sent_copies(mail_user)) == 1


def test_a_dead_worker_leaves_those_unsure_to_whom_it_went(
    ready: Account, server: PoliteSmtp, answers: dict[bytes, bytes]
) -> None:
    submission = send(ready, THREE)
    answers[b"carol"] = b"451 4.7.1 later\r\n"
    sending.carry_out(submission.pk)
    past = timezone.now() - timedelta(seconds=1)
    Submission.objects.update(state=State.SENDING, claim="dead", claim_until=past)
    asked(server)
    sending.carry_out(submission.pk)
    assert (state(submission), fates(submission)) == (State.UNCLEAR, ["accepted", "unsure", "accepted"])
    outbox.decide(ready.user, submission.pk, again=False)
    sending.carry_out(submission.pk)
    assert (state(submission), asked(server)) == (State.FILED, [])


def test_who_is_given_up_is_told_until_it_was_read(
    ready: Account, server: PoliteSmtp, answers: dict[bytes, bytes]
) -> None:
    submission = send(ready, THREE)
    answers[b"carol"] = b"452 4.2.2 full\r\n"
    sending.carry_out(submission.pk)
    [entry] = outbox_page.entries(ready.user)
    assert [(line.address, line.said) for line in entry.told] == [("carol@demo.test", "452 4.2.2 full")]
    assert outbox_page.needs_attention(ready.user) == 0
    long_ago = timezone.now() - timedelta(hours=5)
    Submission.objects.update(created_at=long_ago, send_after=long_ago, not_before=long_ago, attempts=9)
    assert outbox_page.needs_attention(ready.user) == 1, "it takes long"
    sending.carry_out(submission.pk)
    assert (state(submission), fates(submission)) == (State.FILED, ["accepted", "given up", "accepted"])
    [entry] = outbox_page.entries(ready.user)
    assert (entry.state, entry.can_dismiss, outbox_page.needs_attention(ready.user)) == (
        "Sent, not to everybody", True, 1,
    )  # fmt: skip
    assert [(line.address, line.reason) for line in entry.refused] == [("carol@demo.test", "The mailbox is full.")]
    outbox.dismiss(ready.user, submission.pk)
    assert (outbox_page.entries(ready.user), outbox_page.needs_attention(ready.user)) == ([], 0)


def test_the_rest_that_was_stopped_is_said_to_have_nothing(ready: Account, answers: dict[bytes, bytes]) -> None:
    submission = send(ready, THREE)
    answers[b"carol"] = b"451 4.7.1 later\r\n"
    sending.carry_out(submission.pk)
    assert outbox.take_back(ready.user, submission.pk) is None
    assert (state(submission), fates(submission)) == (State.SENT, ["accepted", "given up", "accepted"])


@pytest.mark.parametrize("by", ["its writer", "a report"])
def test_the_original_is_marked_however_it_is_known(
    ready: Account, server: PoliteSmtp, mail_user: MailUser, by: str
) -> None:
    mail_user.append("INBOX", b"Message-ID: <a@x>\r\nSubject: Ferry?\r\n\r\nWhen?\r\n")
    inbox = ready.mailboxes.select_related("account__provider").get(role="inbox")
    sync.refresh(inbox)
    original = Message.objects.get(mailbox=inbox)
    submission = send(ready)
    Submission.objects.update(original_row=original.pk, marks="answered")
    server.cut = "END"
    sending.carry_out(submission.pk)
    assert (state(submission), Job.objects.count()) == (State.UNCLEAR, 0)
    if by == "a report":
        outbox.note_sent(ready.pk, submission.message_id)
    else:
        outbox.decide(ready.user, submission.pk, again=False)
    original.refresh_from_db()
    assert (original.answered, Job.objects.count()) == (True, 1)


def test_what_waits_is_not_pushed_off_the_list(ready: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_page, "MOST", 3)
    waits = send(ready, at=timezone.now() + timedelta(days=30))
    for _ in range(4):
        Submission.objects.filter(pk=send(ready).pk).update(state=State.FILED)
    assert [entry.id for entry in outbox_page.entries(ready.user)] == [waits.pk]
