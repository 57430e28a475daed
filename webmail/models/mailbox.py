"""A mailbox of an account as last read from the server. Only `store/index.py` writes these rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, models

from webmail.protocol.types import Role, Space

from .account import Account

if TYPE_CHECKING:
    from .user import User


class RoleChoice(models.TextChoices):
    """`webmail.protocol.types.Role` for forms and the database."""

    NONE = "", "None"
    INBOX = Role.INBOX.value, "Inbox"
    DRAFTS = Role.DRAFTS.value, "Drafts"
    SENT = Role.SENT.value, "Sent"
    ARCHIVE = Role.ARCHIVE.value, "Archive"
    JUNK = Role.JUNK.value, "Junk"
    TRASH = Role.TRASH.value, "Trash"


class SpaceChoice(models.TextChoices):
    """`webmail.protocol.types.Space` for the database: whose mailbox it is."""

    OWN = Space.OWN.value, "Own"
    OTHER = Space.OTHER.value, "Another person's"
    SHARED = Space.SHARED.value, "Shared"


class MailboxQuerySet(models.QuerySet["Mailbox"]):
    def for_user(self, user: User) -> MailboxQuerySet:
        """The mailboxes of one signed-in user."""
        return self.filter(account__user=user)

    def count_moved(self, source: int | None, target: int | None, messages: int, unread: int) -> None:
        """Count messages out of one mailbox and into another, None for nowhere. Locks their rows, no matter in which
        order: so whoever locks two mailboxes has locked their account's row before.
        """
        with connection.cursor() as cursor:  # one statement, and a tenth of what it costs to have Django write it
            cursor.execute(_COUNT_MOVED, [source, messages, unread, source or target, target or source])


# Counts never go below 0, whatever else has counted meanwhile.
_COUNT_MOVED = """
UPDATE webmail_mailbox SET
    "exists" = CASE WHEN id <> source THEN "exists" + all_of_them
                    WHEN "exists" < all_of_them THEN 0 ELSE "exists" - all_of_them END,
    unread = CASE WHEN id <> source THEN unread + new_of_them
                  WHEN unread < new_of_them THEN 0 ELSE unread - new_of_them END
FROM (
    SELECT CAST(%s AS bigint) AS source, CAST(%s AS bigint) AS all_of_them, CAST(%s AS bigint) AS new_of_them
) AS moved
WHERE id IN (%s, %s)
"""


class Mailbox(models.Model):
    """`uidvalidity` 0 means that the mailbox was never selected: its index is cold.

    Every message with a UID of `lowest_uid` or above (and below `uidnext`) is indexed; 1 means that all are.
    `exists` and `unread` are the server's counts with the pending jobs applied.
    `role` is what the mailbox is for: `chosen_role` where the person said so, else `listed_role`, the server's word.
    `stale`: the list of mailboxes said that something changed here, and nobody has looked yet.
    `retry_at`: the server refused to open it; nobody tries by themselves before then.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="mailboxes")
    name = models.CharField(max_length=1000)
    delimiter = models.CharField(max_length=4, blank=True, default="/")
    role = models.CharField(max_length=8, blank=True, choices=RoleChoice.choices, default=RoleChoice.NONE)
    listed_role = models.CharField(max_length=8, blank=True, choices=RoleChoice.choices, default=RoleChoice.NONE)
    chosen_role = models.CharField(max_length=8, blank=True, choices=RoleChoice.choices, default=RoleChoice.NONE)
    space = models.CharField(max_length=8, choices=SpaceChoice.choices, default=SpaceChoice.OWN)
    selectable = models.BooleanField(default=True)
    subscribed = models.BooleanField(default=True)
    read_only = models.BooleanField(default=False)
    object_id = models.CharField(max_length=255, blank=True)
    uidvalidity = models.PositiveBigIntegerField(default=0)
    uidnext = models.PositiveBigIntegerField(default=0)
    highestmodseq = models.PositiveBigIntegerField(default=0)
    lowest_uid = models.PositiveBigIntegerField(default=0)
    exists = models.PositiveIntegerField(default=0)
    unread = models.PositiveIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)  # last time the index was brought up to date
    compared_at = models.DateTimeField(null=True)  # last full comparison of UIDs and flags

    stale = models.BooleanField(default=False)
    retry_at = models.DateTimeField(null=True)

    objects = MailboxQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "mailboxes"
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="mailbox_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_cold(self) -> bool:
        """True while no page of this mailbox can be shown from the index."""
        return self.uidvalidity == 0

    @property
    def is_complete(self) -> bool:
        """True when every message is indexed, back to the first."""
        return self.lowest_uid == 1

    @property
    def path(self) -> list[str]:
        """The name split at the hierarchy delimiter."""
        return self.name.split(self.delimiter) if self.delimiter else [self.name]

    def holds(self, name: str) -> bool:
        """Whether this is the name of the mailbox, or of one below it."""
        return name == self.name or (self.delimiter != "" and name.startswith(self.name + self.delimiter))
