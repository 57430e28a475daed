"""The copy of a sent message in the Sent mailbox: exactly one, whoever else puts it there and whatever dies in between.

    sent ──▶ looked for by its Message-ID ──found──▶ filed
                    │ not there
                    ├── the server files what it sends, and was given less than 5 s for it ──▶ looked for again
                    ▼
              UIDNEXT kept ──▶ APPEND ──▶ filed
                                 └── any doubt ──▶ looked for again, from that UIDNEXT on

Only when the copy is known to be there do the octets and the draft go. A message that may have been sent is looked for
too, where the server files what it sends: that settles it.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from io import BytesIO
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from webmail.models import Account, Mailbox, Submission
from webmail.models.provider import KEEP_SENT
from webmail.protocol import text
from webmail.protocol.connection import Connection
from webmail.protocol.errors import ProtocolError, TryAgain
from webmail.protocol.types import Envelope, Flag, Role, Selected

from . import changes, draft_copies, fates, pools, sync
from .doubt import take_as_sent
from .failpoints import reach
from .holding import Claim, take

SERVER_FILES_WITHIN = timedelta(seconds=5)
UNCLEAR_LOOKED_FOR = timedelta(minutes=2)
RECENT = 200  # newest messages that are looked through where no mark says from where on
PAUSE = timedelta(seconds=10)  # after doubt: what a server was sent it may still be filing
LONGEST_PAUSE = timedelta(minutes=15)
LOOK_PAUSE = timedelta(seconds=1)
LONG_PAUSE = timedelta(hours=1)  # where trying again soon is of no use
NO_MAILBOX = "The message was sent. No copy could be kept: this account has no mailbox for sent mail."

State = Submission.State


def to_be_filed(now: datetime) -> Q:
    """Which submissions a look at the Sent mailbox is due for, and no worker at it."""
    free = Q(claim_until__isnull=True) | Q(claim_until__lt=now)
    keeps_sent = Q(account__provider__files_sent=True) | Q(account__provider__smtp_host__in=KEEP_SENT)
    unclear = Q(state=State.UNCLEAR, finished_at__gt=now - UNCLEAR_LOOKED_FOR, kind=Submission.Kind.LETTER) & keeps_sent
    return (Q(state=State.SENT) | unclear) & free & Q(not_before__lte=now)


def file(submission_id: UUID) -> None:
    """File the copy of a submission that was sent, if that is due."""
    now = timezone.now()
    # An UPDATE can't look at another table: the provider is asked for the row's key first.
    wanted = Submission.objects.filter(to_be_filed(now), pk=submission_id).values_list("state", flat=True).first()
    if wanted is None:
        return
    free = Q(claim_until__isnull=True) | Q(claim_until__lt=now)
    settled = False
    with take(submission_id, free & Q(state=wanted, not_before__lte=now)) as claim:
        if claim is not None:
            settled = _file(claim)
    if settled:
        file(submission_id)


def _file(claim: Claim) -> bool:
    """Whether that settled a doubt, so that there is more to do."""
    submission = Submission.objects.select_related("account__provider", "account__user").get(pk=claim.id)
    account = submission.account
    if submission.kind != Submission.Kind.LETTER:  # nobody wrote it, and nobody will look for it
        _finish(claim, submission)
        return False
    try:
        target = _sent_mailbox(account)
        if target is None:
            _later(claim, submission, NO_MAILBOX, LONG_PAUSE)
            return False
        with pools.lend(account) as imap:
            done = _look_or_append(claim, submission, target, imap)
    except TryAgain as error:
        pause = min(LONGEST_PAUSE, PAUSE * 2 ** min(max(submission.attempts - 1, 0), 10))
        _later(claim, submission, f"The message was sent. {error.sentence}", pause)
    except ProtocolError as error:
        _later(claim, submission, f"The message was sent, but its copy could not be kept: {error}", LONG_PAUSE)
    else:
        if done and submission.state == State.UNCLEAR:
            _settle(claim, submission)
            return True
        if done:
            _finish(claim, submission)
            reach("file.done")
            _show(account, target)
        else:
            _later(claim, submission, submission.error, LOOK_PAUSE)
    return False


def _sent_mailbox(account: Account) -> Mailbox | None:
    sent = account.mailboxes.filter(role=Role.SENT.value, selectable=True)
    if not sent.exists():
        sync.list_mailboxes(account)
    return sent.first()


def _look_or_append(claim: Claim, submission: Submission, target: Mailbox, imap: Connection) -> bool:
    """Whether the copy is there now; False to look again later."""
    selected = imap.select(target.name, fresh=True)
    if _look(imap, target, selected, submission):
        return True
    reach("file.looked")
    if submission.state == State.UNCLEAR:
        return False
    sent_at = submission.sent_at or submission.created_at
    if submission.account.provider.keeps_sent and timezone.now() < sent_at + SERVER_FILES_WITHIN:
        return False
    if submission.sent_uidvalidity != selected.uidvalidity or not submission.sent_uidnext:
        submission.sent_uidvalidity, submission.sent_uidnext = selected.uidvalidity, selected.uidnext
        claim.update(states=(State.SENT,), sent_uidvalidity=selected.uidvalidity, sent_uidnext=selected.uidnext)
    reach("file.on_wire")
    octets = submission.blind.encode() + bytes(submission.message or b"")
    imap.append(target.name, BytesIO(octets), flags=[Flag.SEEN], date=sent_at, check=claim.check)
    reach("file.appended")
    # It says that it has it. Whoever looked for it now and didn't find it (a server may give it another Message-ID, or
    # show it later) would put another there, and another.
    return True


def _look(imap: Connection, target: Mailbox, selected: Selected, submission: Submission) -> bool:
    """Whether our message is among those that came since the first try, or are the newest.

    It is known by its Message-ID. Where the server files what it sends it may replace that (outlook.com): there also by
    its date, to the second, with sender, recipients and subject.
    """
    if not selected.exists:
        return False
    if submission.sent_uidnext and submission.sent_uidvalidity == selected.uidvalidity:
        found = imap.fetch_range(target.name, selected.uidvalidity, submission.sent_uidnext, None)
    else:
        _, found = imap.newest(target.name, RECENT)
    envelopes = [text.envelope(each.header or b"") for each in found]
    if any(each.message_id == submission.message_id for each in envelopes):
        return True
    head, blank, _ = bytes(submission.message or b"").partition(b"\r\n\r\n")
    ours = _likeness(text.envelope(head + blank))
    return submission.account.provider.keeps_sent and any(_likeness(each) == ours for each in envelopes)


def _likeness(envelope: Envelope) -> tuple[object, ...]:
    people = (envelope.from_, envelope.to, envelope.cc)
    return (envelope.date, envelope.subject, *([each.address for each in field] for field in people))


def _settle(claim: Claim, submission: Submission) -> None:
    """The copy is there of a message that may have been sent: it was."""
    with transaction.atomic():
        claim.update(states=(State.UNCLEAR,), claim="", claim_until=None)
        take_as_sent(submission)
        changes.publish(submission.account_id, kind="jobs")


def _finish(claim: Claim, submission: Submission) -> None:
    """The copy is there: nothing of the message needs to be kept any more."""
    with transaction.atomic():
        claim.update(
            states=(State.SENT,),
            state=State.FILED,
            message=None,
            error=fates.missed(submission.recipients),
            finished_at=timezone.now(),
            claim="",
            claim_until=None,
        )
        draft_copies.let_go_sent(submission, draft_too=True)
        changes.publish(submission.account_id, kind="jobs")


def _later(claim: Claim, submission: Submission, sentence: str, pause: timedelta) -> None:
    unclear = submission.state == State.UNCLEAR
    claim.update(
        states=(State.SENT, State.UNCLEAR),
        error=submission.error if unclear else sentence[:1000],
        not_before=timezone.now() + pause,
        claim="",
        claim_until=None,
    )


def _show(account: Account, target: Mailbox) -> None:
    """Bring the index of the Sent mailbox up to date; else its next visit will."""
    if target.uidvalidity:
        target.account = account
        with suppress(ProtocolError):
            sync.refresh(target)
