"""A new message: written, saved, sent, thrown away, and nothing of it lost on any way."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from tests.compose.forms import form_of, words_of
from webmail.compose.forms import LetterForm
from webmail.models import Draft, Submission, User
from webmail.store import identities
from webmail.store.drafts import Values

LETTER = {"to": "Bob Novák <bob@demo.test>", "subject": "Ferry", "text": "It leaves at nine.\r\nBring <bread>."}


def post(client, path, **fields):
    page = client.get(path).content.decode()
    return client.post(form_of(page)["action"], words_of(page) | fields, headers={"Referer": "http://testserver/help/"})


def test_what_is_sent_lies_in_the_outbox_and_can_be_taken_back(writer, account):
    response = post(writer, "/write/", act="send", **LETTER)
    assert response.status_code == 302
    sent = Submission.objects.get()
    assert sent.recipients[0][0] == "bob@demo.test"
    assert (sent.send_after - sent.created_at).total_seconds() == pytest.approx(10, abs=1)
    page = writer.get("/help/").content.decode()
    assert re.search(r'<undo-toast class="toast" data-left="(9|10)">', page), "seconds: clocks differ"
    assert f"/outbox/{sent.pk}/" in page
    assert "undo-toast" not in writer.get("/help/").content.decode()
    back = writer.post(f"/outbox/{sent.pk}/", {"act": "take_back"}, follow=True)
    assert words_of(back.content.decode())["text"] == "It leaves at nine.\nBring <bread>."
    sent.refresh_from_db()
    assert sent.state == Submission.State.CANCELLED


def test_one_goes_back_to_where_one_was(writer):
    page = writer.get("/write/", headers={"Referer": "http://testserver/help/?a=1"}).content.decode()
    assert writer.post("/write/", words_of(page) | LETTER | {"act": "send"})["Location"] == "/help/?a=1"


@pytest.mark.parametrize("where", ["https://evil.test/", "//evil.test/", "/write/", "javascript:alert(1)", "/nowhere/"])
def test_but_never_elsewhere(writer, where):
    assert writer.post("/write/", LETTER | {"act": "send", "back": where})["Location"] == "/"


def test_a_form_sent_twice_is_one_message(writer):
    page = writer.get("/write/").content.decode()
    for _ in range(2):
        assert writer.post("/write/", words_of(page) | LETTER | {"act": "send"}).status_code == 302
    assert Submission.objects.count() == Draft.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"to": ""}, "to", "Say whom this is for."),
        ({"to": "bob@demo.test, nobody"}, "to", "“nobody” is not a mail address: it has no @."),
        ({"to": "bob@demo.test", "cc": "a@"}, "cc", "the part after the @ is missing"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(writer, changes, field, sentence):
    response = post(writer, "/write/", **LETTER | changes | {"act": "send"})
    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    assert f'id="{field}-error"' in page
    assert words_of(page)["text"] == "It leaves at nine.\nBring <bread>."
    assert words_of(page)["to"] == changes["to"]
    assert not Submission.objects.exists()
    assert Draft.objects.get().text == "It leaves at nine.\nBring <bread>."


def test_an_account_that_cannot_send_says_so(writer, account):
    account.provider.smtp_host = ""
    account.provider.save()
    page = post(writer, "/write/", act="send", **LETTER).content.decode()
    assert "no server for sending" in page
    assert words_of(page)["subject"] == "Ferry"


def test_saving_closes_it_and_it_is_found_again(writer):
    assert post(writer, "/write/", act="save", **LETTER)["Location"] == "/"
    draft = Draft.objects.get()
    assert f"/write/{draft.pk}/" in writer.get("/outbox/").content.decode()
    assert words_of(writer.get(f"/write/{draft.pk}/").content.decode())["subject"] == "Ferry"


def test_a_link_fills_the_form_and_attaches_nothing(writer):
    page = writer.get("/write/", {"mailto": "mailto:bob@demo.test?subject=Ferry&body=At%20nine&attach=/etc/passwd"})
    words = words_of(page.content.decode())
    assert (words["to"], words["subject"], words["text"]) == ("bob@demo.test", "Ferry", "At nine")
    assert "passwd" not in page.content.decode()


def test_the_signature_is_there_from_the_beginning(writer, account):
    identities.save(account, address=account.address, name="Alice", signature_html="Alice<br>Quay 4")
    assert words_of(writer.get("/write/").content.decode())["text"] == "\n\n-- \nAlice\nQuay 4"


def test_files_come_and_go(writer):
    # Browsers write a quotation mark so in the name of a file.
    file = SimpleUploadedFile("the %22plan%22.txt", b"a plan", "text/plain")
    response = post(writer, "/write/", act="stay", files=file, **LETTER)
    draft = Draft.objects.get()
    assert response["Location"] == f"/write/{draft.pk}/"
    attached = draft.files.get()
    assert (attached.name, bytes(attached.data)) == ("the _plan_.txt", b"a plan")
    page = writer.get(f"/write/{draft.pk}/").content.decode()
    assert "the _plan_.txt" in page
    writer.post(f"/write/{draft.pk}/", words_of(page) | {"act": f"detach {attached.pk}"})
    assert not draft.files.exists()


def test_a_file_that_does_not_fit_is_refused_in_words(writer, account):
    account.provider.smtp_size_limit = 60_000
    account.provider.save()
    file = SimpleUploadedFile("big.bin", b"x" * 50_000)
    response = post(writer, "/write/", act="send", files=file, **LETTER)
    assert response.status_code == 422
    assert "big.bin has 50 kB and doesn&#x27;t fit" in response.content.decode()
    assert not Submission.objects.exists()


def test_throwing_away_asks_first(writer):
    asked = post(writer, "/write/", act="discard", **LETTER)
    draft = Draft.objects.get()
    assert "Throw this draft away?" in asked.content.decode()
    writer.post(f"/write/{draft.pk}/", {"act": "discard", "sure": "1"})
    assert not Draft.objects.exists()


def test_nothing_typed_is_nothing_to_ask_about(writer):
    assert post(writer, "/write/", act="discard").status_code == 302
    assert not Draft.objects.exists()


def test_signed_out_meanwhile_everything_comes_back(writer, account):
    page = writer.get("/write/").content.decode()
    response = Client().post("/write/", words_of(page) | LETTER | {"act": "send"})
    assert response.status_code == 403
    assert words_of(response.content.decode())["text"] == "It leaves at nine.\nBring <bread>."
    assert not Draft.objects.exists()


def test_the_token_of_another_session_costs_nothing(writer, account):
    page = writer.get("/write/").content.decode()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(account.user, backend="webmail.accounts.backends.MailBackend")
    response = strict.post("/write/", words_of(page) | LETTER | {"act": "send"})
    assert response.status_code == 403
    again = words_of(response.content.decode())
    assert again["text"] == "It leaves at nine.\nBring <bread>."
    assert strict.post("/write/", again | {"act": "send"}).status_code == 302
    assert Submission.objects.count() == 1


def test_another_site_fills_nothing_in(writer, account):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(account.user, backend="webmail.accounts.backends.MailBackend")
    response = strict.post("/write/", LETTER, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403
    assert "Ferry" not in response.content.decode()


def test_a_time_of_ones_own(writer, account):
    User.objects.update(time_zone="Asia/Tokyo")
    day = (timezone.now() + timedelta(days=40)).date()
    assert post(writer, "/write/", act="later", at=f"{day}T08:30", **LETTER).status_code == 302
    assert Submission.objects.get().send_after.isoformat() == f"{day - timedelta(days=1)}T23:30:00+00:00"
    page = writer.get("/outbox/").content.decode()
    assert f"{day:%-d %b}, 08:30" in page
    for at, sentence in (("", "Say when"), ("2001-01-01T08:00", "That time is over"), ("9999-12-31T23:59", "a year")):
        response = post(writer, "/write/", act="later", at=at, **LETTER)
        assert response.status_code == 422
        assert sentence in response.content.decode()
    assert Submission.objects.count() == 1


@pytest.mark.parametrize(
    ("now", "at", "meant"),
    [
        ("2026-03-28T12:00", "2026-03-29T02:30", "2026-03-29T01:30"),  # there is no such time: an hour later
        ("2026-10-24T12:00", "2026-10-25T02:30", "2026-10-25T00:30"),  # twice: the first
        ("2026-10-25T00:45", "2026-10-25T02:30", "2026-10-25T01:30"),  # the one to come
        ("2026-10-25T02:00", "2026-10-25T02:30", "2026-10-25T01:30"),  # both are over
        ("2026-10-01T12:00", "2026-10-26T08:00", "2026-10-26T07:00"),  # what the clock says then, not now
    ],
)
def test_when_the_clocks_change(monkeypatch, now, at, meant):
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromisoformat(f"{now}:00+00:00"))
    form = LetterForm(Values(), 0, 0, "", "", "later", at, "/")
    assert form.when(User(time_zone="Europe/Prague")) == datetime.fromisoformat(f"{meant}:00+00:00")
