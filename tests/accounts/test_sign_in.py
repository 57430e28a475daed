"""Signing in: with a mail password, with a local one, for the first time, and in vain."""

from __future__ import annotations

import pytest
from django.contrib.auth import SESSION_KEY
from django.urls import reverse

from tests.cast import LOCAL_PASSWORD, client_of, person, provider_on
from webmail.models import Account, Provider, Session, User
from webmail.protocol.errors import ConnectionFailed, Untrusted
from webmail.store import credentials, pools, providers

SIGN_IN = "/sign-in/"
NO_MATCH = "don&#x27;t go together"


def sign_in(client, name, password="demo", **more):
    return client.post(SIGN_IN, {"username": name, "password": password, **more})


def is_in(client):
    return SESSION_KEY in client.session


def test_mail_password(client, alice):
    response = sign_in(client, "alice@demo.test")
    assert response.status_code == 302
    assert response["Location"] == "/"
    assert is_in(client)


@pytest.mark.parametrize("name", ["Alice@Demo.Test", "  alice@demo.test ", "ALICE@DEMO.TEST."])
def test_however_the_address_is_typed(client, alice, name):
    sign_in(client, name)
    assert client.session[SESSION_KEY] == str(alice.pk)


def test_the_first_time_makes_user_and_account(client, provider):
    sign_in(client, "bob@demo.test")
    account = Account.objects.get()
    assert account.user.username == account.user.email == account.address == "bob@demo.test"
    assert account.signs_in
    assert account.provider == provider
    assert not account.user.has_usable_password()
    assert credentials.unseal(account) == "demo"
    assert client.session[SESSION_KEY] == str(account.user_id)


def test_the_second_time_makes_nothing(client, provider):
    sign_in(client, "bob@demo.test")
    client.post("/sign-out/")
    sign_in(client, "bob@demo.test")
    assert User.objects.count() == Account.objects.count() == 1


def test_the_log_in_that_proved_the_password_serves_the_first_page(client, alice):
    sign_in(client, "alice@demo.test")
    stats = pools._pools[alice.accounts.get().pk].stats
    assert (stats.free, stats.opened) == (1, 1)


def test_a_password_changed_at_the_mail_server_is_kept_from_now_on(client, provider):
    alice = person("alice@demo.test", provider, password="the old one")
    Account.objects.update(state=Account.State.LOGIN_NEEDED)
    sign_in(client, "alice@demo.test")
    account = alice.accounts.get()
    assert credentials.unseal(account) == "demo"
    assert account.state == Account.State.OK


@pytest.mark.parametrize("name", ["alice@demo.test", "nobody@demo.test", "nobody", "admin"])
def test_the_same_answer_for_known_and_unknown(client, alice, admin, name):
    response = sign_in(client, name, "wrong")
    page = response.content.decode()
    assert NO_MATCH in page
    assert not is_in(client)
    assert "wrong" not in page


def test_the_same_page_but_for_the_name(client, alice):
    pages = {
        sign_in(client, name, "wrong").content.decode().replace(name, "NAME")
        for name in ("alice@demo.test", "dave@demo.test")
    }
    assert len({strip_token(page) for page in pages}) == 1


def strip_token(page):
    before, _, after = page.partition('name="csrfmiddlewaretoken" value="')
    return before + after[64:]


def test_a_local_password(client, admin):
    sign_in(client, "admin", LOCAL_PASSWORD)
    assert client.session[SESSION_KEY] == str(admin.pk)


def test_a_domain_nobody_serves(client, provider, monkeypatch):
    monkeypatch.setattr("webmail.protocol.discovery.discover", lambda address: ())
    page = sign_in(client, "carol@nowhere.test").content.decode()
    assert "No mail server was found for nowhere.test" in page
    assert not User.objects.exists()


def test_closed_sign_in_takes_the_administrators_domains_only(client, provider, settings):
    settings.OPEN_SIGN_IN = False
    assert "sign in here" in sign_in(client, "carol@nowhere.test").content.decode()
    sign_in(client, "bob@demo.test")
    assert is_in(client)


def test_a_provider_that_allows_no_sign_in(client, alice):
    Provider.objects.update(sign_in_allowed=False)
    assert "sign in here" in sign_in(client, "alice@demo.test").content.decode()
    assert not is_in(client)


