"""The event stream is tested over HTTP, from a real uvicorn."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn

from tests.cast import client_of
from webmail.asgi import application
from webmail.demo.layout import free_port
from webmail.live.streams import hub
from webmail.models import User
from webmail.store.bodies import client
from webmail.store.changes import CHANNEL

SECONDS = 20.0


class Stream:
    """An open event stream as its reader has it."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
        self._connection.request("GET", "/live/", headers=headers)
        self.answer = self._connection.getresponse()

    @property
    def status(self) -> int:
        return self.answer.status

    def fact(self) -> dict[str, Any] | None:
        """The next fact that isn't only a sign of life or a doubt; None when the stream has ended."""
        while True:
            line = self.answer.readline()
            if not line:
                return None
            if line.startswith(b"data: "):
                fact: dict[str, Any] = json.loads(line[6:])
                if fact["kind"] not in ("beat", "all"):
                    return fact

    def next_kind(self) -> str:
        """What kind of fact comes next, whatever it is."""
        while not (line := self.answer.readline()).startswith(b"data: "):
            assert line, "the stream has ended"
        kind: str = json.loads(line[6:])["kind"]
        return kind

    def close(self) -> None:
        self.answer.close()
        self._connection.close()


@pytest.fixture
def live_port(transactional_db: None, redis_url: str) -> Iterator[int]:
    """The port of a server of streams, which sees the rows of the test."""
    port = free_port()
    config = uvicorn.Config(application, port=port, lifespan="off", log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    yield port
    server.should_exit = True
    thread.join(SECONDS)
    assert not thread.is_alive()
    hub.rest()


@pytest.fixture
def streams(live_port: int) -> Iterator[Callable[..., Stream]]:
    """A function that opens the stream of somebody who signs in for it, or with the headers that are given."""
    opened: list[Stream] = []

    def open_stream(user: User | None = None, headers: dict[str, str] | None = None, *, key: str = "") -> Stream:
        if user is not None:
            key = client_of(user).session.session_key or ""
        opened.append(Stream(live_port, ({"Cookie": f"session={key}"} if key else {}) | (headers or {})))
        if opened[-1].status == 200:
            wait_for(lambda: client.pubsub_numsub(CHANNEL)[0][1])
        return opened[-1]

    yield open_stream
    for stream in opened:
        stream.close()
    wait_for(lambda: not hub._streams)


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something is true, generously."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def run(coroutine: Any) -> Any:
    """Run a coroutine to its end, within bounds."""
    return asyncio.run(asyncio.wait_for(coroutine, SECONDS))
