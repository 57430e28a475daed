"""What was freed goes back to the machine, in the web server and in the worker."""

from __future__ import annotations

import subprocess
import sys

import pytest
from celery.signals import task_postrun
from gunicorn.config import Config

from webmail import gunicorn, memory
from webmail.celery import app

# Ninety megabytes in pieces, every hundredth of which lives on, so that nearly nothing is free at the arena's end.
FREED = """
from webmail import memory
memory.give_back()
pieces = [bytes(3000) for _ in range(30_000)]
pieces = pieces[::100]
memory._next = 0.0
before = memory._resident()
memory.give_back()
print((before - memory._resident()) // 2**20)
"""


def test_what_was_freed_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-c", FREED], capture_output=True, check=True, timeout=60, text=True)
    assert int(done.stdout) > 60


def test_web_server_and_worker_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    monkeypatch.setattr(memory, "give_back", lambda: done.append("web"))
    config = Config()
    config.set("post_request", gunicorn.post_request)  # it checks what the function takes
    config.post_request(None, None, None, None)
    assert done == ["web"]
    monkeypatch.undo()
    assert app.main == "webmail"
    assert memory.give_back in [receiver() for _, receiver in task_postrun.receivers]
