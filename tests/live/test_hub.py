"""What waits for a slow browser stays small."""

from __future__ import annotations

from tests.live.conftest import run
from webmail.live.streams import EVERYTHING, MOST_WAITING, Stream
from webmail.live.watchers import Watcher

SOMEBODY = Watcher("a-key", 1, "a-hash")


def test_the_same_fact_waits_once_and_in_order():
    async def story():
        stream = Stream(SOMEBODY, frozenset())
        for fact in ("a", "b", "a"):
            stream.offer(fact)
        assert await stream.take(1) == ["a", "b"]
        assert await stream.take(0.01) == []

    run(story())


def test_too_many_become_one():
    async def story():
        stream = Stream(SOMEBODY, frozenset())
        for number in range(MOST_WAITING * 3):
            stream.offer(str(number))
        assert await stream.take(1) == [EVERYTHING]
        stream.offer("another")
        assert await stream.take(1) == ["another"]

    run(story())
