"""An old form's "Send": a second click, the browser's Back, a request that comes late. Never sent twice, never after
"Taken back", and nobody is told that something goes which doesn't."""

from __future__ import annotations

import pytest

from tests.compose.forms import form_of, words_of
from webmail.models import Draft, Submission
from webmail.store import drafts
from webmail.store.drafts import OnItsWay

State = Submission.State
LETTER = {"to": "bob@demo.test", "subject": "Ferry", "text": "It leaves at nine.", "act": "send"}
LIVE = [State.QUEUED, State.CLAIMED, State.SENDING, State.RETRY, State.SENT, State.UNCLEAR, State.FILED]


@pytest.fixture
def form(writer):
    """A form that was sent, as a browser still has it; one without a draft yet."""
    words = words_of(writer.get("/write/").content.decode()) | LETTER
    assert writer.post("/write/", words).status_code == 302
    return words


@pytest.fixture
def old(writer, account):
    """Likewise, of a draft."""
    draft = drafts.start(account, drafts.Values(to="bob@demo.test", text="At nine."), form_key="its key")
    words = words_of(writer.get(f"/write/{draft.id}/").content.decode()) | {"act": "send"}
    assert writer.post(f"/write/{draft.id}/", words).status_code == 302
    return f"/write/{draft.id}/", words


@pytest.mark.parametrize("typed", ["It leaves at nine.", "No, at ten."])
def test_what_was_taken_back_is_sent_by_a_new_press_alone(writer, form, typed):
    first = Submission.objects.get()
    writer.post(f"/outbox/{first.pk}/", {"act": "take_back"})
    page = writer.post("/write/", form | {"text": typed})
    assert page.status_code == 422
    assert "You took this message back" in page.content.decode()
    assert [row.state for row in Submission.objects.all()] == [State.CANCELLED]
    again = words_of(page.content.decode()) | {"act": "send"}
    assert again["text"] == typed
    assert writer.post(form_of(page.content.decode())["action"], again).status_code == 302
    assert sorted(row.state for row in Submission.objects.all()) == [State.CANCELLED, State.QUEUED]
    assert Draft.objects.get().text == typed


def test_undo_pressed_twice_is_no_alarm(writer, form):
    first = Submission.objects.get()
    for _ in range(2):
        page = writer.post(f"/outbox/{first.pk}/", {"act": "take_back"}, follow=True).content.decode()
        assert "Taken back: nobody got it." in page
        assert words_of(page)["text"] == "It leaves at nine."
    writer.post(form_of(page)["action"], words_of(page) | {"act": "send"})
    page = writer.post(f"/outbox/{first.pk}/", {"act": "take_back"}, follow=True).content.decode()
    assert "It is too late for that" in page, "it was sent anew"


def test_what_failed_is_not_said_to_go(writer, form):
    Submission.objects.update(state=State.FAILED, error="The mail server refused every recipient.")
    page = writer.post("/write/", form).content.decode()
    assert "This was not sent. The mail server refused every recipient." in page
    assert writer.post(form_of(page)["action"], words_of(page) | {"act": "send"}).status_code == 302
    assert Submission.objects.filter(state=State.QUEUED).count() == 1


def test_what_was_typed_after_it_is_neither_sent_nor_lost(writer, old):
    path, words = old
    assert writer.post(path, words).status_code == 302, "the same again is a second click"
    page = writer.post(path, words | {"text": "No, at ten."}).content.decode()
    assert "on its way already" in page
    assert words_of(page)["text"] == "No, at ten."
    assert form_of(page)["action"] == "/write/", "as a new message"
    assert Submission.objects.count() == Draft.objects.count() == 1


@pytest.mark.parametrize("path", ["/write/", ""])
def test_once_it_was_sent_a_second_click_says_so(writer, form, path):
    path = path or f"/write/{Draft.objects.get().pk}/"
    Submission.objects.update(state=State.FILED, message=None, draft=None)
    Draft.objects.all().delete()
    page = writer.post(path, form).content.decode()
    assert "This message was sent." in page
    assert words_of(page)["text"] == "It leaves at nine."
    assert (Submission.objects.count(), Draft.objects.count()) == (1, 0)


def test_another_message_from_the_same_form_is_not_taken_for_sent(writer, form):
    Submission.objects.update(state=State.FILED, message=None, draft=None)
    Draft.objects.all().delete()
    other = form | {"form_key": "another", "text": "No, at ten."}
    writer.post("/write/", other | {"act": "stay"})
    path = f"/write/{Draft.objects.get().pk}/"
    page = writer.post(path, other | {"version": 1}).content.decode()
    assert "A message was sent from this form already." in page
    assert writer.post(path, words_of(page) | {"act": "send"}).status_code == 302
    assert sorted(row.state for row in Submission.objects.all()) == [State.FILED, State.QUEUED]


def test_a_script_that_saves_is_told_that_it_was_sent(writer, old):
    path, words = old
    typed = words | {"text": "No, at ten.", "act": "stay"}
    answer = writer.post(path, typed, headers={"Accept": "application/json"})
    assert answer.status_code == 409
    assert answer.json() == {"sentence": OnItsWay.sentence}, "without a version: there is nothing to choose from"


@pytest.mark.parametrize("state", LIVE)
def test_in_no_state_is_it_sent_by_a_second_click(writer, form, state):
    Submission.objects.update(state=state)
    assert writer.post("/write/", form).status_code in (302, 422)
    assert Submission.objects.count() == 1
