"""A mailbox page from the index alone; from the server, once, what the index can't answer (law 2)."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

from django.utils import timezone

from webmail.models import Account, Mailbox, User
from webmail.models.message import preview_of
from webmail.protocol import domains, senders
from webmail.protocol.errors import ProtocolError

from . import cursors, draft_copies, slices, sync, words
from .cursors import Query

# Keywords that no person has chosen (Apple Mail's, Thunderbird's, older filters').
_OF_PROGRAMS = {"junk", "nonjunk", "notjunk", "junkrecorded", "old", "recent", "forwarded", "mdnsent"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list, ready to print: strings only, for a number costs a template four times as much.

    `address` is the real address where `people` doesn't say it; `day` is the heading above the row; both may be "".
    `labels` are the keywords that people gave it. `is_draft`: it leads to the editor.
    """

    pk: str
    subject: str
    people: str
    address: str
    preview: str
    date: str
    when: str
    size: str
    unread: bool
    flagged: bool
    answered: bool
    forwarded: bool
    attachment: bool
    labels: tuple[str, ...]
    current: bool
    is_draft: bool
    initial: str
    hue: str
    day: str

    # A template's `row.subject` tries `row["subject"]` first; letting that succeed saves a quarter of the rows' time.
    __getitem__ = object.__getattribute__


