"""The way to Redis breaks, and the worker goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kombu import Consumer, Exchange, Queue
from kombu.asynchronous import Hub
from kombu.common import ignore_errors

from webmail.celery import app
from webmail.demo.redis_server import start_redis


def test_redis_dies_while_a_worker_has_a_task_in_hand(tmp_path: Path) -> None:
    """What Celery's consumer does when the connection breaks: all that it has open is let go, and closed once more."""
    redis = start_redis(tmp_path)
    way = app.connection_for_read(redis.url.replace("unix://", "redis+socket://", 1))
    hub = Hub()
    way.register_with_event_loop(hub)
    queue = Queue("sync", routing_key="sync")
    way.Producer().publish({}, routing_key="sync", declare=[queue])
    taken: list[object] = []
    hands: Any = way.default_channel
    Consumer(hands, [queue], callbacks=[lambda _, message: taken.append(message)]).consume()
    # Its ear for what is said to all workers, on a channel of its own.
    ear: Any = way.channel()
    Consumer(ear, [Queue("ear", Exchange("told", type="fanout"), auto_delete=True)], callbacks=[print]).consume()
    loop = hub.create_loop()
    while not taken or not hands._in_poll or not ear._in_listen:
        next(loop)
    redis.kill()
    way.collect()
    ignore_errors(way, way.close)
    assert not way.connected
