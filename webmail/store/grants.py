"""What people have allowed us at a provider with OAuth 2.0: refresh tokens, and the access tokens made of them.

The room's one law: a refresh token is used by one process at a time and is replaced in the same statement that keeps
its access token; used twice, many servers take it for stolen. It goes to the server that gave it and to nobody else.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from webmail.models import Account, AuthorizationServer, Grant, Provider
from webmail.models.sealed import Sealed, SealedText, Unreadable
from webmail.protocol import oauth
from webmail.protocol.errors import GiveUp, LoginNeeded, ProtocolError, TryAgain
from webmail.protocol.oauth import Client, Tokens

from . import audit, breaker

MARGIN = timedelta(minutes=2)  # before an access token runs out it is used no more; a quarter of its life at most
LEASE = timedelta(seconds=30)  # longer than a request takes; whoever was killed keeps others waiting so long
PATIENCE = 20.0  # seconds to wait for another who renews it
LOOK = 0.1  # seconds between two looks at what the other has got
_log = logging.getLogger(__name__)


class SignInAgain(LoginNeeded):
    """There is no permission (any more): the account's owner has to sign in at the provider."""

    def __init__(self, provider: Provider) -> None:
        super().__init__(f"Sign in at {provider.name} again.")


class NotLasting(GiveUp):
    """The provider gave no refresh token: in an hour nothing would work."""

    sentence = "The provider gave a permission for an hour only. Ask your administrator to look at the scopes."


def server_of(provider: Provider) -> AuthorizationServer:
    """The authorization server of a provider.

    Raises:
        oauth.SetUpWrongly: the administrator has named none.
    """
    server = AuthorizationServer.objects.select_related("provider").filter(pk=provider.pk).first()
    if server is None:
        raise oauth.SetUpWrongly
    return server


def client_of(provider: Provider) -> Client:
    """Likewise as `protocol` takes it. Raises as `server_of`."""
    return server_of(provider).client


def keep(account: Account, tokens: Tokens) -> None:
    """Keep what was just granted, in place of what was there. Some give a refresh token the first time only.

    Raises:
        NotLasting: see there.
    """
    issuer, refresh = server_of(account.provider).issuer, tokens.refresh
    before = Grant.objects.filter(pk=account.pk, issuer=issuer).first()
    kept = _opened(before, "refresh_token") if before is not None else ""
    if not (refresh or kept):
        raise NotLasting
    with transaction.atomic():
        Grant.objects.update_or_create(
            account=account,
            defaults={
                "issuer": issuer,
                "refresh_token": refresh or kept,
                "access_token": tokens.access,
                "access_until": _good_until(tokens),
                "renewing_until": None,
                "granted_at": timezone.now(),
            },
        )
        if not kept:
            audit.note(account, f"Connected at {account.provider.name}.")


def end(account: Account) -> bool:
    """Forget what was granted; false where nothing was.

    The provider is told once that is committed, which takes seconds at most and is harmless where it can't be told.
    """
    grant = Grant.objects.filter(pk=account.pk).first()
    if grant is None:
        return False
    Grant.objects.filter(pk=account.pk).delete()
    transaction.on_commit(partial(_tell, grant, account.provider))
    return True


def granted_at(account: Account) -> datetime | None:
    """Since when the account is connected; None where it isn't, or has to be connected again."""
    grant = Grant.objects.filter(pk=account.pk).first()
    return grant.granted_at if grant is not None and _opened(grant, "refresh_token") else None


def access_token(account: Account) -> str:
    """A token that is good for some minutes at least: the one that is kept, else a new one.

    Waits for the network, or for another process that renews it; never call it inside a transaction.

    Raises:
        SignInAgain: see there.
        TryAgain: the authorization server is away, or wants the administrator.
    """
    patience = time.monotonic() + PATIENCE
    while True:
        now = timezone.now()
        grant = _grant(account)
        if token := _good(grant, now):
            return token
        held = Grant.objects.filter(pk=account.pk, renewing_until=now + LEASE)
        free = Grant.objects.filter(Q(renewing_until__isnull=True) | Q(renewing_until__lt=now), pk=account.pk)
        if free.update(renewing_until=now + LEASE):
            if token := _renewed(account, held):
                return token
            continue  # connected or disconnected anew meanwhile
        if time.monotonic() > patience:
            raise TryAgain("The mail provider's sign-in takes too long.")
        time.sleep(LOOK)


def distrust(account: Account, token: str) -> None:
    """Forget an access token that a mail server refused before its time."""
    grant = Grant.objects.filter(pk=account.pk).first()
    if grant is not None and _opened(grant, "access_token") == token:
        Grant.objects.filter(pk=account.pk, access_until=grant.access_until).update(access_until=None)


def _renewed(account: Account, held: QuerySet[Grant]) -> str:
    """Renew the access token of a row that we hold; "" where it is ours no more."""
    try:
        grant = _grant(account)  # as it is now that nobody else renews it
        if token := _good(grant, timezone.now()):
            held.update(renewing_until=None)
            return token
        client = client_of(account.provider)
        with breaker.trying(client.place):
            tokens = oauth.renew(client, _opened(grant, "refresh_token"))
    except oauth.GrantEnded:
        held.update(refresh_token=None, access_token=None, access_until=None, renewing_until=None)
        raise SignInAgain(account.provider) from None
    except BaseException:
        held.update(renewing_until=None)
        raise
    new: dict[str, object] = {"access_token": _sealed("access_token", account, tokens.access)}
    if tokens.refresh:
        new["refresh_token"] = _sealed("refresh_token", account, tokens.refresh)
    return tokens.access if held.update(**new, access_until=_good_until(tokens), renewing_until=None) else ""


def _tell(grant: Grant, provider: Provider) -> None:
    """Have a permission ended at the server that gave it, if it is that of the provider still."""
    server, refresh = AuthorizationServer.objects.filter(pk=provider.pk).first(), _opened(grant, "refresh_token")
    if server is None or not server.revocation_endpoint or server.issuer != grant.issuer or not refresh:
        return
    try:
        # What comes of it isn't noted with the breaker: that tokens can't be revoked says nothing of renewing them.
        if breaker.state_of(server.client.place).name == "open":
            raise TryAgain
        oauth.revoke(server.client, refresh)
    except ProtocolError as error:
        _log.warning("Provider %s was not told that a permission has ended: %s", provider.pk, error)


def _grant(account: Account) -> Grant:
    """The account's grant, which can be renewed.

    Raises:
        SignInAgain: there is none, or not from the server that the provider has now.
    """
    grant = Grant.objects.filter(pk=account.pk).first()
    if grant is None or not _opened(grant, "refresh_token") or grant.issuer != server_of(account.provider).issuer:
        raise SignInAgain(account.provider)
    return grant


def _good(grant: Grant, now: datetime) -> str:
    """Its access token, "" where it has none that can still be used."""
    if grant.access_until is None or grant.access_until < now:
        return ""
    return _opened(grant, "access_token")


def _good_until(tokens: Tokens) -> datetime:
    lives = timedelta(seconds=tokens.seconds)
    return timezone.now() + lives - min(MARGIN, lives / 4)


def _opened(grant: Grant, name: str) -> str:
    """A token of the row, "" where there is none that a key opens."""
    try:
        return getattr(grant, name) or ""
    except Unreadable:
        return ""


def _sealed(name: str, account: Account, token: str) -> Sealed:
    field = Grant._meta.get_field(name)
    assert isinstance(field, SealedText)
    return field.sealed(account.pk, token)
