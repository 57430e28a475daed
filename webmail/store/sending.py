"""Carries out what stands in the outbox: hands a message to the mail server and keeps what it said. See `outbox`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from webmail.models import Provider, Submission
from webmail.protocol import smtp
from webmail.protocol.compose import Outgoing
from webmail.protocol.errors import GiveUp, LoginNeeded, ProtocolError, TryAgain
from webmail.protocol.smtp_outcome import (
    Delivered,
    RecipientAnswer,
    RecipientsDeferred,
    RecipientsRefused,
    Unclear,
)
from webmail.protocol.types import Login

from . import breaker, changes, draft_copies, fates, filing, logins
from .failpoints import reach
from .holding import Claim, take
from .letters import NO_SERVER
from .marks import mark_original

FIRST_PAUSE, LONGEST_PAUSE = 10.0, 900.0  # seconds between tries: doubled each time, full jitter
LOGIN_PAUSE = timedelta(minutes=5)  # many servers lock people out
GIVE_UP = timedelta(hours=4)  # after which a message that could not be handed over has failed
FEWEST_ATTEMPTS = 5  # before that: perhaps it was this machine that was away all the time
MAX_ATTEMPTS = 60
LOOK_PAUSE = timedelta(seconds=5)

DIED = "Sending was interrupted just when the message was handed over. It may have been sent, or not."
State = Submission.State
# Late, but known: that a sweeper took our silence for death doesn't make an answer less true.
ANSWERED = (*Submission.UNDER_WAY, State.UNCLEAR)


def due() -> list[UUID]:
    """The submissions that something is to be done about, and no worker at it."""
    now = timezone.now()
    ready = Q(state__in=Submission.WAITING, send_after__lte=now, not_before__lte=now)
    dead = Q(state__in=Submission.UNDER_WAY, claim_until__lt=now)
    rows = Submission.objects.filter(ready | dead | filing.to_be_filed(now), account__user__is_active=True)
    return list(rows.order_by("not_before").values_list("pk", flat=True)[:1000])


def carry_out(submission_id: UUID) -> None:
    """Do the next thing about a submission: send it, file it, or say that nobody knows. Harmless at any time."""
    _note_doubt(submission_id)
    now = timezone.now()
    ready = Q(state__in=Submission.WAITING, send_after__lte=now, not_before__lte=now)
    dead = Q(state=State.CLAIMED, claim_until__lt=now)  # whoever had it died before anything could be sent
    with take(submission_id, ready | dead, state=State.CLAIMED) as claim:
        if claim is not None:
            reach("send.claimed")
            _send(claim)
    filing.file(submission_id)


def _note_doubt(submission_id: UUID) -> None:
    """Of one whose worker died while the last piece went out nobody knows."""
    now = timezone.now()
    died = Submission.objects.filter(pk=submission_id, state=State.SENDING, claim_until__lt=now)
    found = died.values_list("claim", "recipients").first()
    if found is None:
        return
    claim, recipients = found
    doubt = {"state": State.UNCLEAR, "error": DIED, "recipients": fates.doubted(recipients)}
    if died.filter(claim=claim).update(**doubt, finished_at=now, not_before=now + LOOK_PAUSE):
        _publish(submission_id)


def _send(claim: Claim) -> None:
    submission = Submission.objects.select_related("account__provider").get(pk=claim.id)
    account, open_ = submission.account, fates.open_to(submission.recipients)
    if submission.attempts > MAX_ATTEMPTS:  # whatever it is, it may be killing its workers
        _not_sent(
            claim,
            submission,
            GiveUp("This was tried too often. The last time: " + (submission.error or "it broke off.")),
        )
        _publish(claim.id)
        return
    if not account.provider.smtp_host:
        _not_sent(claim, submission, GiveUp(NO_SERVER))
        _publish(claim.id)
        return
    try:
        octets = bytes(submission.message or b"")
        outgoing = Outgoing(octets, submission.sender, open_, submission.needs_utf8, submission.is_8bit)
        submit = partial(_submit, claim, account.provider, outgoing)
        delivered = submit(None) if account.provider.smtp_open else logins.using(account, submit)
    except Unclear as error:
        _finish(claim, State.UNCLEAR, error.sentence, fates.doubted(submission.recipients, error.answers))
    except RecipientsRefused as error:
        _not_sent(claim, submission, error, error.answers)
    except RecipientsDeferred as error:
        _later(claim, submission, error, _pause(submission.attempts), error.answers)
    except LoginNeeded as error:
        _later(claim, submission, error, LOGIN_PAUSE)
    except TryAgain as error:
        _later(claim, submission, error, _pause(submission.attempts))
    except ProtocolError as error:
        _not_sent(claim, submission, error)
    else:
        reach("send.answered")
        _sent(claim, submission, delivered)
        reach("send.sent")
    _publish(claim.id)


def _submit(claim: Claim, provider: Provider, outgoing: Outgoing, login: Login | None) -> Delivered:
    with breaker.trying(provider.smtp):
        return smtp.submit(provider.smtp, login, outgoing, on_wire=lambda: _go_on_wire(claim), envelope_id=claim.id.hex)


def _go_on_wire(claim: Claim) -> None:
    """Commit that from here on it may have been sent."""
    reach("send.uploaded")
    claim.update(states=(State.CLAIMED,), state=State.SENDING)
    reach("send.on_wire")


def _sent(claim: Claim, submission: Submission, delivered: Delivered) -> None:
    """The server took it: for everybody, or for some while others are tried again."""
    now = timezone.now()
    recipients = fates.noted(submission.recipients, delivered.answers)
    again = bool(fates.open_to(recipients)) and not _is_over(submission)
    if not again:
        recipients = fates.given_up(recipients)
    with transaction.atomic():
        claim.update(
            states=ANSWERED,
            state=State.RETRY if again else State.SENT,
            recipients=recipients,
            words=delivered.words[:500],
            error=fates.missed(recipients),
            sent_at=submission.sent_at or now,
            not_before=now + _pause(submission.attempts) if again else now,
            finished_at=None,
            claim="",
            claim_until=None,
            **({} if again else {"attempts": 0}),
        )
        if not again:
            draft_copies.let_go_sent(submission)
        mark_original(submission)
        if delivered.size_limit != submission.account.provider.smtp_size_limit:
            Provider.objects.filter(pk=submission.account.provider_id).update(smtp_size_limit=delivered.size_limit)


def _not_sent(
    claim: Claim, submission: Submission, error: ProtocolError, answers: Sequence[RecipientAnswer] = ()
) -> None:
    """Refused for good: of what some have already the rest is given up, anything else is the person's again."""
    recipients = fates.noted(submission.recipients, answers)
    if submission.sent_at:
        recipients = fates.given_up(recipients)
        _finish(claim, State.SENT, fates.missed(recipients), recipients)
    else:
        _finish(claim, State.FAILED, error.sentence if answers else str(error), recipients)


