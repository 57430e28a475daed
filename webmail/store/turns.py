"""Turns: of several workers asked for the same reading, one does it. Only a courtesy; nothing is wrong if two do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from .bodies import client

LONGEST = 120  # seconds until a turn whose worker died is free again


@contextmanager
def take(name: str) -> Iterator[bool]:
    """Yield whether this is the caller's turn; with Redis away everybody's it is."""
    key, token = f"turn:{name}", uuid.uuid4().hex
    try:
        mine = bool(client.set(key, token, nx=True, ex=LONGEST))
    except redis.RedisError:
        mine = True
    try:
        yield mine
    finally:
        if mine:
            _give_back(key, token)


def _give_back(key: str, token: str) -> None:
    try:
        if client.get(key) == token.encode():
            client.delete(key)
    except redis.RedisError:
        return
