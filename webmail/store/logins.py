"""What an account logs in with: its password, or an access token where its provider takes those."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.utils import timezone

from webmail.models import Account, Provider, Submission
from webmail.protocol.errors import LoginNeeded
from webmail.protocol.oauth import Tokens
from webmail.protocol.types import Login

from . import credentials, grants

T = TypeVar("T")
Secret = str | Tokens  # a password as it was typed, or what the provider just granted


def login_with(provider: Provider, name: str, secret: Secret) -> Login:
    """A log-in that is tried for the first time.

    Raises:
        LoginNeeded: the provider takes the other kind of secret, so it isn't sent anywhere.
    """
    if isinstance(secret, Tokens) != provider.by_oauth:
        raise LoginNeeded
    return Login(name, secret.access, is_token=True) if isinstance(secret, Tokens) else Login(name, secret)


def keep(account: Account, secret: Secret) -> None:
    """Keep what just worked for a saved account. Messages that wait for it go on at once.

    Raises:
        grants.NotLasting: see there.
    """
    if isinstance(secret, Tokens):
        grants.keep(account, secret)
    else:
        account.credential = credentials.seal(account, secret)
        account.save(update_fields=["credential"])
    waiting = (Submission.State.RETRY, Submission.State.SENT)
    account.submissions.filter(state__in=waiting, claim="").update(not_before=timezone.now())


def login_of(account: Account) -> Login:
    """The name and secret of `account`, which has its provider. May wait for the network: see `grants.access_token`.

    Raises:
        LoginNeeded: there is none: `credentials.CredentialUnreadable`, `grants.SignInAgain`.
        TryAgain: there is none at the moment.
    """
    if account.provider.by_oauth:
        return Login(account.imap_login_name, grants.access_token(account), is_token=True)
    return Login(account.imap_login_name, credentials.unseal(account))


def using(account: Account, log_in: Callable[[Login], T]) -> T:
    """What `log_in` gives. A token that is refused before its time is renewed, once.

    Raises:
        As `login_of` and `log_in`.
    """
    login = login_of(account)
    try:
        return log_in(login)
    except LoginNeeded:
        if not login.is_token:
            raise
    grants.distrust(account, login.password)
    return log_in(login_of(account))


def needed(account: Account) -> LoginNeeded:
    """The error for an account whose log-in was refused a moment ago."""
    return grants.SignInAgain(account.provider) if account.provider.by_oauth else LoginNeeded()
