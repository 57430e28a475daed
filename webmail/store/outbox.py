"""The outbox: what people told us to send, each message at most once, and what became of it in words.

A submission's states:

    queued ──▶ claimed ──▶ sending ──▶ sent ──▶ filed
     │  ▲         │           │
     │  │         │           ├──▶ unclear     no answer to the last piece, or the worker died there: nobody can tell.
     │  │         │           │      │         Never sent again by itself; the person says "again" (▶ queued)
     │  │         │           │      │         or "it was sent" (▶ sent), which a report about it says too
     │  └─ retry ◀┴───────────┤                later it may work; some recipients may have it by now
     │                        └──▶ failed      never by itself: the draft is open again
     └──▶ cancelled                            taken back in time: the draft is open again

`claimed` is one conditional UPDATE: of a request, a sweeper and two workers one gets the row. `sending` is committed
when all but the last piece is with the mail server and before that piece goes out; so a worker that dies before left
nothing behind, and one that dies after leaves it unclear. To take a message back is to take the row before it is
claimed. `sent` is committed before the copy is filed in the Sent mailbox; filing is tried by itself until it is done,
and looks before it acts (`filing`). The octets stay until then. `sending` is where the work is done.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from webmail.models import Account, Draft, Message, Submission, User
from webmail.protocol.compose import Letter, Outgoing, envelope_recipients, message_id
from webmail.protocol.errors import ProtocolError
from webmail.protocol.field_writing import address_field
from webmail.protocol.recipients import Typed, read
from webmail.protocol.resend import Resent, resend

from . import changes, draft_copies, drafts, fates, people, reading, words
from .doubt import take_as_sent
from .draft_room import LARGEST
from .drafts import Changed, OnItsWay, TooLarge
from .letters import NO_SERVER, NotReady, check_fields, in_zone, letter_of, sender_of

MAX_PER_HOUR = 200  # messages of one person
MAX_DELAY = timedelta(days=366)
KEPT = timedelta(days=30)  # for which it is known what was sent
CHANGED = "You changed this message since it was refused. Open it and send it from there."
SENT_BEFORE = "A message was sent from this form already. Press “Send” once more to send this one as well."
SENT_ON = "It was sent on from here already, to others. Press the button once more to send it to these as well."
TAKEN_BACK = "You took this message back, so it was not sent. Press “Send” once more if it is to go now."


class TooLate(ProtocolError):
    """The submission is no longer in a state in which that can be done."""

    sentence = "It is too late for that: the message is on its way."


def send(
    user: User, draft_id: UUID, *, version: int, form_key: str, at: datetime | None = None, undo: int = 0
) -> Submission:
    """Send a draft as it is saved. A second call with the same `form_key` gives the first one's submission.

    What was taken back or failed since is not sent by a second press that comes late, nor passed off as sent.

    Args:
        version: of the draft as the person saw it.
        at: when, aware; None for now.
        undo: seconds in which it can be taken back.

    Raises:
        Draft.DoesNotExist: the person has no such draft. OnItsWay: it is being sent already.
        Changed: it was saved from another window meanwhile.
        NotReady, TooLarge: what is wrong, in sentences.
    """
    draft = Draft.objects.for_user(user).select_related("account__provider", "account__user").get(pk=draft_id)
    before = _before(draft.account, form_key)
    if before is not None:
        if before.state == Submission.State.FILED or before.draft_id != draft.pk:
            raise NotReady((("", SENT_BEFORE),))  # that draft is gone: this one is another
        return before
    if draft.version != version:
        raise Changed(drafts.current(draft))
    letter, outgoing = letter_of(draft)
    now = timezone.now()
    when = min(max(at or now, now), now + MAX_DELAY) + timedelta(seconds=undo)
    try:
        with transaction.atomic():
            drafts.lock(user, draft_id)
            if not drafts.is_as_read(draft):
                raise Changed(drafts.current(Draft.objects.get(pk=draft_id)))
            _check_rate(user)
            # What failed before is replaced by this.
            draft.submissions.filter(state=Submission.State.FAILED).update(
                state=Submission.State.CANCELLED, message=None, finished_at=now
            )
            submission = _record(draft.account, outgoing, letter, form_key, when, draft=draft, subject=letter.subject)
            people.note_use(user, (*letter.to, *letter.cc, *letter.bcc))
            changes.publish(draft.account_id, kind="jobs")
    except (OnItsWay, IntegrityError):
        # Two requests at once: one of them made it, or a try of what had failed before.
        before = _before(draft.account, form_key)
        if before is None:
            raise OnItsWay from None
        return before
    return submission


def was_sent(user: User, form_key: str) -> bool:
    """Whether the message of this key is on its way, or was sent: the form comes a second time."""
    over = (Submission.State.CANCELLED, Submission.State.FAILED)
    return Submission.objects.for_user(user).filter(idem_key=form_key).exclude(state__in=over).exists()


def redirect(
    user: User,
    message: Message,
    *,
    from_address: str,
    to: str,
    cc: str = "",
    bcc: str = "",
    form_key: str,
    undo: int = 0,
) -> Submission:
    """Send a message on as it is (RFC 5322 §3.6.6).

    Args:
        message: found through `for_user`. from_address: one of the account's own. to, cc, bcc: as typed.
        undo: seconds in which it can be stopped.

    Raises:
        NotReady, TooLarge: what is wrong, in sentences. ProtocolError: the message can't be read now.
    """
    account = message.account
    before = _before(account, form_key)
    if before is not None:
        if [row[0] for row in before.recipients] != list(_written_to(read(to), read(cc), read(bcc))):
            raise NotReady((("", SENT_ON),))
        return before
    if message.size > LARGEST:
        raise TooLarge(f"This message has {words.size(message.size)}; at most {words.size(LARGEST)} can be sent.")
    sender = sender_of(account, from_address)
    fields = {"to": read(to), "cc": read(cc), "bcc": read(bcc)}
    check_fields(account, fields)
    now = timezone.now()
    resent = Resent(
        message_id(uuid.uuid4(), sender.address), in_zone(user, now), sender.as_address,
        fields["to"].addresses, fields["cc"].addresses, fields["bcc"].addresses,
    )  # fmt: skip
    outgoing = resend(b"".join(reading.raw(message)), resent)
    letter = Letter(resent.message_id, resent.date, resent.from_, resent.to, resent.cc, resent.bcc)
    try:
        with transaction.atomic():
            _check_rate(user)
            when = now + timedelta(seconds=undo)
            submission = _record(account, outgoing, letter, form_key, when, subject=message.subject)
            people.note_use(user, (*letter.to, *letter.cc, *letter.bcc))
            changes.publish(account.pk, kind="jobs")
    except IntegrityError:
        return Submission.objects.get(account=account, idem_key=form_key)
    return submission


def send_note(account: Account, letter: Letter, outgoing: Outgoing, *, kind: Submission.Kind, idem_key: str) -> bool:
    """Send what was written for the person, in the caller's transaction; False where that was done before.

    Nobody's address is collected from it, and no copy of it is kept.

    Args:
        letter: of which only identifier and subject count.

    Raises:
        NotReady: it can't be sent; why, in a sentence.
    """
    if Submission.objects.filter(account=account, idem_key=idem_key).exists():
        return False
    if not account.provider.smtp_host:
        raise NotReady((("", NO_SERVER),))
    _check_rate(account.user)
    try:
        with transaction.atomic():
            _record(account, outgoing, letter, idem_key, timezone.now(), subject=letter.subject, kind=kind)
    except IntegrityError:
        return False
    changes.publish(account.pk, kind="jobs")
    return True


def take_back(user: User, submission_id: UUID) -> UUID | None:
    """Stop a message that isn't on its way yet; return the key of its draft, which is open again.

    What some recipients have already is not sent to the others any more, and counts as sent.

    Raises:
        Submission.DoesNotExist: the person has none. TooLate: it is being sent, or was.
    """
    now = timezone.now()
    with transaction.atomic():
        submission = _without_octets(user).select_for_update(of=("self",)).get(pk=submission_id)
        if submission.state == Submission.State.CANCELLED and not _is_live(submission.draft_id):
            return submission.draft_id  # pressed twice
        if submission.state not in Submission.WAITING:
            raise TooLate
        row = Submission.objects.filter(pk=submission.pk)
        if submission.sent_at is None:
            row.update(state=Submission.State.CANCELLED, message=None, finished_at=now, error="")
        else:
            rest = fates.given_up(submission.recipients)
            row.update(state=Submission.State.SENT, not_before=now, attempts=0, recipients=rest)
        changes.publish(submission.account_id, kind="jobs")
    return submission.draft_id if submission.sent_at is None else None


def send_now(user: User, submission_id: UUID) -> Submission:
    """Don't wait any longer with a message that waits.

    Raises:
        Submission.DoesNotExist: the person has none. TooLate: it doesn't wait.
    """
    submission = _without_octets(user).get(pk=submission_id)
    now = timezone.now()
    if not Submission.objects.filter(pk=submission.pk, state__in=Submission.WAITING).update(
        send_after=now, not_before=now
    ):
        raise TooLate
    submission.refresh_from_db()
    return submission


def decide(user: User, submission_id: UUID, *, again: bool) -> Submission:
    """What a person says of a message that may have been sent: send it `again`, or take it as sent.

    Raises:
        Submission.DoesNotExist: the person has none. TooLate: it isn't unclear any more.
    """
    with transaction.atomic():
        submission = _without_octets(user).select_for_update(of=("self",)).get(pk=submission_id)
        if submission.state != Submission.State.UNCLEAR:
            raise TooLate("This is settled already.")
        _requeue(submission) if again else take_as_sent(submission)
        changes.publish(submission.account_id, kind="jobs")
    return submission


def note_sent(account_id: int, message_id: str) -> None:
    """Take an unclear message as sent, because something came back about it: nobody else knows its Message-ID."""
    rows = Submission.objects.filter(account=account_id, message_id=message_id, state=Submission.State.UNCLEAR)
    with transaction.atomic():
        for submission in rows.select_related("account").defer("message").select_for_update(of=("self",)):
            take_as_sent(submission)


def try_again(user: User, submission_id: UUID) -> Submission:
    """Send a message that failed once more, as it is.

    Raises:
        Submission.DoesNotExist: the person has none. TooLate: it hasn't failed, or its draft was sent or changed since.
    """
    failed = _without_octets(user).get(pk=submission_id)
    with transaction.atomic():
        # The draft first, as whoever sends or saves it does: it may not change until this is on its way.
        try:
            draft = drafts.lock(user, failed.draft_id) if failed.draft_id else None
        except (Draft.DoesNotExist, OnItsWay):
            raise TooLate from None
        submission = _without_octets(user).select_for_update(of=("self",)).get(pk=submission_id)
        if submission.state != Submission.State.FAILED:
            raise TooLate("This is settled already.")
        if draft is not None and draft.saved_at != submission.draft_saved_at:
            raise TooLate(CHANGED)
        _requeue(submission)
        changes.publish(submission.account_id, kind="jobs")
    return submission


def keep_no_copy(user: User, submission_id: UUID) -> None:
    """Let a message be that was sent, but can't be filed in the Sent mailbox.

    Raises:
        Submission.DoesNotExist: the person has none. TooLate: it isn't waiting to be filed.
    """
    submission = _without_octets(user).get(pk=submission_id)
    now = timezone.now()
    with transaction.atomic():
        waiting = Submission.objects.filter(pk=submission.pk, state=Submission.State.SENT)
        said = fates.missed(submission.recipients)
        filed = {"state": Submission.State.FILED, "message": None, "error": said, "finished_at": now}
        if not waiting.update(**filed, claim="", claim_until=None):
            raise TooLate("This is settled already.")
        draft_copies.let_go_sent(submission, draft_too=True)
        changes.publish(submission.account_id, kind="jobs")


def dismiss(user: User, submission_id: UUID) -> None:
    """Take a message that failed or was taken back off the list. Its draft stays.

    Raises:
        Submission.DoesNotExist: the person has none. TooLate: it is on its way, or unclear.
    """
    submission = _without_octets(user).get(pk=submission_id)
    over = Submission.objects.filter(
        pk=submission.pk, state__in=(Submission.State.FAILED, Submission.State.CANCELLED, Submission.State.FILED)
    )
    if not over.delete()[0]:
        raise TooLate


def forget_old() -> int:
    """Delete what is over and was long ago; return how many there were. What failed or is unclear stays.

    So do read receipts: that one was sent is what keeps another from being sent.
    """
    over = Submission.objects.filter(
        state__in=(Submission.State.FILED, Submission.State.CANCELLED), finished_at__lt=timezone.now() - KEPT
    ).exclude(kind=Submission.Kind.RECEIPT)
    return over.delete()[0]


def _before(account: Account, form_key: str) -> Submission | None:
    """What the form with this key has sent.

    Raises:
        NotReady: that was stopped or failed, so it has to be pressed anew.
    """
    before = Submission.objects.filter(account=account, idem_key=form_key).first()
    if before is not None and before.state == Submission.State.CANCELLED:
        raise NotReady((("", TAKEN_BACK),))
    if before is not None and before.state == Submission.State.FAILED:
        raise NotReady((("", f"This was not sent. {before.error} Press “Send” once more to try it again."),))
    return before


def _is_live(draft_id: UUID | None) -> bool:
    return Submission.objects.filter(draft=draft_id, state__in=Submission.LIVE).exists() if draft_id else False


def _written_to(*fields: Typed) -> tuple[str, ...]:
    return envelope_recipients(tuple(address for typed in fields for address in typed.addresses))


def _without_octets(user: User) -> QuerySet[Submission]:
    """The person's submissions; what they look like on the wire is not fetched."""
    return Submission.objects.for_user(user).defer("message")


