"""The breaker: who is away is asked by one, and everybody else is told at once."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.protocol.scripted import PoliteImap
from webmail.demo.layout import free_port
from webmail.models import Account, Mailbox, Provider
from webmail.protocol.errors import Busy, ConnectionFailed, LoginNeeded, ProtocolError
from webmail.protocol.types import Server
from webmail.store import breaker, pools, sync
from webmail.store.bodies import client
from webmail.store.breaker import FAILURES, ServerAway, state_of, trying


@pytest.fixture
def server(redis_url: str) -> Server:
    return Server(f"host{time.monotonic_ns()}.example", 993)


def fail(server: Server, error: Exception | None = None) -> None:
    with pytest.raises(ProtocolError), trying(server):
        raise error or ConnectionFailed


def open_breaker(server: Server) -> None:
    for _ in range(FAILURES):
        fail(server)
    assert state_of(server).since is not None


def wait_over(server: Server) -> None:
    """As if the pause were over."""
    client.hset(breaker._keys(server)[0], "retry_at", str(time.time() - 1))


def test_it_opens_after_several_failures_and_says_since_when(server: Server) -> None:
    before = timezone.now()
    for _ in range(FAILURES - 1):
        fail(server)
        assert state_of(server) == breaker.CLOSED
    client.hset(breaker._keys(server)[0], "x", "y")  # half a row is no open breaker
    client.delete(breaker._keys(server)[0])
    fail(server)
    since = state_of(server).since
    assert since is not None
    assert before - timedelta(seconds=1) < since < timezone.now()


def test_while_it_is_open_nothing_is_tried(server: Server) -> None:
    open_breaker(server)
    client.hset(breaker._keys(server)[0], "retry_at", str(time.time() + 60))
    assert state_of(server).name == "open"
    with pytest.raises(ServerAway) as told, trying(server):
        pytest.fail("it was tried")
    assert told.value.since == state_of(server).since


def test_half_open_one_may_try(server: Server) -> None:
    open_breaker(server)
    wait_over(server)
    assert state_of(server).name == "half-open"
    with trying(server), pytest.raises(ServerAway), trying(server):
        pytest.fail("two at once")
    assert state_of(server) == breaker.CLOSED


def test_a_failed_trial_makes_the_next_pause_longer(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.random", lambda: 1.0)
    open_breaker(server)
    since, pauses = state_of(server).since, [state_of(server).pause]
    for _ in range(7):
        wait_over(server)
        fail(server)
        pauses.append(state_of(server).pause)
    assert [round(pause) for pause in pauses] == [2, 4, 8, 16, 32, 60, 60, 60]
    assert state_of(server).since == since


def test_the_pause_has_full_jitter(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.random", lambda: 0.0)
    open_breaker(server)
    assert state_of(server).pause < 0.01


def test_failures_of_connections_begun_before_count_once(server: Server) -> None:
    open_breaker(server)
    pause = state_of(server).pause
    breaker._note_failure(server)
    assert state_of(server).pause <= pause or state_of(server).name == "half-open"


@pytest.mark.parametrize("error", [LoginNeeded()])
def test_a_refusal_is_an_answer(server: Server, error: Exception) -> None:
    open_breaker(server)
    wait_over(server)
    fail(server, error)
    assert state_of(server) == breaker.CLOSED


def test_who_did_not_get_as_far_leaves_the_trial_to_another(server: Server) -> None:
    open_breaker(server)
    wait_over(server)
    fail(server, Busy())
    with trying(server):
        pass
    assert state_of(server) == breaker.CLOSED


def test_an_answer_begins_the_count_anew(server: Server) -> None:
    for _ in range(FAILURES - 1):
        fail(server)
    with trying(server):
        pass
    for _ in range(FAILURES - 1):
        fail(server)
    assert state_of(server) == breaker.CLOSED


def test_the_page_comes_at_once_and_the_account_says_since_when(
    account: Account, inbox: Mailbox, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync.refresh(inbox)
    pools.forget(account)
    Provider.objects.filter(pk=account.provider_id).update(imap_port=free_port(), imap_security="none")
    account.provider.refresh_from_db()
    for _ in range(FAILURES):
        with pytest.raises(ConnectionFailed), pools.lend(account):
            pass
    client.hset(breaker._keys(account.provider.imap)[0], "retry_at", str(time.time() + 60))
    Account.objects.update(state="ok", state_since=None)

    def never(*_: object) -> None:
        raise AssertionError("somebody waits for a server that is away")

    monkeypatch.setattr(pools, "connect", never)
    assert reader.post(f"/mailbox/{inbox.pk}/check/", follow=True).status_code == 200
    account.refresh_from_db()
    assert account.state == Account.State.AWAY
    assert account.state_since == state_of(account.provider.imap).since


def test_a_server_that_comes_back_is_found(account: Account) -> None:
    with PoliteImap() as imap:
        Provider.objects.filter(pk=account.provider_id).update(
            imap_host="127.0.0.1", imap_port=imap.port, imap_security="none"
        )
        account.provider.refresh_from_db()
        open_breaker(account.provider.imap)
        wait_over(account.provider.imap)
        with pools.lend(account) as connection:
            connection.noop()
        assert state_of(account.provider.imap) == breaker.CLOSED
        pools.forget(account)
