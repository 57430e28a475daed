"""A user's mailbox login at a provider, and the lease that lets one worker at a time write to it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, models
from django.utils import timezone

from .provider import Provider

if TYPE_CHECKING:
    from .user import User


class AccountQuerySet(models.QuerySet["Account"]):
    def for_user(self, user: User) -> AccountQuerySet:
        """The accounts of one signed-in user."""
        return self.filter(user=user)

    def count_job(self, pk: int) -> int:
        """Count one more job of an account and return its number. Locks the account's row until the transaction ends.

        Raises:
            Account.DoesNotExist.
        """
        with connection.cursor() as cursor:  # one statement instead of reading a row of thirty columns to write one
            cursor.execute(
                "UPDATE webmail_account SET job_sequence = job_sequence + 1 WHERE id = %s RETURNING job_sequence", [pk]
            )
            found = cursor.fetchone()
        if found is None:
            raise Account.DoesNotExist
        return int(found[0])


class Account(models.Model):
    """One mailbox login.

    `credential` is sealed by `store.credentials` and bound to this row by `key`.
    `upkeep_at` is when a worker next goes through the account's mailboxes by itself (`store.upkeep`).
    `lease_*` and `fence` belong to `store.leases`: the holder of the lease is the account's only writer.
    """

    class State(models.TextChoices):
        OK = "ok", "Working"
        LOGIN_NEEDED = "login_needed", "Password needed"
        AWAY = "away", "Server away"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="accounts")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="accounts")
    address = models.EmailField("mail address", max_length=254)
    login_name = models.CharField(
        max_length=254, blank=True, help_text="Only where it differs from what the provider asks for."
    )
    credential = models.BinaryField(editable=False, default=b"")
    aliases = models.TextField(
        "may also write as",
        blank=True,
        help_text="Further From addresses that its owner may add, beside those that the provider allows to everybody. "
        "One a line; *@example.com allows all of a domain.",
    )
    signs_in = models.BooleanField(
        "signs in", default=False, help_text="This address, and what opens its mailbox, sign the user in."
    )
    position = models.PositiveSmallIntegerField(default=0, editable=False)
    state = models.CharField(max_length=16, choices=State.choices, default=State.OK, editable=False)
    state_since = models.DateTimeField(null=True, editable=False)
    state_detail = models.CharField(max_length=500, blank=True, editable=False)
    colours = models.JSONField(default=dict, blank=True, editable=False)  # mailbox name → colour (store.colours)
    quota_used = models.PositiveBigIntegerField(default=0, editable=False)  # octets, as last read from the server
    quota_limit = models.PositiveBigIntegerField(default=0, editable=False)  # 0: none, or the server can't say
    quota_at = models.DateTimeField(null=True, editable=False)
    # Its owner was told that it has no mailbox for drafts, so that they have no copies there.
    said_no_drafts = models.BooleanField(default=False, editable=False)
    listed_at = models.DateTimeField(null=True, editable=False)  # when the list of mailboxes was last read
    visited_at = models.DateTimeField(null=True, editable=False)  # when its owner was last here, give or take 5 minutes
    look_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)  # see store.polling
    upkeep_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    lease_owner = models.CharField(max_length=64, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    fence = models.PositiveBigIntegerField(default=0, editable=False)
    job_sequence = models.PositiveBigIntegerField(default=0, editable=False)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "address", "provider"], name="account_once_per_user"),
            # Two people can't both be who an address signs in.
            models.UniqueConstraint(
                fields=["address", "provider"], condition=models.Q(signs_in=True), name="account_signs_in_once"
            ),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def imap_login_name(self) -> str:
        """The user name for IMAP and SMTP."""
        return self.login_name or self.provider.login_name(self.address)

    @property
    def need(self) -> str:
        """What it needs in the state LOGIN_NEEDED."""
        return "Sign-in needed" if self.provider.by_oauth else "Password needed"
