"""This process among the others: a sign of life in Redis, and words that all processes hear.

    process:{name}     exists while the process lives; written every BEAT seconds, gone LIFE seconds after its death
    processes-since    since when Redis has known of processes: it may have come up empty

One thread per process does both. Redis away or flushed costs nothing but knowledge: when it answers again and no longer
knows us, everybody who keeps something there under our name is asked to write it down anew (`when_forgotten`).
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import redis

from .bodies import client

BEAT = 2.0  # seconds between two signs of life
LIFE = 6  # seconds after the last one until others take the process for dead
SETTLING = 3.0  # seconds, more than BEAT, until everybody who lives is known to a Redis that came up empty
CHANNEL = "processes"
PREFIX = "process:"

Hearer = Callable[[int], None]

_IS_DEAD = client.register_script("""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local since = tonumber(redis.call('GET', KEYS[1]) or '0')
if since == 0 then
    redis.call('SET', KEYS[1], string.format('%d', now))
    return 0
end
if now - since < tonumber(ARGV[1]) then
    return 0
end
return 1 - redis.call('EXISTS', KEYS[2])
""")

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_hearers: dict[str, list[Hearer]] = {}
_when_forgotten: list[Callable[[], None]] = []
_keeper: threading.Thread | None = None
_name = ""
_of_pid = 0


def name() -> str:
    """What this process runs, where, its number and a random part. From the first call on it gives signs of life."""
    global _keeper, _name, _of_pid  # noqa: PLW0603  one per process, by its nature
    if _of_pid == os.getpid() and _keeper is not None and _keeper.is_alive():
        return _name
    with _lock:
        if _of_pid != os.getpid():  # the first call, or the first after a fork
            _name = f"{_program()}:{_place()}:{os.getpid()}:{secrets.token_hex(4)}"
            _of_pid, _keeper = os.getpid(), None
        if _keeper is None or not _keeper.is_alive():
            try:
                client.set(f"{PREFIX}{_name}", 1, ex=LIFE)
            except redis.RedisError as error:
                _log.warning("no sign of life: %s", error)
            _keeper = threading.Thread(target=_keep, name="keeper", daemon=True)
            _keeper.start()
        return _name


def has_ended_here(process: str) -> bool:
    """Whether a process of this name has died, and was one of this machine's: then the system knows at once."""
    _, place, number, *_ = [*process.split(":"), "", "", ""]
    if not place or place != _place() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:  # somebody else's, so at least the number is in use
        return False
    with suppress(OSError):  # killed, and nobody has asked yet how it ended
        return Path(f"/proc/{number}/stat").read_bytes().rpartition(b")")[2].split()[:1] in ([b"Z"], [b"X"])
    return False


def is_dead(process: str) -> bool:
    """Whether a process of this name has died, as far as that is known for sure: not while Redis is away or new."""
    try:
        return bool(_IS_DEAD(["processes-since", f"{PREFIX}{process}"], [int(SETTLING * 1000)]))
    except redis.RedisError as error:
        _log.warning("nobody knows who lives: %s", error)
        return False


def tell(word: str, account_id: int) -> None:
    """Say a word about an account to every other process. Redis away: nobody hears it."""
    try:
        client.publish(CHANNEL, f"{word} {account_id} {name()}")
    except redis.RedisError as error:
        _log.warning("could not tell the others to %s: %s", word, error)


def hear(word: str, hearer: Hearer) -> None:
    """Call `hearer` with the account's id when another process says `word`: in the keeper's thread, so briefly."""
    _hearers.setdefault(word, []).append(hearer)


def when_forgotten(call: Callable[[], None]) -> None:
    """Call `call`, in the keeper's thread, when Redis answers but has lost what it knew of this process."""
    _when_forgotten.append(call)


def _program() -> str:
    words = [Path(word).name for word in sys.argv[:2]]
    found = (word for word in words if word not in ("", "manage.py", "__main__.py") and word[0] != "-")
    return next(found, "python")[:20]


@cache
def _place() -> str:
    """Whose numbers its number is one of: this start of this machine, and its container; "" where nobody can tell."""
    try:
        parts = (Path("/proc/sys/kernel/random/boot_id").read_text(), str(Path("/proc/self/ns/pid").readlink()))
    except OSError:
        return ""
    return hashlib.sha256(" ".join([socket.gethostname(), *parts]).encode()).hexdigest()[:8]


def _keep() -> None:
    """Give signs of life and listen, whatever happens to Redis, until the process ends."""
    me, away = _name, False
    while _name == me:
        try:
            with client.pubsub(ignore_subscribe_messages=True) as words:  # type: ignore[no-untyped-call]
                words.subscribe(CHANNEL)
                away = False
                next_beat = 0.0
                while _name == me:
                    now = time.monotonic()
                    if now >= next_beat:
                        _beat()
                        next_beat = now + BEAT
                    message = words.get_message(timeout=max(0.01, next_beat - time.monotonic()))
                    if message is not None:
                        _heard(message)
        except redis.RedisError as error:
            if not away:
                _log.warning("no sign of life, and nothing is heard: %s", error)
            away = True
            time.sleep(BEAT / 2)


def _beat() -> None:
    known = client.set(f"{PREFIX}{_name}", 1, ex=LIFE, get=True)
    if known is None:
        for call in _when_forgotten:
            call()


def _heard(message: dict[str, object]) -> None:
    data = message.get("data")
    parts = data.decode("ascii", "replace").split(" ") if isinstance(data, bytes) else []
    # word, account, who says it and, where it isn't for all, to whom
    if len(parts) in (3, 4) and parts[1].isdigit() and parts[2] != _name and parts[3:] in ([], [_name]):
        for hearer in _hearers.get(parts[0], ()):
            hearer(int(parts[1]))
