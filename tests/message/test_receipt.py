"""Read receipts: asked of the person in one line, sent once, right on the wire, and never where they shouldn't be."""

from __future__ import annotations

import email
from collections.abc import Callable

import pytest
from django.test import Client

from tests.message import letters
from tests.protocol.scripted_smtp import PoliteSmtp
from tests.servers import MailUser
from tests.store.writing import server, use
from webmail.models import Account, Job, Mailbox, Message, Submission, User
from webmail.store import sending, working

__all__ = ["server"]

pytestmark = pytest.mark.django_db(transaction=True)
Received = Callable[..., Message]
ASKS = "Bob asks for a receipt that you opened this."


def asking(mail_user: MailUser, more: str = "", *, back: str = "bob@demo.test", subject: str = "Plán") -> bytes:
    """A letter to the person themselves, from bob, who wants a receipt."""
    message = letters.letter(subject)
    message.replace_header("To", mail_user.address)
    message["Disposition-Notification-To"] = "Bob <bob@demo.test>"
    message.set_content("At nine.\n")
    return f"Return-Path: <{back}>\r\n{more}".encode() + bytes(message)


@pytest.fixture
def settled(account: Account, server: PoliteSmtp) -> Callable[[], None]:
    """A function that does what workers would."""
    use(account, server)

    def settle() -> None:
        for submission in sending.due():
            sending.carry_out(submission)
        working.work(account.pk)

    return settle


def says(reader: Client, message: Message, act: str) -> int:
    return reader.post(f"/message/{message.pk}/receipt/", {"act": act}).status_code


def shown(reader: Client, message: Message) -> str:
    return reader.get(f"/message/{message.pk}/").content.decode()


def keywords(mail_user: MailUser) -> bytes:
    with mail_user.imap() as client:
        client.select("INBOX", readonly=True)
        return b" ".join(item for item in client.fetch("1:*", "(FLAGS)")[1] if isinstance(item, bytes))


def test_it_is_asked_sent_once_and_right(
    reader: Client, received: Received, mail_user: MailUser, server: PoliteSmtp, settled: Callable[[], None]
) -> None:
    message = received(asking(mail_user, "Original-Recipient: rfc822;u+x@demo.test\r\n"))
    assert ASKS in shown(reader, message)
    assert not Submission.objects.exists(), "opening alone tells nobody"
    assert says(reader, message, "send") == says(reader, message, "send") == 302
    settled()
    assert ASKS not in shown(reader, message)
    assert "Bob was told that you opened this." in shown(reader, message)
    assert [line for line in server.lines if line.startswith(b"RCPT")] == [b"RCPT TO:<bob@demo.test>\r\n"]
    assert any(line.startswith(b"MAIL FROM:<>") for line in server.lines), "nothing comes back"
    [octets] = server.messages
    receipt = email.message_from_bytes(octets)
    assert receipt.get_content_type() == "multipart/report"
    assert receipt.get_param("report-type") == "disposition-notification"
    assert (receipt["From"], receipt["To"]) == (mail_user.address, "bob@demo.test")
    assert receipt["In-Reply-To"] == f"<{message.message_id}>"
    assert str(email.header.make_header(email.header.decode_header(receipt["Subject"]))) == "Read: Plán"
    words, notice = receipt.get_payload()
    assert "doesn't say that it was read or understood." in words.get_payload(decode=True).decode()
    assert notice.get_content_type() == "message/disposition-notification"
    assert dict(notice.get_payload()[0].items()) == {
        "Original-Recipient": "rfc822;u+x@demo.test",
        "Final-Recipient": f"rfc822; {mail_user.address}",
        "Original-Message-ID": f"<{message.message_id}>",
        "Disposition": "manual-action/MDN-sent-manually; displayed",
    }
    assert b"$MDNSent" in keywords(mail_user)
    assert Submission.objects.get().state == Submission.State.FILED
    assert not Message.objects.filter(mailbox__role="sent").exists(), "no copy of it is kept"


def test_no_is_an_answer_too(
    reader: Client, received: Received, mail_user: MailUser, settled: Callable[[], None]
) -> None:
    message = received(asking(mail_user))
    assert says(reader, message, "refuse") == 302
    settled()
    assert b"$MDNSent" in keywords(mail_user)
    assert ASKS not in shown(reader, message)
    says(reader, message, "send")
    assert not Submission.objects.exists()


def test_always_and_never(
    reader: Client, received: Received, mail_user: MailUser, server: PoliteSmtp, settled: Callable[[], None]
) -> None:
    User.objects.update(read_receipts="never")
    message = received(asking(mail_user))
    assert ASKS not in shown(reader, message)
    User.objects.update(read_receipts="always")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Purpose": "prefetch"}):
        reader.get(f"/message/{message.pk}/", headers=headers)
    assert not Submission.objects.exists(), "a look from elsewhere opens nothing"
    for _ in range(2):
        assert ASKS not in shown(reader, message)
    settled()
    [octets] = server.messages
    assert b"Disposition: manual-action/MDN-sent-automatically; displayed\r\n" in octets
    doubtful = received(asking(mail_user, back="carol@demo.test", subject="Another"))
    page = shown(reader, doubtful)
    assert ASKS in page and "That is not where the message came from." in page
    elsewhere = received(asking(mail_user, subject="Blind").replace(mail_user.address.encode(), b"list@demo.test"))
    assert ASKS in shown(reader, elsewhere), "who is not named is asked (RFC 8098 §2.1)"
    assert Submission.objects.count() == 1


@pytest.mark.parametrize(
    "more",
    [
        "List-Id: <loaf.demo.test>\r\n",
        "Precedence: bulk\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Disposition-Notification-To: eve@demo.test\r\n",
        "Disposition-Notification-Options: signed-receipt=required,x\r\n",
    ],
)
def test_where_nobody_is_asked(reader: Client, received: Received, mail_user: MailUser, more: str) -> None:
    User.objects.update(read_receipts="always")
    message = received(asking(mail_user, more))
    assert "asks for a receipt" not in shown(reader, message)
    says(reader, message, "send")
    assert not Submission.objects.exists()
    assert not Job.objects.filter(arguments__has_key="label").exists()


def test_nor_in_the_junk_nor_of_what_another_program_answered(
    reader: Client, received: Received, mail_user: MailUser
) -> None:
    answered = received(asking(mail_user), "$MDNSent")
    assert ASKS not in shown(reader, answered)
    message = received(asking(mail_user, subject="Another"))
    Mailbox.objects.filter(pk=message.mailbox_id).update(role="junk")
    assert ASKS not in shown(reader, message)
    assert says(reader, message, "send") == says(reader, answered, "send") == 302
    assert not Submission.objects.exists()
