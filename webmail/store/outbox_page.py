"""The outbox in ready-made values: every message that isn't filed yet, what becomes of it, and what can be done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from webmail.models import Report, Submission, User
from webmail.models.message import hash_of
from webmail.protocol.smtp_outcome import Fate

SHOWN_DAYS = 7  # for which a message that was sent, but not to everybody, stays on the list
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
_FATES = {"": "waiting", Fate.ACCEPTED: "sent", Fate.DEFERRED: "later", Fate.REFUSED: "refused"}


@dataclass(frozen=True, slots=True)
class RecipientLine:
    """One recipient: what became of them in a word, and why: in the server's own words, or from a delivery report."""

    address: str
    fate: str
    words: str

    @property
    def is_refused(self) -> bool:
        return self.fate in (_FATES[Fate.REFUSED], *_OUTCOMES.values())


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
        """Those who won't get it, or not yet."""
        return tuple(line for line in self.recipients if line.is_refused)


def entries(user: User) -> list[Entry]:
    """What of the person's mail is on its way, failed or unclear, and what not everybody got; the last one first."""
    since = timezone.now() - timedelta(days=SHOWN_DAYS)
    rows = (
        Submission.objects.for_user(user)
        .exclude(state=Submission.State.CANCELLED)
        .exclude(state=Submission.State.FILED, created_at__lt=since)
        .defer("message", "blind")
    )[:MOST]
    listed = _entries(user, rows)
    return [entry for entry in listed if entry.name != Submission.State.FILED or entry.refused]


def entry(user: User, submission_id: UUID) -> Entry | None:
    """One message of the person, whatever its state; None where there is none."""
    rows = Submission.objects.for_user(user).defer("message", "blind").filter(pk=submission_id)
    return next(_entries(user, rows), None)


def needs_attention(user: User) -> int:
    """How many messages failed or are unclear: for a mark beside "Outbox"."""
    states = (Submission.State.FAILED, Submission.State.UNCLEAR)
    return Submission.objects.for_user(user).filter(state__in=states).count()


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
            yield RecipientLine(address, _OUTCOMES[report.outcome], report.reason or report.said)
        else:
            yield RecipientLine(address, _FATES.get(fate, ""), words)


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
        can_try_again=failed,
        can_dismiss=failed or state == Submission.State.FILED,
        can_keep_no_copy=state == Submission.State.SENT and bool(row.error) and bool(row.attempts),
    )
