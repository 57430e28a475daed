"""Whom a person writes as: a name, an address and a signature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from .account import Account

if TYPE_CHECKING:
    from .user import User


class IdentityQuerySet(models.QuerySet["Identity"]):
    def for_user(self, user: User) -> IdentityQuerySet:
        """The identities of one signed-in user."""
        return self.filter(account__user=user)


class Identity(models.Model):
    """One sender of an account. An account without any writes as its own address.

    `address` is as `mail_address.deliverable` spells it. `signature_html` was cleaned by `store/identities.py`, which
    also made `signature_text` where that was left empty.
    """

    class Place(models.TextChoices):
        ABOVE = "above", "Above the quote"
        BELOW = "below", "Below the quote"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="identities")
    address = models.CharField("From address", max_length=254)
    name = models.CharField("name", max_length=200, blank=True)
    reply_to = models.CharField("answers go to", max_length=500, blank=True)
    signature_text = models.TextField("signature", blank=True)
    signature_html = models.TextField("formatted signature", blank=True)
    signature_place = models.CharField("place", max_length=8, choices=Place.choices, default=Place.ABOVE)
    is_default = models.BooleanField("used unless another is chosen", default=False)
    position = models.PositiveSmallIntegerField(default=0, editable=False)

    objects = IdentityQuerySet.as_manager()

    class Meta:
        ordering = ["account", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["account", "address"], name="identity_once"),
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(is_default=True), name="identity_one_default"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address
