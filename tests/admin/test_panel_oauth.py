"""How people of a provider sign in, in the panel: what is kept, what can't be, and what is tested."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from tests.admin.test_connection_test import body, names
from tests.admin.test_panel_providers import ADD, errors_of, fields
from tests.authorization import CLIENT_SECRET, Authorization
from tests.cast import client_of
from webmail.admin.authorization import PRESETS
from webmail.models import Account, AuthorizationServer, Provider, User
from webmail.store import grants

NEW_ACCOUNT = "/admin/webmail/account/add/"


def oauth_fields() -> dict[str, str]:
    return fields(
        sign_in_by="oauth",
        authorization_endpoint="https://id.example.test/authorize?prompt=consent",
        token_endpoint="https://id.example.test/token",
        client_id="webmail",
        client_secret="secret-canary",
        scopes=" mail  offline_access mail",
    )


def change_of(provider: Provider) -> str:
    return reverse("admin:webmail_provider_change", args=[provider.pk])


def test_kept_and_the_secret_never_shown(admin: User) -> None:
    client = client_of(admin)
    assert client.post(ADD, oauth_fields()).status_code == 302
    provider, server = Provider.objects.get(), AuthorizationServer.objects.get()
    assert provider.by_oauth
    assert (server.provider, server.client_id, server.client_secret) == (provider, "webmail", "secret-canary")
    assert (server.scopes, server.issuer) == ("mail offline_access", "webmail at id.example.test")
    page = client.get(change_of(provider)).content.decode()
    assert "secret-canary" not in page
    assert "One is stored, sealed" in page
    assert "https://id.example.test/authorize?prompt=consent" in page
    assert "http://testserver/sign-in/return/" in page
    changed = oauth_fields() | {"scopes": "mail", "client_secret": ""}
    assert client.post(change_of(provider), changed).status_code == 302
    server.refresh_from_db()
    assert (server.scopes, server.client_secret) == ("mail", "secret-canary")
    assert "secret-canary" not in "".join(entry.change_message for entry in LogEntry.objects.all())


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"authorization_endpoint": ""}, "authorization_endpoint", "at which people allow it"),
        ({"token_endpoint": ""}, "token_endpoint", "at which tokens are given"),
        ({"client_id": ""}, "client_id", "Register this product"),
        ({"scopes": " "}, "scopes", "no provider gives access"),
        ({"scopes": 'mail "all"'}, "scopes", "“&quot;all&quot;” is not a scope"),
        ({"client_id": "webmäil"}, "client_id", "characters that can"),
        ({"client_secret": "a\nb"}, "client_secret", "characters that can"),
        ({"token_endpoint": "http://id.example.test/token"}, "token_endpoint", "begin with https://"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint", "begin with https://"),
        ({"token_endpoint": "id.example.test"}, "token_endpoint", "begin with https://"),
        ({"token_endpoint": "https://u:p@id.example.test/"}, "token_endpoint", "Without a user name"),
        ({"authorization_endpoint": "https://id.example.test/#x"}, "authorization_endpoint", "Without a user name"),
        ({"token_endpoint": "https://id.example.test:8443/"}, "token_endpoint", "Only port 443"),
        ({"token_endpoint": "https://id.example.test:x/"}, "token_endpoint", "not an address"),
        ({"token_endpoint": "https://127.0.0.1/"}, "token_endpoint", "is not an address of the internet"),
        ({"token_endpoint": "https://127.1/"}, "token_endpoint", "is not the name of a host"),
        ({"token_endpoint": "https://169.254.169.254/", "allow_private": "on"}, "token_endpoint", "metadata"),
        ({"token_endpoint": "https://keycloak/"}, "token_endpoint", "write it in full"),
        ({"revocation_endpoint": "https://elsewhere.test/revoke"}, "revocation_endpoint", "host of the token endpoint"),
        ({"sign_in_by": "kerberos"}, "sign_in_by", "valid choice"),
        ({"smtp_host": "", "smtp_open": "on"}, "smtp_open", "Name the server"),
    ],
)
def test_what_cannot_be(admin: User, changes: dict[str, str], field: str, words: str) -> None:
    errors = errors_of(client_of(admin).post(ADD, oauth_fields() | changes))
    assert words in str(errors[field])
    assert not Provider.objects.exists()


def test_ones_own_network_and_no_secret(admin: User) -> None:
    own = {"allow_private": "on", "token_endpoint": "https://[::1]:8443/token", "client_secret": "", "smtp_open": "on"}
    assert client_of(admin).post(ADD, oauth_fields() | own).status_code == 302
    server = AuthorizationServer.objects.select_related("provider").get()
    assert (server.client.token_endpoint, server.client.client_secret) == ("https://[::1]:8443/token", "")
    assert server.provider.smtp_open


@pytest.mark.parametrize("change", [{"client_id": "another"}, {"token_endpoint": "https://evil.example/token"}])
def test_the_stored_secret_is_sent_to_nobody_else(admin: User, change: dict[str, str]) -> None:
    client = client_of(admin)
    client.post(ADD, oauth_fields())
    path = change_of(Provider.objects.get())
    errors = errors_of(client.post(path, oauth_fields() | change | {"client_secret": ""}))
    assert "Type the secret again" in str(errors["client_secret"])
    assert client.post(path, oauth_fields() | change).status_code == 302


def test_a_secret_that_no_key_opens_is_typed_again(admin: User, settings: Any) -> None:
    client = client_of(admin)
    client.post(ADD, oauth_fields())
    path = change_of(Provider.objects.get())
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    assert "or there is none" in client.get(path).content.decode()
    assert client.post(path, oauth_fields()).status_code == 302
    assert AuthorizationServer.objects.get().client_secret == "secret-canary"


@pytest.mark.parametrize("name", PRESETS)
def test_filled_in_for_the_two_that_nearly_everybody_means(admin: User, name: str) -> None:
    client = client_of(admin)
    assert f"?preset={name}" in client.get(ADD).content.decode()
    form = client.get(ADD, {"preset": name}).context["adminform"].form
    filled = {field.html_name: field.value() for field in form}
    data = {key: value for key, value in filled.items() if value not in (None, False)} | {"client_id": "x"}
    assert client.post(ADD, data).status_code == 302
    assert Provider.objects.get().by_oauth


def test_the_connection_is_tested_as_far_as_it_goes(admin: User, hers: Account, authorization: Authorization) -> None:
    client = client_of(admin)
    path = reverse("admin:webmail_provider_test", args=[hers.provider_id])
    assert "test one of its accounts" in client.get(path).content.decode()
    page = body(client.post(path))
    assert names(page) == ["DNS", "TCP", "TLS", "Greeting", "Token endpoint"]
    assert "knows this client" in page
    account = reverse("admin:webmail_account_test", args=[hers.pk])
    assert "What its owner allowed" in client.get(account).content.decode()
    assert names(body(client.post(account))) == ["DNS", "TCP", "TLS", "Greeting", "Log in", "List", "Token endpoint"]
    grants.end(hers)
    assert "The account&#x27;s owner connects it" in body(client.post(account))
    AuthorizationServer.objects.update(client_id="another")
    page = body(client.post(path))
    assert "invalid_client" in page
    assert "Check the client ID" in page
    assert CLIENT_SECRET not in page


def test_an_account_waits_for_its_owner(admin: User, token_provider: Provider) -> None:
    client = client_of(admin)
    form = {"address": "carol@quay.test", "signs_in": "on", "password": ""}
    assert "takes no passwords" in str(errors_of(client.post(NEW_ACCOUNT, form | {"password": "x"}))["password"])
    assert client.post(NEW_ACCOUNT, form).status_code == 302
    account = Account.objects.get()
    assert (account.state, account.state_detail) == ("login_needed", "Its owner has not connected it yet.")
    page = client.get(reverse("admin:webmail_account_change", args=[account.pk])).content.decode()
    assert "Sign-in needed" in page
    other = form | {"address": "dora@elsewhere.test", "provider": str(token_provider.pk)}
    assert "doesn’t serve" in str(errors_of(client.post(NEW_ACCOUNT, other))["signs_in"]).replace("&#x27;", "’")


def test_a_table_of_accounts(admin: User, token_provider: Provider) -> None:
    client = client_of(admin)

    def read(line: str) -> Any:
        return client.post("/admin/webmail/account/import/", {"text": f"address,password,provider,user\n{line}"})

    assert "takes no passwords" in read("a@quay.test,secret,,").content.decode()
    page = read("a@elsewhere.test,,Quay Mail,").content.decode()
    assert "add the domain to it" in page
    assert "the person connects it" in read("a@quay.test,,,").content.decode()
