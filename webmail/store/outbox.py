"""The outbox: what people told us to send, each message at most once, and what became of it in words.

A submission's states:

    queued ──▶ claimed ──▶ sending ──▶ sent ──▶ filed
     │  ▲         │           │
     │  │         │           ├──▶ unclear     no answer to the last piece, or the worker died there: nobody can tell.
     │  │         │           │      │         Never sent again by itself; the person says "again" (▶ queued)
     │  │         │           │      │         or "it was sent" (▶ sent)
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
import zoneinfo
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import escape
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from webmail.models import Account, Draft, Message, Submission, User
from webmail.protocol import written
from webmail.protocol.compose import File, Letter, Outgoing, Priority, message_id, write
from webmail.protocol.errors import Forbidden, ProtocolError
from webmail.protocol.field_writing import address_field, text_field
from webmail.protocol.recipients import Typed, read
from webmail.protocol.resend import Resent, resend

from . import changes, drafts, identities, people, reading, words
from .drafts import LARGEST, Changed, OnItsWay, TooLarge

MAX_RECIPIENTS = 100
MAX_PER_HOUR = 200  # messages of one person
MAX_DELAY = timedelta(days=366)
KEPT = timedelta(days=30)  # for which it is known what was sent
NO_SERVER = "Mail can't be sent from this account: its administrator has set no server for sending."


class NotReady(ProtocolError):
    """Something has to be put right before this can be sent. Nothing was lost.

    `problems` are pairs of a field's name ("to", "cc", "bcc", "reply_to", "from_address", "subject", "") and a
    sentence, in the order of the form.
    """

    sentence = "This message can't be sent yet."

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__(problems[0][1])
        self.problems = problems


class TooLate(ProtocolError):
    """The submission is no longer in a state in which that can be done."""

    sentence = "It is too late for that: the message is on its way."


def send(
    user: User, draft_id: UUID, *, version: int, form_key: str, at: datetime | None = None, undo: int = 0
) -> Submission:
    """Send a draft as it is saved. A second call with the same `form_key` gives the first one's submission.

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
    before = Submission.objects.filter(account=draft.account, idem_key=form_key).first()
    if before is not None:
        return before
    if draft.version != version:
        raise Changed(drafts.current(draft))
    sender = _sender(draft)
    letter, fields = _letter(draft, sender)
    outgoing = _checked(draft.account, letter, fields)
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
        # Two requests at once: one of them made it.
        before = Submission.objects.filter(account=draft.account, idem_key=form_key).first()
        if before is None:
            raise
        return before
    return submission


def redirect(
    user: User, message: Message, *, from_address: str, to: str, cc: str = "", bcc: str = "", form_key: str
) -> Submission:
    """Send a message on as it is (RFC 5322 §3.6.6).

    Args:
        message: found through `for_user`. from_address: one of the account's own. to, cc, bcc: as typed.

    Raises:
        NotReady, TooLarge: what is wrong, in sentences. ProtocolError: the message can't be read now.
    """
    account = message.account
    before = Submission.objects.filter(account=account, idem_key=form_key).first()
    if before is not None:
        return before
    if message.size > LARGEST:
        raise TooLarge(f"This message has {words.size(message.size)}; at most {words.size(LARGEST)} can be sent.")
    try:
        sender = identities.sender_for(account, from_address)
    except ProtocolError as error:
        raise NotReady((("from_address", error.sentence),)) from None
    fields = {"to": read(to), "cc": read(cc), "bcc": read(bcc)}
    _check_fields(account, fields)
    now = timezone.now()
    resent = Resent(
        message_id(uuid.uuid4(), sender.address), _in_zone(user, now), sender.as_address,
        fields["to"].addresses, fields["cc"].addresses, fields["bcc"].addresses,
    )  # fmt: skip
    outgoing = resend(b"".join(reading.raw(message)), resent)
    letter = Letter(resent.message_id, resent.date, resent.from_, resent.to, resent.cc, resent.bcc)
    try:
        with transaction.atomic():
            _check_rate(user)
            submission = _record(account, outgoing, letter, form_key, now, subject=message.subject)
            people.note_use(user, (*letter.to, *letter.cc, *letter.bcc))
            changes.publish(account.pk, kind="jobs")
    except IntegrityError:
        return Submission.objects.get(account=account, idem_key=form_key)
    return submission


def take_back(user: User, submission_id: UUID) -> UUID | None:
    """Stop a message that isn't on its way yet; return the key of its draft, which is open again.

    What some recipients have already is not sent to the others any more, and counts as sent.

    Raises:
        Submission.DoesNotExist: the person has none. TooLate: it is being sent, or was.
    """
    submission = _without_octets(user).get(pk=submission_id)
    waiting = Submission.objects.filter(pk=submission.pk, state__in=Submission.WAITING)
    now = timezone.now()
    with transaction.atomic():
        taken = waiting.filter(sent_at=None).update(
            state=Submission.State.CANCELLED, message=None, finished_at=now, error=""
        )
        if not taken and not waiting.exclude(sent_at=None).update(state=Submission.State.SENT, not_before=now):
            raise TooLate
        changes.publish(submission.account_id, kind="jobs")
    return submission.draft_id if taken else None


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
        _requeue(submission) if again else _take_as_sent(submission)
        changes.publish(submission.account_id, kind="jobs")
    return submission


