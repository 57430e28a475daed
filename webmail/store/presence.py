"""Who is online: a page of theirs is open somewhere. A sorted set in Redis, people by the second it runs out.

One set, not a key for each: asking who is there takes one round trip whatever else Redis holds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

import redis

from webmail.models import Account

from .bodies import client

SECONDS = 60  # how long somebody counts as online after the last sign of life

_KEY = "presence"
_log = logging.getLogger(__name__)
_last_seen: frozenset[int] = frozenset()  # by this process, for while Redis is away


def touch(user_id: int) -> None:
    """Note that this person has a page open. Redis away is no error."""
    touch_all([user_id])


def touch_all(user_ids: Iterable[int]) -> None:
    """Note it of many people in one round trip."""
    until = time.time() + SECONDS
    people = {str(user_id): until for user_id in user_ids}
    if not people:
        return
    try:
        client.zadd(_KEY, people)
    except redis.RedisError as error:
        _log.warning("presence: %s", error)


def online_accounts() -> set[int]:
    """The accounts of all people who are online. While Redis is away: of those who were, when it was last asked."""
    global _last_seen  # noqa: PLW0603  one per process, by its nature
    now = time.time()
    try:
        with client.pipeline(transaction=False) as pipe:
            pipe.zremrangebyscore(_KEY, "-inf", f"({now}")
            pipe.zrange(_KEY, 0, -1)
            _last_seen = frozenset(map(int, pipe.execute()[1]))
    except redis.RedisError as error:
        _log.warning("presence: %s", error)
    return set(_accounts_of(sorted(_last_seen)))


def _accounts_of(user_ids: list[int]) -> Iterable[int]:
    for start in range(0, len(user_ids), 1000):
        some = user_ids[start : start + 1000]
        yield from Account.objects.filter(user__in=some, user__is_active=True).values_list("pk", flat=True)
