"""An administrator makes an account for somebody else, and that person signs in; the password never comes back."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.core import serializers
from django.urls import reverse

from tests.cast import LOCAL_PASSWORD, client_of, provider_on
from webmail.models import Account, Session, User
from webmail.store import credentials

ADD = "/admin/webmail/account/add/"
CANARY = "canary-7f3a-öß"


def fields(**changes: str) -> dict[str, str]:
    new = {"address": "bob@demo.test", "person": "", "provider": "", "login_name": "", "password": "", "signs_in": "on"}
    return {key: value for key, value in {**new, **changes}.items() if value or key != "signs_in"}


def change(account: Account) -> str:
    return reverse("admin:webmail_account_change", args=[account.pk])


def errors_of(response) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def test_that_person_signs_in_with_the_mail_password(admin, provider, client):
    response = client_of(admin).post(ADD, fields(address="Bob@Demo.Test", password="demo"))
    assert response.status_code == 302
    account = Account.objects.get()
    assert (account.address, account.user.username, account.provider) == ("bob@demo.test", "bob@demo.test", provider)
    assert account.signs_in
    assert credentials.unseal(account) == "demo"
    assert not account.user.has_usable_password()
    client.post("/sign-in/", {"username": "bob@demo.test", "password": "demo"})
    assert client.session["_auth_user_id"] == str(account.user_id)
    assert Account.objects.count() == 1


def test_without_a_password_the_person_brings_it(admin, provider, client):
    client_of(admin).post(ADD, fields())
    account = Account.objects.get()
    assert account.state == Account.State.LOGIN_NEEDED
    client.post("/sign-in/", {"username": "bob@demo.test", "password": "demo"})
    account.refresh_from_db()
    assert credentials.unseal(account) == "demo"
    assert account.state == Account.State.OK


def test_for_a_person_with_a_local_password(admin, provider, client):
    carol = User.objects.create_user("carol", password=LOCAL_PASSWORD)
    client_of(admin).post(ADD, fields(person="carol", password="demo", signs_in=""))
    account = Account.objects.get()
    assert account.user == carol
    client.post("/sign-in/", {"username": "bob@demo.test", "password": "demo"})
    assert client.session.get("_auth_user_id") != str(carol.pk)
    client.logout()
    client.post("/sign-in/", {"username": "carol", "password": LOCAL_PASSWORD})
    assert client.session["_auth_user_id"] == str(carol.pk)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"address": "nonsense"}, "address", "valid email address"),
        ({"address": "bob@127.0.0.1"}, "address", "mail address"),
        ({"address": "bob@unknown.example"}, "provider", "No provider serves unknown.example yet"),
        ({"person": "nobody"}, "person", "There is no person with this user name"),
        ({"signs_in": ""}, "signs_in", "Nobody could use the new person"),
        ({"password": "two\r\nlines"}, "password", "can't hold line breaks"),
        ({"login_name": "bob\0", "password": "x"}, "login_name", "Null characters are not allowed"),
        ({"aliases": "*@x"}, "aliases", "neither a mail address"),
    ],
)
def test_what_cannot_be(admin, provider, changes, field, words):
    assert words in " ".join(errors_of(client_of(admin).post(ADD, fields(**changes)))[field])
    assert not Account.objects.exists()
    assert User.objects.count() == 1


def test_a_provider_that_lets_nobody_in(admin, provider):
    provider.sign_in_allowed = False
    provider.save()
    assert "allow signing in" in str(errors_of(client_of(admin).post(ADD, fields()))["provider"])


def test_an_address_signs_in_one_person(admin, bob, provider):
    User.objects.create_user("carol")
    response = client_of(admin).post(ADD, fields(person="carol"))
    assert errors_of(response)["signs_in"] == [
        "bob@demo.test already signs in “bob@demo.test”: an address can sign in one person only."
    ]
    assert client_of(admin).post(ADD, fields(person="carol", signs_in="")).status_code == 302


def test_nobody_has_the_same_account_twice(admin, bob, provider):
    assert "already has bob@demo.test at Demo" in str(errors_of(client_of(admin).post(ADD, fields()))["provider"])


def test_the_password_goes_in_and_never_comes_out(admin, provider, caplog):
    """T17: pages, lists, history, errors, logs, sessions, log entries."""
    client = client_of(admin)
    refused = client.post(ADD, fields(address="nonsense", password=CANARY)).content.decode()
    client.post(ADD, fields(password=CANARY))
    account = Account.objects.get()
    assert credentials.unseal(account) == CANARY
    pages = [refused] + [
        client.get(address).content.decode()
        for address in (
            "/admin/",
            "/admin/webmail/account/",
            "/admin/admin/logentry/",
            change(account),
            reverse("admin:webmail_account_history", args=[account.pk]),
            reverse("admin:webmail_account_test", args=[account.pk]),
        )
    ]
    rows = serializers.serialize("json", [*Account.objects.all(), *LogEntry.objects.all(), *User.objects.all()])
    sessions = str([session.get_decoded() for session in Session.objects.all()])
    for text in (*pages, rows, sessions, caplog.text):
        assert "canary" not in text
    assert account.credential.decode() not in "".join(pages)


def test_an_empty_password_field_keeps_the_stored_one(admin, bob, provider):
    account = bob.accounts.get()
    kept = {"provider": str(provider.pk), "login_name": "robert", "password": "", "signs_in": "on"}
    kept["aliases"] = "Info@Demo.test, *@CLUB.example"
    assert client_of(admin).post(change(account), kept).status_code == 302
    account.refresh_from_db()
    assert (account.login_name, credentials.unseal(account)) == ("robert", "demo")
    assert account.aliases == "info@demo.test\n*@club.example"


def test_a_new_password_ends_the_wait_for_one(admin, bob, provider):
    account = bob.accounts.get()
    Account.objects.update(state=Account.State.LOGIN_NEEDED, state_detail="Authentication failed.")
    new = {"provider": str(provider.pk), "login_name": "", "password": "another", "signs_in": "on"}
    client_of(admin).post(change(account), new)
    account.refresh_from_db()
    assert credentials.unseal(account) == "another"
    assert (account.state, account.state_detail) == (Account.State.OK, "")


def test_an_account_never_changes_hands(admin, alice, bob, provider):
    account = bob.accounts.get()
    stolen = {"provider": str(provider.pk), "person": "alice@demo.test", "address": "alice@demo.test", "user": "1"}
    client_of(admin).post(change(account), {**stolen, "signs_in": "on", "login_name": "", "password": ""})
    account.refresh_from_db()
    assert (account.user, account.address) == (bob, "bob@demo.test")


def test_a_move_to_another_provider(admin, bob, provider, dovecot):
    other = provider_on(dovecot, "Other", "")
    account = bob.accounts.get()
    client_of(admin).post(
        change(account), {"provider": str(other.pk), "login_name": "", "password": "", "signs_in": "on"}
    )
    account.refresh_from_db()
    assert account.provider == other
