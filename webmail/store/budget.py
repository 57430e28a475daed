"""How many connections each account may have, and how often a server may be asked to log somebody in: over all
processes together, counted in Redis.

    connections:{account}   process → how many it has open or is opening; those of dead processes don't count
    asked:{account}         one of them was asked to close one, a moment ago
    wanted:{account}        somebody at a page waits for one: background work gets none meanwhile
    log_ins:{server}        when the last ones were begun
    log_ins-sent:{server}   when the last names and passwords were sent

An account has at most `Provider.connection_cap` connections steadily, and up to two more (five in all) as long as
people need them, and half a minute longer. A process that is killed gives back what it had as soon as its sign of life
runs out (`processes.LIFE`). Who waits asks one of the others, again and again another one, to close what lies idle; it
hears that at once.

With Redis away each process allows itself ALONE connections per account: two web processes, a worker and `watch` stay
under five together. The same holds for the first seconds of a Redis that came up empty, until each process has written
down again what it has.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from typing import Any

import redis
from django.conf import settings

from webmail.models import Account
from webmail.protocol.errors import Busy
from webmail.protocol.types import Server

from . import processes
from .bodies import client

MORE = 2  # connections above the steady ones, while somebody waits …
PEAK = 5  # … up to this many in all (security §3: Dovecot refuses the 11th, Gmail the 16th, others fewer)
ALONE = 1
SETTLING = 3.0  # seconds: more than processes.BEAT
WANTED = 0.5  # seconds that one look of a waiting person keeps background work back
ASKED = 0.2  # seconds between two words to the others
PROCESSES = 5  # as many are taken to share the log-ins while nobody knows
AWAY = 2.0  # seconds after Redis failed before it is asked again
# Log-ins are counted over more than a second, because some take longer on their way than others.
LOG_IN_WINDOW = 1.2
YIELD = "yield"  # the word: close a connection of this account if you can

_log = logging.getLogger(__name__)
_away_until = 0.0

_ENTER = client.register_script("""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local me, held, steady, most, urgent = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1'
local since = tonumber(redis.call('GET', KEYS[3]) or '0')
if since == 0 then
    redis.call('SET', KEYS[3], string.format('%d', now))
    since = now
end
local total, others = held, {}
local counts = redis.call('HGETALL', KEYS[1])
for i = 1, #counts, 2 do
    if counts[i] ~= me then
        if redis.call('EXISTS', ARGV[6] .. counts[i]) == 1 then
            total = total + counts[i + 1]
            table.insert(others, counts[i])
        else
            redis.call('HDEL', KEYS[1], counts[i])
        end
    end
end
local limit = urgent and most or steady
if now - since < tonumber(ARGV[9]) then
    limit = math.min(limit, total - held + tonumber(ARGV[10]))
end
if not urgent and redis.call('EXISTS', KEYS[2]) == 1 then
    return 0
