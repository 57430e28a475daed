"""Whose remote images a person always wants to see: one address, or everybody of one domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from .user import User


class TrustedSenderQuerySet(models.QuerySet["TrustedSender"]):
    def for_user(self, user: User) -> TrustedSenderQuerySet:
        """What one signed-in user has allowed."""
        return self.filter(user=user)


class TrustedSender(models.Model):
    """`name` is an address or a registered domain, as `protocol.mail_address` spells it.

    `verified`: the mail for which it was allowed was verified, so only verified mail counts as theirs.
    """

    class Kind(models.TextChoices):
        ADDRESS = "address", "Address"
        DOMAIN = "domain", "Domain"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="trusted_senders")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=254)
    verified = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TrustedSenderQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "kind", "name"], name="trusted_sender_once")]

    def __str__(self) -> str:
        return self.name
