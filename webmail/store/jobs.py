"""The ledger of changes to mail: recorded with the request, carried out by one worker at a time per account (law 3).

A job's states:

    queued ──▶ leased ──▶ on_wire ──▶ done
      ▲          │           │
      │          │           ├──▶ retry ──▶ (leased again when due; dead after MAX_ATTEMPTS)
      │          │           ├──▶ unclear    it may have happened, and nobody can tell (see `saving`)
      │          │           └──▶ failed     the server said no: the rows are read again
      └──────────┴── verify ◀── found leased or on_wire by a later holder of the lease: look first, then act

`on_wire` is committed before the first byte goes out, so whatever is found there after a crash may have happened.
Attempts are counted when a job is taken: one that kills its worker still runs out of tries.
The account's lease (`lease_owner`, `lease_until`, `fence`) makes its holder the only writer; whoever lost it finds
another fence and stops before the next command.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from webmail.models import Account, Job, Mailbox, Message
from webmail.protocol.errors import LoginNeeded, ProtocolError, TryAgain, UidValidityChanged
from webmail.protocol.types import Attachment, Flag, FlagChange

from . import index, pools, saving, sync
from .failpoints import reach
from .fetching import NotThere

# After a kill the account's changes wait this long.
LEASE = timedelta(seconds=20)
RENEW_SECONDS = 5.0
MAX_ATTEMPTS = 8
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0  # seconds between tries: doubled each time, full jitter
APPEND_PAUSE = timedelta(seconds=10)  # after doubt about a message that was sent, before it is looked for
SLICE = timedelta(seconds=20)  # a worker moves on to other accounts after this; the sweeper brings it back

# What a worker writes of a job.
_OURS = ("state", "attempts", "not_before", "fence", "error", "evidence", "finished_at", "target_uidvalidity",
         "target_uidnext")  # fmt: skip


class LeaseLost(Exception):
    """Another worker has the account now: stop at once, touch nothing."""


def record_flags(
    messages: Sequence[Message], *, add: Sequence[Flag] = (), remove: Sequence[Flag] = (), idem_key: str
) -> Job:
    """Record that `messages` of one mailbox get and lose these flags, and show it in the index at once.

    Args:
        messages: rows of one mailbox, at least one.
        idem_key: made by the form; a second call with it returns the first call's job.
    """
    mailbox = messages[0].mailbox
    if mailbox is None or any(message.mailbox_id != mailbox.pk for message in messages):
        raise ValueError("the messages of a job lie in one mailbox")
    arguments = {"add": [flag.value for flag in add], "remove": [flag.value for flag in remove]}
    return _record(Job.Kind.FLAG, mailbox, messages, arguments, idem_key)


def record_append(message: Message, item: Attachment, target: Mailbox, *, idem_key: str) -> Job:
    """Record that an attachment of `message` is to be saved in `target`, a mailbox of the same account.

    Raises:
        Forbidden: it is too large.
    """
    if message.mailbox is None or not target.selectable or target.account_id != message.account_id:
        raise ValueError("an attachment is saved in a mailbox of the same account")
    arguments = saving.arguments_of(message, item)
    return _record(Job.Kind.APPEND, message.mailbox, [message], arguments, idem_key, target)


def accounts_with_work() -> list[int]:
    """The accounts that have a due job and no worker at it."""
    now = timezone.now()
    free = Q(account__lease_until__isnull=True) | Q(account__lease_until__lt=now)
    due = Job.objects.pending().filter(free, not_before__lte=now, account__user__is_active=True)
    return list(due.values_list("account_id", flat=True).distinct())


def work(account_id: int) -> bool:
    """Carry out the due jobs of one account, in order. Return whether due jobs remain.

    Does nothing where another worker holds the account's lease.
    """
    with _lease(account_id) as lease:
        if lease is None:
            return False
        until = timezone.now() + SLICE
        while timezone.now() < until:
            batch = _next_batch(lease)
            if not batch:
                return False
            _carry_out(lease, batch)
    return True


class _Lease:
    """What the holder of an account's lease knows: who it is and under which number."""

    def __init__(self, account: Account, owner: str) -> None:
        self.account, self.owner, self.fence = account, owner, account.fence

    def check(self) -> None:
        """Raise LeaseLost unless the account is still ours. Called before every command and in the final commit."""
        held = Account.objects.filter(pk=self.account.pk, fence=self.fence, lease_owner=self.owner)
        if not held.exists():
            raise LeaseLost

    def renew(self) -> bool:
        """Hold the account for another LEASE; False when it was lost."""
        held = Account.objects.filter(pk=self.account.pk, fence=self.fence, lease_owner=self.owner)
        return bool(held.update(lease_until=timezone.now() + LEASE))

    def release(self) -> None:
        held = Account.objects.filter(pk=self.account.pk, fence=self.fence, lease_owner=self.owner)
        held.update(lease_owner="", lease_until=None)


