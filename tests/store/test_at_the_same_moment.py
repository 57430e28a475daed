"""Two who do something about one message at the same moment, and what changes under it while it waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.protocol.scripted_smtp import PoliteSmtp
from tests.servers import MailUser
from tests.store.writing import LETTER, at_once, draft_is_open, send, sent_copies, state, time_passes, use, write
from webmail.models import Account, Draft, Provider, Submission
from webmail.store import adding, drafts, logins, outbox, outbox_page, sending
from webmail.store.drafts import OnItsWay

pytestmark = pytest.mark.django_db(transaction=True)
State = Submission.State
ROUNDS = 5


def test_undo_at_the_last_moment(ready: Account, server: PoliteSmtp) -> None:
    """Either it is taken back and nobody gets it, or it is too late and that is said."""
    for _ in range(ROUNDS):
        submission, before = send(ready), len(server.messages)

        def act(number: int, key: Any = submission.pk) -> object:
            return outbox.take_back(ready.user, key) if number == 0 else sending.carry_out(key)

        said = at_once(3, act)
        undone = not any(isinstance(each, outbox.TooLate) for each in said)
        assert (state(submission) == State.CANCELLED) == undone
        assert len(server.messages) - before == (0 if undone else 1)


def test_typing_on_while_the_sweeper_takes_it(ready: Account, server: PoliteSmtp) -> None:
    """What goes out is what was sent; who typed on is told, and the words aren't in it."""
    for _ in range(ROUNDS):
        draft = write(ready)
        submission = outbox.send(ready.user, draft.id, version=draft.version, form_key=str(draft.id))

        def act(number: int, draft: drafts.Written = draft, key: Any = submission.pk) -> object:
            if number == 0:
                sending.carry_out(key)
                return None
            return drafts.save(ready.user, draft.id, replace(draft.values, text="No, at ten."), version=1)

        said = at_once(2, act)
        assert any(isinstance(each, OnItsWay | Draft.DoesNotExist) for each in said)
        assert b"at nine" in server.messages[-1] and b"at ten" not in server.messages[-1]
        assert state(submission) == State.FILED
    assert not draft_is_open(ready)


@pytest.mark.parametrize(
    ("ends", "one", "other"),
    [
        (State.UNCLEAR, lambda user, row: outbox.decide(user, row.pk, again=True),
         lambda user, row: outbox.decide(user, row.pk, again=False)),
        (State.FAILED, lambda user, row: outbox.try_again(user, row.pk),
         lambda user, row: outbox.send(user, row.draft_id, version=1, form_key="anew")),
        (State.RETRY, lambda user, row: outbox.take_back(user, row.pk),
         lambda user, row: outbox.send_now(user, row.pk)),
    ],
    ids=["again and it arrived", "try again and a new one", "take back and now"],
)  # fmt: skip
def test_two_tabs(
    ready: Account, server: PoliteSmtp, ends: State, one: Callable[..., object], other: Callable[..., object]
) -> None:
    """One of them has its way, or both one after the other; the message goes out once at most."""
    submission = send(ready)
    Submission.objects.update(state=ends)
    said = at_once(2, lambda number: (one, other)[number](ready.user, submission))
    odd = [each for each in said if isinstance(each, Exception) and not isinstance(each, outbox.TooLate | OnItsWay)]
    assert not odd
    assert Submission.objects.filter(state__in=Submission.LIVE).count() <= 1
    for key in sending.due():
        sending.carry_out(key)
    assert len(server.messages) <= 1


def test_the_account_is_removed_while_its_message_goes_up(
    ready: Account, server: PoliteSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    submission = send(ready)
    monkeypatch.setattr(sending, "reach", lambda name: name == "send.uploaded" and adding.remove(ready))
    sending.carry_out(submission.pk)
    assert (server.messages, Submission.objects.count()) == ([], 0)


def test_the_way_out_is_taken_away_and_given_back(ready: Account, server: PoliteSmtp) -> None:
    submission = send(ready)
    Provider.objects.update(smtp_host="")
    sending.carry_out(submission.pk)
    assert (state(submission), draft_is_open(ready)) == (State.FAILED, True)
    assert "no server for sending" in submission.error
    use(ready, server)
    server.offers = ("SIZE 100",)
    outbox.try_again(ready.user, submission.pk)
    sending.carry_out(submission.pk)
    assert (state(submission), draft_is_open(ready)) == (State.FAILED, True)
    assert "takes messages of up to" in submission.error


def test_a_new_password_lets_it_go_at_once(ready: Account, server: PoliteSmtp) -> None:
    server.change = lambda line, usual: b"535 5.7.8 wrong\r\n" if line.startswith(b"AUTH") else usual
    submission = send(ready)
    sending.carry_out(submission.pk)
    assert (state(submission), sending.due()) == (State.RETRY, [])
    logins.keep(ready, "demo")
    assert sending.due() == [submission.pk]


@pytest.mark.parametrize(("answer", "ends"), [(b"451 4.3.0 no\r\n", State.RETRY), (b"554 5.7.1 no\r\n", State.FAILED)])
def test_a_late_refusal_settles_the_doubt_too(
    ready: Account, server: PoliteSmtp, monkeypatch: pytest.MonkeyPatch, answer: bytes, ends: State
) -> None:
    submission = send(ready)
    server.change = lambda line, usual: answer if line == b"END" else usual

    def swept(name: str) -> None:
        if name == "send.on_wire":
            time_passes(submission)
            sending._note_doubt(submission.pk)
            assert state(submission) == State.UNCLEAR

    monkeypatch.setattr(sending, "reach", swept)
    sending.carry_out(submission.pk)
    assert (state(submission), [fate for _, fate, _ in submission.recipients]) == (ends, [""])


def test_the_database_goes_when_the_server_has_said_yes(
    ready: Account, server: PoliteSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be written down is a doubt, never a second try."""
    submission = send(ready)

    def gone(name: str) -> None:
        if name == "send.answered":
            raise connection.Database.OperationalError("the database is gone")

    monkeypatch.setattr(sending, "reach", gone)
    with pytest.raises(connection.Database.OperationalError):
        sending.carry_out(submission.pk)
    monkeypatch.undo()
    assert state(submission) == State.SENDING
    time_passes(submission)
    sending.carry_out(submission.pk)
    assert (state(submission), len(server.messages)) == (State.UNCLEAR, 1)
    assert outbox_page.needs_attention(ready.user) == 1


@pytest.mark.parametrize("hours", [-2, 2])
def test_the_clock_is_put_right(
    ready: Account, server: PoliteSmtp, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """The draft goes with its message, and words typed after a failure stay, whichever way the clock jumps."""
    now, jump = timezone.now, timedelta(hours=hours)
    first, second = write(ready), write(ready, replace(LETTER, subject="Second"))
    monkeypatch.setattr(timezone, "now", lambda: now() + jump)
    sent = outbox.send(ready.user, first.id, version=1, form_key="first")
    failed = outbox.send(ready.user, second.id, version=1, form_key="second")
    sending.carry_out(sent.pk)
    Submission.objects.filter(pk=failed.pk).update(state=State.FAILED)
    monkeypatch.setattr(timezone, "now", lambda: now() + jump + jump)
    drafts.save(ready.user, second.id, replace(second.values, text="No, at ten."), version=1)
    Submission.objects.filter(pk=failed.pk).update(state=State.SENT, not_before=timezone.now())
    sending.carry_out(failed.pk)
    assert (state(sent), state(failed), len(sent_copies(mail_user))) == (State.FILED, State.FILED, 2)
    assert [draft.values.text for draft in drafts.open_drafts(ready.user)] == ["No, at ten."]
