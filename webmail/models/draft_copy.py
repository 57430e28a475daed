"""A draft's copy in the Drafts mailbox: known for as long as it is there, whatever becomes of the draft."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from .account import Account
from .draft import Draft


class DraftCopy(models.Model):
    """One message that we put into a Drafts mailbox, or whose words we took over; states in `store/mirroring.py`.

    It lies in the mailbox `mailbox_name` under `uid`, of UIDVALIDITY `uidvalidity`; before that is known `uidnext` says
    from where to look for `message_id` (0: nothing was sent yet). The mailbox is named, for rows of the index come and
    go. `saved_at` is that of the draft whose words it holds. `is_foreign`: another program put it there.
    """

    class State(models.TextChoices):
        WRITING = "writing", "Being put there"
        THERE = "there", "There"
        UNWANTED = "unwanted", "To be removed"
        LOST = "lost", "Looked for"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="draft_copies")
    draft = models.ForeignKey(Draft, null=True, on_delete=models.SET_NULL, related_name="copies")
    mailbox_name = models.CharField(max_length=1000, blank=True)
    uidvalidity = models.PositiveBigIntegerField(default=0)
    uidnext = models.PositiveBigIntegerField(default=0)
    uid = models.PositiveBigIntegerField(default=0)
    message_id = models.CharField(max_length=500, blank=True)
    saved_at = models.DateTimeField()
    is_foreign = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WRITING)
    not_before = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.CharField(max_length=32, blank=True)
    claim_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "draft copies"
        constraints = [
            models.UniqueConstraint(
                fields=["draft"],
                name="draft_copy_one_writing",
                condition=models.Q(state="writing", draft__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["draft"], name="draft_copy_one_there", condition=models.Q(state="there", draft__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["account", "uid"], name="draft_copy_by_uid"),
            models.Index(
                fields=["not_before"],
                name="draft_copy_due",
                condition=~models.Q(state="there") | models.Q(draft__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.mailbox_name} {self.uid}"