@contextmanager
def _lease(account_id: int) -> Iterator[_Lease | None]:
    """Take the account's lease, keep it alive meanwhile, give it back. Yields None where another has it."""
    owner, now = uuid.uuid4().hex, timezone.now()
    free = Account.objects.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now), pk=account_id)
    if not free.update(lease_owner=owner, lease_until=now + LEASE, fence=F("fence") + 1):
        yield None
        return
    lease = _Lease(Account.objects.select_related("provider").get(pk=account_id), owner)
    done = threading.Event()
    renewer = threading.Thread(target=_keep_renewing, args=(lease, done), daemon=True)
    renewer.start()
    try:
        yield lease
    except LeaseLost:
        return
    finally:
        done.set()
        renewer.join()
        lease.release()


def _keep_renewing(lease: _Lease, done: threading.Event) -> None:
    try:
        while not done.wait(RENEW_SECONDS):
            if not lease.renew():
                return
    finally:
        connection.close()  # this thread's own


def _record(
    kind: Job.Kind,
    mailbox: Mailbox,
    messages: Sequence[Message],
    arguments: Mapping[str, Any],
    idem_key: str,
    target: Mailbox | None = None,
) -> Job:
    try:
        with transaction.atomic():
            account = Account.objects.select_for_update(no_key=True).get(pk=mailbox.account_id)
            account.job_sequence += 1
            account.save(update_fields=["job_sequence"])
            job = Job.objects.create(
                account=account,
                sequence=account.job_sequence,
                idem_key=idem_key,
                kind=kind,
                mailbox=mailbox,
                mailbox_name=mailbox.name,
                uidvalidity=mailbox.uidvalidity,
                uids=sorted(message.uid for message in messages),
                digests={str(m.uid): [m.message_id, m.size, m.date.isoformat()] for m in messages},
                arguments=arguments,
                target=target,
                target_name=target.name if target else "",
            )
            index.apply_job(job)
    except IntegrityError:
        return Job.objects.get(account_id=mailbox.account_id, idem_key=idem_key)
    return job


def _next_batch(lease: _Lease) -> list[Job]:
    """Take the first due job and its neighbours that ask for the same thing; they become one IMAP command.

    A job waits for earlier ones on the same messages only, so one that can't succeed holds up nobody else.
    """
    now = timezone.now()
    held: set[tuple[int | None, int]] = set()
    batch: list[Job] = []
    for job in lease.account.jobs.pending().select_related("mailbox", "target").order_by("sequence"):
        touched = {(job.mailbox_id, uid) for uid in job.uids}
        ready = job.not_before <= now and not touched & held
        if ready and (not batch or _is_like(batch[0], job)):
            batch.append(job)
        elif batch:
            break
        held |= touched
    for job in batch:
        job.attempts += 1
        in_doubt = job.state in (Job.State.LEASED, Job.State.ON_WIRE, Job.State.VERIFY)
        job.state = Job.State.VERIFY if in_doubt else Job.State.LEASED
        job.fence = lease.fence
    _save(lease, batch)
    reach("job.leased")
    return batch


def _is_like(one: Job, other: Job) -> bool:
    return (
        one.kind == other.kind
        and one.kind != Job.Kind.APPEND  # one command files one message
        and one.mailbox_id == other.mailbox_id
        and one.uidvalidity == other.uidvalidity
        and one.arguments == other.arguments
        and (one.state == Job.State.VERIFY) == (other.state in (Job.State.LEASED, Job.State.ON_WIRE, Job.State.VERIFY))
    )


