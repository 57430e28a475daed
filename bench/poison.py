"""One job in a hundred that never succeeds: how much longer the other 99 take, for three kinds of harm."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bench.stage import SMALL, Stage, mailbox, say

if TYPE_CHECKING:
    from webmail.models import Mailbox

MANY = 100  # jobs
RESTART = 5.0  # seconds from a death until another worker is there: Celery's start beside other work
SWEEP = 5.0  # seconds between two looks of the sweeper
PATIENCE = 120.0


def poison(prepared: Stage) -> dict[str, float]:
    """`poison_refused_s`, `poison_cut_s`, `poison_killed_s`: beyond the time that 100 good jobs take."""
    from webmail.protocol.errors import ConnectionLost, Refused  # noqa: PLC0415

    def refuse() -> None:
        raise Refused

    def cut() -> None:
        raise ConnectionLost

    box = mailbox(prepared.warm, SMALL)
    normal = _seconds(box, lambda: None)
    say(f"100 jobs took {normal:.1f} s")
    harms: dict[str, Callable[[], None]] = {"refused": refuse, "cut": cut, "killed": _die}
    return {f"poison_{name}_s": round(_seconds(box, harm) - normal, 1) for name, harm in harms.items()}


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _seconds(box: Mailbox, harm: Callable[[], None]) -> float:
    """Record a flag on each of 100 messages; until all but one are done, with workers in processes of their own."""
    from webmail.models import Job  # noqa: PLC0415
    from webmail.protocol.types import Flag  # noqa: PLC0415
    from webmail.store import jobs, working  # noqa: PLC0415

    rows = list(box.messages.select_related("mailbox").order_by("uid")[:MANY])
    bad = rows[MANY // 2]
    recorded = [jobs.record_flags([row], add=[Flag.FLAGGED], idem_key=os.urandom(8).hex()) for row in rows]
    others = Job.objects.filter(pk__in=[job.pk for job in recorded if job.uid_set != str(bad.uid)])
    begun = time.monotonic()
    while others.exclude(state=Job.State.DONE).exists():
        assert time.monotonic() < begun + PATIENCE, list(others.values_list("state", "error"))
        if box.account_id in working.accounts_with_work() and not _work(box.account_id, bad.uid, harm):
            time.sleep(RESTART)
        elif others.exclude(state=Job.State.DONE).exists():
            time.sleep(SWEEP)
    spent = time.monotonic() - begun
    Job.objects.filter(account=box.account_id).pending().update(state=Job.State.CANCELLED)
    return spent


def _work(account_id: int, bad: int, harm: Callable[[], None]) -> bool:
    """What a worker does, in a child; whether it lived to the end of it."""
    from django.db import connections  # noqa: PLC0415

    connections.close_all()
    child = os.fork()
    if child == 0:
        _spoil(bad, harm)
        try:
            _afresh(account_id)
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def _afresh(account_id: int) -> None:
    from webmail.store import pools, working  # noqa: PLC0415

    pools._pools.clear()  # the parent's connections stay the parent's
    working.work(account_id)


def _spoil(bad: int, harm: Callable[[], None]) -> None:
    from webmail.protocol.connection import Connection  # noqa: PLC0415

    real = Connection.store

    def store(imap: Connection, name: str, uidvalidity: int, uids: Any, **more: Any) -> Any:
        if bad in uids:
            harm()
        return real(imap, name, uidvalidity, uids, **more)

    Connection.store = store  # type: ignore[method-assign]
