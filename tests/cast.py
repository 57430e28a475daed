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

from tests.authorization import Authorization
from tests.servers import PASSWORD
from webmail.demo.imap_server import ImapServer
from webmail.models import Account, AuthorizationServer, Mailbox, Message, Provider, User
from webmail.protocol.oauth import Tokens
from webmail.store import breaker, credentials, grants, pools

LOCAL_PASSWORD = "a long local password"


@pytest.fixture
def provider(db: None, dovecot: ImapServer) -> Provider:
    """The administrator's provider: Dovecot, serving demo.test."""
    return provider_on(dovecot)


@pytest.fixture
def token_provider(db: None, token_dovecot: ImapServer, authorization: Authorization) -> Provider:
    """A provider whose people sign in there: a Dovecot that takes access tokens, serving demo.test."""
    return provider_with_tokens(token_dovecot, authorization)


@pytest.fixture
def hers(token_provider: Provider, authorization: Authorization, redis_url: str) -> Account:
    """alice@quay.test, an account whose owner has allowed it at the provider."""
    breaker._forget(breaker._keys(authorization.client.place))
    account = connected("alice@quay.test", token_provider, authorization)
    return Account.objects.select_related("provider", "user").get(pk=account.pk)


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


def provider_with_tokens(server: ImapServer, authorization: Authorization, name: str = "Quay Mail") -> Provider:
    """A provider at `server` whose people sign in at `authorization`."""
    provider = provider_on(server, name, "quay.test")
    provider.ca_pem += authorization.ca_pem
    provider.sign_in_by = "oauth"
    provider.save()
    client = authorization.client
    AuthorizationServer.objects.create(
        provider=provider,
        authorization_endpoint=client.authorization_endpoint,
        token_endpoint=client.token_endpoint,
        revocation_endpoint=client.revocation_endpoint,
        client_id=client.client_id,
        client_secret=client.client_secret,
        scopes=client.scopes,
    )
    return provider


def connected(address: str, provider: Provider, authorization: Authorization) -> Account:
    """The account of somebody who has allowed it at the provider."""
    user = User.objects.create_user(address, email=address)
    account = Account.objects.create(user=user, provider=provider, address=address, signs_in=True)
    grant(account, authorization)
    return account


def grant(account: Account, authorization: Authorization) -> None:
    """Its owner allows it."""
    granted = authorization.grant(account.address)
    grants.keep(account, Tokens(str(granted["access_token"]), str(granted["refresh_token"]), authorization.seconds))


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
