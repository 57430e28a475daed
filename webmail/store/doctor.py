"""What is noted of an account's mail server in passing, for the page that says how the account is.

The room's one law: facts about the connection, never about mail. No subject, no body, no password; of a failure its
sentence and the server's own words, which `protocol.errors` keeps free of both. It lies in Redis and may be flushed:
then the page says that nothing is known yet.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import redis
from django.utils import timezone

from webmail.protocol.errors import Busy, ProtocolError

from .bodies import client
from .breaker import ServerAway

ERRORS_KEPT = 10
KEPT_SECONDS = 90 * 24 * 3600
LONGEST_DETAIL = 300

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LogIn:
    """The last log-in: when, how many seconds it took, and what the server offered then (in capitals)."""

    at: datetime
    seconds: float
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that went wrong between us and the server: for people, and in the server's own words."""

    at: datetime
    sentence: str
    detail: str


def note_log_in(account_id: int, seconds: float, capabilities: Iterable[str]) -> None:
    """Note that a connection was opened. Redis away is no error."""
    value = {"at": timezone.now().timestamp(), "seconds": seconds, "capabilities": sorted(capabilities)}
    try:
        client.set(f"doctor:{account_id}:log-in", json.dumps(value), ex=KEPT_SECONDS)
    except redis.RedisError as error:
        _log.warning("doctor: %s", error)


@contextmanager
def noting_failures(account_id: int) -> Iterator[None]:
    """Note what goes wrong inside, and let it pass. That we ourselves waited, or did not even try, is none of it."""
    try:
        yield
    except (Busy, ServerAway):
        raise
    except ProtocolError as error:
        _note_failure(account_id, error)
        raise


def last_log_in(account_id: int) -> LogIn | None:
    """The last log-in, None where none is known."""
    try:
        kept = client.get(f"doctor:{account_id}:log-in")
    except redis.RedisError:
        return None
    if not isinstance(kept, bytes):
        return None
    value = json.loads(kept)
    return LogIn(_moment(value["at"]), value["seconds"], frozenset(value["capabilities"]))


def last_failures(account_id: int) -> list[Failure]:
    """The last ERRORS_KEPT failures, newest first."""
    try:
        kept = client.lrange(f"doctor:{account_id}:failures", 0, ERRORS_KEPT - 1)
    except redis.RedisError:
        return []
    values = [json.loads(each) for each in kept]
    return [Failure(_moment(value["at"]), value["sentence"], value["detail"]) for value in values]


def forget(account_id: int) -> None:
    """Nothing stays of an account that is removed."""
    try:
        client.delete(f"doctor:{account_id}:log-in", f"doctor:{account_id}:failures")
    except redis.RedisError as error:
        _log.warning("doctor: %s", error)


def _note_failure(account_id: int, error: ProtocolError) -> None:
    value = {
        "at": timezone.now().timestamp(),
        "sentence": error.sentence,
        "detail": error.detail[:LONGEST_DETAIL],
    }
    key = f"doctor:{account_id}:failures"
    try:
        with client.pipeline(transaction=False) as pipe:
            pipe.lpush(key, json.dumps(value))
            pipe.ltrim(key, 0, ERRORS_KEPT - 1)
            pipe.expire(key, KEPT_SECONDS)
            pipe.execute()
    except redis.RedisError as failure:
        _log.warning("doctor: %s", failure)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
