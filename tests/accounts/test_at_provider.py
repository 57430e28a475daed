"""Mailboxes that are allowed at their provider: signing in there, connecting, adding, disconnecting; and all that isn't
so: denied, late, twice, another's state, another's mailbox."""

from __future__ import annotations

from collections.abc import Callable
from html import escape, unescape
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client

from tests.authorization import Authorization
from tests.cast import LOCAL_PASSWORD, client_of, connected, provider_on
from webmail.models import Account, AuthorizationServer, Grant, Provider, User
from webmail.store import flows, grants, pools
from webmail.store.bodies import client as redis_client

ALICE = "alice@quay.test"
SIGN_IN, ADD, BACK = "/sign-in/", "/settings/accounts/add/", "/sign-in/return/"


def place(response: Any) -> str:
    """Where the page "Continue at Quay Mail" leads."""
    page = response.content.decode()
    assert response.status_code == 200
    assert "Continue at Quay Mail" in page
    url: str = response["Refresh"].removeprefix("0; url=")
    assert f'href="{escape(url)}"' in page, "and a link, for browsers that don't go by themselves"
    return url


def ask(authorization: Authorization, url: str) -> str:
    """The provider's answer: where the browser is sent back to."""
    assert url.startswith(f"https://127.0.0.1:{authorization.port}/authorize?")
    back = urlsplit(authorization.authorize(dict(parse_qsl(urlsplit(url).query))))
    return f"{back.path}?{back.query}"


@pytest.fixture
def go(token_provider: Provider, authorization: Authorization, redis_url: str) -> Callable[..., Any]:
    """A function that goes all the way from a form of ours to the provider and back."""
    for key in list(redis_client.scan_iter("oauth:*")):
        redis_client.delete(key)

    def way(client: Client, path: str, form: dict[str, str]) -> Any:
        return client.get(ask(authorization, place(client.post(path, form))))

    return way


def sign_in(address: str = ALICE, **more: str) -> tuple[str, dict[str, str]]:
    return SIGN_IN, {"username": address, "password": ""} | more


def is_in(client: Client) -> bool:
    return SESSION_KEY in client.session


def test_the_first_sign_in_makes_user_and_account(client: Client, go: Any, authorization: Authorization) -> None:
    response = go(client, *sign_in(" Alice@Quay.Test", next="/settings/"))
    assert (response.status_code, response["Location"]) == (302, "/settings/")
    account = Account.objects.get()
    assert client.session[SESSION_KEY] == str(account.user_id)
    assert (account.user.username, account.signs_in, bytes(account.credential)) == (ALICE, True, b"")
    assert grants.granted_at(account)
    assert authorization.asked[0]["redirect_uri"] == f"http://testserver{BACK}"
    stats = pools._pools[account.pk].stats
    assert (stats.free, stats.opened) == (1, 1), "the log-in that proved it serves the first page"
    client.post("/sign-out/")
    go(client, *sign_in())
    assert User.objects.count() == Account.objects.count() == Grant.objects.count() == 1


def test_an_administrators_account_is_connected_at_the_first_sign_in(
    client: Client, go: Any, token_provider: Provider
) -> None:
    user = User.objects.create_user(ALICE)
    account = Account.objects.create(
        user=user, provider=token_provider, address=ALICE, signs_in=True, state=Account.State.LOGIN_NEEDED
    )
    go(client, *sign_in())
    assert client.session[SESSION_KEY] == str(user.pk)
    account.refresh_from_db()
    assert account.state == Account.State.OK
    assert grants.granted_at(account)


def test_a_typed_password_is_sent_to_nobody(client: Client, go: Any, authorization: Authorization) -> None:
    introspected = authorization.introspected
    url = place(client.post(*sign_in(password="demo")))  # Dovecot would take it
    assert "demo" not in url
    assert authorization.introspected == introspected
    assert not User.objects.exists()


def test_a_local_password_still_signs_in(client: Client, go: Any) -> None:
    user = User.objects.create_user(ALICE, password=LOCAL_PASSWORD)
    assert client.post(*sign_in(password=LOCAL_PASSWORD)).status_code == 302
    assert client.session[SESSION_KEY] == str(user.pk)


