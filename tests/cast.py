"""The cast: alice owns the story, bob is her correspondent, mallory must see nothing, and the admin runs the place.

The first three have their mailboxes on Dovecot (`tests.servers.CAST`) and sign in with their mail passwords. Tests that
change mail take a stranger of their own from `mailbox_user` instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.servers import PASSWORD
from webmail.demo.imap_server import ImapServer
from webmail.models import Account, Mailbox, Message, Provider, User
from webmail.store import credentials, pools

LOCAL_PASSWORD = "a long local password"


@pytest.fixture
def provider(db: None, dovecot: ImapServer) -> Provider:
    """The administrator's provider: Dovecot, serving demo.test."""
    return provider_on(dovecot)


@pytest.fixture
def alice(provider: Provider) -> User:
    return person("alice@demo.test", provider)


@pytest.fixture
def bob(provider: Provider) -> User:
    return person("bob@demo.test", provider)


@pytest.fixture
def mallory(provider: Provider) -> User:
    return person("mallory@demo.test", provider)


@pytest.fixture
def admin(db: None) -> User:
    """The administrator: a local user without mail."""
    return User.objects.create_superuser("admin", password=LOCAL_PASSWORD)


@pytest.fixture(autouse=True)
def _connections_end_with_the_test() -> Iterator[None]:
    yield
    for account_id in list(pools._pools):
        pools.forget(Account(pk=account_id))


def provider_on(server: ImapServer, name: str = "Demo", domain: str = "demo.test") -> Provider:
    """A provider at a server of the tests, serving `domain` ("" for none)."""
    provider = Provider.objects.create(
        name=name, imap_host=server.host, imap_port=server.tls_port, ca_pem=server.ca_pem, allow_private=True
    )
    if domain:
        provider.domains.create(domain=domain)
    return provider


def person(address: str, provider: Provider, password: str = PASSWORD) -> User:
    """Somebody who has signed in with mail before."""
    user = User.objects.create_user(address, email=address)
    account = Account(user=user, provider=provider, address=address, signs_in=True)
    account.credential = credentials.seal(account, password)
    account.save()
    return user


def give_mail(user: User) -> Message:
    """One message in the person's inbox, in the index alone; a draft, a message that waits to be sent, an identity, a
    template, somebody in the address book, and a group."""
    account = user.accounts.get()
    inbox = account.mailboxes.create(name="INBOX", role="inbox", uidvalidity=1, uidnext=2, lowest_uid=1, exists=1)
    now = timezone.now()
    Account.objects.filter(pk=account.pk).update(listed_at=now)
    Mailbox.objects.filter(pk=inbox.pk).update(checked_at=now, compared_at=now)
    account.drafts.create(form_key="a-key-of-the-test", subject=f"Private to {user}")
    account.identities.create(address=account.address, name=f"Private to {user}", is_default=True)
    user.templates.create(name=f"Private to {user}", text=f"Private to {user}")
    person = user.contacts.create(key="dan@demo.test", address="dan@demo.test", name=f"Private to {user}")
    user.contact_groups.create(name=f"Private to {user}").members.add(person)
    account.submissions.create(
        idem_key=f"waits-{account.pk}", message_id=f"waits-{account.pk}@demo.test", sender=account.address,
        subject=f"Private to {user}", size=100, send_after=now + timedelta(days=1), not_before=now + timedelta(days=1),
    )  # fmt: skip
    return inbox.messages.create(account=account, uid=1, date=now, subject=f"Private to {user}", size=100)


def client_of(user: User, **extra: object) -> Client:
    """A browser in which `user` is signed in."""
    client = Client(**extra)
    client.force_login(user, backend="webmail.accounts.backends.MailBackend")
    return client
