"""A recorded intent to change mail (law 3). Written in the request's transaction, carried out by a worker."""

from __future__ import annotations

import uuid
from bisect import bisect_right
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from webmail.protocol import sets

from .account import Account
from .mailbox import Mailbox

if TYPE_CHECKING:
    from .user import User


class JobQuerySet(models.QuerySet["Job"]):
    def for_user(self, user: User) -> JobQuerySet:
        """The jobs of one signed-in user."""
        return self.filter(account__user=user)

    def pending(self) -> JobQuerySet:
        """Jobs whose effect the server may not have yet: the index shows them on top of the server's facts."""
        return self.filter(state__in=Job.PENDING)


class Job(models.Model):
    """What to do (`kind`, `arguments`) to which messages (`mailbox`, `uidvalidity`, `uid_set`).

    States are drawn in `store/working.py`. `sequence` orders the jobs of an account; `bulk` ones let others go first.
    `idem_key` makes a form that is sent twice one job. `act` is what the person asked for, in a word (`store/acts.py`).
    `digests` says which message each UID meant (Message-ID, size, date), for looking before acting again. `target` is
    where something is to be put; its UIDVALIDITY and UIDNEXT, as they were before that was tried for the first time,
    say where to look after any doubt (0: it was never tried). `fence` is the account's lease number under which the
    job was last taken; `evidence` what the server said; `undoes` the job that this one reverses.

    A large job is done in slices of ascending UIDs: all up to `reached` are done, and `done` of `count` messages. Its
    effect on the index is laid on rows from UID `laid` up, on the rest when they are done (0: on all). `early` jobs
    name messages by provisional UIDs, for these are still on their way into the mailbox (see `Message`).
    """

    class Kind(models.TextChoices):
        FLAG = "flag", "Flag"
        MOVE = "move", "Move"
        COPY = "copy", "Copy"
        EXPUNGE = "expunge", "Delete for good"
        APPEND = "append", "Save in a mailbox"
        IMPORT = "import", "Import into a mailbox"
        CREATE = "create", "Create a mailbox"
        RENAME = "rename", "Rename a mailbox"
        REMOVE = "remove", "Delete a mailbox"
        SUBSCRIBE = "subscribe", "Subscribe to a mailbox"

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        LEASED = "leased", "Taken"
        ON_WIRE = "on_wire", "Under way"
        VERIFY = "verify", "Checking"
        RETRY = "retry", "Will be tried again"
        DONE = "done", "Done"
        FAILED = "failed", "Refused"
        UNCLEAR = "unclear", "Unclear"
        DEAD = "dead", "Given up"
        CANCELLED = "cancelled", "Cancelled"

    PENDING = (State.QUEUED, State.LEASED, State.ON_WIRE, State.VERIFY, State.RETRY)
    DOUBTFUL = (State.LEASED, State.ON_WIRE, State.VERIFY)  # what a later holder of the lease has to look at first

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="jobs")
    sequence = models.PositiveBigIntegerField()
    idem_key = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    act = models.CharField(max_length=16, blank=True)
    bulk = models.BooleanField(default=False)
    mailbox = models.ForeignKey(Mailbox, null=True, on_delete=models.SET_NULL, related_name="jobs")
    mailbox_name = models.CharField(max_length=1000)
    uidvalidity = models.PositiveBigIntegerField()
    uid_set = models.TextField(blank=True)  # as IMAP writes sets: "1:5,7"
    count = models.PositiveIntegerField(default=0)
    early = models.BooleanField(default=False)
    digests = models.JSONField(default=dict)
    arguments = models.JSONField(default=dict)
    target = models.ForeignKey(Mailbox, null=True, on_delete=models.SET_NULL, related_name="+")
    target_name = models.CharField(max_length=1000, blank=True)
    target_uidvalidity = models.PositiveBigIntegerField(default=0)
    target_uidnext = models.PositiveBigIntegerField(default=0)
    reached = models.PositiveBigIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    laid = models.PositiveBigIntegerField(default=0)
    undoes = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="undone_by")
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=timezone.now)
    fence = models.PositiveBigIntegerField(default=0)
    evidence = models.JSONField(default=dict)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["account", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["account", "idem_key"], name="job_once"),
            models.UniqueConstraint(fields=["account", "sequence"], name="job_sequence"),
        ]
        indexes = [
            # How many of a person's wait: what each page says.
            models.Index(fields=["account", "state"], name="job_by_state"),
            models.Index(
                fields=["not_before"],
                name="job_due",
                condition=models.Q(state__in=["queued", "leased", "on_wire", "verify", "retry"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.mailbox_name} ×{self.count}"

    @property
    def uids(self) -> list[int]:
        """The UIDs of all its messages, ascending; provisional ones among them."""
        return sets.unpack(self.uid_set)

    @uids.setter
    def uids(self, uids: Iterable[int]) -> None:
        numbers = sorted(set(uids))
        self.uid_set, self.count = sets.pack(numbers), len(numbers)

    @property
    def left(self) -> list[int]:
        """Those of them that aren't done."""
        uids = self.uids
        return uids[bisect_right(uids, self.reached) :] if self.reached else uids

    @property
    def last(self) -> int:
        """The highest of them; 0 for none."""
        return sets.last(self.uid_set)
