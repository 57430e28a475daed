"""A mailing list that somebody has left, or asked to leave."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from .account import Account


class Unsubscription(models.Model):
    """One list of an account: `list_hash` is `hash_of` its List-Id, or of its sender's address where it has none."""

    class Outcome(models.TextChoices):
        ASKING = "asking", "Being asked"
        ASKED = "asked", "Asked by mail"
        DONE = "done", "Accepted"
        FAILED = "failed", "Not accepted"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, db_index=False, related_name="unsubscriptions")
    list_hash = models.BigIntegerField()
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "list_hash"], name="unsubscription_once")]

    def __str__(self) -> str:
        return f"{self.outcome} {self.list_hash}"
