"""Carrying out jobs: one worker at a time per account, who looks before it acts again (law 3).

A job's states:

    queued ──▶ leased ──▶ on_wire ──▶ done
      ▲ │        │           │
      │ │        │           ├──▶ queued     a slice of a large one is done: others get their turn
      │ │        │           │    (cancelled there, if that was asked for meanwhile)
      │ │        │           ├──▶ retry ──▶ (leased again when due; dead after MAX_ATTEMPTS)
      │ │        │           ├──▶ unclear    it may have happened, and nobody can tell
      │ │        │           └──▶ failed     the server said no: the rows are read again
      │ └─▶ cancelled (also from retry), while nothing of it can have happened
      └──────────┴── verify ◀── found leased or on_wire by a later holder of the lease: look first, then act

`on_wire` is committed before the first byte goes out, so whatever is found there after a crash may have happened.
Attempts are counted when a job is taken: one that kills its worker still runs out of tries. Neighbours that ask for the
same become one command; if that is refused, halves of it are tried, so that one bad job spoils nobody else's.
"""

from __future__ import annotations

import random
import time
from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.utils import timezone

from webmail.models import Job
from webmail.protocol.errors import (
    GiveUp,
    LoginNeeded,
    NoSuchMailbox,
    ProtocolError,
    Refused,
    TryAgain,
    UidValidityChanged,
)

from . import changes, index, leases, ledger, ordering, overlay, sync, undoing
from .afterwards import Afterwards
from .failpoints import reach
from .kinds import KINDS
from .kinds.kind import CannotBeDone, Run, Unclear
from .leases import Lease
from .ledger import ours

MAX_ATTEMPTS = 8
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0  # seconds between tries: doubled each time, full jitter
DOUBT_PAUSE = timedelta(seconds=10)  # after doubt about what can't be sent twice: the server may still be at it
SLICE = timedelta(seconds=20)  # a worker moves on to other accounts after this; the sweeper brings it back
LOOK_AROUND = 1.0  # seconds after which it is looked what else has become due
_TRIES = ("tried", "company", "alone")  # of the evidence, what only tells with whom it was tried
LAID = 5_000  # rows of a large job that are written in one transaction


def accounts_with_work() -> list[int]:
    """The accounts that have a due job and no worker at it."""
    due = Job.objects.pending().filter(not_before__lte=timezone.now(), account__user__is_active=True)
    found = due.values_list("account_id", "account__lease_owner", "account__lease_until").order_by().distinct()
    return [account_id for account_id, owner, until in found if leases.is_free(owner, until)]


def is_only_importing(account_id: int) -> bool:
    """Whether of the account's due jobs all bring in mail from files, of which there is at least one."""
    due = Job.objects.pending().filter(account_id=account_id, not_before__lte=timezone.now())
    return set(due.values_list("kind", flat=True).distinct().order_by()) == {Job.Kind.IMPORT}


def work(account_id: int) -> bool:
    """Carry out the due jobs of one account, in order. Return whether due jobs remain.

    Does nothing where another worker holds the account's lease.
    """
    afterwards = Afterwards()
    more = _work(account_id, afterwards)
    afterwards.look()
    return more


def _work(account_id: int, afterwards: Afterwards) -> bool:
    with leases.take(account_id) as lease:
        if lease is None:
            return False
        if lease.inherited:
            _let_the_server_end(lease)
        until = timezone.now() + SLICE
        while timezone.now() < until:
            if not _go_on(lease, afterwards):
                return False
    return True


def _let_the_server_end(lease: Lease) -> None:
    """What copies, and was sent by a worker that died just now, may be under way: who looks too soon finds nothing."""
    with ours(lease):
        copying = lease.account.jobs.filter(state=Job.State.ON_WIRE, target_uidnext__gt=0)
        copying.update(not_before=timezone.now() + DOUBT_PAUSE)


def _go_on(lease: Lease, afterwards: Afterwards) -> bool:
    """Do what there is to do next; False when nothing is due."""
    batches = ordering.next_batches(lease.account)
    until = time.monotonic() + LOOK_AROUND
    for keys in batches:
        went_well = _do(lease, keys, afterwards)
        afterwards.look_if_overdue()
        if not went_well or time.monotonic() > until:
            break
    return bool(batches)


def _do(lease: Lease, keys: list[UUID], afterwards: Afterwards) -> bool:
    """One thing. Return whether those that were to follow it still may; else it has to be looked anew."""
    if not (batch := ledger.take(lease, ordering.load(lease.account, keys))):
        return True  # somebody cancelled it just now
    reach("job.leased")
    job = batch[0]
    if job.early:
        _end(lease, batch, Job.State.FAILED, "What had to happen to these messages first wasn't done.", back=True)
    elif job.attempts > MAX_ATTEMPTS:
        _end(lease, batch, Job.State.DEAD, job.error or "This was tried too often.", back=True)
    elif job.laid and job.reached >= job.last:
        _lay_rest(lease, job)
    elif job.arguments.get("rest"):
        return _attempt(lease, batch, partial(_find_rest, lease, job))
    else:
        return _carry_out(lease, batch, afterwards)
    return False


