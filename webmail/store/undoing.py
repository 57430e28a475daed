"""Taking jobs back: what isn't on the wire yet is cancelled, what is done is reversed by another job.

Undo works as long as the job is kept. It needs no memory of its own: where moved messages are now stands in the job's
evidence, and which messages a flag changed in its arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from django.db import transaction
from django.utils import timezone

from webmail.models import Account, Job, Mailbox
from webmail.protocol import sets

from . import changes, index, overlay
from .jobs import record
from .kinds import KINDS
from .kinds.kind import CannotUndo, Reverse
from .selecting import Frozen

UNDER_WAY = "This is being done right now. It can be undone in a moment."
BUILT_ON = "Something else was done with these messages since. Undo that first."
STOPPING = "It is being stopped. What was done by then can be undone in a moment."


def undo(job: Job, idem_key: str) -> Job:
    """Take a job back: cancel it where nothing of it can have happened, else record what reverses it.

    Args:
        idem_key: made by the form; a second call with it returns the first call's job.

    Returns:
        the job that reverses it; the job itself where cancelling it was enough.

    Raises:
        CannotUndo: with a sentence that says why.
    """
    before = Job.objects.filter(account_id=job.account_id, idem_key=idem_key).first()
    if before is not None:
        return before
    cancelled = cancel(job)
    if cancelled and job.state == Job.State.CANCELLED and not job.reached:
        return job
    if job.state in Job.PENDING:
        raise CannotUndo(STOPPING if cancelled else BUILT_ON if may_cancel(job) else UNDER_WAY)
    if not can_undo(job):
        raise CannotUndo(_why_not(job))
    reverses = KINDS[job.kind].reverse(job)
    with transaction.atomic():
        recorded = [
            record(
                each.kind,
                each.act,
                each.mailbox,
                partial(_frozen, each),
                idem_key if number == 0 else f"{idem_key[:60]}.{number}",
                target=each.target,
                arguments=each.arguments,
                uidvalidity=each.uidvalidity,
                undoes=job,
            )
            for number, each in enumerate(reverses)
        ]
    return recorded[0]


def cancel(job: Job) -> bool:
    """End a job that waits, if nothing of it can have happened but whole slices. Return whether it was still time.

    Not one that later jobs build on: they name its messages by where it was to put them. A large one that is under way
    ends after the slice at hand.
    """
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=job.account_id)
        job.refresh_from_db()
        if not may_cancel(job) or is_built_on(job):
            return False
        if _waits(job):
            stop(job)
        else:
            job.arguments["stop"] = 1
            job.save(update_fields=["arguments"])
        changes.publish_jobs([job])
    return True


def stop(job: Job) -> None:
    """End a job of which nothing is under way, in a transaction that holds its account."""
    job.state, job.finished_at = Job.State.CANCELLED, timezone.now()
    overlay.retract(job, [uid for uid in job.uids if uid > job.reached])
    job.laid = 0
    job.save(update_fields=["state", "finished_at", "laid"])
    if job.kind == Job.Kind.CREATE and job.mailbox is not None:
        index.forget_mailbox(job.mailbox)


def retry(job: Job) -> bool:
    """Try again what was given up, refused, or waits for its next try. Return whether there was something to try.

    What was refused showed the server's truth since; it is shown ahead again.
    """
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=job.account_id)
        job.refresh_from_db()
        if not may_retry(job):
            return False
        if job.state == Job.State.RETRY:
            Job.objects.filter(pk=job.pk).update(not_before=timezone.now())
        else:
            unread = _unread_among(job.mailbox, job.uids) if job.mailbox is not None else 0
            job.state, job.finished_at, job.error, job.attempts = Job.State.QUEUED, None, "", 0
            job.not_before = timezone.now()
            job.arguments.pop("stop", None)
            job.save(update_fields=["state", "finished_at", "error", "attempts", "not_before", "arguments"])
            overlay.lay_first(job, unread)
        changes.publish_jobs([job])
    return True


def may_cancel(job: Job) -> bool:
    """Whether nothing of it can be under way, or only a slice of what it is about."""
    large = KINDS[job.kind].brings or job.count - job.done > KINDS[job.kind].most
    return _waits(job) or (job.state in Job.PENDING and large and not is_stopping(job))


def is_stopping(job: Job) -> bool:
    """Whether it was cancelled while it was under way."""
    return job.state in Job.PENDING and bool(job.arguments.get("stop"))


def is_built_on(job: Job) -> bool:
    """Whether later jobs act on messages that this one only has on their way."""
    if job.kind not in overlay.DISPLACING:
        return False
    behind = Job.objects.pending().filter(account=job.account_id, early=True, sequence__gt=job.sequence)
    named = {uid for later in behind.only("uid_set") for uid in later.uids}
    return bool(named) and not named.isdisjoint(overlay.provisional(job))


def may_retry(job: Job) -> bool:
    """Whether trying it again can make sense. What may have happened is never sent again."""
    if job.state == Job.State.RETRY:
        return True
    kind = KINDS[job.kind]
    ended = job.state in (Job.State.FAILED, Job.State.DEAD) and (kind.brings or not job.reached)
    about = (
        kind.brings
        or not kind.about_messages
        or (job.mailbox is not None and job.mailbox.uidvalidity == job.uidvalidity and not job.early)
    )
    return ended and about and job.mailbox is not None


def can_undo(job: Job) -> bool:
    """Whether there is something to reverse, and nobody has done so."""
    stopped = job.state in (Job.State.CANCELLED, Job.State.FAILED, Job.State.DEAD)
    done = job.state == Job.State.DONE or (stopped and job.reached)
    return bool(done) and not job.undone_by.exclude(state__in=(Job.State.FAILED, Job.State.DEAD)).exists()


def _waits(job: Job) -> bool:
    """Whether it was never sent, or some slices of it are done."""
    return job.state in (Job.State.QUEUED, Job.State.RETRY) and not job.evidence.get("tried")


def _why_not(job: Job) -> str:
    if job.state in (Job.State.DONE, Job.State.CANCELLED) and job.undone_by.exists():
        return "This was undone already."
    if job.state == Job.State.UNCLEAR:
        return "Nobody knows whether this was done, so it can't be undone."
    return "This was never done, so there is nothing to undo."


def _frozen(reverse: Reverse) -> Frozen:
    """What the reversing job is about, with its unread ones counted in the index."""
    last = reverse.uids[-1] if reverse.uids else 0
    return Frozen(sets.pack(reverse.uids), len(reverse.uids), _unread_among(reverse.mailbox, reverse.uids), last)


def _unread_among(mailbox: Mailbox, uids: Sequence[int]) -> int:
    those = (mailbox.messages.filter(among) for among in overlay.chunks(uids))
    return sum(some.filter(seen=False).count() for some in those)
