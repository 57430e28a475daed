"""Kombu's way to Redis, for Celery, with one hole closed.

When the connection breaks while a task is in hand, Celery's consumer closes its channels twice: the first time gives up
at the first of them that can't say good-bye, the second asks for the address of a transport that has none any more.
That was an AttributeError (kombu 5.7.0, `Channel._connparams`), which nobody expects, and the worker ended. It is an
error of the connection, which everybody does.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis
from redis.exceptions import ConnectionError as Broken


class Channel(redis.Channel):
    """A channel that knows when its connection was let go."""

    def _connparams(self, asynchronous: bool = False) -> Any:
        if self.connection.client is None:
            raise Broken("This connection was let go.")
        return super()._connparams(asynchronous)  # type: ignore[misc]


class Transport(redis.Transport):
    """The transport of such channels."""

    Channel = Channel
