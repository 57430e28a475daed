"""Somebody of their own for each test: an account on a real server, mail in it, and a browser to read it in.

Folders whose tests change mail take these fixtures into their `conftest.py`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.cast import client_of, person, provider_on
from tests.servers import MailUser
from webmail.models import Account, Mailbox, Message, Provider
from webmail.store import bodies, sync


def letter(number: int, *, subject: str = "", sender: str = "Bob Novak <bob@demo.test>", body: str = "Hello.") -> bytes:
    """A small message, different for each number."""
    lines = [
        f"From: {sender}",
        "To: Alice <alice@demo.test>",
        f"Subject: {subject or f'Letter {number}'}",
        f"Message-ID: <letter-{number}@demo.test>",
        "Date: Tue, 3 Mar 2026 14:02:00 +0100",
        "Content-Type: text/plain; charset=utf-8",
        "",
        body,
        "",
    ]
    return "\r\n".join(lines).encode()


@pytest.fixture
def mail_user(mailbox_user: Callable[..., MailUser]) -> MailUser:
    """Somebody with an empty mailbox on Dovecot."""
    return mailbox_user()


@pytest.fixture
def account(mail_user: MailUser, db: None, redis_url: str) -> Account:
    """The account of `mail_user`, whose mailboxes nobody has read yet.

    Keys of rows come again from test to test: what was kept of another's message under the same ones goes.
    """
    for kept in list(bodies.client.scan_iter("body:*", count=1000)):
        bodies.client.delete(kept)
    return make_account(mail_user)


def make_account(mail_user: MailUser) -> Account:
    """A user with one account on the server of `mail_user`."""
    server = mail_user.server
    provider = Provider.objects.filter(name=server.kind).first() or provider_on(server, server.kind, domain="")
    return person(mail_user.address, provider, mail_user.password).accounts.get()


def indexed(account: Account) -> Mailbox:
    """The inbox of an account whose mailboxes are listed and whose inbox is indexed, all of it."""
    sync.list_mailboxes(account)
    inbox = account.mailboxes.select_related("account__provider").get(role="inbox")
    sync.refresh(inbox)
    while sync.backfill(inbox):
        pass
    inbox.refresh_from_db()
    return inbox


@pytest.fixture
def inbox(account: Account) -> Mailbox:
    """The inbox of `account`, listed but cold."""
    sync.list_mailboxes(account)
    return account.mailboxes.select_related("account__provider").get(role="inbox")


@pytest.fixture
def reader(account: Account) -> Client:
    """The browser in which the owner of `account` is signed in."""
    return client_of(account.user)


@pytest.fixture
def received(mail_user: MailUser, account: Account) -> Callable[..., Message]:
    """A function that delivers a message and gives its row, with all that reading it needs."""

    def receive(raw: bytes, flags: str = "") -> Message:
        uid = mail_user.append("INBOX", raw, flags)
        if account.listed_at is None:
            sync.list_mailboxes(account)
        sync.refresh(account.mailboxes.select_related("account__provider").get(role="inbox"))
        rows = Message.objects.select_related("mailbox", "account__provider")
        return rows.get(account=account, mailbox__role="inbox", uid=uid)

    return receive