def _carry_out(lease: _Lease, batch: list[Job]) -> None:
    """One batch against the server: done, or sorted by what its failure means."""
    mailbox = batch[0].mailbox
    if mailbox is None:
        _finish(lease, batch, Job.State.FAILED, "The mailbox was deleted before this could be done.")
        return
    mailbox.account = lease.account
    if mailbox.uidvalidity != batch[0].uidvalidity:
        _finish(lease, batch, Job.State.FAILED, UidValidityChanged.sentence)
        return
    if batch[0].attempts > MAX_ATTEMPTS:
        _finish(lease, batch, Job.State.DEAD, batch[0].error or "This was tried too often.")
        _show_truth(mailbox, batch)
        return
    read_at = timezone.now()
    changes: list[FlagChange] = []
    try:
        if batch[0].kind == Job.Kind.APPEND:
            evidence = saving.save(lease.account, batch[0], partial(_go_on_wire, lease, batch), lease.check)
        else:
            changes = _set_flags(lease, mailbox, batch)
            evidence = {"flags": len(changes)}
    except saving.Unclear as error:
        _finish(lease, batch, Job.State.UNCLEAR, error.sentence)
    except NotThere:
        _finish(lease, batch, Job.State.FAILED, "The message has no such attachment any more.")
    except LoginNeeded as error:
        _postpone(lease, batch, error.sentence, timedelta(seconds=LONGEST_PAUSE), counts=False)
    except TryAgain as error:
        # What a server has just been sent it may still be filing.
        least = APPEND_PAUSE if batch[0].target_uidnext else timedelta()
        _postpone(lease, batch, error.sentence, max(least, _pause(batch[0].attempts)))
    except ProtocolError as error:
        _finish(lease, batch, Job.State.FAILED, error.sentence + (f" ({error.detail})" if error.detail else ""))
        _show_truth(mailbox, batch)
    else:
        reach("job.answered")
        _finish(lease, batch, Job.State.DONE, evidence=evidence)
        index.apply_flags(mailbox, changes, read_at=read_at)
        saving.show(batch[0])
        reach("job.indexed")


def _set_flags(lease: _Lease, mailbox: Mailbox, batch: list[Job]) -> list[FlagChange]:
    """Set and clear flags: never a toggle, so a repeat does no harm. After any doubt, look which still need it."""
    job = batch[0]
    add = [Flag(name) for name in job.arguments["add"]]
    remove = [Flag(name) for name in job.arguments["remove"]]
    uids = sorted({uid for each in batch for uid in each.uids})
    with pools.lend(lease.account, mailbox.name) as imap:
        if job.state == Job.State.VERIFY:
            there = imap.flags(mailbox.name, job.uidvalidity, uids[0], uids[-1])
            now = [c for c in there if c.uid in uids]
            open_ = [c.uid for c in now if not (set(add) <= c.flags.set and not set(remove) & c.flags.set)]
            if not open_:
                return now
            uids = open_
        _go_on_wire(lease, batch)
        reach("job.on_wire")
        return imap.store(mailbox.name, job.uidvalidity, uids, add=add, remove=remove)


def _go_on_wire(lease: _Lease, batch: list[Job]) -> None:
    """Commit that from here on it may have happened."""
    for job in batch:
        job.state = Job.State.ON_WIRE
    _save(lease, batch)


def _postpone(lease: _Lease, batch: list[Job], sentence: str, pause: timedelta, *, counts: bool = True) -> None:
    for job in batch:
        job.state = Job.State.RETRY
        job.error = sentence[:500]
        job.not_before = timezone.now() + pause
        job.attempts -= 0 if counts else 1
    _save(lease, batch)


def _pause(attempts: int) -> timedelta:
    """Back-off with full jitter."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempts - 1))
    return timedelta(seconds=random.uniform(0.5, longest))  # noqa: S311  spreads load, keeps no secret


def _finish(
    lease: _Lease, batch: list[Job], state: Job.State, error: str = "", evidence: dict[str, int] | None = None
) -> None:
    for job in batch:
        job.state, job.error, job.finished_at = state, error[:500], timezone.now()
        job.evidence = evidence or {}
    _save(lease, batch)


def _save(lease: _Lease, batch: list[Job]) -> None:
    """Commit the jobs' new state, if the account is still ours."""
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=lease.account.pk)
        lease.check()
        Job.objects.bulk_update(batch, _OURS)


def _show_truth(mailbox: Mailbox, batch: list[Job]) -> None:
    """Undo the optimistic change of refused jobs by reading the server again."""
    if batch[0].kind == Job.Kind.APPEND:
        return  # which shows nothing ahead of time
    sync.reread(mailbox, sorted({uid for job in batch for uid in job.uids}))
