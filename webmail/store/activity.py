"""What happened and what waits: every job of a person in words, for thirty days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from webmail.models import Job, User

from . import listing, undoing, words
from .kinds import KINDS

KEPT = timedelta(days=30)
JUST_NOW = timedelta(minutes=2)  # for which an open page is told what was refused
MOST_TOLD = 5
PAGE = 50

# What was asked for. {n}: "a message", "48,213 messages"; {to}, {name}: mailboxes.
_ACTS = {
    "read": "Mark {n} as read",
    "unread": "Mark {n} as unread",
    "flag": "Flag {n}",
    "unflag": "Clear the flag of {n}",
    "label": "Label {n}",
    "unlabel": "Take a label off {n}",
    "flags": "Change the flags of {n}",
    "move": "Move {n} to {to}",
    "archive": "Archive {n}",
    "junk": "Report {n} as junk",
    "not_junk": "Report {n} as not junk",
    "trash": "Delete {n}",
    "delete": "Delete {n} for good",
    "empty": "Empty {name}: delete {n} for good",
    "copy": "Copy {n} to {to}",
    "import": "Import {n} into {to}",
    "save": "Save an attachment in {to}",
    "create": "Make the mailbox {name}",
    "rename": "Rename the mailbox {name} to {new}",
    "remove": "Delete the mailbox {name}",
    "subscribe": "Subscribe to {name}",
    "unsubscribe": "Unsubscribe from {name}",
}
_STATES = {
    Job.State.QUEUED: "Waiting",
    Job.State.LEASED: "Under way",
    Job.State.ON_WIRE: "Under way",
    Job.State.VERIFY: "Being checked",
    Job.State.RETRY: "Will be tried again",
    Job.State.DONE: "Done",
    Job.State.FAILED: "Not done",
    Job.State.UNCLEAR: "Unclear",
    Job.State.DEAD: "Given up",
    Job.State.CANCELLED: "Cancelled",
}


@dataclass(frozen=True, slots=True)
class Act:
    """One job, ready to print; what isn't so is "".

    `pk` is its key, `what` a sentence without a full stop, `progress` "2,000 of 48,213", `percent` likewise for a bar.
    `note` says what else is to be known, such as messages that somebody else had taken; `notes` a line of some of them.
    """

    pk: str
    account: str
    what: str
    when: str
    state: str
    pending: bool
    good: bool
    bad: bool
    progress: str
    percent: str
    error: str
    note: str
    notes: tuple[str, ...]
    may_cancel: bool
    may_retry: bool
    may_undo: bool


@dataclass(frozen=True, slots=True)
class Activity:
    """A page of it, newest first. `older` is the cursor of the next page, "" at the end."""

    acts: tuple[Act, ...]
    older: str
    pending: str


def page(user: User, cursor: str = "") -> Activity:
    """What was done and what waits at all accounts of a person.

    Args:
        cursor: `older` of the page before; whatever can't be read begins at the top.
    """
    mine = Job.objects.for_user(user).filter(created_at__gte=timezone.now() - KEPT)
    jobs = mine.select_related("account", "mailbox", "target", "undoes").order_by("-created_at", "-pk")
    position = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < 10 else 0
    found = list(jobs.defer("digests")[position : position + PAGE + 1])
    waiting = mine.filter(state__in=Job.PENDING).count()
    return Activity(
        acts=tuple(describe(job, user) for job in found[:PAGE]),
        older=str(position + PAGE) if len(found) > PAGE else "",
        pending=words.count(waiting) if waiting else "",
    )


def describe(job: Job, user: User) -> Act:
    """One job in words."""
    pending = job.state in Job.PENDING
    sliced = pending and 0 < job.done < job.count
    return Act(
        pk=str(job.pk),
        account=job.account.address,
        what=what(job),
        when=words.full_date(job.created_at.astimezone(listing.zone_of(user))),
        state="Being stopped" if undoing.is_stopping(job) else _STATES[Job.State(job.state)],
        pending=pending,
        good=job.state == Job.State.DONE,
        bad=job.state in (Job.State.FAILED, Job.State.DEAD, Job.State.UNCLEAR),
        progress=f"{words.count(job.done)} of {words.count(job.count)}" if sliced else "",
        percent=str(job.done * 100 // job.count) if sliced else "",
        error=job.error,
        note=_note(job),
        notes=tuple(f"No. {words.count(number)}: {why}." for number, why in job.evidence.get("notes", ())),
        may_cancel=undoing.may_cancel(job),
        may_retry=undoing.may_retry(job),
        may_undo=_may_undo(job),
    )


def refusals(user: User) -> list[tuple[str, str]]:
    """What of a person's acts was just refused: the job's key, and what was not done and why."""
    ended = (Job.State.FAILED, Job.State.DEAD, Job.State.UNCLEAR)
    jobs = Job.objects.for_user(user).filter(state__in=ended, finished_at__gte=timezone.now() - JUST_NOW)
    found = jobs.select_related("account", "mailbox", "target", "undoes").defer("digests").order_by("-finished_at")
    states = {Job.State.UNCLEAR: "Nobody knows whether this was done"}
    return [
        (str(job.pk), f"{states.get(Job.State(job.state), 'Not done')}: {what(job)}. {job.error}".strip())
        for job in found[:MOST_TOLD]
    ]


def what(job: Job) -> str:
    """What was asked for: "Move 3 messages to Archive"."""
    if job.act == "undo" and job.undoes is not None:
        return f"Undo: {what(job.undoes)}"
    sentence = _ACTS.get(job.act, job.get_kind_display())
    number = words.messages(job.count, "a message") if job.count or job.kind != Job.Kind.IMPORT else "mail"
    target = listing.title_of(job.target) if job.target else job.target_name
    name = listing.title_of(job.mailbox) if job.mailbox and job.act == "empty" else job.mailbox_name
    return sentence.format(n=number, to=target, name=name, new=job.arguments.get("name", ""))


def forget_old() -> int:
    """Delete what ended more than thirty days ago. Return how many jobs that were."""
    deleted, _ = Job.objects.exclude(state__in=Job.PENDING).filter(created_at__lt=timezone.now() - KEPT).delete()
    return deleted


def _may_undo(job: Job) -> bool:
    """Whether Undo stands beside it. Where it turns out that nothing can be done, it says so when it is tried."""
    if job.kind in (Job.Kind.EXPUNGE, Job.Kind.REMOVE, Job.Kind.CREATE):
        return undoing.may_cancel(job)
    return undoing.may_cancel(job) or (job.kind in KINDS and undoing.can_undo(job))


def _note(job: Job) -> str:
    lost, left = job.evidence.get("lost", 0), job.evidence.get("left", 0)
    said = []
    if lost:
        those = "One message was" if lost == 1 else f"{words.count(lost)} messages were"
        said.append(f"{those} gone already: another program had moved or deleted them.")
    if left:
        said.append("They stay on the mail server, marked as deleted and hidden here, until it may remove them.")
    if there := job.evidence.get("there", 0):
        said.append(f"{'One was' if there == 1 else f'{words.count(there)} were'} there already.")
    if bad := job.evidence.get("bad", 0):
        said.append(f"{'One was' if bad == 1 else f'{words.count(bad)} were'} left out.")
    return " ".join(said)
