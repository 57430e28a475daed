"""Every failure is a page with a sentence, a status and a way on; never the words of a library."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.http import HttpResponse
from django.utils import timezone

from tests.cast import client_of
from webmail.failures import FailuresMiddleware
from webmail.models import Account
from webmail.protocol import errors
from webmail.store import credentials
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
    for caught in ("TryAgain", "ProtocolError"):
        monkeypatch.setattr(f"webmail.accounts.views.entrance.{caught}", ZeroDivisionError)
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


def test_home_with_a_server_that_is_away_says_so_and_looks_again(alice, provider, redis_url):
    port, provider.imap_port = provider.imap_port, 1
    provider.save()
    client = client_of(alice)
    response = client.get("/")
    assert response.status_code == 200
    assert response["Refresh"] == "5"
    page = response.content.decode()
    assert "This page looks again every 5 seconds" in page, page
    assert "Server away" in client.get("/settings/").content.decode()
    provider.imap_port = port
    provider.save()
    assert client.get("/")["Location"] == f"/mailbox/{alice.accounts.get().mailboxes.get(role='inbox').pk}/"


def test_home_with_a_wrong_password_leads_to_where_it_is_mended(alice, redis_url):
    account = alice.accounts.get()
    account.credential = credentials.seal(account, "wrong")
    account.save()
    response = client_of(alice).get("/", follow=True)
    assert response.redirect_chain[-1][0] == "/settings/#accounts"


def test_home_is_an_account_that_was_read_before_one_that_cannot_be(alice, redis_url):
    first = alice.accounts.get()
    second = Account.objects.create(
        user=alice, provider=first.provider, address="alice@second.test", listed_at=timezone.now()
    )
    listed = second.mailboxes.create(name="INBOX", role="inbox", uidvalidity=1)
    assert first.listed_at is None
    assert client_of(alice).get("/")["Location"] == f"/mailbox/{listed.pk}/"


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
