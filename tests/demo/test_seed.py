"""Seeding: everything arrives as written, once, on the rich server and on the poorest."""

from __future__ import annotations

import imaplib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.servers import MailUser
from webmail.demo.imap_server import ImapServer
from webmail.demo.mail.all import all_messages
from webmail.demo.mail.letters import DemoMail
from webmail.demo.seed import MAILBOXES, encode_name, seed, wait_for

NOW = datetime(2025, 3, 12, 10, 30, tzinfo=UTC)


def seed_as(person: MailUser, mails: list[DemoMail]) -> int:
    """Seed over TLS, with the mails going to this person whoever they were for."""
    own = [DemoMail(person.address, mail.mailbox, mail.raw, mail.flags, mail.date) for mail in mails]
    server = person.server
    logins = {person.address: person.password}
    return seed(server.host, server.tls_port, logins, ca_pem=server.ca_pem, mails=own)[person.address]


def held(imap: imaplib.IMAP4, mailbox: str) -> int:
    _, counts = imap.select(f'"{encode_name(mailbox)}"', readonly=True)
    return int(counts[0] or b"0")


def letter(mailbox: str, subject: str, flags: tuple[str, ...] = ("\\Seen",), days: int = 1) -> DemoMail:
    raw = f"Subject: {subject}\r\n\r\nHello\r\n".encode()
    return DemoMail("", mailbox, raw, flags, NOW - timedelta(days=days))


def test_all_of_alices_mail_arrives(imap_server: ImapServer, mailbox_user: Callable[..., MailUser]) -> None:
    person = mailbox_user(imap_server)
    mails = [mail for mail in all_messages(NOW) if mail.user == "alice@demo.test"]
    assert seed_as(person, mails) == len(mails)
    with person.imap() as imap:
        for name in ("INBOX", *MAILBOXES):
            assert held(imap, name) == sum(mail.mailbox == name for mail in mails), name
        imap.select('"Projects/Harbour redesign"', readonly=True)
        _, answer = imap.fetch("1:*", "(BODY.PEEK[])")
        stored = [item[1] for item in answer if isinstance(item, tuple)]
        here = sorted((mail for mail in mails if mail.mailbox == "Projects/Harbour redesign"), key=lambda m: m.date)
        assert stored == [mail.raw for mail in here]


def test_flags_dates_and_subscriptions(imap_server: ImapServer, mailbox_user: Callable[..., MailUser]) -> None:
    person = mailbox_user(imap_server)
    seed_as(
        person,
        [
            letter("INBOX", "newer", ("\\Flagged", "project"), days=1),
            letter("INBOX", "older", ("\\Seen", "\\Answered"), days=40),
        ],
    )
    with person.imap() as imap:
        imap.select("INBOX", readonly=True)
        _, answer = imap.fetch("1:2", "(FLAGS INTERNALDATE)")
        first, second = (line for line in answer if isinstance(line, bytes))
        assert b"\\Answered" in first
        assert b"31-Jan-2025 10:30:00 +0000" in first
        assert b"\\Flagged" in second
        assert b"project" in second
        assert b"\\Seen" not in second
        _, subscribed = imap.lsub()
        names = b" ".join(line for line in subscribed if isinstance(line, bytes))
        assert b"&ANoBDQ-ty a smlouvy" in names
        assert b"Projects/Budget" in names


def test_second_time_changes_nothing(imap_server: ImapServer, mailbox_user: Callable[..., MailUser]) -> None:
    person = mailbox_user(imap_server)
    mails = [letter("INBOX", "one"), letter("Archive", "two"), letter("Archive", "three")]
    assert seed_as(person, mails) == 3
    with person.imap() as imap:
        imap.select("Archive")
        imap.store("1:*", "+FLAGS", "\\Deleted")
        imap.expunge()
    assert seed_as(person, mails) == 0
    with person.imap() as imap:
        assert held(imap, "INBOX") == 1
        assert held(imap, "Archive") == 0


def test_a_broken_run_is_taken_up_again(dovecot: ImapServer, mailbox_user: Callable[..., MailUser]) -> None:
    person = mailbox_user(dovecot)
    half = [letter("Archive", "two"), letter("Family", "three")]
    seed_as(person, half)
    assert seed_as(person, [*half, letter("INBOX", "one")]) == 3
    with person.imap() as imap:
        assert [held(imap, name) for name in ("INBOX", "Archive", "Family")] == [1, 1, 1]


def test_wrong_password_is_an_error(dovecot: ImapServer) -> None:
    with pytest.raises(imaplib.IMAP4.error):
        seed(dovecot.host, dovecot.port, {"alice@demo.test": "wrong"}, mails=[])


def test_waiting_ends() -> None:
    with pytest.raises(TimeoutError, match="no IMAP server answers on 127"):
        wait_for("127.0.0.1", 9, seconds=0.2)


def test_names_are_encoded_as_imap_wants_them() -> None:
    assert encode_name("Účty a smlouvy") == "&ANoBDQ-ty a smlouvy"
    assert encode_name("Fish & Chips") == "Fish &- Chips"
    assert encode_name("日本語") == "&ZeVnLIqe-"
