"""Access tokens at a real Dovecot: kept sealed, renewed in time and by one, replaced, refused, ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from tests.authorization import Authorization
from tests.cast import grant
from tests.protocol.scripted_smtp import PoliteSmtp
from webmail.models import Account, AuthorizationServer, Grant, Provider
from webmail.models.sealed import Sealed
from webmail.protocol import oauth
from webmail.protocol.errors import ConnectionFailed, LoginNeeded, TryAgain
from webmail.protocol.oauth import Tokens
from webmail.store import adding, breaker, grants, logins, pools

pytestmark = pytest.mark.django_db(transaction=True)
State = Account.State


def run_out(account: Account) -> None:
    """Its access token is as good as over."""
    Grant.objects.filter(pk=account.pk).update(access_until=timezone.now())


def look(account: Account) -> None:
    with pools.lend(account) as imap:
        assert imap.mailboxes()


def test_a_pool_logs_in_with_it(hers: Account, authorization: Authorization) -> None:
    look(hers)
    assert authorization.asked == [], "the one that came with the permission is used first"
    run_out(hers)
    pools.forget(hers)
    look(hers)
    assert [form["grant_type"] for form in authorization.asked] == ["refresh_token"]
    pools.forget(hers)
    look(hers)
    assert len(authorization.asked) == 1, "and then as long as it lives"
    assert hers.state == State.OK


def test_it_lies_sealed_for_its_row(hers: Account, bob: Any, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    row = Grant.objects.get(pk=hers.pk)
    refresh = row.refresh_token
    with connection.cursor() as cursor:
        cursor.execute("SELECT refresh_token, access_token FROM webmail_grant")
        stored = [bytes(each) for each in cursor.fetchone()]
    assert not any(b"refresh-" in each or b"access-" in each for each in stored)
    old, new = settings.CREDENTIAL_KEYS[0], Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [new, old]
    call_command("rotate_credentials")  # R15
    assert "3 sealed with the newest key" in capsys.readouterr().out.splitlines()[1]
    settings.CREDENTIAL_KEYS = [new]
    assert Grant.objects.get(pk=hers.pk).refresh_token == refresh
    assert AuthorizationServer.objects.get().client_secret == "client-secret-5d1"
    his = bob.accounts.get()
    Grant.objects.create(account=his, granted_at=timezone.now(), issuer=row.issuer)
    moved = Grant.objects.filter(pk=hers.pk).values_list("refresh_token", flat=True).get()
    assert isinstance(moved, Sealed)
    Grant.objects.filter(pk=his.pk).update(refresh_token=moved)
    with pytest.raises(grants.SignInAgain):
        grants.access_token(his)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]  # and with that key lost
    with pytest.raises(grants.SignInAgain):
        grants.access_token(hers)
    assert grants.granted_at(hers) is None
    assert AuthorizationServer.objects.get().secret == ""


def test_of_many_one_renews_it(hers: Account, authorization: Authorization) -> None:
    """With a server that ends what is used twice."""
    authorization.rotates, authorization.pause = True, 0.5
    run_out(hers)
    got: list[str] = []

    def ask() -> None:
        got.append(grants.access_token(hers))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(got) == 6
    assert len(set(got)) == 1
    assert len(authorization.asked) == 1
    for _ in range(2):  # and the new refresh token is the one that counts
        run_out(hers)
        grants.access_token(hers)
    sent = [form["refresh_token"] for form in authorization.asked]
    assert len(set(sent)) == 3
    assert Grant.objects.get(pk=hers.pk).renewing_until is None


def test_one_that_was_killed_meanwhile_is_waited_for(
    hers: Account, authorization: Authorization, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_out(hers)
    Grant.objects.update(renewing_until=timezone.now() + timedelta(seconds=1))
    assert grants.access_token(hers)
    run_out(hers)
    Grant.objects.update(renewing_until=timezone.now() + timedelta(seconds=30))
    monkeypatch.setattr(grants, "PATIENCE", 0.2)
    with pytest.raises(TryAgain, match="too long"):
        grants.access_token(hers)


def test_a_permission_that_has_ended(hers: Account, authorization: Authorization) -> None:
    """One question, then nobody asks any more: neither the provider nor its mail server."""
    authorization.end_grants()
    with pytest.raises(grants.SignInAgain, match="Sign in at Quay Mail again"):
        look(hers)
    assert (hers.state, hers.state_detail) == (State.LOGIN_NEEDED, "Sign in at Quay Mail again.")
    asked, introspected = len(authorization.asked), authorization.introspected
    for _ in range(3):
        with pytest.raises(grants.SignInAgain):
            look(hers)
    Grant.objects.filter(pk=hers.pk).update(renewing_until=None)
    with pytest.raises(grants.SignInAgain):
        grants.access_token(hers)
    assert (len(authorization.asked), authorization.introspected) == (asked, introspected)
    assert grants.granted_at(hers) is None
    grant(hers, authorization)
    pools.note_state(hers, State.OK, "")
    look(hers)
    assert grants.granted_at(hers) is not None


def test_a_token_that_is_refused_before_its_time(hers: Account, authorization: Authorization) -> None:
    authorization.end_access()
    look(hers)
    assert len(authorization.asked) == 1
    assert hers.state == State.OK


def test_a_mailbox_that_takes_no_token_of_hers(hers: Account, authorization: Authorization) -> None:
    """The permission is good, but for somebody else's mailbox: two tries, and a pause as after a wrong password."""
    Account.objects.filter(pk=hers.pk).update(login_name="bob@quay.test")
    hers.refresh_from_db()
    before = authorization.introspected
    for _ in range(3):
        with pytest.raises(LoginNeeded):
            look(hers)
    assert authorization.introspected == before + 2
    assert len(authorization.asked) == 1
    assert hers.state == State.LOGIN_NEEDED