def _carry_out(lease: Lease, batch: list[Job], afterwards: Afterwards) -> bool:
    """One go against the server. Return whether it went well."""
    kind, job = KINDS[batch[0].kind], batch[0]
    mailbox = job.mailbox
    if mailbox is None:
        _end(lease, batch, Job.State.FAILED, "The mailbox was deleted before this could be done.", back=True)
        return False
    for place in (mailbox, job.target):
        if place is not None:
            place.account = lease.account
    uids = _slice_of(batch)
    run = Run(
        account=lease.account,
        jobs=batch,
        mailbox=mailbox,
        target=job.target,
        uids=uids,
        in_doubt=job.state == Job.State.VERIFY or bool(job.target_uidnext),
        read_at=timezone.now(),
        check=lease.check,
        on_wire=partial(ledger.go_on_wire, lease, batch),
        keep=partial(ledger.keep, lease, batch),
        look_later=afterwards.add,
    )
    # Of a mailbox that was never selected the server alone knows, and says so before anything is done.
    if kind.about_messages and not kind.brings and mailbox.uidvalidity not in (0, job.uidvalidity):
        _renumbered(lease, run)
        return False
    return _attempt(lease, batch, partial(_one_go, lease, run), run)


def _one_go(lease: Lease, run: Run) -> None:
    kind = KINDS[run.job.kind]
    outcome = kind.carry_out(run)
    reach("job.answered")
    last = run.uids[-1] if run.uids else run.job.reached
    with ours(lease):
        for job in run.jobs:
            job.evidence = {key: value for key, value in job.evidence.items() if key not in _TRIES}
            job.evidence |= outcome.evidence
        kind.settle(run, outcome)
        more = _note_progress(run.jobs, last)
        ledger.save_all(run.jobs, "state", "done", "reached", "attempts", "error", "finished_at", *ledger.KNOWN)
        asked = more and Job.objects.filter(pk=run.job.pk, arguments__stop=1).exists()
        if asked and not undoing.is_built_on(run.job):
            undoing.stop(run.job)
        changes.publish_jobs(run.jobs)
    reach("job.settled")
    if not more:
        with suppress(ProtocolError):
            kind.after(run)
        reach("job.indexed")


def _note_progress(jobs: list[Job], last: int) -> bool:
    """Mark a go as done: the jobs, or a slice of the one. Return whether there is more of it."""
    now = timezone.now()
    for job in jobs:
        more = len(jobs) == 1 and last < job.last
        job.reached = last if more or job.laid else 0
        job.done = bisect_right(job.uids, last) if more else job.count
        job.error = ""
        if more or job.laid:
            job.state, job.attempts, job.target_uidnext, job.digests = Job.State.QUEUED, 0, 0, {}
        else:
            job.state, job.finished_at = Job.State.DONE, now
    return jobs[0].state == Job.State.QUEUED


def _lay_rest(lease: Lease, job: Job) -> None:
    """The server has all of a large job; now its oldest rows follow, some thousand at a time."""
    below = [uid for uid in job.uids if uid < job.laid][-LAID:]
    with ours(lease):
        if job.kind == Job.Kind.FLAG:
            overlay.lay(job, below)
        job.laid = below[0] if below and job.kind == Job.Kind.FLAG and below[0] > job.uids[0] else 0
        job.attempts = 0
        job.state = Job.State.QUEUED if job.laid else Job.State.DONE
        job.finished_at = None if job.laid else timezone.now()
        job.save(update_fields=["laid", "attempts", "state", "finished_at"])
        index.recount([place for place in (job.mailbox, job.target) if place is not None])
        changes.publish_jobs([job])
    reach("job.laid")


def _find_rest(lease: Lease, job: Job) -> None:
    """Learn what a job is about that was recorded before anybody knew: then it is frozen for good."""
    found = KINDS[job.kind].find_rest(lease.account, job)
    with ours(lease):
        job.refresh_from_db(fields=["arguments"])  # it may be cancelled meanwhile
        job.uids = [*found, *job.uids]
        job.arguments = {key: value for key, value in job.arguments.items() if key != "rest"}
        if "changed" in job.arguments:
            job.arguments["changed"] = dict.fromkeys(job.arguments["changed"], job.uid_set)
        job.attempts = 0
        job.state = Job.State.QUEUED if job.count else Job.State.DONE
        job.finished_at = None if job.count else timezone.now()
        job.save(update_fields=["uid_set", "count", "arguments", "attempts", "state", "finished_at"])
        if undoing.is_stopping(job):
            undoing.stop(job)
    reach("job.frozen")


