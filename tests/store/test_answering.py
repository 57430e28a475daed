"""Replies and forwards begun from mail on a real server: who gets them, what is quoted, which files go along."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from tests.protocol.letters import PNG
from webmail.models import Draft, Message, Provider, User
from webmail.protocol.connection import Connection
from webmail.protocol.reply import Kind
from webmail.store import answering, draft_files, draft_room, reading

pytestmark = pytest.mark.django_db(transaction=True)
Receive = Callable[..., Message]


def letter(to: str) -> bytes:
    """A letter with formatting, a picture in it and a paper."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Bob Novák <bob@demo.test>"
    mail["To"] = f"{to}, Carol <carol@demo.test>"
    mail["Subject"] = "Plán"
    mail["Date"] = "Tue, 03 Mar 2026 14:02:00 +0100"
    mail["Message-ID"] = "<one@demo.test>"
    mail["References"] = "<root@demo.test>"
    mail.set_content("Dear Alice,\n\nat nine.\n")
    mail.add_alternative('<p>Dear <b>Alice</b><img src="cid:quay@demo.test"></p><script>x()</script>', "html")
    html = mail.get_payload()[1]  # type: ignore[index]
    html.add_related(PNG, "image", "png", cid="<quay@demo.test>", filename="quay.png")  # type: ignore[union-attr]
    mail.add_attachment(b"%PDF-1.4", "application", "pdf", filename="plán.pdf")
    return bytes(mail)


@pytest.fixture
def original(received: Receive) -> Message:
    """That letter; its reader lives in Zürich."""
    message = received(letter("Alice <u@demo.test>"))
    User.objects.update(time_zone="Europe/Zurich")
    return Message.objects.select_related("mailbox", "account__provider", "account__user").get(pk=message.pk)


def begin(message: Message, kind: Kind, **more: object) -> answering.Begun:
    return answering.begin(message.account.user, message, kind, form_key=kind.value, **more)  # type: ignore[arg-type]


def test_reply(original: Message) -> None:
    begun = begin(original, Kind.REPLY_ALL)
    draft = begun.draft
    assert (draft.values.to, draft.values.subject) == (
        "Bob Novák <bob@demo.test>, Alice <u@demo.test>, Carol <carol@demo.test>", "Re: Plán",
    )  # fmt: skip
    assert draft.values.is_html
    assert draft.values.html == (
        "<p>On Tuesday 3 March 2026, 14:02, Bob Novák wrote:</p>"
        '<blockquote type="cite"><p>Dear <b>Alice</b><img src="cid:quay@demo.test"></p></blockquote>'
    )
    assert draft.values.text.endswith("wrote:\n> Dear Alice"), "what was shown, not another version of it"
    assert [(file.name, file.content_id) for file in draft.files] == [("quay.png", "quay@demo.test")]
    row = Draft.objects.get()
    assert (row.kind, row.original_row, row.in_reply_to) == ("reply", original.pk, "one@demo.test")
    assert row.references == "root@demo.test one@demo.test"


def test_forward_inline_and_attached(original: Message) -> None:
    user = original.account.user
    draft = begin(original, Kind.FORWARD).draft
    assert (draft.values.to, draft.values.subject, draft.kind) == ("", "Fwd: Plán", "forward")
    assert [file.name for file in draft.files] == ["quay.png", "plán.pdf"]
    assert draft_files.file_of(user, draft.id, draft.files[1].id)[1] == b"%PDF-1.4"  # type: ignore[index]
    plain = answering.begin(user, original, Kind.FORWARD, form_key="plain", is_html=False).draft
    assert "---------- Forwarded message ----------\nFrom: Bob Novák <bob@demo.test>\n" in plain.values.text
    whole = begin(original, Kind.FORWARD_ATTACHED).draft
    [file] = whole.files
    assert (file.name, file.type) == ("Plán.eml", "message/rfc822")
    assert draft_files.file_of(user, whole.id, file.id)[1] == b"".join(reading.raw(original))  # type: ignore[index]


def test_begun_once(original: Message) -> None:
    one = begin(original, Kind.FORWARD)
    assert begin(original, Kind.FORWARD).draft == one.draft
    assert Draft.objects.count() == 1


def test_edit_as_new(original: Message) -> None:
    draft = begin(original, Kind.EDIT_AS_NEW).draft
    assert (draft.values.subject, draft.kind, draft.in_reply_to) == ("Plán", "new", "")
    assert draft.values.to == "Alice <u@demo.test>, Carol <carol@demo.test>"
    assert len(draft.files) == 2


@pytest.mark.parametrize("is_html", [False, True])
def test_what_is_sent_anew_has_the_footer_once(original: Message, is_html: bool) -> None:
    Provider.objects.update(footer="at nine.", footer_html='<p>Dear <b>Alice</b><img src="cid:quay@demo.test"></p>')
    original.account.provider.refresh_from_db()
    values = begin(original, Kind.EDIT_AS_NEW, is_html=is_html).draft.values
    assert (values.text.strip(), values.html.strip()) == ("", "")


def test_what_does_not_fit_is_told(original: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft_room, "LARGEST", 41_000)
    begun = begin(original, Kind.FORWARD)
    assert begun.draft.files == ()
    assert begun.left_out[1].startswith("plán.pdf was not taken over: ")


def test_an_open_message_is_answered_without_the_server(received: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    message = received(b"From: bob@demo.test\r\nTo: alice@demo.test\r\nSubject: x\r\n\r\n> when?\r\nAt nine.\r\n")
    reading.body(message, "/")

    def nothing(*_arguments: object, **_more: object) -> None:
        raise AssertionError("the server was asked")

    both = (
        b"From: bob@demo.test\r\nTo: alice@demo.test\r\nSubject: y\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nAt ten.\r\n"
        b"--b\r\nContent-Type: text/html\r\n\r\n<p>At <b>ten</b>.</p>\r\n--b--\r\n"
    )
    formatted = received(both)
    reading.body(formatted, "/")
    monkeypatch.setattr(Connection, "_run", nothing)
    begun = answering.begin(formatted.account.user, formatted, Kind.REPLY, form_key="another")
    assert "At <b>ten</b>." in begun.draft.values.html
    draft = begin(message, Kind.REPLY).draft
    assert not draft.values.is_html
    assert draft.values.text.endswith("bob@demo.test wrote:\n>> when?\n> At nine.")


def test_not_a_strangers_mail(original: Message, mallory: User) -> None:
    with pytest.raises(Message.DoesNotExist):
        answering.begin(mallory, original, Kind.REPLY, form_key="x")
    assert not Draft.objects.exists()
