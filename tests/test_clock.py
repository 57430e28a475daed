"""Beat's clock: a kill leaves nothing behind that would keep it from starting, and it starts with everything due."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from django.conf import settings

from webmail.celery import app
from webmail.clock import Clock


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that were sent."""
    sent: list[str] = []
    monkeypatch.setattr(Clock, "producer", None)
    monkeypatch.setattr(Clock, "apply_entry", lambda self, entry, producer=None: sent.append(entry.name))
    return sent


def test_everything_is_due_when_it_begins_and_then_in_its_time(sent: list[str]) -> None:
    clock = Clock(app)
    while clock.tick() == 0:
        pass
    assert sorted(sent) == sorted(settings.CELERY_BEAT_SCHEDULE)
    assert clock.tick() > 0


def test_it_is_the_one_that_beat_uses_and_it_says_that_it_goes(sent: list[str]) -> None:
    assert app.conf.beat_scheduler == "webmail.clock:Clock"
    file = Path(settings.VAR_DIR) / "beat"
    file.unlink(missing_ok=True)
    Clock(app).tick()
    assert time.time() - file.stat().st_mtime < 60


def test_nothing_else_is_kept(sent: list[str]) -> None:
    before = set(Path(settings.VAR_DIR).iterdir())
    clock = Clock(app)
    clock.tick()
    clock.sync()
    clock.close()
    assert set(Path(settings.VAR_DIR).iterdir()) - before <= {Path(settings.VAR_DIR) / "beat"}
