"""A message on its way out: an intent that is carried out at most once, and never forgotten."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from .account import Account
from .draft import Draft
from .sealed import SealedBytes

if TYPE_CHECKING:
    from .user import User


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def for_user(self, user: User) -> SubmissionQuerySet:
        """The submissions of one signed-in user."""
        return self.filter(account__user=user)


class Submission(models.Model):
    """The states are drawn in `store/outbox.py`.

    `message` is what is sent, octet for octet; it stays until its copy in the Sent mailbox is verified. `blind` is the
    Bcc field of that copy, which nobody else gets. `recipients` are [address, fate, the server's words] each; the fate
    is "" until the server said something. `idem_key` makes a form that is sent twice one submission. `original_row`
    and `marks` say which message gets which flag once this one is sent. `sent_uidnext` and `sent_uidvalidity` say from
    where on the Sent mailbox is searched for the copy, before another is put there (0: not looked at yet).
    `draft_saved_at` is the draft's `saved_at` as it was sent: only while it is still the same may the draft go.
    """

    class Kind(models.TextChoices):
        """What it is: what somebody wrote, or what was written for them and has no copy in the Sent mailbox."""

        LETTER = "letter", "Letter"
        RECEIPT = "receipt", "Read receipt"
        UNSUBSCRIBE = "leaving", "Leaving a mailing list"

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        CLAIMED = "claimed", "Being sent"
        SENDING = "sending", "Being handed over"
        RETRY = "retry", "Will be tried again"
        SENT = "sent", "Sent"
        FILED = "filed", "Sent and filed"
        FAILED = "failed", "Not sent"
        UNCLEAR = "unclear", "May have been sent"
        CANCELLED = "cancelled", "Taken back"

    WAITING = (State.QUEUED, State.RETRY)
    UNDER_WAY = (State.CLAIMED, State.SENDING)
    # A draft with one of these is not to be edited: it is on its way, or may have arrived.
    LIVE = (*WAITING, *UNDER_WAY, State.SENT, State.UNCLEAR)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="submissions")
    draft = models.ForeignKey(Draft, null=True, on_delete=models.SET_NULL, related_name="submissions")
    draft_saved_at = models.DateTimeField(null=True)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.LETTER)
    idem_key = models.CharField(max_length=64)
    message_id = models.CharField(max_length=400)
    sender = models.CharField(max_length=254)
    recipients = models.JSONField(default=list)
    subject = models.CharField(max_length=500, blank=True)
    message = SealedBytes(null=True)
    blind = models.TextField(blank=True)
    size = models.PositiveIntegerField()
    needs_utf8 = models.BooleanField(default=False)
    is_8bit = models.BooleanField(default=False)
    original_row = models.BigIntegerField(null=True)
    marks = models.CharField(max_length=16, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    send_after = models.DateTimeField(default=timezone.now)
    not_before = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.CharField(max_length=32, blank=True)
    claim_until = models.DateTimeField(null=True)
    error = models.CharField(max_length=1000, blank=True)
    words = models.CharField(max_length=500, blank=True)  # the server's, when it took the message
    sent_uidvalidity = models.PositiveBigIntegerField(default=0)
    sent_uidnext = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["account", "idem_key"], name="submission_once"),
            models.UniqueConstraint(fields=["message_id"], name="submission_message_id"),
            # Two tabs, two clicks, a request and the sweeper: a draft is on its way once.
            models.UniqueConstraint(
                fields=["draft"],
                name="submission_one_live",
                condition=models.Q(
                    draft__isnull=False, state__in=["queued", "claimed", "sending", "retry", "sent", "unclear"]
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before"],
                name="submission_due",
                condition=models.Q(state__in=["queued", "claimed", "sending", "retry", "sent"]),
            ),
            models.Index(fields=["account", "created_at"], name="submission_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.message_id}"
