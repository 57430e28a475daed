"""The demo's submission server delivers to its own people, and tells the sender about everybody else."""

from __future__ import annotations

import email
import smtplib
import ssl
from collections.abc import Callable, Iterator

import pytest

from tests.servers import MailUser
from webmail.demo.smtp_server import SmtpServer

MESSAGE = b"From: u@demo.test\r\nSubject: Ferry\r\n\r\n.It leaves at nine.\r\n"


@pytest.fixture
def submission(smtp_server: SmtpServer) -> Iterator[smtplib.SMTP]:
    context = ssl.create_default_context(cadata=smtp_server.ca_pem)
    with smtplib.SMTP_SSL("localhost", smtp_server.tls_port, context=context, timeout=20) as client:
        yield client


def inbox(user: MailUser) -> list[bytes]:
    with user.imap() as client:
        client.select("INBOX", readonly=True)
        _, found = client.search(None, "ALL")
        answer = client.fetch("1:*", "(BODY.PEEK[])")[1] if found[0] else []
    return [piece[1] for piece in answer if isinstance(piece, tuple)]


def test_mail_reaches_its_recipients(submission: smtplib.SMTP, mailbox_user: Callable[..., MailUser]) -> None:
    sender, one, two = mailbox_user(), mailbox_user(), mailbox_user()
    submission.login(sender.address, sender.password)
    assert submission.sendmail(sender.address, [one.address, two.address.upper()], MESSAGE) == {}
    for recipient in (one, two):
        (received,) = inbox(recipient)
        assert received.endswith(b"\r\n" + MESSAGE)
        assert received.startswith(b"Return-Path: <" + sender.address.encode())


def test_an_unknown_recipient_is_reported_to_the_sender(
    submission: smtplib.SMTP, mailbox_user: Callable[..., MailUser]
) -> None:
    sender = mailbox_user()
    submission.login(sender.address, sender.password)
    submission.sendmail(sender.address, ["nobody@elsewhere.example"], MESSAGE)
    (received,) = inbox(sender)
    report = email.message_from_bytes(received)
    assert report.get_content_type() == "multipart/report"
    status = report.get_payload()[1].get_payload()
    assert status[1]["Final-Recipient"] == "rfc822; nobody@elsewhere.example"
    assert status[1]["Status"] == "5.1.1"


def test_what_nobody_sent_is_reported_to_nobody(
    submission: smtplib.SMTP, mailbox_user: Callable[..., MailUser]
) -> None:
    sender, other = mailbox_user(), mailbox_user()
    submission.login(sender.address, sender.password)
    submission.sendmail("", [other.address, "nobody@elsewhere.example"], MESSAGE)
    assert inbox(sender) == []
    assert inbox(other)[0].startswith(b"Return-Path: <>")


def test_it_takes_nothing_without_log_in(submission: smtplib.SMTP, mailbox_user: Callable[..., MailUser]) -> None:
    user = mailbox_user()
    with pytest.raises(smtplib.SMTPSenderRefused, match="530"):
        submission.sendmail(user.address, [user.address], MESSAGE)
    with pytest.raises(smtplib.SMTPAuthenticationError):
        submission.login(user.address, "guess")


def test_nobody_sends_as_somebody_else(submission: smtplib.SMTP, mailbox_user: Callable[..., MailUser]) -> None:
    user, other = mailbox_user(), mailbox_user()
    submission.login(user.address, user.password)
    with pytest.raises(smtplib.SMTPSenderRefused, match="553"):
        submission.sendmail(other.address, [user.address], MESSAGE)
    assert submission.mail(user.address.replace("@", "+shop@"))[0] == 250


def test_starttls_comes_before_log_in(smtp_server: SmtpServer, mailbox_user: Callable[..., MailUser]) -> None:
    user = mailbox_user()
    context = ssl.create_default_context(cadata=smtp_server.ca_pem)
    with smtplib.SMTP(smtp_server.host, smtp_server.port, timeout=20) as client:
        client.ehlo()
        assert "auth" not in client.esmtp_features
        client.starttls(context=context)
        client.login(user.address, user.password)
        assert client.sendmail(user.address, [user.address], MESSAGE) == {}
