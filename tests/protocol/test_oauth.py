"""OAuth 2.0 against a real authorization server: what goes out, what comes back, and what odd answers come to."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from tests.authorization import CLIENT_SECRET, SCOPES, Authorization
from webmail.protocol import oauth
from webmail.protocol.errors import BadAnswer, ConnectionFailed, Forbidden, ProtocolError, Untrusted
from webmail.protocol.oauth import GrantEnded, SetUpWrongly

BACK = "http://testserver/sign-in/return/"
ALICE = "alice@demo.test"


def flow(server: Authorization, verifier: str) -> str:
    """Through the authorization endpoint; the code."""
    url = oauth.authorization_url(server.client, redirect_uri=BACK, state="s", verifier=verifier, address=ALICE)
    back = urlsplit(server.authorize(dict(parse_qsl(urlsplit(url).query))))
    return parse_qs(back.query)["code"][0]


def test_the_whole_way(authorization: Authorization) -> None:
    verifier = oauth.make_verifier()
    tokens = oauth.redeem(authorization.client, flow(authorization, verifier), redirect_uri=BACK, verifier=verifier)
    assert authorization.introspect(tokens.access) == {"active": True, "username": ALICE}
    assert tokens.seconds == 3600
    again = oauth.renew(authorization.client, tokens.refresh)
    assert authorization.introspect(again.access)["active"]
    assert again.refresh == ""
    assert tokens.access not in repr(tokens)
    assert CLIENT_SECRET not in repr(authorization.client)


def test_the_address_where_it_is_allowed() -> None:
    client = oauth.Client("https://id.example/auth?prompt=consent&x=", "https://id.example/token", "me", "", SCOPES)
    url = oauth.authorization_url(client, redirect_uri=BACK, state="s&=", verifier="v" * 43, address=ALICE)
    assert url.startswith("https://id.example/auth?prompt=consent&x=&response_type=code&client_id=me&")
    query = dict(parse_qsl(urlsplit(url).query))
    assert query["state"] == "s&="
    assert query["code_challenge"] == oauth.challenge_of("v" * 43)
    assert "v" * 43 not in url
    assert oauth.challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == (  # RFC 7636 appendix B
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )
    assert 43 <= len(oauth.make_verifier()) <= 128


def test_a_code_is_good_once_and_for_its_own_flow(authorization: Authorization) -> None:
    verifier = oauth.make_verifier()
    code = flow(authorization, verifier)
    for redirect_uri, secret in ((BACK, oauth.make_verifier()), ("https://evil.example/", verifier), (BACK, verifier)):
        with pytest.raises(GrantEnded):  # the first try used it up
            oauth.redeem(authorization.client, code, redirect_uri=redirect_uri, verifier=secret)


def test_a_refresh_token_that_is_replaced(authorization: Authorization) -> None:
    authorization.rotates = True
    first = str(authorization.grant(ALICE)["refresh_token"])
    second = oauth.renew(authorization.client, first).refresh
    assert second not in ("", first)
    with pytest.raises(GrantEnded) as caught:
        oauth.renew(authorization.client, first)
    assert first not in str(caught.value)
    oauth.renew(authorization.client, second)


GOOD = {"access_token": "a", "token_type": "Bearer"}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "invalid_grant"}, GrantEnded),
        (400, {"error": "interaction_required", "error_description": "AADSTS50079"}, GrantEnded),
        (401, {"error": "invalid_client"}, SetUpWrongly),
        (400, {"error": "invalid_scope"}, SetUpWrongly),
        (400, {"error": "<script>"}, BadAnswer),
        (400, {"error": ["invalid_grant"]}, BadAnswer),
        (400, b"<html>", BadAnswer),
        (302, b"", BadAnswer),
        (500, b"", ConnectionFailed),
        (503, {"error": "invalid_grant"}, ConnectionFailed),
        (429, b"", ConnectionFailed),
        (200, b"", BadAnswer),
        (200, b"[" * 30_000, BadAnswer),
        (200, b"\xff", BadAnswer),
        (200, [], BadAnswer),
        (200, {}, BadAnswer),
        (200, {"access_token": ""}, BadAnswer),
        (200, {"access_token": "a b"}, BadAnswer),
        (200, {"access_token": "a\r\nX: y"}, BadAnswer),
        (200, {"access_token": "ä"}, BadAnswer),
        (200, {"access_token": ["a"]}, BadAnswer),
        (200, {"access_token": "a" * 20_000}, BadAnswer),
        (200, GOOD | {"token_type": "mac"}, BadAnswer),
        (200, GOOD | {"refresh_token": "\n"}, BadAnswer),
        (200, b" " * 70_000, BadAnswer),
    ],
    ids=str,
)
def test_odd_answers(authorization: Authorization, status: int, body: object, error: type[ProtocolError]) -> None:
    authorization.answer = status, body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(error) as caught:
        oauth.renew(authorization.client, "r")
    assert type(caught.value) is error
    assert "AADSTS" not in str(caught.value)
    assert CLIENT_SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("seconds", "lives"),
    [(600, 600), ("600", 600), (600.9, 600), (None, 3600), (-1, 3600), (0, 3600), ("soon", 3600), (10**12, 3600),
     (True, 3600), (float("inf"), 3600), ([], 3600)],
)  # fmt: skip
def test_how_long_it_lives(authorization: Authorization, seconds: object, lives: int) -> None:
    authorization.answer = 200, json.dumps(GOOD | {"expires_in": seconds}).encode()
    assert oauth.renew(authorization.client, "r").seconds == lives


def test_only_through_the_guard(authorization: Authorization, monkeypatch: pytest.MonkeyPatch) -> None:
    client = authorization.client
    with pytest.raises(Forbidden):
        oauth.renew(replace(client, token_endpoint="https://127.0.0.1/token", allow_private=False), "r")
    with pytest.raises(BadAnswer, match="port"):
        oauth.renew(replace(client, allow_private=False), "r")
    with pytest.raises(BadAnswer, match="address"):
        oauth.renew(replace(client, token_endpoint=client.token_endpoint.replace("https", "http")), "r")
    with pytest.raises(ConnectionFailed):
        oauth.renew(replace(client, ca_pem=""), "r")
    assert authorization.asked == []
    monkeypatch.setattr(oauth, "SECONDS", 0.3)
    authorization.pause = 1.5
    begun = time.monotonic()
    with pytest.raises(ConnectionFailed):
        oauth.renew(client, "r")
    assert time.monotonic() - begun < 1


def test_untrusted_is_a_certificate_that_is_none(authorization: Authorization) -> None:
    with pytest.raises(Untrusted):
        oauth.renew(replace(authorization.client, ca_pem="nonsense"), "r")
