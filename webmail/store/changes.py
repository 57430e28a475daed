"""The facts that somebody's pages may be old: told after commit, heard by every process that holds event streams.

The room's one law: a change says *that* and where, never *what*. No subject, no address, no text goes through here;
a page that hears of a change fetches its own HTML again. Nothing is kept: who was away fetches everything anew.

Redis away or flushed is no error: pages ask by themselves now and then.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass

import redis
import redis.asyncio
from django.conf import settings
from django.db import connection, transaction

from webmail.models import Job

from .bodies import client

CHANNEL = "changes"
KINDS = ("messages", "mailboxes", "jobs", "refused", "state")
PAUSES = (0.2, 1.0, 3.0)  # seconds before Redis is tried again; the last for ever

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """One fact.

    Args:
        account: whose.
        mailbox: key of the mailbox it is about, None where it is about the account.
        kind: "messages" (rows or flags of that mailbox), "mailboxes" (their list or counts), "jobs" (what waits,
            failed or was done), "refused" (what was asked for was not done) or "state" (how the server answers, when a
            mailbox was last checked).
    """

    account: int
    mailbox: int | None
    kind: str


def publish(account_id: int, *, mailbox: int | None = None, kind: str) -> None:
    """Tell the account's pages, once the running transaction is committed, that they may be old.

    The same fact said twice in one transaction is told once. Never raises, and says nothing if the transaction fails.

    Args:
        mailbox, kind: see `Change`.
    """
    change = Change(account_id, mailbox, kind)
    # Where a savepoint is rolled back Django forgets what was registered in it, this with it.
    waiting = [entry[1] for entry in connection.run_on_commit if isinstance(entry[1], _Telling)]
    if waiting:
        waiting[-1].changes[change] = None
    else:
        transaction.on_commit(_Telling(change), robust=True)


def publish_jobs(jobs: Sequence[Job]) -> None:
    """Tell the pages of one account that these jobs, at least one, and all they are about may be old."""
    account_id = jobs[0].account_id
    publish(account_id, kind="jobs")
    publish(account_id, kind="mailboxes")
    for key in {key for job in jobs for key in (job.mailbox_id, job.target_id) if key}:
        publish(account_id, mailbox=key, kind="messages")


async def listen() -> AsyncIterator[Change | None]:
    """Everybody's changes as they are told, for ever, over one connection to Redis.

    None means that some may have been missed: it comes first, and after every time Redis was away.
    """
    failures = 0
    while True:
        # A connection that died silently is noticed by its health check.
        server = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=5, health_check_interval=15)
        try:
            async with server, server.pubsub(ignore_subscribe_messages=True) as subscription:
                await subscription.subscribe(CHANNEL)
                failures = 0
                yield None
                while True:
                    said = await subscription.get_message(timeout=10)
                    change = _read(said["data"]) if said else None
                    if change is not None:
                        yield change
        except (redis.RedisError, OSError) as error:
            if failures == 0:
                _log.warning("changes can't be heard: %s", error)
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1


class _Telling:
    """What one transaction tells after its commit, in the order it was first said."""

    def __init__(self, change: Change) -> None:
        self.changes = {change: None}

    def __call__(self) -> None:
        try:
            with client.pipeline(transaction=False) as pipe:
                for change in self.changes:
                    pipe.publish(CHANNEL, json.dumps(asdict(change), separators=(",", ":")))
                pipe.execute()
        except redis.RedisError as error:
            _log.warning("a change could not be told: %s", error)


def _read(data: bytes) -> Change | None:
    """The change in a message, None for what an older or newer release might say."""
    try:
        values = json.loads(data)
        change = Change(values["account"], values["mailbox"], values["kind"])
    except (ValueError, TypeError, KeyError):
        return None
    return change if change.kind in KINDS else None