end
if total >= limit then
    if urgent then
        redis.call('SET', KEYS[2], 1, 'PX', ARGV[11])
    end
    if #others > 0 and redis.call('SET', KEYS[4], 1, 'NX', 'PX', ARGV[12]) then
        redis.call('PUBLISH', ARGV[7], ARGV[8] .. ' ' .. others[now % #others + 1])
    end
    return 0
end
redis.call('HSET', KEYS[1], me, held + 1)
redis.call('EXPIRE', KEYS[1], 86400)
return total + 1
""")

_TOTAL = client.register_script("""
local counts = redis.call('HGETALL', KEYS[1])
local living = {}
for i = 1, #counts, 2 do
    if redis.call('EXISTS', ARGV[1] .. counts[i]) == 1 then
        table.insert(living, counts[i])
        table.insert(living, counts[i + 1])
    end
end
return living
""")

_LOG_IN = client.register_script("""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local urgent, most, window = ARGV[1] == '1', tonumber(ARGV[2]), tonumber(ARGV[3])
if not urgent and redis.call('EXISTS', KEYS[2]) == 1 then
    return 100
end
local oldest = redis.call('LINDEX', KEYS[1], most - 1)
if oldest and now - oldest < window then
    if urgent then
        redis.call('SET', KEYS[2], 1, 'PX', ARGV[4])
    end
    return window - (now - oldest)
end
redis.call('LPUSH', KEYS[1], string.format('%d', now))
redis.call('LTRIM', KEYS[1], 0, most - 1)
redis.call('PEXPIRE', KEYS[1], window)
return 0
""")


class Share:
    """What this process has of one account's connections; the gate in front of its pool (`protocol.pool.Gate`).

    Get it from `share`: there is one per account and process.
    """

    def __init__(self, account_id: int) -> None:
        self.cap = 1
        self.held = 0
        self._account_id = account_id
        self._extra = 0  # how many there were above the steady number, when we last looked
        self._lock = threading.Lock()

    @property
    def most(self) -> int:
        """How many the account may have while people wait: an administrator who allows one or two means it."""
        return self.cap if self.cap < 3 else max(self.cap, min(self.cap + MORE, PEAK))

    def enter(self, *, urgent: bool) -> bool:
        """Ask for one more connection; True: it is counted from now on, until `leave`.

        Args:
            urgent: somebody waits at a page.
        """
        with self._lock:
            total = self._ask(urgent)
            self.held += total > 0
            self._extra = max(0, total - self.cap)
            return total > 0

    def leave(self) -> None:
        """Give one back: it is closed, or could not be opened."""
        with self._lock:
            self.held -= 1
            self._write_down()

    def surplus(self) -> int:
        """How many connections the account has above its steady number; only who opened one above it looks."""
        if self._extra:
            self._extra = max(0, sum(in_use(self._account_id).values()) - self.cap)
        return self._extra

    def declare(self) -> None:
        """Write down what we have, for a Redis that has forgotten it."""
        with self._lock:
            self._write_down()

    def _ask(self, urgent: bool) -> int:
        """How many there are with this one; 0 for no."""
        me = processes.name()
        if not _is_away():
            account = self._account_id
            keys = [f"connections:{account}", f"wanted:{account}", "connections-since", f"asked:{account}"]
            word = f"{YIELD} {account} {me}"
            arguments: list[str | int] = [
                *(me, self.held, self.cap, self.most, int(urgent), processes.PREFIX, processes.CHANNEL, word),
                *(int(SETTLING * 1000), ALONE, int(WANTED * 1000), int(ASKED * 1000)),
            ]
            try:
                return int(_ENTER(keys, arguments))
            except redis.RedisError as error:
                _note_away(error)
        return self.held + 1 if self.held < ALONE else 0

    def _write_down(self) -> None:
        if _is_away():
            return
        key, me = f"connections:{self._account_id}", processes.name()
        try:
            if self.held:
                client.hset(key, me, str(self.held))
            else:
                client.hdel(key, me)
        except redis.RedisError as error:
            _note_away(error)


def share(account: Account) -> Share:
    """This process's share of the account's connections."""
    with _shares_lock:
        found = _shares.get(account.pk)
        if found is None:
            found = _shares[account.pk] = Share(account.pk)
    found.cap = account.provider.connection_cap
    return found


def in_use(account_id: int) -> dict[str, int]:
    """Each living process that has connections of the account, and how many; {} where Redis can't tell."""
    try:
        answer: list[Any] = _TOTAL([f"connections:{account_id}"], [processes.PREFIX])
    except redis.RedisError as error:
        _note_away(error)
        return {}
    return {answer[at].decode(): int(answer[at + 1]) for at in range(0, len(answer), 2)}


def await_log_in(server: Server, *, urgent: bool, timeout: float, sending: bool = False) -> None:
    """Wait for the turn to log in at `server`: at most LOGINS_PER_SECOND, those that people wait for first.

    Args:
        timeout: seconds.
        sending: the turn is not to begin but to send name and password, a second queue that is hardly ever one.

    Raises:
        Busy: it didn't come in time.
    """
    deadline = time.monotonic() + timeout
    queue = f"log_ins{'-sent' if sending else ''}"
    keys = [f"{queue}:{server.host}:{server.port}", f"{queue}-wanted:{server.host}:{server.port}"]
    most = settings.LOGINS_PER_SECOND
    while True:
        if _is_away():
            pause = _pause_alone(keys[0], most)
        else:
            try:
                arguments = [int(urgent), most, int(LOG_IN_WINDOW * 1000), int(WANTED * 1000)]
                pause = int(_LOG_IN(keys, arguments)) / 1000
            except redis.RedisError as error:
                _note_away(error)
                continue
        if pause <= 0:
            return
        if time.monotonic() + pause > deadline:
            raise Busy
        time.sleep(min(pause, WANTED / 2))


def _pause_alone(server: str, most: int) -> float:
    """Seconds until this process may log in while it can't know of the others, of which there are a few."""
    with _shares_lock:
        now = time.monotonic()
        pause = _alone_until.get(server, 0.0) - now
        if pause <= 0:
            _alone_until[server] = now + PROCESSES / most
        return pause


def _is_away() -> bool:
    return time.monotonic() < _away_until


def _note_away(error: redis.RedisError) -> None:
    global _away_until  # noqa: PLW0603  one Redis, one memory of it
    _away_until = time.monotonic() + AWAY
    _log.warning("connections are not counted together: %s", error)


def _declare_all() -> None:
    with _shares_lock:
        shares = list(_shares.values())
    for each in shares:
        each.declare()


_shares: weakref.WeakValueDictionary[int, Share] = weakref.WeakValueDictionary()
_shares_lock = threading.Lock()
_alone_until: dict[str, float] = {}
processes.when_forgotten(_declare_all)
