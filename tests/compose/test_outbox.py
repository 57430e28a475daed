"""The outbox page: every state has its words, and the buttons that fit it."""

from __future__ import annotations

import pytest

from webmail.models import Submission
from webmail.store import drafts, outbox

State = Submission.State
ACTS = ("take_back", "send_now", "was_sent", "again", "try_again", "dismiss", "keep_no_copy")


@pytest.fixture
def sent(writer, account):
    """A message that waits."""
    values = drafts.Values(to="bob@demo.test", subject="Ferry", text="At nine.")
    draft = drafts.start(account, values, form_key="a-key")
    return outbox.send(account.user, draft.id, version=1, form_key="another", undo=30)


def set_state(submission, state, **more):
    Submission.objects.filter(pk=submission.pk).update(state=state, **more)


@pytest.mark.parametrize(
    ("state", "words", "acts"),
    [
        (State.QUEUED, "Waiting", {"take_back", "send_now"}),
        (State.SENDING, "Being sent", set()),
        (State.UNCLEAR, "nobody can tell whether it arrived", {"was_sent", "again"}),
        (State.FAILED, "No such user", {"try_again", "dismiss"}),
        (State.SENT, "No such user", {"keep_no_copy"}),
    ],
)
def test_what_can_be_done_in_each_state(writer, sent, state, words, acts):
    set_state(sent, state, attempts=1, error="No such user" if state in (State.FAILED, State.SENT) else "")
    page = writer.get("/outbox/").content.decode()
    assert words in page
    assert {act for act in ACTS if f'"{act}"' in page} == acts
    assert (f"/write/{sent.draft_id}/" in page) == (state == State.FAILED)


@pytest.mark.parametrize(
    ("state", "act", "then"),
    [
        (State.QUEUED, "take_back", State.CANCELLED),
        (State.QUEUED, "send_now", State.QUEUED),
        (State.UNCLEAR, "again", State.QUEUED),
        (State.UNCLEAR, "was_sent", State.SENT),
        (State.FAILED, "try_again", State.QUEUED),
        (State.SENT, "keep_no_copy", State.FILED),
    ],
)
def test_what_the_buttons_do(writer, sent, state, act, then):
    set_state(sent, state)
    assert writer.post(f"/outbox/{sent.pk}/", {"act": act}).status_code == 302
    sent.refresh_from_db()
    assert sent.state == then


def test_dismissing_keeps_the_draft(writer, sent):
    set_state(sent, State.FAILED)
    for _ in range(2):
        assert writer.post(f"/outbox/{sent.pk}/", {"act": "dismiss"}).status_code == 302, "pressed twice"
    assert not Submission.objects.exists()
    assert "Ferry" in writer.get("/outbox/").content.decode()


def test_too_late_is_said(writer, sent):
    set_state(sent, State.SENDING)
    page = writer.post(f"/outbox/{sent.pk}/", {"act": "take_back"}, follow=True).content.decode()
    assert "It is too late for that" in page


def test_a_draft_on_its_way_is_not_to_be_edited(writer, sent):
    page = writer.get(f"/write/{sent.draft_id}/", follow=True).content.decode()
    assert "on its way already" in page


def test_an_unknown_act_is_refused(writer, sent):
    assert writer.post(f"/outbox/{sent.pk}/", {"act": "burn"}).status_code == 400


def test_what_needs_the_person_is_among_the_news(writer, sent):
    assert writer.get("/news/").json()["attention"] == 0
    set_state(sent, State.UNCLEAR)
    assert writer.get("/news/").json()["attention"] == 1
