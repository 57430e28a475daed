"""Turns: of several workers asked for the same reading, one does it. Only a courtesy; nothing is wrong if two do.

A turn belongs to a process: that of one that was killed is free as soon as its sign of life runs out.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import redis

from . import processes
from .bodies import client

LONGEST = 120  # seconds until a turn is free again whatever happened

_TAKE = client.register_script("""
local owner = redis.call('GET', KEYS[1])
if owner and redis.call('EXISTS', ARGV[3] .. string.match(owner, '^%S*')) == 1 then
    return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
""")


@contextmanager
def take(name: str) -> Iterator[bool]:
    """Yield whether this is the caller's turn; with Redis away everybody's it is."""
    key, token = f"turn:{name}", f"{processes.name()} {uuid.uuid4().hex}"
    try:
        mine = bool(_TAKE([key], [token, LONGEST, processes.PREFIX]))
    except redis.RedisError:
        mine = True
    try:
        yield mine
    finally:
        if mine:
            _give_back(key, token)


def each(name: str) -> Iterator[None]:
    """Yield in one's turn, and again as often as somebody else asked for one meanwhile: what they saw came too late.

    Nothing is yielded to those others.
    """
    again = f"again:{name}"
    while True:
        with take(name) as mine:
            if mine:
                _forget(again)
                yield
        if not mine:
            # Said first, then tried once more: whoever has the turn may just have given it back.
            _say(again)
            with take(name) as mine:
                if not mine:
                    return
                _forget(again)
                yield
        if not _was_said(again):
            return


def _say(key: str) -> None:
    with suppress(redis.RedisError):
        client.set(key, 1, ex=LONGEST)


def _forget(key: str) -> None:
    with suppress(redis.RedisError):
        client.delete(key)


def _was_said(key: str) -> bool:
    try:
        return bool(client.delete(key))
    except redis.RedisError:
        return False


def _give_back(key: str, token: str) -> None:
    try:
        if client.get(key) == token.encode():
            client.delete(key)
    except redis.RedisError:
        return