@pytest.mark.parametrize("answer", [(503, b""), (401, b'{"error": "invalid_client"}')], ids=["away", "set up wrongly"])
def test_an_authorization_server_that_cannot(
    hers: Account, authorization: Authorization, answer: tuple[int, bytes]
) -> None:
    """It is asked by few, the permission stays, and nobody is told to sign in."""
    authorization.answer = answer
    run_out(hers)
    for _ in range(6):
        with pytest.raises(ConnectionFailed):
            look(hers)
    assert len(authorization.asked) == breaker.FAILURES
    assert hers.state == State.AWAY
    authorization.answer = None
    breaker._forget(breaker._keys(authorization.client.place))
    look(hers)
    assert hers.state == State.OK


def test_its_tokens_go_to_nobody_else(hers: Account, authorization: Authorization) -> None:
    run_out(hers)
    AuthorizationServer.objects.update(token_endpoint=f"https://localhost:{authorization.port}/token")
    with pytest.raises(grants.SignInAgain):
        grants.access_token(hers)
    AuthorizationServer.objects.all().delete()
    with pytest.raises(oauth.SetUpWrongly):
        grants.access_token(hers)
    assert authorization.asked == []


@pytest.mark.parametrize("meanwhile", [grants.end, lambda account: grants.keep(account, Tokens("new", "r", 600))])
def test_what_its_owner_does_meanwhile_wins(
    hers: Account, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Account], None]
) -> None:
    renew = oauth.renew

    def slow(*args: Any) -> Tokens:
        tokens = renew(*args)
        meanwhile(hers)
        return tokens

    run_out(hers)
    monkeypatch.setattr(oauth, "renew", slow)
    if meanwhile is grants.end:
        with pytest.raises(grants.SignInAgain):
            grants.access_token(hers)
    else:
        assert grants.access_token(hers) == "new"


def test_short_lives_are_used_for_most_of_them(hers: Account) -> None:
    for seconds, margin in ((3600, 120), (60, 15)):
        grants.keep(hers, Tokens("a", "r", seconds))
        until = Grant.objects.get(pk=hers.pk).access_until
        assert until is not None
        assert abs((until - timezone.now()).total_seconds() - (seconds - margin)) < 5
    grants.keep(hers, Tokens("b", "", 3600))  # the one from before is good still
    assert Grant.objects.get(pk=hers.pk).refresh_token == "r"
    grants.end(hers)
    with pytest.raises(grants.NotLasting):
        grants.keep(hers, Tokens("a", "", 3600))


def test_a_mail_server_is_not_blamed(hers: Account, authorization: Authorization) -> None:
    """What the authorization server does opens no breaker of the servers for mail."""
    authorization.answer = 503, b""
    run_out(hers)
    with PoliteSmtp() as smtp:
        Provider.objects.update(smtp_host="127.0.0.1", smtp_port=smtp.port, smtp_security="none")
        for _ in range(4):
            with pytest.raises(TryAgain):
                logins.using(hers, lambda login: login)
        hers.provider.refresh_from_db()
        assert breaker.state_of(hers.provider.smtp) == breaker.CLOSED
        assert breaker.state_of(hers.provider.imap) == breaker.CLOSED


def rows() -> list[tuple[str, str]]:
    """The trail of what was done: whose account, and what."""
    return [(row.object_repr, row.change_message) for row in LogEntry.objects.order_by("pk")]


@pytest.mark.parametrize("do", [adding.disconnect, adding.remove])
def test_who_leaves_is_gone_at_the_provider_too(
    hers: Account, authorization: Authorization, do: Callable[[Account], None]
) -> None:
    refresh = Grant.objects.get(pk=hers.pk).refresh_token
    do(hers)
    assert not Grant.objects.exists()
    [told] = authorization.revoked
    assert (told["token"], told["token_type_hint"], told["client_id"]) == (refresh, "refresh_token", "webmail")
    with pytest.raises(oauth.GrantEnded):
        oauth.renew(authorization.client, refresh or "")
    end = "Disconnected from Quay Mail." if do is adding.disconnect else "Removed by its owner."
    assert rows() == [(hers.address, "Connected at Quay Mail."), (hers.address, end)]
    assert not any(refresh in row for pair in rows() for row in [*pair] if refresh)


@pytest.mark.parametrize("trouble", ["away", "refuses", "slow", "has no such place", "another server by now"])
def test_leaving_waits_for_no_provider(
    hers: Account, authorization: Authorization, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    monkeypatch.setattr(oauth, "REVOKING_SECONDS", 0.3)
    server = AuthorizationServer.objects.filter(pk=hers.provider_id)
    match trouble:
        case "away":
            authorization.answer = 503, b""
        case "refuses":
            authorization.answer = 400, b'{"error": "unsupported_token_type"}'
        case "slow":
            authorization.pause = 3
        case "has no such place":
            server.update(revocation_endpoint="")
        case _:
            server.update(client_id="another")
    begun = time.monotonic()
    adding.disconnect(hers)
    assert time.monotonic() - begun < 2
    assert not Grant.objects.exists()
    assert len(authorization.revoked) == (trouble in ("away", "refuses", "slow"))
    assert breaker.state_of(authorization.client.place) == breaker.CLOSED, "others' tokens are renewed as before"


def test_what_comes_at_each_sign_in_is_no_news(hers: Account, authorization: Authorization) -> None:
    grant(hers, authorization)
    assert rows() == [(hers.address, "Connected at Quay Mail.")]