def test_the_form_says_that_a_password_may_be_left_out(client: Client, go: Any, provider: Provider) -> None:
    page = client.get(SIGN_IN).content.decode()
    assert "Leave it empty if you sign in at your mail provider." in page
    assert "Enter your password." in client.post(*sign_in("alice@demo.test")).content.decode()
    Provider.objects.update(sign_in_by="password")
    assert "Leave it empty" not in client.get(SIGN_IN).content.decode()


def test_everybody_at_the_domain_is_sent_there_alike(client: Client, go: Any) -> None:
    """Who has an account here can't be told."""
    User.objects.create_user(ALICE).accounts.create(provider=Provider.objects.get(), address=ALICE, signs_in=True)
    urls = [place(client.post(*sign_in(address))) for address in (ALICE, "nobody@quay.test")]
    queries = [parse_qs(urlsplit(url).query) for url in urls]
    for query in queries:
        for name in ("state", "code_challenge", "login_hint"):
            assert query.pop(name)
    assert queries[0] == queries[1]
    assert queries[0]["access_type"] == ["offline"]


def test_it_is_the_mail_server_that_says_who_somebody_is(client: Client, go: Any, authorization: Authorization) -> None:
    """Mallory, at the provider, is mallory, whatever address she typed here."""
    authorization.person = "mallory@quay.test"
    response = go(client, *sign_in())
    assert "not to the mailbox alice@quay.test" in response.content.decode()
    assert not is_in(client)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("denies", "words"),
    [("access_denied", "did not allow it"), ("invalid_scope", "(invalid_scope)"), ("<script>x", "refused. If")],
)
def test_denied(client: Client, go: Any, authorization: Authorization, denies: str, words: str) -> None:
    authorization.denies = denies
    page = go(client, *sign_in()).content.decode()
    assert words in page
    assert "<script>x" not in page
    assert f'value="{ALICE}"' in page
    assert not is_in(client)
    assert authorization.asked == []


def test_a_way_leads_back_once(client: Client, go: Any, authorization: Authorization) -> None:
    back = ask(authorization, place(client.post(*sign_in())))
    client.get(back)
    client.post("/sign-out/")
    asked = len(authorization.asked)
    response = client.get(back)
    assert response.status_code == 400
    assert "Nothing has changed" in response.content.decode()
    assert not is_in(client)
    assert len(authorization.asked) == asked


def test_a_way_leads_into_the_session_it_began_in(client: Client, go: Any, authorization: Authorization) -> None:
    """Mallory can neither finish alice's nor have alice finish hers; and what failed there still works here."""
    back = ask(authorization, place(client.post(*sign_in())))
    stranger, signed_in = Client(), client_of(User.objects.create_user("mallory@quay.test"))
    stranger.get(SIGN_IN)
    for other in (Client(), stranger, signed_in):
        assert other.get(back).status_code == 400
    assert authorization.asked == []
    client.get(back)
    assert is_in(client)


def test_a_way_of_ten_minutes(client: Client, go: Any, authorization: Authorization) -> None:
    back = ask(authorization, place(client.post(*sign_in())))
    [key] = redis_client.scan_iter("oauth:*")
    assert 0 < redis_client.ttl(key) <= flows.SECONDS
    assert ALICE.encode() not in redis_client.get(key)
    redis_client.delete(key)
    assert client.get(back).status_code == 400
    assert client.get(BACK).status_code == 400
    assert client.post(back).status_code == 405


@pytest.mark.parametrize("change", ["mallory's code", "no code", "a long code", "another state"])
def test_another_code_or_state(client: Client, go: Any, authorization: Authorization, change: str) -> None:
    """Mallory's code, slipped into alice's way, was asked for with another verifier."""
    query = dict(parse_qsl(urlsplit(ask(authorization, place(client.post(*sign_in())))).query))
    other = ask(authorization, place(Client().post(*sign_in("mallory@quay.test"))))
    query |= {
        "mallory's code": {"code": parse_qs(urlsplit(other).query)["code"][0]},
        "no code": {"code": ""},
        "a long code": {"code": "c" * 5000},
        "another state": {"state": query["state"] + "x"},
    }[change]
    client.get(BACK, query)
    assert not is_in(client)
    assert not Grant.objects.exists()


