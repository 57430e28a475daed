"""Every failure is a page with a sentence, a status and a way on; never the words of a library."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.http import HttpResponse

from tests.cast import client_of
from webmail.failures import FailuresMiddleware
from webmail.protocol import errors
from webmail.store.reading import NotThere

SECRET = "the server's own words"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.ConnectionFailed(detail=SECRET), 503),
        (errors.ConnectionLost(detail=SECRET), 503),
        (errors.Busy(detail=SECRET), 503),
        (errors.TooManyConnections(detail=SECRET), 503),
        (errors.LoginNeeded(detail=SECRET), 503),
        (errors.Untrusted(detail=SECRET), 502),
        (errors.BadAnswer(detail=SECRET), 502),
        (errors.Forbidden(detail=SECRET), 502),
        (errors.Refused(detail=SECRET), 502),
        (errors.NoSuchMailbox(detail=SECRET), 404),
        (errors.NoSuchMessage(detail=SECRET), 404),
        (errors.UidValidityChanged(detail=SECRET), 404),
        (NotThere(SECRET), 404),
        (OperationalError(SECRET), 503),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_what_a_view_lets_go(alice, monkeypatch, error, status):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr("webmail.accounts.views.entrance.landing", fail)
    # Home itself catches what a mail server does wrong; here it stands for any other view.
    monkeypatch.setattr("webmail.accounts.views.entrance.ProtocolError", ZeroDivisionError)
    response = client_of(alice).get("/")
    page = response.content.decode()
    assert response.status_code == status
    assert "<h1>" in page
    assert SECRET not in page
    assert 'class="button primary"' in page
    if isinstance(error, errors.TryAgain):
        assert response["Retry-After"] == "30"


def test_a_bug_stays_a_bug(rf):
    assert FailuresMiddleware(lambda request: HttpResponse()).process_exception(rf.get("/"), ValueError("bug")) is None


def test_home_with_a_server_that_is_away_shows_why(alice, provider):
    provider.imap_port = 1
    provider.save()
    response = client_of(alice).get("/", follow=True)
    assert response.status_code == 200
    assert "Server away" in response.content.decode()


def test_home_without_an_account_leads_to_adding_one(admin):
    response = client_of(admin).get("/", follow=True)
    assert response.redirect_chain[-1][0] == "/settings/#accounts"
    assert "No account yet" in response.content.decode()


def test_home_is_the_inbox(alice, redis_url):
    response = client_of(alice).get("/")
    inbox = alice.accounts.get().mailboxes.get(role="inbox")
    assert response["Location"] == f"/mailbox/{inbox.pk}/"


def test_a_database_that_is_away_before_any_view_is_asked(alice, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError(SECRET)

    client = client_of(alice)
    client.raise_request_exception = False
    monkeypatch.setattr("webmail.models.session.SessionStore.load", fail)
    response = client.get("/settings/")
    assert response.status_code == 503
    assert SECRET not in response.content.decode()


def test_nothing_here(client, db):
    response = client.get("/no/such/page/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_a_host_that_is_not_ours(client, db):
    assert client.get("/help/", headers={"host": "evil.test"}).status_code == 400