def test_an_account_somebody_added_signs_nobody_in(client, provider, mallory):
    """Mallory adds a mailbox she knows the password of: its owner becomes a person of her own."""
    Account.objects.create(user=mallory, provider=provider, address="alice@demo.test")
    sign_in(client, "alice@demo.test")
    assert client.session[SESSION_KEY] != str(mallory.pk)
    assert User.objects.get(pk=client.session[SESSION_KEY]).username == "alice@demo.test"


def test_a_user_of_that_name_is_never_taken_over(client, provider):
    local = User.objects.create_user("alice@demo.test", password=LOCAL_PASSWORD)
    page = sign_in(client, "alice@demo.test").content.decode()
    assert "ask the administrator" in page
    assert not is_in(client)
    assert not local.accounts.exists()


def test_the_administrators_account_for_somebody_at_a_provider_without_domains(client, dovecot, db):
    alice = person("alice@demo.test", provider_on(dovecot, domain=""), password="imported, and old")
    sign_in(client, "alice@demo.test")
    assert client.session[SESSION_KEY] == str(alice.pk)


def test_somebody_switched_off(client, alice):
    User.objects.update(is_active=False)
    assert "switched off" in sign_in(client, "alice@demo.test").content.decode()
    assert "go together" in sign_in(client, "alice@demo.test", "wrong").content.decode()
    assert not is_in(client)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ConnectionFailed("The mail server does not answer."), "try again in a few minutes"),
        (Untrusted(), "identity could not be verified"),
    ],
)
def test_what_is_wrong_with_the_server_is_said(client, alice, monkeypatch, error, sentence):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(pools, "log_in", fail)
    response = sign_in(client, "alice@demo.test")
    assert sentence in response.content.decode()
    assert not is_in(client)


def test_a_server_that_is_down(client, alice, provider):
    Provider.objects.update(imap_port=1)
    assert "try again in a few minutes" in sign_in(client, "alice@demo.test").content.decode()


def test_a_certificate_of_somebody_else(client, alice):
    Provider.objects.update(ca_pem="")
    assert "identity could not be verified" in sign_in(client, "alice@demo.test").content.decode()


@pytest.mark.parametrize(
    "name",
    ["", "@", "a@", "a\r\nb@demo.test", "a b@demo.test", "x" * 300, "\0", "ü@demo.test", f"{'x' * 64}@{'y.' * 90}test"],
)
@pytest.mark.parametrize("password", ["", "\0", "a\r\nb", "p" * 5000, "wrong"])
def test_nothing_typed_breaks_the_page(client, provider, settings, name, password):
    settings.OPEN_SIGN_IN = False
    response = sign_in(client, name, password)
    assert response.status_code in {200, 429}
    assert not is_in(client)


def test_a_password_that_is_not_ascii(client, provider):
    assert NO_MATCH in sign_in(client, "alice@demo.test", "pässwörd \U0001f511").content.decode()


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        ("/settings/", "/settings/"),
        ("https://evil.test/", "/"),
        ("//evil.test/", "/"),
        ("/\\evil.test", "/"),
        ("javascript:alert(1)", "/"),
        ("http:///evil.test", "/"),
        ("", "/"),
    ],
)
def test_where_one_wanted_to_go(client, alice, wanted, where):
    assert sign_in(client, "alice@demo.test", next=wanted)["Location"] == where


def test_whoever_is_in_needs_no_form(alice):
    assert client_of(alice).get(SIGN_IN)["Location"] == "/"


def test_a_page_asks_to_sign_in_and_comes_back(client, alice):
    asked = client.get("/settings/")
    assert asked["Location"] == "/sign-in/?next=/settings/"
    assert 'value="/settings/"' in client.get(asked["Location"]).content.decode()


def test_the_session_before_is_short_and_the_one_after_is_not(client, alice):
    client.get(SIGN_IN)
    before = Session.objects.get()
    assert (before.expire_date - before.created_at).total_seconds() < 3700
    sign_in(client, "alice@demo.test")
    after = Session.objects.get()
    assert after.session_key != before.session_key
    assert (after.expire_date - after.created_at).total_seconds() > 80_000


def test_two_first_times_at_once_make_one_person(client, provider, monkeypatch):
    """The other browser is faster between our look and our writing."""
    keep = providers.keep

    def slow_keep(proposal, domain=""):
        person("bob@demo.test", provider)
        return keep(proposal, domain)

    monkeypatch.setattr(providers, "keep", slow_keep)
    sign_in(client, "bob@demo.test")
    assert is_in(client)
    assert User.objects.count() == Account.objects.count() == 1


def test_reverse_is_the_address_the_project_names():
    assert reverse("sign-in") == SIGN_IN