@dataclass(frozen=True, slots=True)
class Choice:
    """One sort or filter and the query string that chooses it."""

    key: str
    label: str
    query: str
    current: bool


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a mailbox.

    `newer`, `older`, `oldest`, `here` and `query` (its top) are query strings, "" where there is no such page.
    `checked_age`: seconds since the index was brought up to date, "" where it never was.
    """

    mailbox_pk: int
    title: str
    role: str
    total: str
    unread: str
    rows: tuple[Row, ...]
    sorts: tuple[Choice, ...]
    filters: tuple[Choice, ...]
    newer: str
    older: str
    oldest: str
    position: str
    checked: str
    checked_age: str
    coverage: str
    notice: str
    empty_title: str
    empty_sentence: str
    query: str
    here: str
    below: str
    all: str


def mailbox_page(user: User, mailbox: Mailbox, query: Query, *, current: int | None = None) -> ListPage:
    """The page of `mailbox` that `query` asks for. A server that is away costs rows only where the index has none.

    Args:
        mailbox: with its account; found through `for_user`.
        current: key of the message that is open beside the list.
    """
    problem = ""
    try:
        found = slices.find(mailbox, query)
    except ProtocolError as error:
        problem = error.sentence
        found = slices.from_index(mailbox, query)
    zone = zone_of(user)
    total = _total(mailbox, query)
    empty = ("", "") if found.rows else _empty_words(mailbox, query, problem)
    drafts = frozenset[int]()
    if mailbox.role == "drafts":
        drafts = draft_copies.uids_in(mailbox, [row.uid for row in found.rows])
    to_others = mailbox.role in ("sent", "drafts")
    return ListPage(
        mailbox_pk=mailbox.pk,
        title=title_of(mailbox),
        role=mailbox.role,
        total=words.count(mailbox.exists),
        unread=words.count(mailbox.unread) if mailbox.unread else "",
        rows=tuple(rows_of(found.rows, query, zone, current, to_others=to_others, drafts=drafts)),
        sorts=_sorts(query),
        filters=_filters(query),
        newer=slices.newer_than(found, query),
        older=slices.older_than(found, query),
        oldest=query.replace(page=str(-(-total // slices.PAGE))) if found.more else "",
        position=slices.position_of(found, total),
        checked=_checked(mailbox),
        checked_age=_checked_age(mailbox),
        coverage=_coverage(mailbox, zone),
        notice=notice_of(mailbox.account, zone),
        empty_title=empty[0],
        empty_sentence=empty[1],
        query=query.replace(),
        here=query.here,
        below=str(mailbox.uidnext),
        all=_all_words(query, total) if total > len(found.rows) else "",
    )


def labels_of(keywords: str) -> tuple[str, ...]:
    """Those of a message's keywords that people gave it; what programs tell one another isn't shown."""
    return tuple(word for word in keywords.split() if word[0] not in "$\\" and word.lower() not in _OF_PROGRAMS)[:4]


def landing(user: User) -> Mailbox | None:
    """The mailbox a person sees first: the inbox of the first account that has been listed. Lists one if none has.

    Raises:
        ProtocolError: no list was ever read, and the first can't be read now.
    """
    accounts = Account.objects.for_user(user).select_related("provider")
    for account in sorted(accounts, key=lambda account: account.listed_at is None):
        if account.listed_at is None:
            sync.list_mailboxes(account)
        selectable = account.mailboxes.filter(selectable=True)
        mailbox = selectable.filter(role="inbox").first() or selectable.first()
        if mailbox is not None:
            return mailbox
    return None


def title_of(mailbox: Mailbox) -> str:
    """What people call it: INBOX is "Inbox", the rest by the last piece of the name."""
    return "Inbox" if mailbox.role == "inbox" else mailbox.path[-1]


def notice_of(account: Account, zone: tzinfo) -> str:
    """One sentence where what is shown may be old, else ""."""
    since = f" since {words.clock(account.state_since, zone)}" if account.state_since else ""
    if account.state == Account.State.AWAY:
        return f"The mail server can't be reached{since}. You see what was last read from it."
    if account.state == Account.State.LOGIN_NEEDED:
        if account.provider.by_oauth:
            return f"{account.provider.name} wants you to sign in again{since}. You see what was last read from it."
        return f"The mail server asks for the password again{since}. You see what was last read from it."
    return ""


def percent_of(mailbox: Mailbox) -> int:
    """How much of a mailbox that isn't indexed whole is, by its UIDs: counting its rows would cost more than a page."""
    known = max(mailbox.uidnext - mailbox.lowest_uid, 0)
    return min(99, known * 100 // max(mailbox.uidnext - 1, 1))


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")  # a zone that this machine's tables don't know (any more)


def zone_of(user: User) -> tzinfo:
    """The person's time zone."""
    return _zone(user.time_zone)


@lru_cache(maxsize=256)
def _sorts(query: Query) -> tuple[Choice, ...]:
    return tuple(
        Choice(key, label, query.replace(sort=key, order=""), key == query.sort)
        for key, label in cursors.SORT_LABELS.items()
    )


@lru_cache(maxsize=256)
def _filters(query: Query) -> tuple[Choice, ...]:
    return tuple(
        Choice(key, label, query.replace(filter=key), key == query.only) for key, label in cursors.FILTER_LABELS.items()
    )


def _all_words(query: Query, total: int) -> str:
    """What "all that match" is called, for selecting them: "All 48,213 unread"."""
    kind = {"unread": " unread", "flagged": " flagged", "attachment": " with attachments"}.get(query.only, "")
    return f"All {words.count(total)}{kind}"


def _total(mailbox: Mailbox, query: Query) -> int:
    if query.only == "all":
        return mailbox.exists
    if query.only == "unread":
        return mailbox.unread
    return mailbox.messages.filter(cursors.FILTERS[query.only]).count()


def rows_of(
    found: Sequence[Any],
    query: Query,
    zone: tzinfo,
    current: int | None,
    *,
    to_others: bool = False,
    drafts: frozenset[int] = frozenset(),
) -> list[Row]:
    """The rows of a page, ready to print.

    Args:
        to_others: they are known by whom they went to. drafts: UIDs of those that lead to the editor.
    """
    today = timezone.now().astimezone(zone).date()
    shown, last_day = [], None
    for item in found:
        when = item.date.astimezone(zone)
        day = when.date()
        if to_others:
            people, address = _recipient_names(item.recipients), item.recipients[:300]
        else:
            people = senders.shown_as(item.sender_name, item.sender_address)
            address = domains.shown_address(item.sender_address)
        heading = words.day_heading(day, today) if query.sort == "date" and day != last_day else ""
        last_day = day
        people = people or "(nobody)"
        shown.append(
            Row(
                pk=str(item.pk),
                subject=item.subject or "(no subject)",
                people=people,
                address=address if address != people else "",
                preview=preview_of(item.pk, item.preview) if item.preview else "",
                date=words.list_date(when, today),
                when=words.full_date(when),
                size=words.size(item.size),
                unread=not item.seen,
                flagged=item.flagged,
                answered=item.answered,
                forwarded=item.forwarded,
                attachment=item.has_attachment,
                labels=labels_of(item.keywords) if item.keywords else (),
                current=item.pk == current,
                is_draft=bool(drafts) and item.uid in drafts,
                initial=words.initial(people),
                hue=str(words.hue(item.recipients if to_others else item.sender_address)),
                day=heading,
            )
        )
    return shown


def _recipient_names(recipients: str) -> str:
    """The names alone: "Bob Novak, carol@demo.test" from "Bob Novak <bob@demo.test>, carol@demo.test"."""
    return ", ".join(piece.rpartition(" <")[0] or piece for piece in recipients.split(", ")[:4])


def _checked(mailbox: Mailbox) -> str:
    if mailbox.checked_at is None:
        return "Being checked…"
    return f"Checked {words.ago(mailbox.checked_at, timezone.now())}"


def _checked_age(mailbox: Mailbox) -> str:
    if mailbox.checked_at is None:
        return ""
    return str(max(0, int((timezone.now() - mailbox.checked_at).total_seconds())))


def _coverage(mailbox: Mailbox, zone: tzinfo) -> str:
    if mailbox.is_complete or mailbox.is_cold or not mailbox.exists:
        return ""
    reached = mailbox.messages.filter(uid__gte=mailbox.lowest_uid).order_by("uid")
    oldest: datetime | None = next(iter(reached.values_list("date", flat=True)[:1]), None)
    if oldest is None:
        return ""
    percent = percent_of(mailbox)
    return f"Headers back to {words.month(oldest.astimezone(zone))} · {percent} % of {words.count(mailbox.exists)}"


def _empty_words(mailbox: Mailbox, query: Query, problem: str) -> tuple[str, str]:
    if problem:
        return "This mailbox could not be read", f"{problem} Nothing is lost: it will be read as soon as that works."
    if not mailbox.selectable:
        return "Only a place for others", "This mailbox holds other mailboxes, not mail."
    if query.only == "unread":
        return "All read", "There is nothing unread in this mailbox."
    if query.only == "flagged":
        return "Nothing flagged", "Flag a message and it will be found here."
    if query.only == "attachment":
        return "No attachments", "No message in this mailbox has an attachment."
    if mailbox.exists and not query.is_first:
        return "Nothing further", "There are no more messages on this side of the list."
    return {
        "inbox": ("All done", "Nothing here. New mail will appear by itself."),
        "drafts": ("No drafts", "Mail you have begun and not sent waits here."),
        "sent": ("Nothing sent yet", "Copies of what you send are kept here."),
        "junk": ("No junk", "What the mail server thinks is junk ends up here."),
        "trash": ("Trash is empty", "What you delete is kept here for a while."),
    }.get(mailbox.role, ("Nothing here", "This mailbox has no messages."))
