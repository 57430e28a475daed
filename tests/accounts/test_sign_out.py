"""Signing out: nothing of the person stays behind in the browser or in the pool."""

from __future__ import annotations

from tests.cast import client_of
from webmail.models import Session
from webmail.store import pools


def test_signing_out_ends_the_session(alice):
    client = client_of(alice)
    key = client.session.session_key
    response = client.post("/sign-out/")
    assert response["Location"] == "/sign-in/"
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert response.cookies["session"].value == ""
    assert not Session.objects.filter(session_key=key).exists()
    client.cookies["session"] = key
    assert client.get("/settings/").status_code == 302


def test_a_link_signs_nobody_out(alice):
    client = client_of(alice)
    assert client.get("/sign-out/").status_code == 405
    assert client.get("/settings/").status_code == 200


def test_signing_out_twice_is_no_error(client):
    assert client.post("/sign-out/").status_code == 302


def test_the_last_session_takes_the_connections_along(client, alice):
    client.post("/sign-in/", {"username": "alice@demo.test", "password": "demo"})
    account = alice.accounts.get()
    other = client_of(alice)
    assert account.pk in pools._pools
    client.post("/sign-out/")
    assert account.pk in pools._pools
    other.post("/sign-out/")
    assert account.pk not in pools._pools
