"""Signing in with a mail password: the mail server is asked each time, and the first time makes the person.

The room's one law: the user is the one whose account says `signs_in` for this address. An account that somebody only
added to their settings signs nobody in, and a user who happens to have the address as name is never taken over.
"""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, transaction

from webmail.models import Account, Provider, User
from webmail.protocol.connection import Connection
from webmail.protocol.errors import GiveUp, LoginNeeded
from webmail.protocol.mail_address import domain_of
from webmail.protocol.types import Login

from . import credentials, pools, providers

MAX_ADDRESS = 150  # what a user's name holds


class NotHere(GiveUp):
    """The administrator doesn't let people of this domain sign in with mail."""

    sentence = "People with this kind of address can't sign in here."


class NameTaken(GiveUp):
    """The password is right, but the name belongs to a user whom this address does not sign in."""

    sentence = "This address can't sign in with its mail password yet: ask the administrator to allow it."


class SwitchedOff(GiveUp):
    """The password is right, but an administrator has switched this user off."""

    sentence = "This sign-in has been switched off by the administrator."


def sign_in(address: str, password: str) -> User:
    """Whoever may sign in as `address`, after the mail server took `password`.

    Keeps the password sealed, and the connection for the first page. The first time makes User and Account, where the
    provider (the administrator's, or the one the domain announces) allows it. Waits for the network up to about
    half a minute; never call it inside a transaction.

    Args:
        address: normalised (`mail_address.normalise`).
        password: as typed.

    Raises:
        LoginNeeded: wrong password, or nobody has this address; the same either way.
        providers.NoServer, NotHere, NameTaken, SwitchedOff: see there.
        ProtocolError: the mail server is away or can't be trusted.
    """
    if len(address) > MAX_ADDRESS:
        raise LoginNeeded
    account = _account_of(address)
    if account is None:
        provider, connection = _prove(address, password)
    elif _allowed(account.provider):
        provider, connection = (
            account.provider,
            pools.log_in(account.provider.imap, Login(account.imap_login_name, password)),
        )
    else:
        raise NotHere
    try:
        account = account or _make(address, provider)
        if not account.user.is_active:
            raise SwitchedOff
        _remember(account, password, connection)
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


def _prove(address: str, password: str) -> tuple[Provider, Connection]:
    """The provider of somebody who was never here, and a connection that shows the password is right."""
    provider = providers.of(address)
    if provider is None and not settings.OPEN_SIGN_IN:
        raise NotHere
    if provider is not None and not _allowed(provider):
        raise NotHere
    refusal: LoginNeeded | None = None
    for proposal in [provider] if provider is not None else providers.search(address):
        try:
            return proposal, pools.log_in(proposal.imap, Login(proposal.login_name(address), password))
        except LoginNeeded as error:
            refusal = error
    raise refusal or providers.NoServer


def _make(address: str, provider: Provider) -> Account:
    """The user and account of a first sign-in, whose password was proven."""
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


def _remember(account: Account, password: str, connection: Connection) -> None:
    """Keep the password that just worked, and hand the connection to the account's pool."""
    try:
        known = credentials.unseal(account)
    except credentials.CredentialUnreadable:
        known = ""
    if known != password:
        pools.forget(account)
        account.credential = credentials.seal(account, password)
        account.save(update_fields=["credential"])
    pools.note_state(account, Account.State.OK, "")
    pools.adopt(account, connection)
