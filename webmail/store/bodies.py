"""The cache of what was fetched of message bodies: encrypted, in Redis, and always dispensable.

Keys hold account, mailbox, UIDVALIDITY, UID and section (law 8), so that a renumbered mailbox can't show another
message's text. Redis away or flushed is a miss, never an error.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import redis
from cryptography.exceptions import InvalidTag
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from webmail.models import Mailbox, Message, sealed

MAX_BYTES = 2**20  # of one entry; larger sections are fetched again

_log = logging.getLogger(__name__)
client: redis.Redis = redis.Redis.from_url(
    settings.REDIS_URL,
    socket_timeout=2,
    socket_connect_timeout=1,
    decode_responses=False,
    retry=Retry(NoBackoff(), 1),  # once, for a connection that Redis has closed: a miss costs less than waiting
)


def get(message: Message, names: Sequence[str]) -> dict[str, bytes]:
    """What the cache has of `names` (sections, or other names a caller keeps things under) for this message."""
    if not names:
        return {}
    keys = [_key(message, name) for name in names]
    try:
        values = client.mget(keys)
    except redis.RedisError as error:
        _log.warning("body cache: %s", error)
        return {}
    found = {}
    for name, key, value in zip(names, keys, values, strict=True):
        if isinstance(value, bytes):
            try:
                found[name] = sealed.unseal_bytes(key, value)
            except (InvalidTag, ValueError):
                _log.warning("body cache: an entry that no key opens")
    return found


def lacking(messages: Sequence[Message], name: str) -> list[Message]:
    """Those of which the cache has nothing under this name; none with Redis away, which could keep nothing either."""
    try:
        with client.pipeline(transaction=False) as pipe:
            for message in messages:
                pipe.exists(_key(message, name))
            found = pipe.execute()
    except redis.RedisError as error:
        _log.warning("body cache: %s", error)
        return []
    return [message for message, there in zip(messages, found, strict=True) if not there]


def put(message: Message, contents: Mapping[str, bytes], seconds: int = 0) -> None:
    """Keep `contents` by name for `seconds`, else for BODY_CACHE_SECONDS; entries over MAX_BYTES are not kept."""
    try:
        with client.pipeline(transaction=False) as pipe:
            for name, data in contents.items():
                if len(data) <= MAX_BYTES:
                    key = _key(message, name)
                    pipe.set(key, sealed.seal_bytes(key, data), ex=seconds or settings.BODY_CACHE_SECONDS)
            pipe.execute()
    except redis.RedisError as error:
        _log.warning("body cache: %s", error)


def _key(message: Message, name: str) -> str:
    mailbox = message.server_mailbox
    if not isinstance(mailbox, Mailbox):
        raise ValueError("a message without a mailbox has no body to cache")
    return f"body:{message.account_id}:{mailbox.pk}:{mailbox.uidvalidity}:{message.server_uid}:{name}"
