"""Files of mail on their way into a mailbox: kept, sealed, from the upload until all of them is there."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from .account import Account
from .job import Job

if TYPE_CHECKING:
    from .user import User


class UploadQuerySet(models.QuerySet["Upload"]):
    def for_user(self, user: User) -> UploadQuerySet:
        """The uploads of one signed-in user."""
        return self.filter(account__user=user)


class Upload(models.Model):
    """What was sent up under one form (`form_key`). `files` are pairs of name and octets, once all of it is here.

    `size`: octets received so far. `job` puts it into a mailbox.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="uploads")
    form_key = models.CharField(max_length=64)
    files = models.JSONField(default=list)
    size = models.PositiveBigIntegerField(default=0)
    job = models.OneToOneField(Job, null=True, on_delete=models.SET_NULL, related_name="upload")
    created_at = models.DateTimeField(default=timezone.now)

    objects = UploadQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "form_key"], name="upload_once")]

    def __str__(self) -> str:
        return f"{self.size} octets"


class UploadPiece(models.Model):
    """A piece of one of its files (`file` counts from 0), sealed; all but a file's last are of the same size."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, db_index=False, related_name="pieces")
    file = models.PositiveIntegerField()
    number = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload", "file", "number"], name="upload_piece")]

    def __str__(self) -> str:
        return f"{self.file}.{self.number}"