def test_no_foreign_redirect(client: Client, go: Any, authorization: Authorization, settings: Any) -> None:
    """Neither by the Host, nor by `next`, nor at the provider, which knows one address."""
    assert client.post(*sign_in(), headers={"Host": "evil.test"}).status_code == 400
    assert go(client, *sign_in(next="https://evil.test/"))["Location"] == "/"
    settings.ALLOWED_HOSTS = ["other.test"]
    url = place(Client(headers={"Host": "other.test"}).post(*sign_in()))
    with pytest.raises(ValueError, match="redirect URI"):
        ask(authorization, url)


def test_guessing_is_limited(client: Client, go: Any, authorization: Authorization) -> None:
    """Each try with somebody else's permission is a failure like a wrong password."""
    authorization.person = "mallory@quay.test"
    pages = [go(client, *sign_in()) for _ in range(6)]
    assert [page.status_code for page in pages] == [200] * 5 + [429]
    assert "Too many attempts" in pages[-1].content.decode()


def test_switched_off_and_not_here(client: Client, go: Any, settings: Any) -> None:
    go(client, *sign_in())
    client.post("/sign-out/")
    User.objects.update(is_active=False)
    assert "switched off" in go(client, *sign_in()).content.decode()
    Provider.objects.update(sign_in_allowed=False)
    assert "sign in here" in client.post(*sign_in(password="x")).content.decode()


def test_a_provider_that_is_set_up_wrongly(client: Client, go: Any, authorization: Authorization) -> None:
    AuthorizationServer.objects.update(client_id="another")
    with pytest.raises(ValueError, match="no such client"):
        ask(authorization, place(client.post(*sign_in())))
    AuthorizationServer.objects.update(client_id="webmail", token_endpoint="https://127.0.0.1:1/token")
    assert "does not answer" in go(client, *sign_in()).content.decode()
    AuthorizationServer.objects.all().delete()
    response = client.post(*sign_in())
    assert response.status_code == 503
    assert "Tell your administrator" in response.content.decode()


def test_a_permission_for_an_hour_only(client: Client, go: Any, authorization: Authorization) -> None:
    """Some give a refresh token the first time only: the one from then stays."""
    granted = {name: value for name, value in authorization.grant(ALICE).items() if name != "refresh_token"}

    def short(form: dict[str, str]) -> tuple[int, dict[str, object]]:
        return 200, granted

    authorization.token = short  # type: ignore[method-assign]
    try:
        assert "for an hour only" in go(client, *sign_in()).content.decode()
        assert not is_in(client)
        assert not User.objects.exists()
        connected(ALICE, Provider.objects.get(), authorization)
        go(client, *sign_in())
        assert is_in(client)
        assert grants.granted_at(Account.objects.get())
    finally:
        del authorization.token


# ---- The account's page


def connect(account: Account) -> tuple[str, dict[str, str]]:
    return f"/settings/accounts/{account.pk}/connect/", {}


def page_of(client: Client, account: Account) -> str:
    return client.get(f"/settings/accounts/{account.pk}/").content.decode()


def test_connecting_and_disconnecting(hers: Account, go: Any, authorization: Authorization) -> None:
    client = client_of(hers.user)
    assert "lets Webmail read and send your mail since" in page_of(client, hers)
    assert "Mail password" not in page_of(client, hers)
    response = client.post(f"/settings/accounts/{hers.pk}/disconnect/", follow=True)
    assert "is disconnected" in response.content.decode()
    assert "Connect at Quay Mail" in response.content.decode()
    hers.refresh_from_db()
    assert hers.state == Account.State.LOGIN_NEEDED
    assert "Sign-in needed" in client.get("/settings/").content.decode()
    with pytest.raises(grants.SignInAgain), pools.lend(hers):
        pass
    response = go(client, *connect(hers))
    assert response["Location"] == f"/settings/accounts/{hers.pk}/"
    assert "alice@quay.test is connected." in page_of(client, hers)
    hers.refresh_from_db()
    assert hers.state == Account.State.OK
    with pools.lend(hers) as imap:
        assert imap.mailboxes()


