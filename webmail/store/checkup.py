"""How an account is, in ready-made values: for its owner and, without the names of mailboxes, for the administrator."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from django.db.models import QuerySet
from django.utils import timezone

from webmail.models import Account, Job, Mailbox
from webmail.protocol.types import Server

from . import breaker, budget, doctor, listing, sidebar, words

JOBS_SINCE = timedelta(days=30)
JOBS_SHOWN = 10
# What a server of IMAP4rev2 has in any case (RFC 9051 appendix E).
_IN_REV2 = frozenset({"IDLE", "NAMESPACE", "UIDPLUS", "MOVE", "LIST-STATUS", "SPECIAL-USE", "ESEARCH"})
# A capability, what it is good for here, and how it is without.
_FEATURES = (
    ("IDLE", "News at once", "without it new mail is looked for every few minutes"),
    ("NOTIFY", "News of all mailboxes at once", "without it the inbox is watched, the others are looked at in turn"),
    ("CONDSTORE", "Changed flags in one question", "without it flags are compared, newest first"),
    ("QRESYNC", "Deleted mail in the same question", "without it the lists of both sides are compared"),
    ("LIST-STATUS", "All counts in one question", "without it each mailbox is asked for its own"),
    ("ESEARCH", "Short answers to a search", "without it answers are longer"),
    ("MOVE", "Moving in one step", "without it mail is copied, then removed"),
    ("UIDPLUS", "Undo and filing that find their message", "without it a message is looked for after it was filed"),
    ("SPECIAL-USE", "Sent, Drafts and Trash by what they are", "without it they are known by their names"),
    ("OBJECTID", "Links that survive a renamed mailbox", "without it a renamed mailbox is read again"),
    ("NAMESPACE", "Shared mailboxes", "without it only your own mailboxes are found"),
    ("QUOTA", "How much room is left", "without it nobody can tell before the mailbox is full"),
    ("COMPRESS=DEFLATE", "Less to transfer", "without it slow lines take longer"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that a server may offer: its name in the protocol and what that means to the person."""

    name: str
    words: str
    without: str
    offered: bool


@dataclass(frozen=True, slots=True)
class MailboxCheckup:
    """How old the index of one mailbox is, in words."""

    pk: int
    name: str
    messages: str
    indexed: str
    checked: str
    compared: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that went wrong: when, what, and more of it where there is any."""

    when: str
    sentence: str
    detail: str


@dataclass(frozen=True, slots=True)
class Checkup:
    """All of it. What isn't known is ""; `features` are empty where nobody has logged in lately."""

    state: str
    log_in: str
    connections: str
    server: str
    waiting: str
    features: tuple[Feature, ...]
    mailboxes: tuple[MailboxCheckup, ...]
    jobs: tuple[Trouble, ...]
    jobs_in_all: str
    failures: tuple[Trouble, ...]


def checkup(account: Account, zone: tzinfo, *, by_name: bool = True) -> Checkup:
    """How `account` is now. Asks nothing of its server.

    Args:
        account: with its provider. zone: of whoever reads it.
        by_name: False leaves out the names that the owner gave to mailboxes.
    """
    now = timezone.now()
    log_in = doctor.last_log_in(account.pk)
    return Checkup(
        state=listing.notice_of(account, zone),
        log_in=f"{log_in.seconds * 1000:,.0f} ms, {words.ago(log_in.at, now)}" if log_in else "",
        connections=_connections(account),
        server=_server(account.provider.imap, zone),
        waiting=str(account.jobs.pending().count()),
        features=_features(log_in.capabilities) if log_in else (),
        mailboxes=tuple(_mailboxes(account, now, by_name)),
        jobs=tuple(_jobs(account, now, zone, by_name)),
        jobs_in_all=_jobs_in_all(account, now),
        failures=tuple(
            Trouble(_when(failure.at, zone), failure.sentence, failure.detail)
            for failure in doctor.last_failures(account.pk)
        ),
    )


def _features(capabilities: frozenset[str]) -> tuple[Feature, ...]:
    offered = capabilities | (_IN_REV2 if "IMAP4REV2" in capabilities else frozenset())
    if "QRESYNC" in offered:  # which brings it along (RFC 7162 §3.2.3)
        offered |= {"CONDSTORE"}
    return tuple(Feature(name, good, without, name in offered) for name, good, without in _FEATURES)


def _connections(account: Account) -> str:
    used = budget.in_use(account.pk)
    return f"{sum(used.values())} in use, {budget.share(account).most} at most"


def _server(server: Server, zone: tzinfo) -> str:
    state = breaker.state_of(server)
    if state.since is None:
        return "Answers"
    return f"Away since {words.clock(state.since, zone)}; tried again by itself"


def _mailboxes(account: Account, now: datetime, by_name: bool) -> list[MailboxCheckup]:
    return [
        MailboxCheckup(
            pk=mailbox.pk,
            name=_name(mailbox, by_name),
            messages=words.count(mailbox.exists),
            indexed=_indexed(mailbox),
            checked=words.ago(mailbox.checked_at, now) if mailbox.checked_at else "never",
            compared=words.ago(mailbox.compared_at, now) if mailbox.compared_at else "never",
        )
        for mailbox in sidebar.targets_of(account)
    ]


def _name(mailbox: Mailbox, by_name: bool) -> str:
    if by_name:
        return sidebar.full_title_of(mailbox)
    return mailbox.get_role_display() if mailbox.role else f"Mailbox {mailbox.pk}"


def _indexed(mailbox: Mailbox) -> str:
    if mailbox.is_cold:
        return "not yet"
    if mailbox.is_complete:
        return "all"
    return f"{listing.percent_of(mailbox)} %"


def _jobs(account: Account, now: datetime, zone: tzinfo, by_name: bool) -> list[Trouble]:
    failed = _failed(account, now).select_related("mailbox").order_by("-finished_at")[:JOBS_SHOWN]
    return [
        Trouble(
            when=_when(job.finished_at, zone) if job.finished_at else "",
            sentence=_what(job, by_name),
            detail=job.error,
        )
        for job in failed
    ]


def _what(job: Job, by_name: bool) -> str:
    """ "Flag, 3 messages in Inbox: refused"."""
    place = f" in {_name(job.mailbox, by_name)}" if job.mailbox else ""
    return f"{job.get_kind_display()}, {words.messages(len(job.uids))}{place}: {job.get_state_display().lower()}"


def _jobs_in_all(account: Account, now: datetime) -> str:
    count = Counter(_failed(account, now).values_list("state", flat=True))
    labels = dict(Job.State.choices)
    return ", ".join(f"{number} {labels[state].lower()}" for state, number in sorted(count.items()))


def _failed(account: Account, now: datetime) -> QuerySet[Job]:
    states = (Job.State.FAILED, Job.State.UNCLEAR, Job.State.DEAD)
    return account.jobs.filter(state__in=states, finished_at__gte=now - JOBS_SINCE)


def _when(moment: datetime, zone: tzinfo) -> str:
    local = moment.astimezone(zone)
    return f"{local.day} {words.MONTHS[local.month - 1]} {local:%H:%M}"
