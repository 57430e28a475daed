"""The index row of a message: what lists, threads and search need. Only `store/index.py` writes these rows."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from .account import Account
from .mailbox import Mailbox
from .sealed import Sealed, SealedText, Unreadable

if TYPE_CHECKING:
    from .user import User


def hash_of(text: str) -> int:
    """64 bits that stand for `text`; 0 for none."""
    if not text:
        return 0
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big", signed=True)


@lru_cache(maxsize=10_000)  # people look at the same lists again and again
def preview_of(key: int, sealed: Sealed) -> str:
    """The first words of the message with this key as a list reads them; "" where no key opens them any more."""
    field = Message._meta.get_field("preview")
    try:
        return str(field.opened(key, sealed))
    except Unreadable:
        return ""


class MessageQuerySet(models.QuerySet["Message"]):
    def for_user(self, user: User) -> MessageQuerySet:
        """The messages of one signed-in user."""
        return self.filter(account__user=user)


PROVISIONAL = 1 << 40  # plus the row's key: the UID of a row that is on its way into a mailbox; no real one is as large


class Message(models.Model):
    """One message in one mailbox, known there as `uid` under the mailbox's UIDVALIDITY (law 8).

    A row that a job is about to take elsewhere lies where it will be: in its new mailbox with a provisional UID, or in
    none. `origin` and `origin_uid` say where the server still has it; both are empty otherwise.
    `mailbox` is NULL for a row that vanished from its mailbox: it is found again by a move or deleted in the next pass.
    `date` is INTERNALDATE; `sent_at` the Date field. Texts are decoded, cleaned and bounded by `protocol.text`.
    `sender_key` and `subject_key` are what sorting compares: case-folded, without "Re:".
    `sender_hash` and `message_hash` are `hash_of` the address in lower case and of the Message-ID: looking them up
    takes an index of half the size.
    `preview` is the first words of the text, sealed; None where nobody has read them yet.
    `structure` is `protocol.content.pack` of BODYSTRUCTURE, "" where it was too large.
    Of the sent and drafts mailboxes lists show `recipients`.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, db_index=False, related_name="messages")
    mailbox = models.ForeignKey(Mailbox, null=True, on_delete=models.CASCADE, db_index=False, related_name="messages")
    uid = models.PositiveBigIntegerField()
    modseq = models.PositiveBigIntegerField(default=0)
    date = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    size = models.PositiveBigIntegerField(default=0)
    seen = models.BooleanField(default=False)
    answered = models.BooleanField(default=False)
    flagged = models.BooleanField(default=False)
    deleted = models.BooleanField(default=False)
    draft = models.BooleanField(default=False)
    forwarded = models.BooleanField(default=False)
    keywords = models.CharField(max_length=1000, blank=True)  # separated by spaces, which no keyword holds
    has_attachment = models.BooleanField(default=False)
    subject = models.CharField(max_length=1000, blank=True)
    subject_key = models.CharField(max_length=32, blank=True)
    sender_name = models.CharField(max_length=300, blank=True)
    sender_address = models.CharField(max_length=320, blank=True)
    sender_key = models.CharField(max_length=40, blank=True)
    sender_hash = models.BigIntegerField(default=0)
    recipients = models.CharField(max_length=1000, blank=True)  # "Name <address>, …" of To and Cc
    preview = SealedText(null=True)
    structure = models.TextField(blank=True)
    message_id = models.CharField(max_length=500, blank=True)
    message_hash = models.BigIntegerField(default=0)
    in_reply_to = models.CharField(max_length=500, blank=True)
    references = models.TextField(blank=True)  # separated by spaces, the last ones kept
    unlinked_at = models.DateTimeField(null=True)
    origin = models.ForeignKey(Mailbox, null=True, on_delete=models.CASCADE, db_index=False, related_name="leaving")
    origin_uid = models.PositiveBigIntegerField(null=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "uid"], name="message_uid")]
        indexes = [
            models.Index(fields=["mailbox", "date", "uid"], name="message_by_date"),
            models.Index(fields=["mailbox", "sender_key", "uid"], name="message_by_sender"),
            models.Index(fields=["mailbox", "subject_key", "uid"], name="message_by_subject"),
            models.Index(fields=["mailbox", "size", "uid"], name="message_by_size"),
            models.Index(fields=["mailbox", "date", "uid"], name="message_unread", condition=Q(seen=False)),
            models.Index(fields=["mailbox", "date", "uid"], name="message_flagged", condition=Q(flagged=True)),
            models.Index(
                fields=["mailbox", "date", "uid"], name="message_attachment", condition=Q(has_attachment=True)
            ),
            # All mail from an address, newest first, and whether there was any.
            models.Index(
                fields=["account", "sender_hash", "date"], name="message_by_address", condition=Q(mailbox__isnull=False)
            ),
            models.Index(fields=["message_hash"], name="message_by_message_id"),
            models.Index(
                fields=["account", "unlinked_at"], name="message_unlinked", condition=Q(unlinked_at__isnull=False)
            ),
            models.Index(fields=["origin", "origin_uid"], name="message_leaving", condition=Q(origin__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.subject or "(no subject)"

    @property
    def server_mailbox(self) -> Mailbox | None:
        """Where the server has it: not yet where a job will put it."""
        return self.origin if self.origin_id else self.mailbox

    @property
    def server_uid(self) -> int:
        """Its UID in `server_mailbox`."""
        return self.origin_uid if self.origin_id and self.origin_uid else self.uid
