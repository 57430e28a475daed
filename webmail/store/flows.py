"""Somebody who is under way to their provider, to allow us their mailbox: what we have to know when they come back.

The room's one law: a way leads back once, within ten minutes, into the browser session it began in. What is kept lies
sealed in Redis under a name that only that session together with its state gives.
"""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
import secrets
from dataclasses import dataclass, field

import redis

from webmail.models import Provider
from webmail.models.sealed import SealError, seal_bytes, unseal_bytes
from webmail.protocol import oauth
from webmail.protocol.errors import TryAgain
from webmail.protocol.oauth import Tokens

from . import grants
from .bodies import client

SECONDS = 600
MAX_CODE = 4096  # characters


class Purpose(enum.StrEnum):
    """What follows when they come back."""

    SIGN_IN = "sign in"
    CONNECT = "connect"
    ADD = "add"


@dataclass(frozen=True, slots=True)
class Flow:
    """One way there and back.

    Args:
        address: of the mailbox, normalised.
        redirect_uri: where they come back to.
        owner: the user who went, 0 for somebody who signs in. account: what is connected, 0 for none.
        wanted: the page of ours that they wanted.
    """

    purpose: Purpose
    provider: int
    address: str
    redirect_uri: str
    owner: int = 0
    account: int = 0
    wanted: str = ""
    verifier: str = field(default_factory=oauth.make_verifier, repr=False)


def begin(flow: Flow, provider: Provider, session_key: str) -> str:
    """Keep `flow`, and give the address at which the provider asks the person.

    Raises:
        oauth.SetUpWrongly: the administrator has named no authorization server.
        TryAgain: Redis is away.
    """
    state = secrets.token_urlsafe(32)
    key = _key(session_key, state)
    server = grants.client_of(provider)
    try:
        client.set(key, seal_bytes(key, json.dumps(dataclasses.asdict(flow)).encode()), ex=SECONDS)
    except redis.RedisError as error:
        raise TryAgain("This isn't possible at the moment.") from error
    return oauth.authorization_url(
        server, redirect_uri=flow.redirect_uri, state=state, verifier=flow.verifier, address=flow.address
    )


def take(session_key: str | None, state: str) -> Flow | None:
    """The flow that came back with `state` to this session; None the second time, too late, or elsewhere.

    Raises:
        TryAgain: Redis is away.
    """
    if not session_key:
        return None
    key = _key(session_key, state)
    try:
        with client.pipeline() as both:  # read and deleted at once (MULTI)
            both.get(key)
            both.delete(key)
            sealed, _ = both.execute()
    except redis.RedisError as error:
        raise TryAgain("This isn't possible at the moment.") from error
    if sealed is None:
        return None
    try:
        data = json.loads(unseal_bytes(key, sealed))
        return Flow(**data | {"purpose": Purpose(data["purpose"])})
    except (SealError, ValueError, KeyError, TypeError):  # of another key or release
        return None


def redeem(flow: Flow, code: str) -> Tokens:
    """What the provider grants for the code that came back.

    Raises:
        oauth.GrantEnded: the code is none of this flow's, or too old.
        ProtocolError: see `oauth.redeem`.
    """
    if not code or len(code) > MAX_CODE:
        raise oauth.GrantEnded
    server = grants.client_of(Provider(pk=flow.provider))
    return oauth.redeem(server, code, redirect_uri=flow.redirect_uri, verifier=flow.verifier)


def _key(session_key: str, state: str) -> str:
    return "oauth:" + hashlib.sha256(f"{session_key} {state}".encode()).hexdigest()
