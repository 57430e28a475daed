"""The outbox in ready-made values: every message that isn't filed yet, what becomes of it, and what can be done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet
from django.utils import timezone

from webmail.models import Report, Submission, User
from webmail.models.message import hash_of
from webmail.protocol.report import reason
from webmail.protocol.smtp_outcome import Fate

from .fates import MISSED

SHOWN_DAYS = 7  # for which a message that was sent, but not to everybody, stays on the list
LONG = timedelta(minutes=15)  # for which a message is tried again without a mark
MOST = 200

_STATES = {
    Submission.State.QUEUED: "Waiting",
    Submission.State.CLAIMED: "Being sent",
    Submission.State.SENDING: "Being sent",
    Submission.State.RETRY: "Will be tried again",
    Submission.State.SENT: "Sent, being filed",
    Submission.State.FILED: "Sent",
    Submission.State.FAILED: "Not sent",
    Submission.State.UNCLEAR: "May have been sent",
    Submission.State.CANCELLED: "Taken back",
}
_OUTCOMES = {"failed": "could not be delivered", "delayed": "not delivered yet"}
_FATES = {
    "": "waiting",
    Fate.ACCEPTED: "sent",
    Fate.DEFERRED: "not taken yet",
    Fate.REFUSED: "refused",
    Fate.UNSURE: "may have it",
    Fate.GIVEN_UP: "not sent",
}
_MISSED = (_FATES[Fate.REFUSED], _FATES[Fate.GIVEN_UP], *_OUTCOMES.values())


@dataclass(frozen=True, slots=True)
class RecipientLine:
    """One recipient: what became of them in a word, why, and the server's own words or those of a delivery report."""

    address: str
    fate: str
    reason: str
    said: str

    @property
    def is_refused(self) -> bool:
        return self.fate in _MISSED

    @property
    def is_told(self) -> bool:
        """Whether there is something to say of them alone."""
        return self.is_refused or self.fate in (_FATES[Fate.DEFERRED], _FATES[Fate.UNSURE])


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of the outbox.

    Args:
        state: in words. name: of the state, for its look. sentence: what is the matter, or "".
        due: when it is sent or tried next; None where it doesn't wait.
        draft: key of its draft, if it can be opened again.
        can_take_back, can_send_now, can_decide, can_try_again, can_dismiss, can_keep_no_copy: which buttons it has.
    """

    id: UUID
    title: str
    state: str
    name: str
    sentence: str
    recipients: tuple[RecipientLine, ...]
    created_at: datetime
    due: datetime | None = None
    draft: UUID | None = None
    can_take_back: bool = False
    can_send_now: bool = False
    can_decide: bool = False
    can_try_again: bool = False
    can_dismiss: bool = False
    can_keep_no_copy: bool = False

    @property
    def refused(self) -> tuple[RecipientLine, ...]:
        """Those who won't get it."""
        return tuple(line for line in self.recipients if line.is_refused)

    @property
    def told(self) -> tuple[RecipientLine, ...]:
        """Those of whom something is said alone, as it isn't so of all: they don't get it, not yet, or may have it."""
        are_alike = len({line.fate for line in self.recipients}) == 1 and self.can_decide
        return () if are_alike else tuple(line for line in self.recipients if line.is_told)


def entries(user: User) -> list[Entry]:
    """What of the person's mail is on its way, failed or unclear, and what not everybody got; the last one first."""
    since = timezone.now() - timedelta(days=SHOWN_DAYS)
    rows = _rows(user)
    # Apart: what waits, failed or is unclear is not to be pushed off the list by all that was sent since.
    going = rows.exclude(state__in=(Submission.State.CANCELLED, Submission.State.FILED))[:MOST]
    filed = _entries(user, rows.filter(state=Submission.State.FILED, created_at__gte=since)[:MOST])
    listed = [*_entries(user, going), *(entry for entry in filed if entry.refused)]
    return sorted(listed, key=lambda entry: entry.created_at, reverse=True)


def entry(user: User, submission_id: UUID) -> Entry | None:
    """One message of the person, whatever its state; None where there is none."""
    return next(_entries(user, _rows(user).filter(pk=submission_id)), None)


def needs_attention(user: User) -> int:
    """How many failed, are unclear, wait for long or were not taken for everybody: for a mark beside "Outbox"."""
    now = timezone.now()
    since = now - timedelta(days=SHOWN_DAYS)
    wanted = Q(state__in=(Submission.State.FAILED, Submission.State.UNCLEAR))
    wanted |= Q(state=Submission.State.RETRY, send_after__lt=now - LONG)
    not_everybody = Q(state=Submission.State.FILED, created_at__gte=since) & ~Q(error="")
    return Submission.objects.for_user(user).filter(wanted | not_everybody).count()


def _rows(user: User) -> QuerySet[Submission]:
    """The person's, without what is sent; whether the draft was changed since is asked along."""
    changed = Q(draft__isnull=False) & (Q(draft_saved_at=None) | ~Q(draft__saved_at=F("draft_saved_at")))
    told = ExpressionWrapper(changed, BooleanField())
    return Submission.objects.for_user(user).defer("message", "blind").annotate(is_changed=told)


def _entries(user: User, rows: Iterable[Submission]) -> Iterator[Entry]:
    """The rows with what was reported of them."""
    listed = list(rows)
    told = Report.objects.filter(account__user=user, message_hash__in=[hash_of(row.message_id) for row in listed])
    found: dict[tuple[int, str], dict[str, Report]] = {}
    for report in told.filter(kind=Report.Kind.DELIVERY):
        found.setdefault((report.account_id, report.message_id), {})[report.recipient] = report
    return (_entry(row, found.get((row.account_id, row.message_id), {})) for row in listed)


def _lines(row: Submission, told: Mapping[str, Report]) -> Iterator[RecipientLine]:
    """The recipients, with what the server said of each, or a report after that."""
    for address, fate, words in row.recipients:
        report = told.get(address)
        if report is not None and report.outcome in _OUTCOMES:
            yield RecipientLine(address, _OUTCOMES[report.outcome], report.reason, report.said)
        else:
            why = reason("", words) if fate in MISSED else ""  # what is put off is often put off without a reason
            yield RecipientLine(address, _FATES.get(fate, ""), why, "" if fate == Fate.UNSURE else words)


def _entry(row: Submission, told: Mapping[str, Report]) -> Entry:
    state = Submission.State(row.state)
    waits = state in Submission.WAITING
    failed = state == Submission.State.FAILED
    lines = tuple(_lines(row, told))
    missed = sum(line.is_refused for line in lines)
    said = _STATES[state]
    if missed and state == Submission.State.FILED:
        said = "Sent, not to everybody" if missed < len(lines) else "Sent, not delivered"
    return Entry(
        id=row.pk,
        title=row.subject or "(no subject)",
        state=said,
        name=state.value,
        sentence=row.error,
        recipients=lines,
        created_at=row.created_at,
        due=max(row.send_after, row.not_before) if waits else None,
        draft=row.draft_id if failed else None,
        can_take_back=waits,
        can_send_now=waits,
        can_decide=state == Submission.State.UNCLEAR,
        can_try_again=failed and not row.is_changed,  # type: ignore[attr-defined]
        can_dismiss=failed or state == Submission.State.FILED,
        can_keep_no_copy=state == Submission.State.SENT and bool(row.error) and bool(row.attempts),
    )