def _later(
    claim: Claim,
    submission: Submission,
    error: ProtocolError,
    pause: timedelta,
    answers: Sequence[RecipientAnswer] = (),
) -> None:
    if _is_over(submission):
        _not_sent(claim, submission, error, answers)
        return
    claim.update(
        states=ANSWERED,
        state=State.RETRY,
        recipients=fates.noted(submission.recipients, answers),
        error=(error.sentence if answers else str(error))[:1000],
        not_before=timezone.now() + pause,
        claim="",
        claim_until=None,
    )


def _finish(claim: Claim, state: State, sentence: str, recipients: fates.Recipients) -> None:
    now = timezone.now()
    claim.update(
        states=ANSWERED,
        state=state,
        recipients=recipients,
        error=sentence[:1000],
        finished_at=now,
        not_before=now + (LOOK_PAUSE if state == State.UNCLEAR else timedelta()),
        claim="",
        claim_until=None,
    )


def _is_over(submission: Submission) -> bool:
    """Whether it was tried long enough."""
    started = max(submission.created_at, submission.send_after)
    is_late = timezone.now() - started > GIVE_UP and submission.attempts >= FEWEST_ATTEMPTS
    return is_late or submission.attempts >= MAX_ATTEMPTS


def _pause(attempts: int) -> timedelta:
    """Back-off with full jitter."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempts - 1, 10))
    return timedelta(seconds=random.uniform(longest / 4, longest))  # noqa: S311  spreads load, keeps no secret


def _publish(submission_id: UUID) -> None:
    account_id = Submission.objects.filter(pk=submission_id).values_list("account_id", flat=True).first()
    if account_id is not None:
        changes.publish(account_id, kind="jobs")
