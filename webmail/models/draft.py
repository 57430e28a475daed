"""A message that is being written, and its files: an intent, never lost, whatever becomes of the index."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from .account import Account
from .sealed import SealedBytes, SealedText

if TYPE_CHECKING:
    from .user import User


# The copy in the Drafts mailbox follows when nothing was saved for the first, and after the second at most.
COPY_PAUSE, COPY_AT_MOST = timedelta(seconds=10), timedelta(seconds=60)


class DraftQuerySet(models.QuerySet["Draft"]):
    def for_user(self, user: User) -> DraftQuerySet:
        """The drafts of one signed-in user."""
        return self.filter(account__user=user)


class Draft(models.Model):
    """What was typed, as it was typed: recipients too, be they half a word.

    `form_key` is made by the form, so that a form sent twice makes one draft. `version` counts the times it was saved:
    who saves tells which one they saw, so that two tabs notice one another; `saved_by` is the tab that saved it last,
    which may not have heard that it did. `original_row` is the key of the message it answers or forwards. No foreign
    key: rows of the index come and go by the thousand, and must not look for drafts each time. `in_reply_to` and
    `references` (identifiers without brackets, blanks between) stay.
    `copy_at` says when its copy in the Drafts mailbox is to follow (None: it is there, or none is wanted), `copy_since`
    since when it is behind, and `copy_said` what its writer is to know of it.
    """

    class Priority(models.TextChoices):
        HIGH = "high", "High"
        NORMAL = "normal", "Normal"
        LOW = "low", "Low"

    class Kind(models.TextChoices):
        NEW = "new", "New message"
        REPLY = "reply", "Reply"
        FORWARD = "forward", "Forward"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="drafts")
    form_key = models.CharField(max_length=64)
    version = models.PositiveIntegerField(default=1)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.NEW)
    original_row = models.BigIntegerField(null=True)
    from_address = models.CharField(max_length=254, blank=True)
    to = models.TextField(blank=True)
    cc = models.TextField(blank=True)
    bcc = models.TextField(blank=True)
    reply_to = models.TextField(blank=True)
    subject = models.TextField(blank=True)
    text = SealedText(blank=True, default=str)
    html = SealedText(blank=True, default=str)
    is_html = models.BooleanField(default=False)
    priority = models.CharField(max_length=8, choices=Priority.choices, default=Priority.NORMAL)
    wants_receipt = models.BooleanField(default=False)
    in_reply_to = models.TextField(blank=True)
    references = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    saved_at = models.DateTimeField(default=timezone.now)
    saved_by = models.CharField(max_length=64, blank=True)
    copy_at = models.DateTimeField(null=True)
    copy_since = models.DateTimeField(null=True)
    copy_said = models.CharField(max_length=300, blank=True)

    objects = DraftQuerySet.as_manager()

    class Meta:
        ordering = ["-saved_at"]
        constraints = [models.UniqueConstraint(fields=["account", "form_key"], name="draft_once")]
        indexes = [models.Index(fields=["copy_at"], name="draft_to_copy", condition=models.Q(copy_at__isnull=False))]

    def __str__(self) -> str:
        return self.subject or "(no subject)"

    def touch(self) -> dict[str, datetime]:
        """Note that it is changed; return the columns that say so, for an UPDATE."""
        now = timezone.now()
        self.saved_at, self.copy_since = now, self.copy_since or now
        self.copy_at = min(now + COPY_PAUSE, self.copy_since + COPY_AT_MOST)
        return {"saved_at": self.saved_at, "copy_since": self.copy_since, "copy_at": self.copy_at}


class DraftFile(models.Model):
    """A file of a draft. `content_id` is that of a picture which the text shows, "" of all others."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="files")
    name = models.CharField(max_length=250)
    type = models.CharField(max_length=200)
    size = models.PositiveIntegerField()
    content_id = models.CharField(max_length=250, blank=True)
    data = SealedBytes()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return self.name
