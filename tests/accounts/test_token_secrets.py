"""Tokens, codes and the client's secret go through every flow, and are nowhere in the clear afterwards (T17)."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.test import Client

from tests.accounts.test_at_provider import ADD, BACK, ask, connect, go, place, sign_in
from tests.accounts.test_secrets import everything_stored, forms_of
from tests.authorization import CLIENT_SECRET, Authorization
from tests.cast import client_of
from tests.protocol.scripted_smtp import PoliteSmtp
from tests.store.writing import send
from webmail.models import Account, AuthorizationServer, Provider, User
from webmail.store import grants, pools, sending

__all__ = ["go"]


@pytest.mark.django_db(transaction=True)
def test_no_token_stays_anywhere(
    go: Any, authorization: Authorization, admin: User, redis_url: str, caplog: Any, capfd: Any
) -> None:
    pages: list[bytes] = []

    def take(response: Any) -> Any:
        pages.append(b"".join(response.streaming_content) if response.streaming else response.content)
        return response

    authorization.rotates = True
    provider = Provider.objects.get()
    with caplog.at_level(logging.DEBUG):
        browser = Client(raise_request_exception=False)
        # In vain first: another's permission, a code used twice, a server that answers oddly, one that is away.
        authorization.person = "mallory@quay.test"
        take(go(browser, *sign_in()))
        authorization.person = ""
        leaving = take(browser.post(*sign_in()))
        back = ask(authorization, place(leaving))
        authorization.answer = 400, b'{"error": "invalid_client", "error_description": "%b"}' % CLIENT_SECRET.encode()
        take(browser.get(back))
        take(browser.get(back))
        authorization.answer = None
        take(browser.get(f"{BACK}?state=x&code=y"))
        # Then as it should be, with a look at the mail, letters, and what ends.
        take(go(browser, *sign_in()))
        account = Account.objects.select_related("provider", "user").get()
        take(browser.get("/", follow=True))
        take(go(browser, *connect(account)))
        take(browser.get(f"/settings/accounts/{account.pk}/"))
        take(go(browser, ADD, {"address": "bob@quay.test"}))
        with PoliteSmtp(change=lambda line, usual: b"535 5.7.8 no\r\n" if line.startswith(b"AUTH") else usual) as smtp:
            Provider.objects.update(smtp_host="127.0.0.1", smtp_port=smtp.port, smtp_security="none")
            account.refresh_from_db()
            sending.carry_out(send(account).pk)
            assert any(line.startswith(b"AUTH XOAUTH2") for line in smtp.lines)
        take(client_of(admin).post(f"/admin/webmail/account/{account.pk}/test/"))
        take(client_of(admin).get(f"/admin/webmail/provider/{provider.pk}/change/"))
        pools.forget(account)
        authorization.end_grants()
        with pytest.raises(grants.SignInAgain), pools.lend(account):
            pass
        take(browser.get(f"/settings/accounts/{account.pk}/"))
        # A bug with the tokens in hand.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(grants, "keep", lambda account, tokens: 1 / 0)
            assert take(go(browser, *connect(account))).status_code == 500
        take(browser.post(f"/settings/accounts/{account.pk}/disconnect/"))
        take(browser.post("/sign-out/"))

    assert AuthorizationServer.objects.get().client_secret == CLIENT_SECRET
    output = capfd.readouterr()
    told = [("log", caplog.text.encode()), ("output", (output.out + output.err).encode())]
    places = [*told, *(("page", page) for page in pages), *everything_stored(redis_url)]
    assert {place for place, data in places if b"quay.test" in data} >= {"page", "webmail_account"}
    secrets = [*authorization.handed_out, CLIENT_SECRET]
    assert len(secrets) > 12
    for secret in secrets:
        for spelling in forms_of(secret):
            assert [place for place, data in places if spelling in data] == []
