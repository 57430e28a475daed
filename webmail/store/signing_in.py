"""Signing in with mail: the mail server is asked each time, and the first time makes the person.

With a password, or with what the address's provider has just granted: then too it is the mail server that says whose
mailbox it opens, and no other word of the provider's.

The room's one law: the user is the one whose account says `signs_in` for this address. An account that somebody only
added to their settings signs nobody in, and a user who happens to have the address as name is never taken over.
"""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, transaction

from webmail.models import Account, Provider, User
from webmail.models.provider import SignInBy
from webmail.protocol.connection import Connection
from webmail.protocol.errors import GiveUp, LoginNeeded
from webmail.protocol.mail_address import domain_of
from webmail.protocol.oauth import Tokens

from . import credentials, grants, logins, pools, providers
from .logins import Secret

MAX_ADDRESS = 150  # what a user's name holds


class NotHere(GiveUp):
    """The administrator doesn't let people of this domain sign in with mail."""

    sentence = "People with this kind of address can't sign in here."


class NameTaken(GiveUp):
    """Its mailbox opens, but the name belongs to a user whom this address does not sign in."""

    sentence = "This address can't sign in here with its mail yet: ask the administrator to allow it."


class SwitchedOff(GiveUp):
    """Its mailbox opens, but an administrator has switched this user off."""

    sentence = "This sign-in has been switched off by the administrator."


def elsewhere(address: str) -> Provider | None:
    """The provider at which people with this normalised address sign in; None where they have a password.

    It is known by the domain alone, so that the answer tells nothing about who has an account here.
    """
    provider = providers.of(address)
    return provider if provider is not None and provider.by_oauth and _allowed(provider) else None


def is_anybody_elsewhere() -> bool:
    """Whether there are people who sign in at their provider."""
    return Provider.objects.filter(sign_in_by=SignInBy.OAUTH, sign_in_allowed=True).exists()


def sign_in(address: str, secret: Secret) -> User:
    """Whoever may sign in as `address`, after the mail server took `secret`.

    Keeps it sealed, and the connection for the first page. The first time makes User and Account, where the
    provider (the administrator's, or the one the domain announces) allows it. Waits for the network up to about
    half a minute; never call it inside a transaction.

    Args:
        address: normalised (`mail_address.normalise`).
        secret: the password as typed, or what was granted.

    Raises:
        LoginNeeded: wrong password, or nobody has this address; the same either way.
        grants.NotLasting: see there.
        providers.NoServer, NotHere, NameTaken, SwitchedOff: see there.
        ProtocolError: the mail server is away or can't be trusted.
    """
    if len(address) > MAX_ADDRESS:
        raise LoginNeeded
    account = _account_of(address)
    if account is None:
        provider, connection = _prove(address, secret)
    elif _allowed(account.provider):
        provider = account.provider
        connection = pools.log_in(provider.imap, logins.login_with(provider, account.imap_login_name, secret))
    else:
        raise NotHere
    try:
        if account is None and isinstance(secret, Tokens) and not secret.refresh:
            raise grants.NotLasting  # before anything is made
        account = account or _make(address, provider)
        if not account.user.is_active:
            raise SwitchedOff
        _remember(account, secret, connection)
    except BaseException:
        connection.close()
        raise
    return account.user


def _account_of(address: str) -> Account | None:
    """The account that signs this address in. Of several, the one at the domain's provider."""
    accounts = list(Account.objects.filter(address=address, signs_in=True).select_related("provider", "user"))
    if len(accounts) > 1:
        provider = providers.of(address)
        accounts.sort(key=lambda account: account.provider != provider)
    return accounts[0] if accounts else None


def _allowed(provider: Provider) -> bool:
    return provider.sign_in_allowed and (settings.OPEN_SIGN_IN or not provider.discovered)


def _prove(address: str, secret: Secret) -> tuple[Provider, Connection]:
    """The provider of somebody who was never here, and a connection that shows the secret is right."""
    provider = providers.of(address)
    if provider is None and not settings.OPEN_SIGN_IN:
        raise NotHere
    if provider is not None and not _allowed(provider):
        raise NotHere
    refusal: LoginNeeded | None = None
    for proposal in [provider] if provider is not None else providers.search(address):
        try:
            login = logins.login_with(proposal, proposal.login_name(address), secret)
            return proposal, pools.log_in(proposal.imap, login)
        except LoginNeeded as error:
            refusal = error
    raise refusal or providers.NoServer


def _make(address: str, provider: Provider) -> Account:
    """The user and account of a first sign-in, whose secret was proven."""
    provider = providers.keep(provider, domain_of(address))
    try:
        with transaction.atomic():
            # No password of our own: the mail server is asked each time.
            user = User.objects.create_user(username=address, email=address, password=None)
            return Account.objects.create(user=user, provider=provider, address=address, signs_in=True)
    except IntegrityError:
        # Either the same person signed in twice at once, or somebody else has the name.
        account = _account_of(address)
        if account is None or account.provider_id != provider.pk:
            raise NameTaken from None
        return account


def _remember(account: Account, secret: Secret, connection: Connection) -> None:
    """Keep the secret that just worked, and hand the connection to the account's pool."""
    if isinstance(secret, Tokens):
        logins.keep(account, secret)
    elif _known(account) != secret:
        pools.forget(account)
        logins.keep(account, secret)
    pools.note_state(account, Account.State.OK, "")
    pools.adopt(account, connection)


def _known(account: Account) -> str:
    try:
        return credentials.unseal(account)
    except credentials.CredentialUnreadable:
        return ""
