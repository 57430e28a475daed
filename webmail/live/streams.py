"""The open streams of this process: what each has yet to be told, and the two tasks that feed and watch over them.

    Redis ──▶ one subscription ──▶ Hub ──▶ Stream, Stream, Stream ──▶ browsers
                                    ▲
             every CHECK_SECONDS ───┘  who is still signed in, with which accounts; who is online

A stream keeps facts, not messages: the same fact waits once, and where too many wait one says that everything may have
changed. So a slow browser costs no memory, and nothing is ever replayed.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, close_old_connections, connections

from webmail.store import presence
from webmail.store.changes import Change, listen

from . import watchers
from .watchers import Watcher

MOST_WAITING = 40  # facts for one browser; beyond, one stands for all
MOST_OF_ONE = 10  # streams of one person in one process; a browser needs one, however many tabs it has
CHECK_SECONDS = 3.0  # how soon a session that ended is noticed
TOUCH_EVERY = 6  # checks between two notes that somebody is online

EVERYTHING = '{"kind":"all"}'

_P = ParamSpec("_P")
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class TooMany(Exception):
    """The person holds as many streams as one person may."""


class Stream:
    """What one browser is to be told.

    `accounts` are the person's own: it hears of no others. `over` is set once the session has ended.
    """

    def __init__(self, watcher: Watcher, accounts: frozenset[int]) -> None:
        self.watcher, self.accounts = watcher, accounts
        self.over = asyncio.Event()
        self._waiting: dict[str, None] = {}
        self._something = asyncio.Event()

    def offer(self, fact: str) -> None:
        """Tell a fact, unless it is waiting to be told already."""
        if fact == EVERYTHING or len(self._waiting) >= MOST_WAITING:
            self._waiting = {EVERYTHING: None}
        elif EVERYTHING not in self._waiting:
            self._waiting[fact] = None
        self._something.set()

    def end(self) -> None:
        """Say that this is over: the person signed out, or may not sign in any more."""
        self.over.set()
        self._something.set()

    async def take(self, seconds: float) -> list[str]:
        """All facts that wait, as soon as there is one; none after `seconds` without, or when it is over."""
        try:
            await asyncio.wait_for(self._something.wait(), seconds)
        except TimeoutError:
            return []
        self._something.clear()
        facts = list(self._waiting)
        self._waiting.clear()
        return facts


class Hub:
    """All streams of this process. Lives while there are any; used from one event loop at a time."""

    def __init__(self) -> None:
        self._streams: set[Stream] = set()
        self._by_account: dict[int, set[Stream]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._database: ThreadPoolExecutor | None = None

    async def ask(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call something that needs the database in the one thread that has a connection to it."""
        if self._database is None:
            self._database = ThreadPoolExecutor(1, "live-database")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._database, lambda: _afresh(call, *args, **kwargs))

    async def open(self, watcher: Watcher) -> Stream:
        """A stream for somebody who was admitted; it must be closed.

        Raises:
            TooMany: for one person.
        """
        mine = await self.ask(watchers.accounts_of, [watcher.user_id])
        await self.ask(presence.touch, watcher.user_id)
        if sum(stream.watcher.user_id == watcher.user_id for stream in self._streams) >= MOST_OF_ONE:
            raise TooMany
        stream = Stream(watcher, frozenset())
        self._streams.add(stream)
        self._let_hear(stream, mine[watcher.user_id])
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._feed()), asyncio.create_task(self._watch_over())]
        return stream

    def close(self, stream: Stream) -> None:
        """Forget a stream. With the last one the tasks end."""
        self._let_hear(stream, frozenset())
        self._streams.discard(stream)
        if not self._streams:
            for task in self._tasks:
                task.cancel()
            self._tasks = []

    def tell(self, change: Change | None) -> None:
        """Tell a change to the streams of the account's owner; None, that some were missed, to all."""
        if change is None:
            for stream in self._streams:
                stream.offer(EVERYTHING)
            return
        hearing = self._by_account.get(change.account, ())
        if hearing:
            fact = {"account": change.account, "mailbox": change.mailbox, "kind": change.kind}
            said = json.dumps(fact, separators=(",", ":"))
            for stream in hearing:
                stream.offer(said)

    async def check(self, *, touch: bool = False) -> None:
        """End the streams of sessions that have ended; let the others hear of their person's accounts of today."""
        streams = list(self._streams)
        there = await self.ask(watchers.still_signed_in, {stream.watcher for stream in streams})
        people = {watcher.user_id for watcher in there}
        accounts = await self.ask(watchers.accounts_of, people)
        for stream in streams:
            if stream.watcher not in there:
                stream.end()
            elif stream in self._streams:
                self._let_hear(stream, accounts[stream.watcher.user_id])
        if touch:
            await self.ask(presence.touch_all, people)

    def rest(self) -> None:
        """Give back the database connection and its thread, when no stream is open."""
        if self._database is not None:
            self._database.submit(connections.close_all).result(10)
            self._database.shutdown()
            self._database = None

    async def _feed(self) -> None:
        async for change in listen():
            self.tell(change)

    async def _watch_over(self) -> None:
        checks = 0
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            checks += 1
            try:
                await self.check(touch=checks % TOUCH_EVERY == 0)
            except DatabaseError as error:
                _log.warning("sessions can't be checked: %s", error)

    def _let_hear(self, stream: Stream, accounts: frozenset[int]) -> None:
        for account in stream.accounts - accounts:
            hearing = self._by_account[account]
            hearing.discard(stream)
            if not hearing:
                del self._by_account[account]
        for account in accounts - stream.accounts:
            self._by_account.setdefault(account, set()).add(stream)
        stream.accounts = accounts


def _afresh(call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Call with no connection that is too old or broken, and leave none, as Django does around a request."""
    close_old_connections()
    try:
        return call(*args, **kwargs)
    finally:
        close_old_connections()


hub = Hub()
