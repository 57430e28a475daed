"""Who is not online is looked at by last visit, evenly spread, and never more of a server than it may be asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.cast import person
from webmail import tasks
from webmail.models import Account, Provider, User
from webmail.store import polling, presence, processes, turns
from webmail.store.bodies import client

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_is_online(redis_url: str) -> None:
    client.delete("presence")


@pytest.fixture
def server() -> Provider:
    return Provider.objects.create(name="Polled", imap_host="polled.example")


def people(server: Provider, count: int) -> list[Account]:
    return [person(f"{server.pk}-{number}@polled.example", server).accounts.get() for number in range(count)]


@pytest.mark.parametrize(
    ("visited", "period"),
    [
        (timedelta(minutes=1), timedelta(minutes=15)),
        (timedelta(hours=23), timedelta(minutes=15)),
        (timedelta(days=2), timedelta(hours=1)),
        (timedelta(days=8), timedelta(hours=6)),
        (None, timedelta(hours=6)),
    ],
)
def test_the_period_follows_the_last_visit(server: Provider, visited: timedelta | None, period: timedelta) -> None:
    now = timezone.now()
    account = people(server, 1)[0]
    account.visited_at = now - visited if visited else None
    first = polling.next_look(account, now)
    assert now < first <= now + period
    assert polling.next_look(account, first) - first == pytest.approx(period, abs=timedelta(milliseconds=1))


def test_accounts_are_spread_evenly(server: Provider) -> None:
    now = timezone.now()
    looks = sorted(polling.next_look(Account(pk=pk), now) for pk in range(1, 1001))
    tenth = timedelta(hours=6) / 10
    counts = [sum(now + tenth * part < look <= now + tenth * (part + 1) for look in looks) for part in range(10)]
    assert min(counts) > 90
    assert max(counts) < 110


def test_what_is_due_is_taken_once(server: Provider) -> None:
    account = people(server, 1)[0]
    assert polling.take_due() == [account.pk]
    assert polling.take_due() == []
    Account.objects.update(look_at=timezone.now())
    assert polling.take_due() == [account.pk]


def test_who_is_online_is_somebody_elses(server: Provider) -> None:
    account = people(server, 1)[0]
    presence.touch(account.user_id)
    assert polling.take_due() == []
    account.refresh_from_db()
    assert account.look_at > timezone.now()


def test_who_has_to_type_a_password_and_who_may_not_sign_in_is_not_looked_at(server: Provider) -> None:
    people(server, 2)
    Account.objects.filter(address__contains="-0@").update(state=Account.State.LOGIN_NEEDED)
    User.objects.filter(username__contains="-1@").update(is_active=False)
    assert polling.take_due() == []


def test_no_more_of_a_server_than_it_may_be_asked_and_those_first_who_were_here_last(
    server: Provider, settings: Any
) -> None:
    settings.LOGINS_PER_SECOND = 1
    accounts = people(server, 12)
    now = timezone.now()
    for minutes, account in enumerate(accounts[:4]):
        Account.objects.filter(pk=account.pk).update(visited_at=now - timedelta(minutes=minutes))
    assert polling.take_due() == [account.pk for account in accounts[:3]]
    assert len(polling.take_due()) == 3


def test_a_server_of_which_many_are_due_does_not_stand_before_the_others(
    server: Provider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LOGINS_PER_SECOND = 1
    monkeypatch.setattr(polling, "MOST", 4)
    people(server, 12)
    Account.objects.update(look_at=timezone.now() - timedelta(hours=1))
    other = people(Provider.objects.create(name="Other", imap_host="other.example"), 1)[0]
    taken = polling.take_due()
    assert len(taken) == 4
    assert other.pk in taken


def test_a_server_that_is_away_is_left_alone_and_nobody_loses_their_place(server: Provider) -> None:
    account = people(server, 1)[0]
    key = "breaker:polled.example:993"
    client.hset(key, mapping={"since": time.time() - 60, "retry_at": time.time() + 60, "pauses": 1})
    assert polling.take_due() == []
    client.delete(key)
    assert polling.take_due() == [account.pk]


def test_it_is_cheap(server: Provider, django_assert_max_num_queries: Any) -> None:
    people(server, 30)
    with django_assert_max_num_queries(5):  # a savepoint among them
        assert len(polling.take_due()) == 30


def test_a_visit_is_written_down_now_and_then(server: Provider, django_assert_num_queries: Any) -> None:
    account = people(server, 1)[0]
    polling.note_visit(account.user)
    account.refresh_from_db()
    first = account.visited_at
    assert first is not None
    polling.note_visit(account.user)
    account.refresh_from_db()
    assert account.visited_at == first
    Account.objects.update(visited_at=first - timedelta(minutes=6))
    polling.note_visit(account.user)
    account.refresh_from_db()
    assert account.visited_at > first


def test_the_clock_wakes_a_worker_for_each(server: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    account = people(server, 1)[0]
    sent: list[int] = []
    monkeypatch.setattr(tasks, "enqueue", lambda task, pk: sent.append(pk))
    tasks.look_at_due()
    assert sent == [account.pk]


def test_an_account_is_looked_at(account: Account) -> None:
    tasks.look(account.pk)
    account.refresh_from_db()
    assert account.listed_at is not None
    tasks.look(0)


@pytest.fixture
def name(redis_url: str) -> Iterator[str]:
    name = f"test-{time.monotonic_ns()}"
    processes.name()
    processes._beat()  # another test may have flushed Redis a moment ago
    yield name
    client.delete(f"turn:{name}", f"again:{name}")


def test_who_comes_while_another_is_at_it_has_him_go_round_again(name: str) -> None:
    rounds = 0
    for _ in turns.each(name):
        rounds += 1
        if rounds == 1:
            assert list(turns.each(name)) == []
    assert rounds == 2
    assert list(turns.each(name)) == [None]


def test_the_turn_of_a_worker_that_was_killed_is_free(name: str) -> None:
    client.set(f"turn:{name}", "celery:1:dead abc")
    with turns.take(name) as mine:
        assert mine
        with turns.take(name) as again:
            assert not again


def test_a_worker_that_begins_looks_at_those_online(server: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    online, _ = people(server, 2)
    presence.touch(online.user_id)
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr(tasks, "send", lambda *what: sent.append(what))
    tasks.look_at_those_online()
    assert sent == [(tasks.sweep_jobs,), (tasks.look, online.pk)]


def test_a_turn_that_is_left_early_is_given_back(name: str) -> None:
    for _ in turns.each(name):
        break
    assert list(turns.each(name)) == [None]
