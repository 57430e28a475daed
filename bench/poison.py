"""One job in a hundred that never succeeds: how much longer the other 99 take, for three kinds of harm.

The worker is the product's own, a Celery process that is started again PAUSE_SECONDS after a death, as the supervisor
does it; so the figures hold what a start takes beside whatever else the machine does.

    python -m bench.poison HARM UID      such a worker, to which one message does harm: for this module alone
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bench.product import PAUSE_SECONDS
from bench.stage import ROOT, SMALL, Stage, mailbox, say

if TYPE_CHECKING:
    from webmail.models import Mailbox

MANY = 100  # jobs
SWEEP = 5.0  # seconds between two looks of the sweeper
PATIENCE = 120.0
_NONE = "nothing"


def poison(prepared: Stage) -> dict[str, float]:
    """`poison_refused_s`, `poison_cut_s`, `poison_killed_s`: beyond the time that 100 good jobs take."""
    box = mailbox(prepared.warm, SMALL)
    normal, _ = _seconds(box, _NONE)
    say(f"100 jobs took {normal:.1f} s")
    found = {}
    for harm in _HARMS:
        seconds, deaths = _seconds(box, harm)
        say(f"with one that is {harm} {seconds:.1f} s, {deaths} deaths")
        found[f"poison_{harm}_s"] = round(seconds - normal, 1)
    return found


def _seconds(box: Mailbox, harm: str) -> tuple[float, int]:
    """Put a new label on each of 100 messages; until all but one are done, and how often the worker died."""
    from django.db import transaction  # noqa: PLC0415

    from webmail import tasks  # noqa: PLC0415
    from webmail.models import Job  # noqa: PLC0415
    from webmail.store import jobs  # noqa: PLC0415

    rows = list(box.messages.select_related("mailbox").order_by("uid")[:MANY])
    bad = rows[MANY // 2]
    with _worker(harm, bad.uid) as died:
        with transaction.atomic():  # so that the worker finds all of them at once
            label = [f"bench-{os.urandom(4).hex()}"]
            recorded = [jobs.record_flags([row], label=label, idem_key=os.urandom(8).hex()) for row in rows]
        others = Job.objects.filter(pk__in=[job.pk for job in recorded if job.uid_set != str(bad.uid)])
        begun = swept = time.monotonic()
        deaths = 0
        tasks.send(tasks.work, box.account_id)
        while others.exclude(state=Job.State.DONE).exists():
            now = time.monotonic()
            assert now < begun + PATIENCE, list(others.values_list("state", "error"))
            deaths += died()
            if now - swept > SWEEP:
                swept = now
                tasks.send(tasks.sweep_jobs)
            time.sleep(0.05)
        spent = time.monotonic() - begun
    Job.objects.filter(account=box.account_id).pending().update(state=Job.State.CANCELLED)
    return spent, deaths


@contextmanager
def _worker(harm: str, bad: int) -> Iterator[Callable[[], bool]]:
    """A worker that is ready. What is yielded says whether it has died since, and starts it again then."""

    def start() -> subprocess.Popen[bytes]:
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen([sys.executable, "-m", "bench.poison", harm, str(bad)], cwd=ROOT, **quiet)

    process = start()
    _await_ready()

    def died() -> bool:
        nonlocal process
        if process.poll() is None:
            return False
        time.sleep(PAUSE_SECONDS)
        process = start()
        return True

    try:
        yield died
    finally:
        process.kill()
        process.wait()


def _await_ready() -> None:
    """Until a worker has taken what lies in its queue."""
    from webmail import tasks  # noqa: PLC0415
    from webmail.store.bodies import client  # noqa: PLC0415

    tasks.send(tasks.sweep_jobs)
    until = time.monotonic() + PATIENCE
    while client.llen("interactive"):
        assert time.monotonic() < until, "no worker came"
        time.sleep(0.05)


def _refuse() -> None:
    from webmail.protocol.errors import Refused  # noqa: PLC0415

    raise Refused


def _cut() -> None:
    from webmail.protocol.errors import ConnectionLost  # noqa: PLC0415

    raise ConnectionLost


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


_HARMS = {"refused": _refuse, "cut": _cut, "killed": _die}


def _be_a_worker(harm: str, bad: int) -> None:
    from webmail.celery import app  # noqa: PLC0415
    from webmail.protocol.connection import Connection  # noqa: PLC0415

    real = Connection.store

    def store(imap: Connection, name: str, uidvalidity: int, uids: Any, **more: Any) -> Any:
        if bad in uids and harm in _HARMS:
            _HARMS[harm]()
        return real(imap, name, uidvalidity, uids, **more)

    Connection.store = store  # type: ignore[method-assign]
    app.worker_main(["worker", "--queues", "interactive,sync,bulk"])


if __name__ == "__main__":
    _be_a_worker(sys.argv[1], int(sys.argv[2]))
