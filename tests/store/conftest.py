"""An account of somebody's on a real server, and messages to put into it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.servers import MailUser
from webmail.models import Account, Mailbox, Provider, User
from webmail.store import credentials, pools, sync


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
    """The account of `mail_user`, whose mailboxes nobody has read yet."""
    return make_account(mail_user)


def make_account(mail_user: MailUser) -> Account:
    """A user with one account on the server of `mail_user`."""
    server = mail_user.server
    provider, _ = Provider.objects.get_or_create(
        name=server.kind,
        defaults={
            "imap_host": server.host,
            "imap_port": server.tls_port,
            "ca_pem": server.ca_pem,
            "allow_private": True,
        },
    )
    user = User.objects.create_user(mail_user.address)
    account = Account(user=user, provider=provider, address=mail_user.address, signs_in=True)
    account.credential = credentials.seal(account, mail_user.password)
    account.save()
    return account


@pytest.fixture
def inbox(account: Account) -> Mailbox:
    """The inbox of `account`, listed but cold."""
    sync.list_mailboxes(account)
    return account.mailboxes.select_related("account__provider").get(role="inbox")


@pytest.fixture(autouse=True)
def _close_pools() -> object:
    """Connections of one test don't outlive it."""
    yield
    for account_id in list(pools._pools):
        pools.forget(Account(pk=account_id))
