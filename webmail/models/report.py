"""What came back about a message that was sent: for one recipient, by a delivery report or a read receipt."""

from __future__ import annotations

from django.db import models

from .account import Account


class Report(models.Model):
    """The last word about one recipient. Written by `store/reports.py` alone.

    `message_id` is of the message that was sent, `message_hash` its `hash_of`; `report_hash` that of the mail which
    says this. `outcome` is an action of RFC 3464 §2.3.3 or a disposition of RFC 8098 §3.2.6.2, `reason` why in our
    words, `said` the server's own. `at` is when the report came.
    """

    class Kind(models.TextChoices):
        DELIVERY = "delivery", "Delivery report"
        RECEIPT = "receipt", "Read receipt"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, db_index=False, related_name="reports")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    message_id = models.CharField(max_length=500)
    message_hash = models.BigIntegerField()
    recipient = models.CharField(max_length=254)
    outcome = models.CharField(max_length=12)
    reason = models.CharField(max_length=300, blank=True)
    said = models.CharField(max_length=500, blank=True)
    report_hash = models.BigIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "message_hash", "kind", "recipient"], name="report_of_each_recipient"
            )
        ]

    def __str__(self) -> str:
        return f"{self.recipient}: {self.outcome}"
