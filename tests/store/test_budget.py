"""Connections and log-ins over all processes: never too many, people first, the dead give back what they had."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import redis

from tests.protocol.scripted import LOGIN, PoliteImap
from webmail.models import Account, Provider
from webmail.protocol import exchange
from webmail.protocol.connection import connect
from webmail.protocol.errors import Busy
from webmail.protocol.pool import Pool
from webmail.protocol.types import Server
from webmail.store import budget, pools, processes
from webmail.store.bodies import client
from webmail.store.budget import Share

SERVER = Server("mail.example", 993)

# Another process with connections of an account: it lives until its standard input ends, or it is killed.
OTHER = """
import sys, django
django.setup()
from webmail.store import budget, processes
share = budget.Share(int(sys.argv[1]))
share.cap = 3
entered = [share.enter(urgent=bool(int(sys.argv[3]))) for _ in range(int(sys.argv[2]))]
processes.hear("yield", lambda account: (share.leave(), print("left", flush=True)))
print(sum(entered), processes.name(), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def settled(redis_url: str) -> None:
    """A Redis that everybody has been in touch with for long."""
    client.set("connections-since", 1)


@pytest.fixture
def number() -> int:
    """An account's number that no other test uses."""
    return time.monotonic_ns()


@pytest.fixture
def other(number: int) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """A function that starts another process which holds connections."""
    running: list[subprocess.Popen[str]] = []

    def start(connections: int, *, urgent: bool = False) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", OTHER, str(number), str(connections), str(int(urgent))]
        running.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def share_of(number: int, cap: int = 3) -> Share:
    share = Share(number)
    share.cap = cap
    return share


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


@pytest.mark.parametrize(("cap", "steady", "most"), [(1, 1, 1), (2, 2, 2), (3, 3, 5), (4, 4, 5), (8, 8, 8)])
def test_background_work_stays_under_the_steady_number_and_people_under_the_peak(
    number: int, cap: int, steady: int, most: int
) -> None:
    share = share_of(number, cap)
    assert [share.enter(urgent=False) for _ in range(10)].count(True) == steady
    assert [share.enter(urgent=True) for _ in range(10)].count(True) == most - steady
    assert share.held == most
    assert sum(budget.in_use(number).values()) == most
    for _ in range(most):
        share.leave()
    assert budget.in_use(number) == {}


def test_two_processes_share_one_account_and_the_dead_give_back(
    number: int, other: Callable[..., subprocess.Popen[str]]
) -> None:
    process = other(2)
    count, name = said(process).split()
    assert count == "2"
    share = share_of(number)
    assert share.enter(urgent=False)
    assert budget.in_use(number) == {name: 2, processes.name(): 1}
    process.send_signal(signal.SIGKILL)
    process.wait()
    killed = time.monotonic()
    assert not share.enter(urgent=False)
    until(lambda: share.enter(urgent=False))
    assert time.monotonic() - killed < processes.LIFE + 5
    assert budget.in_use(number) == {processes.name(): 2}


def test_who_waits_asks_the_others_to_close_what_lies_idle(
    number: int, other: Callable[..., subprocess.Popen[str]]
) -> None:
    process = other(5, urgent=True)
    assert said(process).startswith("5 ")
    share = share_of(number)
    until(lambda: share.enter(urgent=True))
    assert said(process) == "left"


def test_background_work_asks_for_its_place_among_the_steady_ones(
    number: int, other: Callable[..., subprocess.Popen[str]]
) -> None:
    """A worker must not wait for five minutes because two web processes and `watch` have three connections."""
    process = other(3)
    assert said(process).startswith("3 ")
    share = share_of(number)
    until(lambda: share.enter(urgent=False))
    assert said(process) == "left"


def test_background_work_gets_nothing_while_somebody_waits(number: int) -> None:
    share = share_of(number)
    while share.enter(urgent=True):
        pass
    for _ in range(4):
        share.leave()
    assert not share.enter(urgent=False), "somebody asked half a second ago"
    assert share.enter(urgent=True)
    until(lambda: share.enter(urgent=False))


def test_what_is_more_than_steady_is_closed_after_a_while(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    share = share_of(number)
    with PoliteImap() as imap:
        pool = Pool(lambda: connect(imap.server, LOGIN), cap=share.most, gate=share)
        with pool.lend(), pool.lend(), pool.lend(), pool.lend(), pool.lend():
            assert imap.open_now == 5
            with pytest.raises(Busy), pool.lend(timeout=0.1):
                pass
        assert pool.close_idle() == 0, "somebody may go on in a moment"
        monkeypatch.setattr("webmail.protocol.pool.SURPLUS_SECONDS", 0.0)
        assert pool.close_idle() == 2
        assert pool.close_idle() == 0
        assert pool.stats.free == 3
        until(lambda: imap.open_now == 3)
        pool.close()
    assert share.held == 0


def test_who_waits_at_the_pool_gets_what_another_process_gives_back(number: int) -> None:
    share = share_of(number, 2)
    client.hset(f"connections:{number}", "elsewhere:1:a", 2)
    client.set(f"{processes.PREFIX}elsewhere:1:a", 1, ex=60)
    with PoliteImap() as imap:
        pool = Pool(lambda: connect(imap.server, LOGIN), cap=share.most, gate=share)
        threading.Timer(0.2, client.hset, (f"connections:{number}", "elsewhere:1:a", 1)).start()
        with pool.lend(timeout=10) as connection:
            connection.noop()
        pool.close()


def test_a_pool_gives_way(number: int) -> None:
    share = share_of(number)
    with PoliteImap() as imap:
        pool = Pool(lambda: connect(imap.server, LOGIN), cap=share.most, gate=share)
        with pool.lend(), pool.lend():
            pool.give_way()
        until(lambda: share.held == 1)
        pool.give_way()
        until(lambda: share.held == 0)
        until(lambda: imap.open_now == 0)


def test_after_a_flush_everybody_writes_down_what_they_have(number: int, account: Account) -> None:
    share = budget.share(account)
    assert share.enter(urgent=False)
    client.flushall()
    stranger = Share(account.pk)
    stranger.cap = 3
    assert not stranger.enter(urgent=False) or stranger.held == budget.ALONE
    until(lambda: budget.in_use(account.pk).get(processes.name(), 0) >= 1)


def test_with_redis_away_each_process_is_modest(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(budget, "_ENTER", fail)
    share = share_of(number)
    try:
        assert [share.enter(urgent=True) for _ in range(3)] == [True, False, False]
        assert share.held == budget.ALONE
    finally:
        monkeypatch.setattr(budget, "_away_until", 0.0)


def test_log_ins_at_a_server_come_one_after_the_other(redis_url: str, settings: Any) -> None:
    settings.LOGINS_PER_SECOND = 5
    client.delete("log_ins:mail.example:993")
    times: list[float] = []

    def log_in() -> None:
        budget.await_log_in(SERVER, urgent=False, timeout=30)
        times.append(time.monotonic())

    threads = [threading.Thread(target=log_in) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    assert all(later - earlier >= 1 for earlier, later in zip(times, times[5:], strict=False))


def test_people_log_in_first(redis_url: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With looks that last as long as the test: which of two threads a busy machine lets look first says nothing."""
    settings.LOGINS_PER_SECOND = 1
    monkeypatch.setattr(budget, "LOG_IN_WINDOW", 60.0)
    monkeypatch.setattr(budget, "WANTED", 60.0)
    server = Server("first.example", 993)
    log_ins = f"log_ins:{server.host}:{server.port}"
    budget.await_log_in(server, urgent=False, timeout=1)
    for urgent in (False, True):
        with pytest.raises(Busy):
            budget.await_log_in(server, urgent=urgent, timeout=0)
    client.delete(log_ins)  # the turn comes, to whom?
    with pytest.raises(Busy):
        budget.await_log_in(server, urgent=False, timeout=0)
    budget.await_log_in(server, urgent=True, timeout=0)
    client.delete(log_ins, f"log_ins-wanted:{server.host}:{server.port}")
    budget.await_log_in(server, urgent=False, timeout=0)


def test_who_waits_looks_again_before_a_look_is_forgotten(
    redis_url: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LOGINS_PER_SECOND = 1
    server = Server("again.example", 993)
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            client.delete(f"log_ins:{server.host}:{server.port}")

    monkeypatch.setattr(budget, "LOG_IN_WINDOW", 60.0)
    monkeypatch.setattr(budget, "_away_until", 0.0)  # Redis was, for another test
    monkeypatch.setattr(budget, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    budget.await_log_in(server, urgent=False, timeout=1)
    budget.await_log_in(server, urgent=True, timeout=100)
    assert pauses == [budget.WANTED / 2] * 3


def test_who_can_not_wait_is_told(redis_url: str, settings: Any) -> None:
    settings.LOGINS_PER_SECOND = 1
    server = Server("busy.example", 993)
    budget.await_log_in(server, urgent=True, timeout=1)
    started = time.monotonic()
    with pytest.raises(Busy):
        budget.await_log_in(server, urgent=True, timeout=0.2)
    assert time.monotonic() - started < 1


@pytest.mark.django_db
def test_name_and_password_are_sent_in_turn_again_where_a_connection_broke(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is let begin apart may arrive together: eight came in one second when 200 came back after an outage."""
    sent: list[bool] = []
    wait = budget.await_log_in

    def note(server: Server, *, sending: bool = False, **options: Any) -> None:
        sent.append(sending)
        wait(server, sending=sending, **options)

    monkeypatch.setattr(budget, "await_log_in", note)
    monkeypatch.setattr(exchange, "IDLE_SECONDS", 0.0)
    with pools.lend(account) as imap:
        assert sent == [False, True]
        imap._wire.close()
        imap.noop()
    assert sent == [False, True, True]


def test_alone_a_process_logs_in_more_rarely(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LOGINS_PER_SECOND = 50
    monkeypatch.setattr(budget, "_away_until", time.monotonic() + 60)
    server = Server("alone.example", 993)
    times = []
    for _ in range(3):
        budget.await_log_in(server, urgent=True, timeout=5)
        times.append(time.monotonic())
    assert times[2] - times[0] >= 2 * budget.PROCESSES / 50 - 0.001


@pytest.mark.django_db
def test_a_new_password_ends_the_pool_in_every_process(account: Account) -> None:
    with pools.lend(account) as first:
        first.noop()
    processes._heard({"data": f"forget {account.pk} other:1:b".encode()})
    until(lambda: first.broken)
    with pools.lend(account) as second:
        second.noop()
    # Even where the word was not heard: the pool knows with which password it was opened.
    account.credential = bytes(account.credential) + b" "
    assert pools._pool(account) is not None
    until(lambda: second.broken)


@pytest.mark.django_db
def test_our_own_words_are_not_for_us(account: Account) -> None:
    with pools.lend(account) as imap:
        imap.noop()
    processes._heard({"data": f"forget {account.pk} {processes.name()}".encode()})
    processes._heard({"data": b"forget nobody other:1:b"})
    processes._heard({"data": b"\xff"})
    with pools.lend(account) as again:
        assert again is imap


@pytest.mark.django_db
def test_pools_stand_behind_the_gate(account: Account) -> None:
    Provider.objects.filter(pk=account.provider_id).update(connection_cap=2)
    account.provider.refresh_from_db()
    with pools.lend(account), pools.lend(account):
        assert budget.in_use(account.pk) == {processes.name(): 2}
        with pytest.raises(Busy), pools.lend(account, timeout=0.1):
            pass
    pools.forget(account)
    until(lambda: budget.in_use(account.pk) == {})
