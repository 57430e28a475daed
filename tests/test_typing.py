"""Twenty browsers killed while somebody types, as `bench.typing` kills two hundred: all is there again (R7)."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import pytest

from bench import typing as bench
from bench.cutting import CuttingProxy
from tests.reader import account, mail_user
from webmail.models import Account

__all__ = ["account", "mail_user"]

pytestmark = pytest.mark.django_db(transaction=True)
KILLS = 20


def test_twenty_browsers_killed(
    live_server: object, account: Account, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server goes away now and then; a fifth of the writers is signed out."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright keeps an event loop running in each thread
    way = CuttingProxy(urlsplit(str(live_server)).port or 0)
    over = threading.Event()

    def cut() -> None:
        while not over.wait(5):
            way.away = True
            way.cut_all()
            over.wait(0.7)
            way.away = False

    cutter = threading.Thread(target=cut, daemon=True)
    cutter.start()
    try:
        world = bench.Database(f"http://127.0.0.1:{way.port}", account.user)
        found = bench.summary(bench.write_all(world, KILLS, longest=2.0, at_once=2))
    finally:
        over.set()
        cutter.join()
        way.close()
    assert found["kills"] == KILLS
    assert found["signed_out"] > 0
    assert bench.is_good(found), found
