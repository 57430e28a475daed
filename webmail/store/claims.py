"""Which copy of `watch` has which account: claims in Redis that hold as long as the copy gives signs of life.

    watched    account → process        watchers    process → 1

Every copy asks for all accounts that are online; it gets those it has, and of the free ones its even share. One with
more than that gives the surplus back, so a copy that is added gets its part and one that dies is replaced. If Redis
forgets everything, two copies may for a moment have the same account: that costs a connection, nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import redis

from . import processes
from .bodies import client

_log = logging.getLogger(__name__)

_CLAIM = client.register_script("""
local me, prefix = ARGV[1], ARGV[2]
redis.call('HSET', KEYS[2], me, 1)
local living, copies = {[me] = true}, 1
for _, name in ipairs(redis.call('HKEYS', KEYS[2])) do
    if name ~= me then
        if redis.call('EXISTS', prefix .. name) == 1 then
            living[name] = true
            copies = copies + 1
        else
            redis.call('HDEL', KEYS[2], name)
        end
    end
end
local fair = math.ceil((#ARGV - 2) / copies)
local mine, free = {}, {}
for i = 3, #ARGV do
    local owner = redis.call('HGET', KEYS[1], ARGV[i])
    if owner == me then
        if #mine < fair then
            table.insert(mine, ARGV[i])
        else
            redis.call('HDEL', KEYS[1], ARGV[i])
        end
    elseif not owner or not living[owner] then
        table.insert(free, ARGV[i])
    end
end
for _, account in ipairs(free) do
    if #mine >= fair then
        break
    end
    redis.call('HSET', KEYS[1], account, me)
    table.insert(mine, account)
end
redis.call('EXPIRE', KEYS[1], 86400)
redis.call('EXPIRE', KEYS[2], 86400)
return mine
""")
_RELEASE = client.register_script("""
for i = 2, #ARGV do
    if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[1] then
        redis.call('HDEL', KEYS[1], ARGV[i])
    end
end
""")
_KEYS = ["watched", "watchers"]


def claim(accounts: Iterable[int]) -> set[int] | None:
    """Those of the accounts that are this process's now; None while Redis can't tell."""
    try:
        mine = _CLAIM(_KEYS, [processes.name(), processes.PREFIX, *sorted(accounts)])
    except redis.RedisError as error:
        _log.warning("claims: %s", error)
        return None
    return set(map(int, mine))


def release(accounts: Iterable[int]) -> None:
    """Give accounts back."""
    try:
        _RELEASE(_KEYS[:1], [processes.name(), *accounts])
    except redis.RedisError as error:
        _log.warning("claims: %s", error)


def leave() -> None:
    """This process is no copy of `watch` any more."""
    try:
        client.hdel(_KEYS[1], processes.name())
    except redis.RedisError as error:
        _log.warning("claims: %s", error)
