"""One breaker per mail server, shared by all processes: a server that is away is asked by one, not by everybody.

    closed ──FAILURES connections failed within WINDOW──▶ open ──its pause is over──▶ half-open: one may try
      ▲                                                    ▲                             │
      └────────────────── it answered ─────────────────────┼─────────────────────────────┤
                                                           └── it failed: a longer pause ┘

While it is open nobody waits for a connection: pages come from the index at once and say since when the server is
away. The pause doubles from FIRST_PAUSE up to LONGEST_PAUSE, with full jitter, so that a server that comes back is
found within a minute and not by all deployments at the same moment. What is too much for it then is held back by
`budget.await_log_in`.

With Redis away every breaker is closed.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import redis

from webmail.protocol.errors import Busy, ConnectionFailed, ProtocolError
from webmail.protocol.types import Server

from .bodies import client

FAILURES = 3
WINDOW = 60  # seconds; a connection that succeeds begins it anew
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
TRIAL = 30  # seconds that the one who tries may take: longer than connecting and logging in
REMEMBERED = 86_400  # seconds that an open breaker is kept although nobody tries

_log = logging.getLogger(__name__)

# Several failures at the end of one pause count as one.
_FAILED = client.register_script("""
local now, server = tonumber(ARGV[1]), KEYS[1]
if redis.call('EXISTS', server) == 1 then
    if now >= tonumber(redis.call('HGET', server, 'retry_at')) then
        local bound = math.min(tonumber(ARGV[5]), ARGV[4] * 2 ^ redis.call('HINCRBY', server, 'pauses', 1))
        redis.call('HSET', server, 'retry_at', string.format('%.3f', now + ARGV[6] * bound))
    end
    redis.call('DEL', KEYS[3])
    return 0
end
local failures = redis.call('INCR', KEYS[2])
if failures == 1 then
    redis.call('EXPIRE', KEYS[2], ARGV[3])
    redis.call('SET', KEYS[4], ARGV[1], 'EX', ARGV[3])
end
if failures < tonumber(ARGV[2]) then
    return 0
end
local since = redis.call('GET', KEYS[4]) or ARGV[1]
local retry_at = string.format('%.3f', now + ARGV[6] * ARGV[4])
redis.call('HSET', server, 'since', since, 'pauses', 0, 'retry_at', retry_at)
redis.call('EXPIRE', server, ARGV[7])
redis.call('DEL', KEYS[2], KEYS[4])
return 1
""")


class ServerAway(ConnectionFailed):
    """The breaker is open: nothing was tried.

    Args:
        since: when the server was first found away.
    """

    def __init__(self, since: datetime) -> None:
        super().__init__(detail="the server did not answer the last times it was asked")
        self.since = since


@dataclass(frozen=True, slots=True)
class State:
    """A breaker at this moment.

    Attributes:
        name: "closed", "open" or "half-open".
        since: when the server was first found away, unless it is closed.
        pause: seconds until one may try.
    """

    name: str
    since: datetime | None = None
    pause: float = 0.0


CLOSED = State("closed")


def state_of(server: Server) -> State:
    """How the breaker of `server` stands; closed if Redis can't tell."""
    try:
        since, retry_at = client.hmget(_keys(server)[0], "since", "retry_at")
    except redis.RedisError as error:
        _log.warning("breaker: %s", error)
        return CLOSED
    if since is None or retry_at is None:
        return CLOSED
    pause = float(retry_at) - time.time()
    began = datetime.fromtimestamp(float(since), UTC)
    return State("open", began, pause) if pause > 0 else State("half-open", began)


@contextmanager
def trying(server: Server) -> Iterator[None]:
    """Around the opening of a connection: what comes of it is noted.

    Raises:
        ServerAway: the breaker is open, or half-open and somebody else is trying. Whatever comes from inside.
    """
    on_trial = _check(server)
    try:
        yield
    except ConnectionFailed:
        _note_failure(server)
        raise
    except Busy:  # we did not get as far as asking it
        if on_trial:
            _forget(_keys(server)[2:3])
        raise
    except ProtocolError:  # it answered, be it with a refusal
        _forget(_keys(server))
        raise
    _forget(_keys(server))


def _check(server: Server) -> bool:
    """Pass if one may try; say whether we are the one of a breaker that is half-open."""
    state = state_of(server)
    if state.since is None:
        return False
    if state.name == "open" or not _is_ours(server):
        raise ServerAway(state.since)
    return True


def _is_ours(server: Server) -> bool:
    try:
        return bool(client.set(_keys(server)[2], 1, nx=True, ex=TRIAL))
    except redis.RedisError:
        return True


def _note_failure(server: Server) -> None:
    arguments = [time.time(), FAILURES, WINDOW, FIRST_PAUSE, LONGEST_PAUSE, random.random(), REMEMBERED]  # noqa: S311  jitter
    try:
        opened = _FAILED(_keys(server), arguments)
    except redis.RedisError as error:
        _log.warning("breaker: %s", error)
        return
    if opened:
        _log.warning("%s:%d is away", server.host, server.port)


def _forget(keys: list[str]) -> None:
    try:
        client.delete(*keys)
    except redis.RedisError as error:
        _log.warning("breaker: %s", error)


def _keys(server: Server) -> list[str]:
    key = f"breaker:{server.host}:{server.port}"
    return [key, f"{key}:failures", f"{key}:trial", f"{key}:first"]
