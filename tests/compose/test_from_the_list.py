"""Drafts in the list of the Drafts mailbox: ours leads to its editor, another program's is written on."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.compose.forms import words_of
from webmail.models import Draft, DraftCopy
from webmail.store import mirroring, sync

WORDS = {"to": "bob@demo.test", "subject": "Ferry", "text": "At nine.", "form_key": "a-key", "version": "0"}


@pytest.fixture
def box(account):
    sync.list_mailboxes(account)
    box = account.mailboxes.select_related("account__provider").get(role="drafts")
    sync.refresh(box)
    return box


def test_ours_is_one_entry_that_opens_the_editor(writer, box):
    writer.post("/write/", WORDS | {"act": "save"})
    for draft_id in mirroring.due():  # at once, for its writer closed it
        mirroring.mirror(draft_id)
    message = box.messages.get()
    listed = writer.get(f"/mailbox/{box.pk}/").content.decode()
    assert listed.count(f'href="/message/{message.pk}/') == 1
    opened = writer.get(f"/message/{message.pk}/")
    assert opened.status_code == 302
    assert opened["Location"].startswith(reverse("draft", args=[Draft.objects.get().pk]))
    by_script = writer.get(f"/message/{message.pk}/", headers={"HX-Request": "true"})
    assert by_script["HX-Redirect"] == opened["Location"]
    assert words_of(writer.get(opened["Location"]).content.decode())["back"] == f"/mailbox/{box.pk}/"


def test_thrown_away_it_is_off_the_list_at_once(writer, box):
    writer.post("/write/", WORDS | {"act": "save"})
    for draft_id in mirroring.due():
        mirroring.mirror(draft_id)
    writer.post(f"/write/{Draft.objects.get().pk}/", {"act": "discard", "sure": "1"})
    assert "Ferry" not in writer.get(f"/mailbox/{box.pk}/").content.decode().replace("The draft is thrown away", "")
    assert DraftCopy.objects.get().state == "unwanted"


def test_another_programs_has_a_button(writer, box, mail_user):
    mail_user.append(
        "Drafts", b"From: x@demo.test\r\nTo: bob@demo.test\r\nSubject: Theirs\r\n\r\nWords.\r\n", "\\Draft"
    )
    sync.refresh(box)
    message = box.messages.get()
    assert 'value="edit_draft"' in writer.get(f"/message/{message.pk}/").content.decode()
    opened = writer.post(f"/write/from/{message.pk}/", {"kind": "edit_draft", "idem_key": "x"})
    words = words_of(writer.get(opened["Location"]).content.decode())
    assert (words["to"], words["subject"], words["text"].strip()) == ("bob@demo.test", "Theirs", "Words.")
    assert writer.get(f"/message/{message.pk}/").status_code == 302


def test_what_is_to_be_known_of_the_copy_is_said(writer, account):
    action = writer.post("/write/", WORDS, headers={"Accept": "application/json"}).json()["action"]
    Draft.objects.update(copy_said="No copy could be kept.")
    assert "No copy could be kept." in writer.get(action).content.decode()
    assert "No copy could be kept." in str(
        writer.post(action, WORDS | {"version": 1, "text": "x"}, headers={"Accept": "application/json"}).json()["hints"]
    )
