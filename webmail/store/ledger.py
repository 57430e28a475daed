"""What a worker writes of the jobs it has in hand. Its states are drawn in `working`.

Each transaction here holds the account's row, and is only begun while the account is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction
from django.db.models import F

from webmail.models import Job

from .leases import Lease

# What a worker writes of a job beside its state.
KNOWN = ("digests", "evidence", "target_uidvalidity", "target_uidnext")


@contextmanager
def ours(lease: Lease) -> Iterator[None]:
    """A transaction that holds the account's row, and is only begun while the account is ours."""
    with transaction.atomic():
        lease.lock()
        yield


def take(lease: Lease, batch: list[Job]) -> list[Job]:
    """Commit that these jobs are ours now, those of them that are still there to be done."""
    with ours(lease):
        found = Job.objects.pending().filter(pk__in=[job.pk for job in batch]).order_by()
        still = dict(found.values_list("pk", "state"))
        batch = [job for job in batch if job.pk in still]
        taken: dict[Job.State, list[UUID]] = {}
        for job in batch:
            job.attempts += 1
            job.state = Job.State.VERIFY if still[job.pk] in Job.DOUBTFUL else Job.State.LEASED
            job.fence = lease.fence
            taken.setdefault(Job.State(job.state), []).append(job.pk)
        for state, keys in taken.items():
            Job.objects.filter(pk__in=keys).update(state=state, attempts=F("attempts") + 1, fence=lease.fence)
    return batch


def go_on_wire(lease: Lease, batch: list[Job]) -> None:
    """Commit that from here on it may have happened."""
    with ours(lease):
        for job in batch:
            job.state, job.evidence = Job.State.ON_WIRE, {**job.evidence, "tried": 1}
        save_all(batch, "state", *KNOWN)


def keep(lease: Lease, batch: list[Job]) -> None:
    """Commit what the jobs know, in the middle of it."""
    with ours(lease):
        save_all(batch, *KNOWN)


def save_all(batch: list[Job], *fields: str) -> None:
    """Write these fields: in one statement those in which all the jobs are alike, in another the rest."""
    first = {name: getattr(batch[0], name) for name in fields}
    alike = {name: value for name, value in first.items() if all(getattr(job, name) == value for job in batch)}
    if alike:
        Job.objects.filter(pk__in=[job.pk for job in batch]).update(**alike)
    if rest := [name for name in fields if name not in alike]:
        Job.objects.bulk_update(batch, rest)