def test_a_permission_that_has_ended_is_said_with_a_button(
    hers: Account, go: Any, authorization: Authorization
) -> None:
    """With a button, and mail stays readable from the index."""
    client = client_of(hers.user)
    client.get("/", follow=True)
    pools.forget(hers)
    authorization.end_grants()
    inbox = hers.mailboxes.get(name="INBOX")
    with pytest.raises(grants.SignInAgain), pools.lend(hers):
        pass
    page = client.get(f"/mailbox/{inbox.pk}/")
    assert page.status_code == 200
    assert "Quay Mail wants you to sign in again" in unescape(page.content.decode())
    assert "Sign-in needed" in page.content.decode()
    assert "Sign in at Quay Mail again" in page_of(client, hers)
    go(client, *connect(hers))
    assert "Sign-in needed" not in client.get(f"/mailbox/{inbox.pk}/").content.decode()


def test_another_mailbox_than_the_accounts(hers: Account, go: Any, authorization: Authorization) -> None:
    client, before = client_of(hers.user), Grant.objects.get().refresh_token
    authorization.person = "bob@quay.test"
    go(client, *connect(hers))
    assert "not to the mailbox alice@quay.test" in page_of(client, hers)
    assert Grant.objects.get().refresh_token == before
    authorization.denies = "access_denied"
    go(client, *connect(hers))
    assert "did not allow it" in page_of(client, hers)


def test_an_account_that_was_removed_meanwhile(hers: Account, go: Any, authorization: Authorization) -> None:
    client = client_of(hers.user)
    back = ask(authorization, place(client.post(*connect(hers))))
    hers.delete()
    assert client.get(back).status_code == 404


def test_a_password_account_connects_nowhere(alice: User, client: Client) -> None:
    client, account = client_of(alice), alice.accounts.get()
    for act in ("connect", "disconnect"):
        assert client.post(f"/settings/accounts/{account.pk}/{act}/").status_code == 302
    account.refresh_from_db()
    assert account.state == Account.State.OK
    assert "Connect" not in page_of(client, account)


def test_adding_a_mailbox(alice: User, go: Any, authorization: Authorization) -> None:
    client = client_of(alice)
    form = {"address": "bob@quay.test", "password": ""}
    response = go(client, ADD, form)
    account = alice.accounts.get(address="bob@quay.test")
    assert response["Location"] == f"/settings/accounts/{account.pk}/"
    assert "bob@quay.test is added." in page_of(client, account)
    assert not account.signs_in
    assert "added this address already" in client.post(ADD, form).content.decode()
    assert "Enter the password." in client.post(ADD, form | {"address": "bob@demo.test"}).content.decode()
    authorization.person = "mallory@quay.test"
    go(client, ADD, form | {"address": ALICE})
    assert "not to the mailbox alice@quay.test" in client.get(ADD).content.decode()
    assert alice.accounts.count() == 2


def test_no_password_goes_to_a_provider_that_takes_none(hers: Account, authorization: Authorization) -> None:
    """Nor a token to one that takes passwords."""
    client, introspected = client_of(hers.user), authorization.introspected
    client.post(f"/settings/accounts/{hers.pk}/", {"password": "demo"})
    hers.refresh_from_db()
    assert bytes(hers.credential) == b""
    assert authorization.introspected == introspected


def test_a_provider_that_takes_passwords_again(
    client: Client, go: Any, authorization: Authorization, token_dovecot: Any
) -> None:
    back = ask(authorization, place(client.post(*sign_in())))
    Provider.objects.update(sign_in_by="password")
    introspected = authorization.introspected
    client.get(back)
    assert not is_in(client)
    assert authorization.introspected == introspected
    assert provider_on(token_dovecot, "Other", "").by_oauth is False
