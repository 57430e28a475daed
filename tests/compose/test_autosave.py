"""What a script saves while somebody types: numbered, so that two windows notice one another."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from webmail.models import Draft

WORDS = {"to": "bob", "subject": "Ferry", "text": "At", "form_key": "a-key", "act": "stay", "version": "0"}
SCRIPT = {"Accept": "application/json"}


def save(client, path="/write/", **changes):
    return client.post(path, WORDS | changes, headers=SCRIPT)


@pytest.fixture
def begun(writer):
    return save(writer).json()


def test_the_first_save_makes_the_draft_and_says_where_it_is(begun):
    draft = Draft.objects.get()
    assert (begun["action"], begun["version"]) == (f"/write/{draft.pk}/", 1)
    assert begun["saved"].startswith("Saved ")


def test_half_an_address_is_saved_as_it_is(writer, begun):
    assert save(writer, begun["action"], version=1, to="bob@").json()["version"] == 2
    assert Draft.objects.get().to == "bob@"


def test_the_first_save_twice_is_one_draft(writer, begun):
    assert save(writer).json()["action"] == begun["action"]
    assert Draft.objects.count() == 1


def test_another_window_is_noticed_and_nothing_is_written_over(writer, begun):
    save(writer, begun["action"], version=1, text="At nine")
    late = save(writer, begun["action"], version=1, text="At ten")
    assert late.status_code == 409
    assert late.json()["version"] == 2
    assert Draft.objects.get().text == "At nine"
    assert save(writer, begun["action"], version=2, text="At ten").status_code == 200


def test_a_file_brings_back_no_older_words(writer, begun):
    """It was on its way up while more was typed and saved."""
    save(writer, begun["action"], version=1, text="At nine", send_key="window-1")
    file = SimpleUploadedFile("plan.txt", b"plan")
    came = save(writer, begun["action"], version=1, text="At", send_key="window-1", act="attach", files=file).json()
    assert "plan.txt" in came["files"]
    assert (came["version"], Draft.objects.get().text) == (2, "At nine")


def test_a_window_that_did_not_hear_of_its_own_save_goes_on(writer):
    """The answer was lost on its way, twice; what another window saves then is noticed all the same."""
    for text in ("At", "At n", "At nine"):
        save(writer, text=text, send_key="window-1")
    draft = Draft.objects.get()
    assert (draft.text, draft.version) == ("At nine", 3)
    action = f"/write/{draft.pk}/"
    assert save(writer, action, version=3, text="At ten", send_key="window-2").status_code == 200
    assert save(writer, action, version=3, text="At eleven", send_key="window-2").status_code == 200
    assert save(writer, action, version=4, text="At twelve", send_key="window-1").status_code == 409


def test_without_scripts_both_are_shown(writer, begun):
    save(writer, begun["action"], version=1, text="At nine")
    page = writer.post(begun["action"], WORDS | {"version": 1, "text": "At ten", "act": "send"})
    assert page.status_code == 409
    assert "At nine" in page.content.decode()
    assert "At ten" in page.content.decode()


def test_a_draft_that_is_gone_comes_back_as_a_new_message(writer, begun):
    Draft.objects.all().delete()
    page = writer.post(begun["action"], WORDS | {"version": 1, "act": "send"})
    assert page.status_code == 404
    assert "is kept as a new message" in page.content.decode()


def test_a_file_goes_up_by_itself(writer, begun):
    file = SimpleUploadedFile("plan.txt", b"a plan")
    answer = save(writer, begun["action"], version=1, files=file).json()
    assert "plan.txt" in answer["files"]
    assert answer["room"] > 1_000_000


def test_signed_out_the_script_is_told(begun, client):
    assert save(Client(), begun["action"]).status_code == 403
    assert Draft.objects.get().text == "At"
