"""Answering an open message: the draft that begins with it, as a page with buttons and without scripts."""

from __future__ import annotations

import pytest

from tests.cast import client_of
from tests.compose.forms import words_of
from webmail.compose import answers
from webmail.models import Draft, Submission, User
from webmail.store import pools

RAW = (
    b"From: Bob <bob@demo.test>\r\nTo: alice@demo.test, carol@demo.test\r\nSubject: Ferry\r\n"
    b"Message-ID: <one@demo.test>\r\nDate: Tue, 3 Mar 2026 14:02:00 +0000\r\n\r\nIt leaves at nine.\r\n"
)


def answer(client, message, kind):
    response = client.post(
        f"/write/from/{message.pk}/",
        {"kind": kind, "idem_key": f"key-{kind}"},
        headers={"Referer": f"http://testserver/message/{message.pk}/"},
    )
    assert response.status_code == 302
    return response["Location"]


@pytest.mark.parametrize(
    ("kind", "to", "subject"),
    [
        ("reply", "Bob <bob@demo.test>", "Re: Ferry"),
        ("reply_all", "Bob <bob@demo.test>, alice@demo.test, carol@demo.test", "Re: Ferry"),
        ("forward", "", "Fwd: Ferry"),
    ],
)
def test_the_editor_opens_with_what_is_known(writer, received, kind, to, subject):
    page = writer.get(answer(writer, received(RAW), kind)).content.decode()
    words = words_of(page)
    assert (words["to"], words["subject"]) == (to, subject)
    assert "It leaves at nine." in words["text"]
    assert words["text"].startswith("\n\n")


def test_several_go_on_as_files_of_one(writer, received, mallory, monkeypatch):
    one, two = (
        received(RAW),
        received(RAW.replace(b"one@", b"two@").replace(b"3 Mar", b"4 Mar").replace(b"Ferry", b"Tide")),
    )
    chosen = {"m": [two.pk, one.pk]}
    client_of(mallory).post("/write/from/", chosen)
    assert not Draft.objects.exists()
    assert writer.post("/write/from/", {"m": ["x"]})["Location"] == "/"
    page = writer.get(writer.post("/write/from/", chosen)["Location"]).content.decode()
    assert "Choose the messages first." in page
    assert words_of(page)["subject"] == "Fwd: Ferry"
    draft = Draft.objects.get()
    assert [file.name for file in draft.files.all()] == ["Ferry.eml", "Tide.eml"]
    assert b"<two@demo.test>" in draft.files.last().data
    monkeypatch.setattr(answers, "MOST_AT_ONCE", 1)
    page = writer.get(writer.post("/write/from/", chosen)["Location"]).content.decode()
    assert "The oldest 1 are attached" in page


@pytest.mark.parametrize("kind", ["reply", "reply_all"])
def test_of_an_open_message_the_server_is_asked_nothing(writer, received, monkeypatch, kind):
    message = received(RAW)
    assert "It leaves at nine." in writer.get(f"/message/{message.pk}/").content.decode()

    def lend(*args, **kwargs):
        raise AssertionError("a connection is borrowed")

    monkeypatch.setattr(pools, "lend", lend)
    page = writer.get(answer(writer, message, kind)).content.decode()
    assert "It leaves at nine." in words_of(page)["text"]


@pytest.mark.parametrize(
    ("writes", "of_plain", "of_html"), [("as", False, True), ("rich", True, True), ("plain", False, False)]
)
def test_in_the_form_that_the_person_chose(writer, account, received, writes, of_plain, of_html):
    User.objects.filter(pk=account.user_id).update(writes=writes)
    html = b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<b style='color: red'>Nine</b>"
    designed = RAW.replace(b"\r\n\r\n", b"\r\n" + html)
    for number, (raw, is_html) in enumerate([(RAW, of_plain), (designed, of_html)]):
        message = received(raw.replace(b"one@", b"%d@" % number))
        writer.post(f"/write/from/{message.pk}/", {"kind": "reply"})
        assert Draft.objects.get(original_row=message.pk).is_html == is_html
    assert "color" in Draft.objects.get(original_row=message.pk).html


def test_the_line_above_the_quote_is_in_the_readers_language(writer, received):
    message = received(RAW)
    writer.post(f"/write/from/{message.pk}/", {"kind": "reply"}, headers={"Accept-Language": "de-AT,en;q=0.5"})
    assert "Am 03.03.2026 um 14:02 schrieb Bob:\n> It leaves" in Draft.objects.get().text


def test_one_goes_back_to_the_message(writer, received):
    message = received(RAW)
    page = writer.get(answer(writer, message, "reply")).content.decode()
    assert words_of(page)["back"] == f"/message/{message.pk}/"


def test_forwarding_as_a_file_carries_the_message(writer, received):
    answer(writer, received(RAW), "forward_attached")
    file = Draft.objects.get().files.get()
    assert (file.name, file.type) == ("Ferry.eml", "message/rfc822")


def test_a_double_click_is_one_draft(writer, received):
    message = received(RAW)
    assert answer(writer, message, "reply") == answer(writer, message, "reply")
    assert Draft.objects.count() == 1


def test_a_reply_nobody_wrote_in_is_no_draft_to_go_on_with(writer, received):
    where = answer(writer, received(RAW), "reply")
    assert "Re: Ferry" not in writer.get("/outbox/").content.decode()
    writer.post(where.partition("?")[0], words_of(writer.get(where).content.decode()) | {"text": "Yes.", "act": "save"})
    assert "Re: Ferry" in writer.get("/outbox/").content.decode()


def test_an_unknown_kind_is_refused(writer, received):
    assert writer.post(f"/write/from/{received(RAW).pk}/", {"kind": "burn"}).status_code == 400


def test_the_message_has_the_buttons(writer, received):
    page = writer.get(f"/message/{received(RAW).pk}/").content.decode()
    for kind in ("reply", "reply_all", "reply_list", "forward", "forward_attached", "edit_as_new"):
        assert f'value="{kind}"' in page


def test_redirecting_sends_it_on_as_it_is(writer, received):
    path = f"/write/redirect/{received(RAW).pk}/"
    assert "Redirect “Ferry”" in writer.get(path).content.decode()
    refused = writer.post(path, {"to": "nobody"})
    assert refused.status_code == 422
    assert "it has no @" in refused.content.decode()
    for _ in range(2):  # a double click
        sent_on = writer.post(path, {"to": "dan@demo.test", "idem_key": "a-key"})
    sent = Submission.objects.get()
    assert sent_on.url == path.replace("write/redirect", "message")
    assert "Sending…" in writer.get(sent_on.url).content.decode()
    assert sent.send_after > sent.created_at, "for a while it can be taken back"
    assert b"Resent-To: dan@demo.test" in bytes(sent.message)
    assert bytes(sent.message).endswith(b"It leaves at nine.\r\n")
