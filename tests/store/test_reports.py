"""Reports about mail that was sent stand beside it: on the outbox, on the message in Sent, and in both directions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.protocol.scripted_smtp import PoliteSmtp
from tests.reader import letter
from tests.servers import MailUser
from tests.store.writing import send, sent_copies, state
from webmail.demo.smtp_server import delivery_report
from webmail.models import Account, Mailbox, Message, Report, Submission
from webmail.store import outbox_page, prefetch, reports, sending, sync
from webmail.store.drafts import Values

pytestmark = pytest.mark.django_db(transaction=True)

TWO = Values(to="Carol <Carol@demo.test>, bob@demo.test", subject="Ferry", text="At nine.")


def bounce(about: str, *, head: str = "", recipient: str = "carol@demo.test", action: str = "failed") -> bytes:
    """As Postfix writes it; `about` are the lines of the header that it brings along."""
    return (
        "From: Mail Delivery System <MAILER-DAEMON@mx.demo.test>\r\nTo: alice@demo.test\r\nSubject: Undelivered\r\n"
        f"Message-ID: <{abs(hash(about + head + action + recipient))}@mx.demo.test>\r\nAuto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nThis is the mail system.\r\n\r\n--b\r\n"
        f"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.demo.test\r\n{head}\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n--b\r\n"
        f"Content-Type: text/rfc822-headers\r\n\r\n{about}Subject: Ferry\r\n\r\n--b--\r\n"
    ).encode()


def receipt(about: str) -> bytes:
    """As another program says that bob has opened it (RFC 8098)."""
    return (
        "From: Bob <bob@demo.test>\r\nTo: alice@demo.test\r\nSubject: Read: Ferry\r\nMessage-ID: <read@demo.test>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nBob has read it.\r\n--b\r\n"
        "Content-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822; bob@demo.test\r\n"
        f"Original-Message-ID: <{about}>\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n\r\n--b--\r\n"
    ).encode()


@pytest.fixture
def sent(ready: Account, server: PoliteSmtp) -> Submission:
    """A message to two people that was sent and filed, and is in the index."""
    submission = send(ready, TWO)
    sending.carry_out(submission.pk)
    submission.refresh_from_db()
    assert submission.state == Submission.State.FILED
    mailbox = ready.mailboxes.select_related("account__provider").get(role="sent")
    sync.refresh(mailbox)
    return submission


@pytest.fixture
def comes(ready: Account, mail_user: MailUser) -> Callable[[bytes], Message]:
    """A function that lets mail arrive, as a worker hears of it, and gives its row."""

    def arrive(raw: bytes, mailbox: str = "INBOX") -> Message:
        uid = mail_user.append(mailbox, raw)
        row = Mailbox.objects.select_related("account__provider").get(account=ready, name=mailbox)
        sync.refresh(row)
        prefetch.read_previews(row, 200)
        return Message.objects.select_related("mailbox", "account__provider").get(mailbox=row, uid=uid)

    return arrive


@pytest.mark.parametrize("by", ["message id", "envelope id", "answer", "demo"])
def test_who_did_not_get_it_and_why(
    ready: Account, sent: Submission, comes: Callable[[bytes], Message], reader: Client, by: str
) -> None:
    original = f"Message-ID: <{sent.message_id}>\r\n"
    report = comes(
        {
            "message id": bounce(original),
            "envelope id": bounce("", head=f"Original-Envelope-Id: {sent.pk.hex}\r\n"),
            "answer": b"References: <" + sent.message_id.encode() + b">\r\n" + bounce(""),
            "demo": delivery_report("alice@demo.test", ["carol@demo.test"], f"{original}\r\nHello.".encode()),
        }[by]
    )
    [entry] = outbox_page.entries(ready.user)
    assert (entry.state, entry.can_dismiss) == ("Sent, not to everybody", True)
    assert [(line.address, line.fate, line.reason) for line in entry.refused] == [
        ("Carol@demo.test", "could not be delivered", "There is no such address.")
    ]
    page = reader.get("/outbox/").content.decode()
    assert "Carol@demo.test: could not be delivered. There is no such address. (" in page
    in_sent = Message.objects.get(account=ready, mailbox__role="sent")
    page = reader.get(f"/message/{in_sent.pk}/").content.decode()
    said = "No such mailbox here" if by == "demo" else "User unknown"
    for words in ("Not everybody got this message", "not delivered", "There is no such address.", said):
        assert words in page
    assert f'href="/message/{report.pk}/"' in page
    assert f'href="/message/{in_sent.pk}/"' in reader.get(f"/message/{report.pk}/").content.decode()


def test_a_receipt_stands_beside_what_it_is_about(
    ready: Account, sent: Submission, comes: Callable[[bytes], Message], reader: Client
) -> None:
    comes(receipt(sent.message_id))
    comes(bounce(f"Message-ID: <{sent.message_id}>\r\n", action="delayed"))
    in_sent = Message.objects.get(account=ready, mailbox__role="sent")
    page = reader.get(f"/message/{in_sent.pk}/").content.decode()
    assert "bob@demo.test</b>" in page and "has opened it" in page and "not yet delivered" in page
    assert [line.fate for line in outbox_page.entries(ready.user)[0].refused] == ["not delivered yet"]
    comes(bounce(f"Message-ID: <{sent.message_id}>\r\n", action="delivered"))
    assert outbox_page.entries(ready.user) == [], "the last word counts"


def test_what_is_opened_first_is_kept_then(
    ready: Account, sent: Submission, mail_user: MailUser, reader: Client
) -> None:
    mail_user.append("INBOX", bounce(f"Message-ID: <{sent.message_id}>\r\n"))
    inbox = ready.mailboxes.select_related("account__provider").get(role="inbox")
    sync.refresh(inbox)
    assert not Report.objects.exists()
    for _ in range(2):
        reader.get(f"/message/{inbox.messages.get().pk}/")
        assert Report.objects.get().recipient == "Carol@demo.test"


def test_what_was_unclear_was_sent_if_anything_comes_back(
    ready: Account, server: PoliteSmtp, mail_user: MailUser, comes: Callable[[bytes], Message]
) -> None:
    server.cut = "END"
    submission = send(ready, TWO)
    sending.carry_out(submission.pk)
    assert state(submission) == Submission.State.UNCLEAR
    comes(receipt(submission.message_id))
    assert state(submission) == Submission.State.SENT
    sending.carry_out(submission.pk)
    assert (state(submission), len(sent_copies(mail_user))) == (Submission.State.FILED, 1)
    assert len(server.messages) <= 1, "it is not sent again"


def test_nobody_elses_mail_is_reported_about(
    ready: Account, sent: Submission, comes: Callable[..., Message], reader: Client
) -> None:
    """What was never sent from here, and what lies in the junk."""
    comes(bounce("Message-ID: <somebody@else.test>\r\n"))
    comes(bounce(f"Message-ID: <{sent.message_id}>\r\n"), "Junk")
    assert not Report.objects.exists()
    assert outbox_page.entries(ready.user) == []
    reader.get(f"/message/{Message.objects.get(mailbox__name='Junk').pk}/")
    assert not Report.objects.exists()


def test_ordinary_mail_pays_nothing(ready: Account, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch) -> None:
    mail_user.append("INBOX", letter(1))
    inbox = ready.mailboxes.select_related("account__provider").get(role="inbox")
    sync.refresh(inbox)
    monkeypatch.setattr(reports, "learn", None)
    assert prefetch.read_previews(inbox, 200) == 1