def _attempt(lease: Lease, batch: list[Job], go: Callable[[], None], run: Run | None = None) -> bool:
    """Try; or sort the failure by what it means. Return whether it went well."""
    job = batch[0]
    try:
        go()
        return True
    except Unclear as error:
        _end(lease, batch, Job.State.UNCLEAR, error.sentence, lost=True)
    except CannotBeDone as error:
        _end(lease, batch, Job.State.FAILED, error.sentence, back=True, run=run)
    except LoginNeeded as error:
        _postpone(lease, batch, error.sentence, timedelta(seconds=LONGEST_PAUSE), counts=False)
    except TryAgain as error:
        if len(batch) > 1 and job.evidence.get("tried") and not job.target_uidnext:
            _separate(lease, batch)
            return False
        least = DOUBT_PAUSE if job.target_uidnext else timedelta()
        _postpone(lease, batch, error.sentence, max(least, _pause(job.attempts)))
    except UidValidityChanged:
        if run is not None:
            _renumbered(lease, run)
        else:
            _end(lease, batch, Job.State.FAILED, UidValidityChanged.sentence)
    except NoSuchMailbox as error:
        if not _found_again(lease, batch):
            _end(lease, batch, Job.State.FAILED, error.sentence, back=True, run=run)
    except Refused as error:
        if len(batch) > 1:
            _separate(lease, batch)
        else:
            _end(lease, batch, Job.State.FAILED, str(error), back=True, run=run)
    except GiveUp as error:
        _end(lease, batch, Job.State.FAILED, str(error), back=True, run=run)
    return False


def _found_again(lease: Lease, batch: list[Job]) -> bool:
    """A mailbox isn't where it was: list them again. Return whether a row goes by another name now: worth a try."""
    job = batch[0]
    names = [place and place.name for place in (job.mailbox, job.target)]
    try:
        sync.list_mailboxes(lease.account)
    except ProtocolError as error:
        _postpone(lease, batch, error.sentence, _pause(job.attempts))
        return True
    now = Job.objects.select_related("mailbox", "target").get(pk=job.pk)
    if (job.mailbox_id, job.target_id) != (now.mailbox_id, now.target_id):
        return False
    if names == [place and place.name for place in (now.mailbox, now.target)]:
        return False
    _postpone(lease, batch, "A mailbox was renamed.", timedelta())
    return True


def _renumbered(lease: Lease, run: Run) -> None:
    """Another UIDVALIDITY: nothing was done, and nothing may be. What the index held of it is read anew."""
    _end(
        lease,
        run.jobs,
        Job.State.FAILED,
        "The mail server has renumbered this mailbox, so nothing was done.",
        back=True,
    )
    with suppress(ProtocolError):
        sync.refresh(run.source)


def _separate(lease: Lease, batch: list[Job]) -> None:
    """One of several was refused, or cost the connection, and nobody knows which: each half is tried by itself."""
    now, middle = timezone.now(), len(batch) // 2
    with ours(lease):
        for half in (batch[:middle], batch[middle:]):
            company = {"alone": 1} if len(half) == 1 else {"company": str(half[0].pk)}
            for job in half:
                job.evidence = {key: value for key, value in job.evidence.items() if key not in _TRIES} | company
                job.state, job.not_before, job.attempts = Job.State.RETRY, now, job.attempts - 1
        ledger.save_all(batch, "state", "not_before", "attempts", *ledger.KNOWN)


def _postpone(lease: Lease, batch: list[Job], sentence: str, pause: timedelta, *, counts: bool = True) -> None:
    due = timezone.now() + pause
    with ours(lease):
        for job in batch:
            job.state = Job.State.RETRY
            job.error = sentence[:500]
            job.not_before = due
            job.attempts -= 0 if counts else 1
        ledger.save_all(batch, "state", "error", "not_before", "attempts", *ledger.KNOWN)
        changes.publish_jobs(batch)


def _end(
    lease: Lease,
    batch: list[Job],
    state: Job.State,
    error: str,
    *,
    back: bool = False,
    lost: bool = False,
    run: Run | None = None,
) -> None:
    """The jobs end without being done.

    Args:
        back: what they showed ahead is taken back. run: and the server is asked how it is.
        lost: nobody knows where their messages are; a sync finds them again.
    """
    now = timezone.now()
    with ours(lease):
        for job in batch:
            job.state, job.error, job.finished_at = state, error[:500], now
            if back:
                overlay.retract(job, job.left)
            if lost and job.kind == Job.Kind.MOVE:
                overlay.arrive([job], dict.fromkeys(job.left, 0), 0)
            job.laid = 0
        ledger.save_all(batch, "state", "error", "finished_at", "laid", *ledger.KNOWN)
        if batch[0].kind == Job.Kind.CREATE and back and batch[0].mailbox is not None:
            index.forget_mailbox(batch[0].mailbox)
        changes.publish_jobs(batch)
        changes.publish(batch[0].account_id, kind="refused")
    reach("job.ended")
    if run is not None and back:
        with suppress(ProtocolError):
            KINDS[run.job.kind].reread(run)


def _slice_of(batch: list[Job]) -> list[int]:
    """The UIDs of this go: the next ones that aren't done. After any doubt they are the same ones again."""
    job = batch[0]
    if len(batch) > 1:
        return sorted({uid for each in batch for uid in each.uids})
    kind = KINDS[job.kind]
    return job.left if kind.paces_itself else job.left[: kind.most]


def _pause(attempts: int) -> timedelta:
    """Back-off with full jitter."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** max(0, attempts - 1))
    return timedelta(seconds=random.uniform(0.5, longest))  # noqa: S311  spreads load, keeps no secret