def try_again(user: User, submission_id: UUID) -> Submission:
    """Send a message that failed once more, as it is.

    Raises:
        Submission.DoesNotExist: the person has none. TooLate: it hasn't failed, or its draft was sent meanwhile.
    """
    try:
        with transaction.atomic():
            submission = _without_octets(user).select_for_update(of=("self",)).get(pk=submission_id)
            if submission.state != Submission.State.FAILED:
                raise TooLate("This is settled already.")
            _requeue(submission)
            changes.publish(submission.account_id, kind="jobs")
    except IntegrityError:
        raise TooLate from None
    return submission


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
    """Delete what is over and was long ago; return how many there were. What failed or is unclear stays."""
    over = Submission.objects.filter(
        state__in=(Submission.State.FILED, Submission.State.CANCELLED), finished_at__lt=timezone.now() - KEPT
    )
    return over.delete()[0]


def _without_octets(user: User) -> QuerySet[Submission]:
    """The person's submissions; what they look like on the wire is not fetched."""
    return Submission.objects.for_user(user).defer("message")


def _requeue(submission: Submission) -> None:
    now = timezone.now()
    submission.state, submission.error = Submission.State.QUEUED, ""
    submission.attempts, submission.claim, submission.claim_until = 0, "", None
    submission.send_after = submission.not_before = now
    submission.finished_at = None
    if submission.sent_at is None:  # who was accepted then may not have got it; who was refused is tried again too
        submission.recipients = [[address, "", ""] for address, _fate, _words in submission.recipients]
    submission.save()


def _take_as_sent(submission: Submission) -> None:
    now = timezone.now()
    submission.state, submission.error = Submission.State.SENT, ""
    submission.sent_at, submission.not_before = submission.sent_at or now, now
    submission.claim, submission.claim_until, submission.finished_at = "", None, None
    submission.save()


def _sender(draft: Draft) -> identities.Sender:
    try:
        return identities.sender_for(draft.account, draft.from_address)
    except ProtocolError as error:
        raise NotReady((("from_address", error.sentence),)) from None


def _letter(draft: Draft, sender: identities.Sender) -> tuple[Letter, dict[str, Typed]]:
    """The draft's values as a letter, and its fields as they were read."""
    account = draft.account
    fields = {name: read(getattr(draft, name)) for name in ("to", "cc", "bcc", "reply_to")}
    html, text = "", draft.text
    footer = account.provider.footer.strip()
    if draft.is_html:
        html = written.clean(draft.html)
        if footer:
            lines = "<br>".join(escape(line, quote=False) for line in footer.splitlines())
            html += f"<p>{lines}</p>"
    elif footer:
        text = f"{text.rstrip()}\n\n{footer}"
    letter = Letter(
        message_id=message_id(uuid.uuid4(), sender.address),
        date=_in_zone(account.user, timezone.now()),
        from_=sender.as_address,
        to=fields["to"].addresses,
        cc=fields["cc"].addresses,
        bcc=fields["bcc"].addresses,
        reply_to=fields["reply_to"].addresses or read(sender.reply_to).addresses,
        subject=" ".join(draft.subject.split()),
        text=text,
        html=html,
        files=tuple(_files(draft)),
        in_reply_to=tuple(draft.in_reply_to.split()),
        references=tuple(draft.references.split()),
        priority=Priority(draft.priority),
        wants_receipt=draft.wants_receipt,
    )
    return letter, fields


def _files(draft: Draft) -> Iterator[File]:
    for file in draft.files.all():
        yield File(file.name, file.type, bytes(file.data), file.content_id)


def _checked(account: Account, letter: Letter, fields: dict[str, Typed]) -> Outgoing:
    """The letter as it goes out, or what is wrong with it."""
    _check_fields(account, fields)
    try:
        text_field("Subject", letter.subject)
    except Forbidden as error:
        raise NotReady((("subject", error.sentence),)) from error
    try:
        outgoing = write(letter)
    except Forbidden as error:
        raise NotReady((("", error.sentence),)) from error
    limit = drafts.largest(account)
    if len(outgoing.message) > limit:
        raise TooLarge(
            f"With its files this message has {words.size(len(outgoing.message))}; at most {words.size(limit)} can be"
            " sent. Files grow by a third on their way."
        )
    return outgoing


def _check_fields(account: Account, fields: dict[str, Typed]) -> None:
    problems = [(name, problem.sentence) for name, typed in fields.items() for problem in typed.problems]
    count = sum(len(fields[name].addresses) for name in ("to", "cc", "bcc"))
    if not account.provider.smtp_host:
        problems.append(("", NO_SERVER))
    if not count and not problems:
        problems.append(("to", "Say whom this is for."))
    if count > MAX_RECIPIENTS:
        problems.append(("to", f"These are {count} recipients; a message can have {MAX_RECIPIENTS} at most."))
    if problems:
        raise NotReady(tuple(problems))


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
) -> Submission:
    marks = {Draft.Kind.REPLY: "answered", Draft.Kind.FORWARD: "forwarded"}
    return Submission.objects.create(
        account=account,
        draft=draft,
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


def _in_zone(user: User, when: datetime) -> datetime:
    return when.astimezone(zoneinfo.ZoneInfo(user.time_zone)).replace(microsecond=0)
