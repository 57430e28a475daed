"""Fetching one remote image within its bounds: time, hosts that don't answer, and room for the pages beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.internet import Internet, internet, picture
from webmail.protocol.errors import Busy
from webmail.protocol.raster import raster_type
from webmail.store import bodies, image_cache, remote

ACCOUNT = 7


@pytest.fixture(autouse=True)
def net(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_url: str) -> Iterator[Internet]:
    bodies.client.flushdb()
    with internet(monkeypatch, tmp_path) as net:
        yield net


def test_it_is_drawn_anew_and_kept(net: Internet) -> None:
    data = net.picture("/a.png")
    drawn = remote.fetch(ACCOUNT, "http://cdn.example/a.png")
    assert raster_type(drawn) == "image/png"
    assert image_cache.get(ACCOUNT, "http://cdn.example/a.png") == drawn
    assert image_cache.get(ACCOUNT + 1, "http://cdn.example/a.png") is None, "another account's look would tell"
    assert len(data) < 1_000


def test_a_slow_host_is_given_up_and_not_waited_for_again(net: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "FETCH_SECONDS", 0.5)
    net.answers["/slow.png"] = (200, {}, [piece for _ in range(50) for piece in (b"x", 0.1)])
    start = time.monotonic()
    assert remote.fetch(ACCOUNT, "http://slow.example/slow.png") == b""
    assert time.monotonic() - start < 2.0
    asked = len(net.asked)
    assert remote.fetch(ACCOUNT, "http://slow.example/other.png") == b""
    assert len(net.asked) == asked
    net.picture("/b.png")
    assert remote.fetch(ACCOUNT, "http://other.example/b.png") != b""


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [("/gone.png", 404, b""), ("/page.png", 200, b"<!doctype html>"), ("/cut.png", 200, picture()[:50])],
)
def test_what_is_none_is_remembered(net: Internet, path: str, status: int, body: bytes) -> None:
    net.answers[path] = (status, {}, body)
    assert remote.fetch(ACCOUNT, f"http://cdn.example{path}") == b""
    assert image_cache.get(ACCOUNT, f"http://cdn.example{path}") == b""
    assert not image_cache.is_away(ACCOUNT, "cdn.example")


def test_too_busy_to_draw_is_forgotten(net: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> bytes:
        raise Busy

    net.picture("/a.png")
    monkeypatch.setattr("webmail.protocol.bounded.run", busy)
    assert remote.fetch(ACCOUNT, "http://cdn.example/a.png") == b""
    assert image_cache.get(ACCOUNT, "http://cdn.example/a.png") is None


def test_the_minute_slides(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(image_cache.time, "time", lambda: now)
    assert [image_cache.may_fetch(1) for _ in range(51)] == [True] * 50 + [False]
    assert image_cache.may_fetch(2), "another person's"
    assert image_cache.may_fetch(1, ahead=True), "the worker's"
    now += 59
    assert not image_cache.may_fetch(1)
    now += 2
    assert image_cache.may_fetch(1)


def test_pages_keep_half_of_the_threads(net: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight ask at once for what doesn't come: four wait for it, the others are answered soon."""
    release = threading.Event()
    monkeypatch.setattr(remote, "_WAIT", 0.2)
    monkeypatch.setattr(remote, "fetch", lambda *_: release.wait(10) and b"x")
    answered: list[float] = []

    class Row:
        account_id = ACCOUNT

        class account:  # noqa: N801
            user_id = 3

    def ask() -> None:
        start = time.monotonic()
        remote._fetch_now(Row(), "http://slow.example/")  # type: ignore[arg-type]  # no more is looked at
        answered.append(time.monotonic() - start)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(1.0)
    soon = list(answered)
    release.set()
    for thread in threads:
        thread.join()
    assert len(soon) == 4
    assert max(soon) < 0.9