def _requeue(submission: Submission) -> None:
    now = timezone.now()
    submission.state, submission.error = Submission.State.QUEUED, ""
    submission.attempts, submission.claim, submission.claim_until = 0, "", None
    submission.send_after = submission.not_before = now
    submission.finished_at = None
    # Nobody has got it for certain: who was refused is tried again too.
    submission.recipients = fates.once_more(submission.recipients, everybody=submission.sent_at is None)
    submission.save()


def _check_rate(user: User) -> None:
    since = timezone.now() - timedelta(hours=1)
    if Submission.objects.for_user(user).filter(created_at__gt=since).count() >= MAX_PER_HOUR:
        raise NotReady((("", f"You have sent {MAX_PER_HOUR} messages within an hour. Wait a little and try again."),))


def _record(
    account: Account,
    outgoing: Outgoing,
    letter: Letter,
    form_key: str,
    when: datetime,
    *,
    draft: Draft | None = None,
    subject: str,
    kind: Submission.Kind = Submission.Kind.LETTER,
) -> Submission:
    marks = {Draft.Kind.REPLY: "answered", Draft.Kind.FORWARD: "forwarded"}
    return Submission.objects.create(
        account=account,
        draft=draft,
        draft_saved_at=draft.saved_at if draft else None,
        kind=kind,
        idem_key=form_key,
        message_id=letter.message_id,
        sender=outgoing.sender,
        recipients=[[address, "", ""] for address in outgoing.recipients],
        subject=subject[:500],
        message=outgoing.message,
        blind=address_field("Bcc", letter.bcc) if letter.bcc else "",
        size=len(outgoing.message),
        needs_utf8=outgoing.needs_utf8,
        is_8bit=outgoing.is_8bit,
        original_row=draft.original_row if draft else None,
        marks=marks.get(Draft.Kind(draft.kind), "") if draft else "",
        send_after=when,
        not_before=when,
    )
