"""The mark that a message gets when it was answered or forwarded: `\\Answered`, `$Forwarded`."""

from __future__ import annotations

from webmail.models import Message, Submission
from webmail.protocol.types import Flag

from . import jobs

_FLAGS = {"answered": Flag.ANSWERED, "forwarded": Flag.FORWARDED}


def mark_original(submission: Submission) -> None:
    """Show on the message that this one answers or forwards that it was; once, however often it is said.

    Called inside the transaction that makes it sent.

    Args:
        submission: with its account.
    """
    flag = _FLAGS.get(submission.marks)
    if flag is None or submission.original_row is None:
        return
    original = (
        Message.objects.select_related("mailbox", "account")
        .filter(pk=submission.original_row, account__user=submission.account.user_id, mailbox__isnull=False)
        .first()
    )
    if original is not None:
        jobs.record_flags([original], add=[flag], idem_key=f"mark-{submission.pk.hex}")
