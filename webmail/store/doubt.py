"""What settles a message that may have been sent: its writer, a report about it, or a copy that the server filed."""

from __future__ import annotations

from django.utils import timezone

from webmail.models import Submission

from . import fates
from .marks import mark_original

State = Submission.State


def take_as_sent(submission: Submission) -> None:
    """It was sent, to those that it went out to; whom the server had put off before is still tried.

    Called inside a transaction, with the row locked and nobody's.

    Args:
        submission: unclear; with its account.
    """
    now = timezone.now()
    submission.recipients = fates.arrived(submission.recipients)
    submission.error = fates.missed(submission.recipients)
    submission.state = State.RETRY if fates.open_to(submission.recipients) else State.SENT
    submission.sent_at, submission.not_before = submission.sent_at or now, now
    submission.claim, submission.claim_until, submission.finished_at = "", None, None
    submission.attempts = 0
    submission.save(
        update_fields=[
            "recipients", "error", "state", "sent_at", "not_before", "claim", "claim_until", "finished_at", "attempts",
        ]
    )  # fmt: skip
    mark_original(submission)
