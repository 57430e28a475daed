"""Forms from elsewhere (T11): every unsafe route refuses what comes without its token or from another site."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.cast import give_mail
from tests.routes import ROUTES, path_of
from webmail.models import User

ELSEWHERE = (
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://testserver:8080"},
)
UNSAFE = [route for route in ROUTES if route.posts and route.name != "csp-report"]


@pytest.fixture
def browser(alice):
    """Alice's browser, with Django's check switched on as in production."""
    give_mail(alice)
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="webmail.accounts.backends.MailBackend")
    return client


def token_of(client):
    page = client.get("/settings/").content.decode()
    return page.partition('name="csrfmiddlewaretoken" value="')[2][:64]


@pytest.mark.parametrize("route", UNSAFE, ids=lambda route: route.name)
def test_without_a_token_nothing_happens(browser, alice, route):
    response = browser.post(path_of(route, alice), route.posts)
    assert response.status_code == 403
    # What somebody wrote for an hour comes back with the answer.
    said = "press the button again" if route.name in ("write", "draft") else "reload the page"
    assert said in response.content.decode()


@pytest.mark.parametrize("route", UNSAFE, ids=lambda route: route.name)
def test_from_elsewhere_nothing_happens_even_with_a_token(browser, alice, route):
    data = route.posts | {"csrfmiddlewaretoken": token_of(browser)}
    for where in ELSEWHERE:
        assert browser.post(path_of(route, alice), data, headers=where).status_code == 403, where


def test_from_the_page_itself_it_works(browser, alice):
    data = {"theme": "dark", "csrfmiddlewaretoken": token_of(browser)}
    here = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/settings/preferences/", data, headers=here).status_code == 302
    assert User.objects.get(pk=alice.pk).theme == "dark"


def test_the_token_in_a_header_works_for_scripts(browser, alice):
    response = browser.post("/settings/preferences/", {"theme": "dark"}, headers={"X-CSRFToken": token_of(browser)})
    assert response.status_code == 302


def test_the_token_of_another_session_is_refused(browser, alice, mallory):
    hers = Client()
    hers.force_login(mallory, backend="webmail.accounts.backends.MailBackend")
    data = {"theme": "dark", "csrfmiddlewaretoken": token_of(hers)}
    assert browser.post("/settings/preferences/", data).status_code == 403


def test_signing_in_needs_the_token_too(alice):
    client = Client(enforce_csrf_checks=True)
    assert client.post("/sign-in/", {"username": "alice@demo.test", "password": "demo"}).status_code == 403
