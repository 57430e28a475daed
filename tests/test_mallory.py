"""Mallory walks every address of the product with alice's keys and sees nothing (T10)."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client

from tests.cast import client_of, give_mail
from tests.routes import ROUTES, named_routes, path_of, path_of_nobody
from webmail.models import (
    Account,
    Contact,
    ContactGroup,
    Draft,
    Grant,
    Identity,
    Job,
    Mailbox,
    Message,
    Session,
    Submission,
    Template,
    Unsubscription,
    Upload,
    User,
)

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
OWNED = [route for route in ROUTES if route.of]
PRIVATE = ("Private to alice", "alice@demo.test")


@pytest.fixture
def hers(alice, mallory):
    """Everything alice has, to be compared afterwards."""
    give_mail(alice)
    give_mail(mallory)
    client_of(alice)

    queries = [
        model.objects.filter(**{path: alice}).order_by("pk").values().query.sql_with_params()
        for model, path in (
            (User, "username"),
            (Account, "user"),
            (Grant, "account__user"),
            (Mailbox, "account__user"),
            (Message, "account__user"),
            (Job, "account__user"),
            (Draft, "account__user"),
            (Submission, "account__user"),
            (Unsubscription, "account__user"),
            (Upload, "account__user"),
            (Identity, "account__user"),
            (Template, "user"),
            (Contact, "user"),
            (ContactGroup, "user"),
            (Session, "user"),
        )
    ]

    def rows(sql, parameters):
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall()

    def state():
        return [rows(*query) for query in queries]

    return state


def test_every_route_has_its_line():
    assert {route.name for route in ROUTES} == named_routes()


@pytest.mark.parametrize("route", [route for route in ROUTES if route.name != "sign-in"], ids=lambda route: route.name)
def test_mallory_sees_and_changes_nothing_of_alice(alice, mallory, hers, route):
    before = hers()
    path = path_of(route, alice)
    for method in METHODS:
        response = getattr(client_of(mallory), method)(path, route.posts)
        if route.of and method != "options":
            assert response.status_code in {404, 405}, method
        page = b"".join(response.streaming_content) if response.streaming else response.content
        if route.name != "account-add":  # whose answer repeats what mallory typed
            assert not any(words.encode() in page for words in PRIVATE), method
        assert hers() == before, method


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.public], ids=lambda route: route.name)
def test_a_stranger_is_sent_to_the_door(alice, hers, route):
    before = hers()
    path = path_of(route, alice)
    for method in METHODS:
        response = getattr(Client(), method)(path, route.posts)
        assert response.status_code in {302, 403, 405}, method
        if response.status_code == 302:
            assert response["Location"].startswith("/sign-in/?next=/"), method
        assert hers() == before, method


@pytest.mark.parametrize("route", OWNED, ids=lambda route: route.name)
def test_htmx_opens_no_other_door(alice, mallory, hers, route):
    response = client_of(mallory).get(path_of(route, alice), headers={"HX-Request": "true"})
    assert response.status_code in {404, 405}


@pytest.mark.parametrize("route", OWNED, ids=lambda route: route.name)
def test_what_was_never_there_looks_the_same(alice, mallory, hers, route):
    """Else the answers would tell which keys exist."""
    client = client_of(mallory)
    theirs = client.get(path_of(route, alice))
    nobodys = client.get(path_of_nobody(route))
    assert theirs.status_code == nobodys.status_code
    assert theirs.content == nobodys.content


def test_the_panel_is_for_administrators(alice, admin):
    for path in ("/admin/", "/admin/webmail/account/", "/admin/webmail/user/add/"):
        assert client_of(alice).get(path, follow=True).status_code == 403
        assert Client().get(path).status_code == 302
    assert client_of(admin).get("/admin/").status_code == 200


def test_an_administrator_is_no_owner(alice, admin, hers):
    """The panel shows that things work; the mail itself stays alice's."""
    client = client_of(admin)
    for route in OWNED:
        assert client.get(path_of(route, alice)).status_code in {404, 405}, route.name
