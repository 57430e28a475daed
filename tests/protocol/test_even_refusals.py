"""A refused address tells nothing: not by words, not by connections, not by time (threat T9)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.protocol.test_guard import ALL_FORMS
from webmail.protocol import guard
from webmail.protocol.errors import ConnectionFailed, Forbidden, ProtocolError

SECONDS = 1.0
# What look-ups answer and how long they take: a resolver knows its own network at once and asks the world for the rest.
NAMES = {
    "router.corp.example": (0.0004, ["192.168.1.1"]),
    "metadata.example": (0.02, ["169.254.169.254"]),
    "both.example": (0.1, ["93.184.215.14", "10.0.0.1"]),
    "nowhere.example": (0.35, []),
}


class Clock(SimpleNamespace):
    """Time that passes only where somebody waits."""

    def monotonic(self) -> float:
        return float(self.now)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The guard's clock, names that take their time, and no connection at all."""
    clock = Clock(now=100.0)

    def getaddrinfo(name: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        seconds, addresses = NAMES.get(name, (0.0001, [name]))
        clock.now += seconds
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    def create_connection(*_: Any, **__: Any) -> socket.socket:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(guard, "time", clock)
    monkeypatch.setattr(guard, "REFUSAL_SECONDS", SECONDS)
    monkeypatch.setattr(guard.socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(guard.socket, "create_connection", create_connection)
    return clock


def refusal(clock: Clock, host: str, port: int = 993, **how: Any) -> tuple[str, str, float]:
    """The words of a refusal, and how long it took."""
    begun = clock.now
    with pytest.raises((Forbidden, ConnectionFailed)) as caught:
        guard.open_socket(host, port, allow_private=False, timeout=10, **how)
    return caught.value.sentence, caught.value.detail, round(clock.now - begun, 6)


def test_every_refusal_is_the_same(clock: Clock) -> None:
    hosts = [host for host in ALL_FORMS if not host.lower().startswith("localhost")]
    assert {refusal(clock, host) for host in (*hosts, *NAMES)} == {(guard.NO_SERVER, "", SECONDS)}
    assert refusal(clock, "93.184.215.14", 22) == (guard.NO_SERVER, "", SECONDS)


def test_the_same_for_whoever_only_resolves(clock: Clock) -> None:
    taken = set()
    for host in ("127.0.0.1", *NAMES):
        begun = clock.now
        with pytest.raises(ProtocolError, match=guard.NO_SERVER):
            guard.resolve(host, 993, allow_private=False, timeout=10)
        taken.add(round(clock.now - begun, 6))
    assert taken == {SECONDS}


def test_a_slow_look_up_is_rounded_up(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NAMES, "slow.example", (1.3, []))
    monkeypatch.setitem(NAMES, "slower.example", (1.7, ["10.0.0.1"]))
    assert refusal(clock, "slow.example") == refusal(clock, "slower.example") == (guard.NO_SERVER, "", 2 * SECONDS)


def test_a_port_that_listens_is_refused_like_one_that_does_not(clock: Clock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_server(("127.0.0.1", 0)) as closed:
        listens, silent = listener.getsockname()[1], closed.getsockname()[1]
        closed.close()
        found = {refusal(clock, "127.0.0.1", port, ports={port}) for port in (listens, silent)}
        listener.settimeout(0.1)
        with pytest.raises(TimeoutError):
            listener.accept()
    assert found == {(guard.NO_SERVER, "", SECONDS)}


def test_whoever_may_use_private_addresses_does_not_wait(clock: Clock) -> None:
    begun = clock.now
    with pytest.raises(ConnectionFailed):
        guard.open_socket("nowhere.example", 993, allow_private=True, timeout=10)
    assert clock.now - begun < SECONDS
