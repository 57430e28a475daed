"""Which jobs of an account come next: in order, but nobody waits who need not.

A job waits for earlier ones on the same messages only, so one that can't succeed holds up nobody else. What is about a
whole mailbox keeps its place among all that is about that mailbox. Large jobs let small ones pass between two slices,
and what was tried in vain lets pass what wasn't: it may be what kills its workers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from webmail.models import Account, Job, Mailbox
from webmail.protocol.sets import MAX_UID

from .kinds import KINDS, looking
from .overlay import DISPLACING

LOOKED_AT = 100  # jobs read at once; more only where none of these is ready
_LOOKED_FOR = (
    *("account", "sequence", "state", "not_before", "attempts", "kind", "act", "mailbox", "target", "uidvalidity"),
    *("uid_set", "count", "bulk", "early", "reached", "laid", "target_uidnext", "arguments", "evidence"),
)
MERGED = 100  # jobs that become one command at most
TOGETHER = 2  # tries in company


def next_batches(account: Account) -> list[list[UUID]]:
    """The keys of the due jobs that need not wait for any other, each with its neighbours that ask for the same.

    Those of one batch become one IMAP command. Of large jobs only the first is in it, and only if there is no other: it
    lets pass whatever comes. The batches may be done in this order as long as each is done without a doubt.
    """
    now = timezone.now()
    held = _Held(account)
    ready: list[Job] = []
    for number, job in enumerate(_pending(account)):
        if number and number % LOOKED_AT == 0 and any(not each.bulk for each in ready):
            break
        if job.not_before <= now and held.is_free(job):
            ready.append(job)
        held.add(job)
    batches: list[list[UUID]] = []
    while ready:
        first = min(ready, key=lambda job: (job.bulk, job.attempts))
        if first.bulk and batches:
            break
        chosen = [first, *_neighbours(first, ready[ready.index(first) + 1 :])]
        batches.append([job.pk for job in chosen])
        taken = set(batches[-1])
        ready = [job for job in ready if job.pk not in taken]
    return batches


def load(account: Account, keys: Sequence[UUID]) -> list[Job]:
    """Jobs as they are now, with their mailboxes, in this order; those that are gone are left out."""
    whole = account.jobs.select_related("mailbox", "target").in_bulk(keys)
    return [whole[key] for key in keys if key in whole]


def _neighbours(first: Job, others: list[Job]) -> list[Job]:
    kind = KINDS[first.kind]
    room = kind.most - first.count
    found: list[Job] = []
    if not kind.merges or room <= 0:
        return found
    for job in others:
        if not _is_like(first, job) or job.count > room or len(found) + 1 >= MERGED:
            break
        room -= job.count
        found.append(job)
    return found


def _is_like(one: Job, other: Job) -> bool:
    """Whether one command can do both. Not where one was sent before in vain, nor where only one of them was begun."""
    return (
        one.kind == other.kind
        and one.act != "undo"
        and (one.mailbox_id, one.uidvalidity, one.target_id) == (other.mailbox_id, other.uidvalidity, other.target_id)
        and _asks(one) == _asks(other)
        and one.evidence.get("company") == other.evidence.get("company")
        and not (_goes_alone(one) or _goes_alone(other))
        and not (one.early or other.early or one.laid or other.laid or one.reached or other.reached)
        and (one.state in Job.DOUBTFUL) == (other.state in Job.DOUBTFUL)
        and bool(one.target_uidnext) == bool(other.target_uidnext)
    )


def _goes_alone(job: Job) -> bool:
    """Whether it was killed in company, or is the one that was refused or cut off, and so may be to blame for it."""
    return bool(job.evidence.get("alone") or job.evidence.get("tried")) or job.attempts >= TOGETHER


def _asks(job: Job) -> dict[str, object]:
    return {key: value for key, value in job.arguments.items() if key != "changed"}


def _pending(account: Account) -> Iterator[Job]:
    """The account's pending jobs in order, a hundred at a time, with what their order depends on."""
    jobs = account.jobs.pending().only(*_LOOKED_FOR).order_by("sequence")
    last = 0
    while True:
        some = list(jobs.filter(sequence__gt=last)[:LOOKED_AT])
        yield from some
        if len(some) < LOOKED_AT:
            return
        last = some[-1].sequence


class _Held:
    """What earlier jobs are about."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._messages: dict[int | None, set[int]] = defaultdict(set)
        self._mailboxes: set[int] = set()  # about which something is to be done as a whole
        self._used: set[int] = set()  # that any earlier job has to do with
        self._coming: set[int] = set()  # into which an earlier job puts messages
        self._sought: dict[int, int] = {}  # mailbox → UID from which on an earlier job looks for what it put there
        # … and what is looked for in a mailbox by any job, whatever its place.
        self._wanted: dict[int | None, set[tuple[object, ...]]] = defaultdict(set)
        seeking = account.jobs.pending().filter(target_uidnext__gt=0, target__isnull=False)
        for target, digests in seeking.values_list("target", "digests"):
            self._wanted[target].update(map(tuple, digests.values()))

    def is_free(self, job: Job) -> bool:
        places = self._places(job)
        if places & self._mailboxes:
            return False
        if not KINDS[job.kind].about_messages:
            return not places & self._used
        if job.early and job.mailbox_id in self._coming:
            return False
        if job.kind in DISPLACING and self._takes_away(job):
            return False
        if not job.target_uidnext and self._could_be_mistaken(job):
            return False
        return self._messages[job.mailbox_id].isdisjoint(self._left(job))

    def add(self, job: Job) -> None:
        places = self._places(job)
        self._used |= places
        if not KINDS[job.kind].about_messages:
            self._mailboxes |= places
        else:
            self._messages[job.mailbox_id].update(self._left(job))
        if job.kind == Job.Kind.MOVE and job.target_id:
            self._coming.add(job.target_id)
        if job.target_uidnext and job.target_id:
            self._sought[job.target_id] = min(job.target_uidnext, self._sought.get(job.target_id, MAX_UID))

    def _takes_away(self, job: Job) -> bool:
        """Whether it takes what an earlier job, in doubt whether it put it there, would look for."""
        since = self._sought.get(job.mailbox_id or 0)
        return since is not None and job.last >= since

    def _could_be_mistaken(self, job: Job) -> bool:
        """Whether it would put beside what another one looks for a copy that is just like it. Those that are in doubt
        already are asked no more: they were sent together."""
        wanted = self._wanted.get(job.target_id, set())
        return bool(wanted) and looking.is_any_alike(job, self._left(job), wanted)

    def _left(self, job: Job) -> list[int]:
        return [] if KINDS[job.kind].brings else job.left

    def _places(self, job: Job) -> set[int]:
        """The mailboxes it has to do with; of one that is renamed or deleted those below it too."""
        places = {key for key in (job.mailbox_id, job.target_id) if key}
        if job.kind in (Job.Kind.RENAME, Job.Kind.REMOVE) and job.mailbox is not None and job.mailbox.delimiter:
            stem = job.mailbox.name + job.mailbox.delimiter
            below = Mailbox.objects.filter(Q(name__startswith=stem), account=self._account)
            places |= set(below.values_list("pk", flat=True))
        return places
