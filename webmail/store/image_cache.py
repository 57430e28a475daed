"""Remote images as they were drawn anew: sealed, in Redis, per account and URL; and how many more may be fetched.

A second look fetches nothing, and neither does one at an image that could not be had. Redis away means that nothing
is fetched: what can't be counted can't be bounded.
"""

from __future__ import annotations

import hashlib
import logging
import time
import uuid

import redis
from cryptography.exceptions import InvalidTag
from django.conf import settings

from webmail.models import sealed

from .bodies import client

PER_MINUTE = 50  # fetches for one person who looks at mail (security T3)
PER_MINUTE_AHEAD = 150  # … and for the same person by the worker
FAILED_SECONDS = 600  # how long an image that isn't one isn't asked for again
AWAY_SECONDS = 60  # … and one whose host did not answer
MAX_BYTES = 4 * 2**20

_WINDOW = 60  # seconds
_log = logging.getLogger(__name__)


def get(account_id: int, url: str) -> bytes | None:
    """The image; b"" for one that could not be had lately; None for one that was never asked for."""
    key = _key(account_id, url)
    try:
        kept = client.get(key)
    except redis.RedisError as error:
        _log.warning("image cache: %s", error)
        return None
    if not isinstance(kept, bytes):
        return None
    try:
        return sealed.unseal_bytes(key, kept)
    except (InvalidTag, ValueError):
        return None


def put(account_id: int, url: str, image: bytes, seconds: int = 0) -> None:
    """Keep an image, b"" for none, for `seconds` or as long as bodies are kept."""
    key = _key(account_id, url)
    if len(image) > MAX_BYTES:
        return
    try:
        client.set(key, sealed.seal_bytes(key, image), ex=seconds or settings.BODY_CACHE_SECONDS)
    except redis.RedisError as error:
        _log.warning("image cache: %s", error)


def may_fetch(user_id: int, *, ahead: bool = False) -> bool:
    """Count one more fetch for this person; False, and not counted, where the last minute is full."""
    key, mark, now = f"fetches:{'ahead:' if ahead else ''}{user_id}", uuid.uuid4().hex, time.time()
    try:
        with client.pipeline(transaction=True) as pipe:
            pipe.zremrangebyscore(key, 0, now - _WINDOW)
            pipe.zadd(key, {mark: now})
            pipe.zcard(key)
            pipe.expire(key, _WINDOW)
            count = pipe.execute()[2]
        if count <= (PER_MINUTE_AHEAD if ahead else PER_MINUTE):
            return True
        client.zrem(key, mark)
    except redis.RedisError as error:
        _log.warning("image cache: %s", error)
    return False


def note_away(account_id: int, host: str) -> None:
    """Remember that this host did not answer, so that the mail's other images from there are not waited for."""
    try:
        client.set(_away(account_id, host), b"1", ex=AWAY_SECONDS)
    except redis.RedisError as error:
        _log.warning("image cache: %s", error)


def is_away(account_id: int, host: str) -> bool:
    """Whether this host did not answer in the last minute."""
    try:
        return bool(client.exists(_away(account_id, host)))
    except redis.RedisError:
        return False


def _key(account_id: int, url: str) -> str:
    return f"image:{account_id}:{hashlib.sha256(url.encode('utf-8', 'replace')).hexdigest()}"


def _away(account_id: int, host: str) -> str:
    return f"image-away:{account_id}:{hashlib.sha256(host.encode('utf-8', 'replace')).hexdigest()}"
