"""OAuth 2.0 for mail: the address at which a person allows it, and the tokens that come of it.

The authorization code grant (RFC 6749 §4.1) with PKCE by S256 (RFC 7636). Requests go through the outgoing guard, by
https alone, are followed nowhere, and their answers are bounded. No token appears in a repr, an error or a log.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from . import web
from .errors import BadAnswer, ConnectionFailed, LoginNeeded, ProtocolError
from .types import Server, Step

SECONDS = 15.0  # for one request
REVOKING_SECONDS = 5.0  # somebody waits for it, and nothing depends on it
MAX_ANSWER = 64 * 1024  # octets
MAX_TOKEN = 16 * 1024  # characters; those of large hosts come to 4,000
USUAL_SECONDS = 3600  # an access token lives where the server doesn't say (RFC 6749 §5.1)

_TOKEN = re.compile(r"[\x21-\x7e]+")  # RFC 6749 appendix A.12, without the space, which no header may carry
_WORD = re.compile(r"[a-z0-9_.-]{1,60}")
# What only the person can mend: RFC 6749 §5.2 and, of OpenID Connect, what Microsoft answers to a refresh.
_ENDED = frozenset({"invalid_grant", "interaction_required", "login_required", "consent_required", "access_denied"})


class GrantEnded(LoginNeeded):
    """The code or the refresh token is worth nothing (any more): the person has to allow it again."""

    sentence = "The permission to use this mailbox has ended."


class SetUpWrongly(ConnectionFailed):
    """The authorization server doesn't take this product's client id, secret or scopes: the administrator's to mend.

    Something to try again, as nothing of the person's is wrong.
    """

    sentence = "The sign-in at the mail provider isn't set up right. Tell your administrator."


@dataclass(frozen=True, slots=True)
class Client:
    """This product as an authorization server knows it.

    Args:
        authorization_endpoint: where the person's browser goes; its query is kept.
        token_endpoint: where we ask.
        client_id, client_secret: the secret is "" for a public client.
        scopes: with spaces between.
        ca_pem, allow_private: as of `Server`.
        revocation_endpoint: where we say that a token is not used any more; "" where the server has none.
    """

    authorization_endpoint: str
    token_endpoint: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: str
    ca_pem: str = ""
    allow_private: bool = False
    revocation_endpoint: str = ""

    @property
    def place(self) -> Server:
        """Where the token endpoint is."""
        parts = urlsplit(self.token_endpoint)
        return Server(parts.hostname or "", parts.port or 443)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What was granted.

    Args:
        access: for log-ins. refresh: for further access tokens, "" where none came. seconds: that `access` lives.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    seconds: int


def make_verifier() -> str:
    """A secret for one flow (RFC 7636 §4.1)."""
    return secrets.token_urlsafe(48)


def challenge_of(verifier: str) -> str:
    """What of the secret is told beforehand (RFC 7636 §4.2, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def authorization_url(client: Client, *, redirect_uri: str, state: str, verifier: str, address: str) -> str:
    """Where the person's browser goes to allow it (RFC 6749 §4.1.1).

    Args:
        address: of the mailbox, as a hint; whoever doesn't know the parameter ignores it.
    """
    parts = urlsplit(client.authorization_endpoint)
    query = [
        *parse_qsl(parts.query, keep_blank_values=True),
        ("response_type", "code"),
        ("client_id", client.client_id),
        ("redirect_uri", redirect_uri),
        ("scope", client.scopes),
        ("state", state),
        ("code_challenge", challenge_of(verifier)),
        ("code_challenge_method", "S256"),
        ("login_hint", address),
    ]
    return urlunsplit(parts._replace(query=urlencode(query)))


def redeem(client: Client, code: str, *, redirect_uri: str, verifier: str) -> Tokens:
    """The tokens for an authorization code.

    Raises:
        GrantEnded: the code was used, is too old, or was not for us.
        ConnectionFailed, SetUpWrongly among them: later it may work. BadAnswer, Forbidden, Untrusted: it won't.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    return _asked(client, form)


def renew(client: Client, refresh: str) -> Tokens:
    """A new access token (RFC 6749 §6). `refresh` in it is "" where the old one stays good. Raises as `redeem`."""
    return _asked(client, {"grant_type": "refresh_token", "refresh_token": refresh})


def revoke(client: Client, refresh: str) -> None:
    """Say that a refresh token, and all access tokens made of it, are used no more (RFC 7009). Raises as `redeem`."""
    form = {"token": refresh, "token_type_hint": "refresh_token"}
    status, body = _answer(client, client.revocation_endpoint, form, REVOKING_SECONDS)
    if status != 200:
        raise _refusal(status, body)


def iter_probe(client: Client) -> Iterator[Step]:
    """The administrator's test: whether the token endpoint answers, and knows this client.

    It is asked to renew what it never gave. A server that knows the client says so (invalid_grant); the client's secret
    is looked at before (RFC 6749 §3.2.1).
    """
    begun = time.perf_counter()
    detail, advice = "It answers, and knows this client.", ""
    try:
        renew(client, "none")
    except GrantEnded:
        pass
    except SetUpWrongly as error:
        if error.detail != "invalid_request":  # what some say of a token that isn't shaped like theirs
            detail, advice = error.detail, "Check the client ID, the client secret and the scopes."
    except ProtocolError as error:
        detail, advice = error.detail or error.sentence, "Check the token endpoint, and that this machine may reach it."
    milliseconds = (time.perf_counter() - begun) * 1000
    yield Step("Token endpoint", not advice, milliseconds, detail, advice)


def _asked(client: Client, form: dict[str, str]) -> Tokens:
    status, body = _answer(client, client.token_endpoint, form, SECONDS)
    if status == 200:
        return _tokens(_read(body))
    raise _refusal(status, body)


def _answer(client: Client, url: str, form: dict[str, str], seconds: float) -> tuple[int, bytes]:
    """Status and body of what one of the server's endpoints says to a form of this client's."""
    form["client_id"] = client.client_id
    if client.client_secret:
        form["client_secret"] = client.client_secret
    try:
        return web.ask(
            url,
            seconds,
            form=urlencode(form).encode(),
            most=MAX_ANSWER,
            ca_pem=client.ca_pem,
            allow_private=client.allow_private,
        )
    except ProtocolError:
        raise
    except (OSError, http.client.HTTPException) as error:
        raise ConnectionFailed("The mail provider's sign-in does not answer.", _reason(error)) from None
    except ValueError as error:
        raise BadAnswer("The mail provider's sign-in gave an odd answer.", str(error)[:100]) from None


def _read(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise BadAnswer("The mail provider's sign-in gave an odd answer.", "no object in JSON")
    return data


def _tokens(data: dict[str, Any]) -> Tokens:
    access, refresh, seconds = data.get("access_token"), data.get("refresh_token") or "", data.get("expires_in")
    if not _is_token(access) or (refresh and not _is_token(refresh)):
        raise BadAnswer("The mail provider's sign-in gave an odd answer.", "no token that could be sent")
    if str(data.get("token_type", "bearer")).lower() != "bearer":
        raise BadAnswer("The mail provider's sign-in gave an odd answer.", "a token of another type")
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit():  # some write it as a string
        seconds = int(seconds[:9])
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 10**9:
        seconds = USUAL_SECONDS
    return Tokens(str(access), str(refresh), int(seconds))


def _is_token(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TOKEN and _TOKEN.fullmatch(value) is not None


def _refusal(status: int, body: bytes) -> ProtocolError:
    """The error for an answer that is none of success. Of its words only the code is told: more may hold secrets."""
    if status == 429 or status >= 500:
        return ConnectionFailed("The mail provider's sign-in takes no requests at the moment.", f"HTTP {status}")
    try:
        code = _read(body).get("error")
    except BadAnswer:
        code = None
    if not isinstance(code, str) or not _WORD.fullmatch(code):
        return BadAnswer("The mail provider's sign-in gave an odd answer.", f"HTTP {status}")
    return GrantEnded(detail=code) if code in _ENDED else SetUpWrongly(detail=code)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", "") or type(error).__name__)[:100]
