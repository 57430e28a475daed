"""The product as a browser meets it: pages and event stream behind one address."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import uvicorn

from webmail.asgi import application
from webmail.demo.front import Front
from webmail.demo.layout import free_port
from webmail.live.streams import hub

SECONDS = 20.0


class Site:
    """A front before the pages at `pages` and a server of streams, which can be ended and started again."""

    def __init__(self, pages: str) -> None:
        self.live_port, port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        front = Front(urlsplit(pages).port or 80, self.live_port)
        self._front = asyncio.run_coroutine_threadsafe(front.listen(port), self._loop).result(SECONDS)
        self._streams: tuple[uvicorn.Server, threading.Thread] | None = None
        self.start_streams()

    def start_streams(self) -> None:
        config = uvicorn.Config(
            application, port=self.live_port, lifespan="off", log_level="warning", timeout_graceful_shutdown=0
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        wait_for(lambda: server.started)
        self._streams = server, thread

    def end_streams(self) -> None:
        """Every stream is cut, as when the process dies."""
        if self._streams is not None:
            server, thread = self._streams
            server.should_exit = server.force_exit = True
            thread.join(SECONDS)
            self._streams = None
            hub.rest()

    def stop(self) -> None:
        self.end_streams()
        asyncio.run_coroutine_threadsafe(end(self._front), self._loop).result(SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)


async def end(listening: asyncio.Server) -> None:
    """End a front with all connections that are open, so that its loop may go."""
    listening.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def site(pages: str) -> Iterator[Site]:
    """The site while it is wanted."""
    made = Site(pages)
    try:
        yield made
    finally:
        made.stop()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
