"""Brings the index up to date with the server: new, changed and vanished messages, newest first.

The room's one law: facts are read outside any transaction, then handed to `index`, which writes them.

How far a mailbox's index reaches is two numbers in its row:

    1 ........ lowest_uid ............ uidnext
      unknown  |   every message here   |  arrived since
               |   is indexed           |
    `backfill` moves lowest_uid down     `refresh` moves uidnext up

so a worker that dies between two chunks costs one chunk, and is continued by the next. What changed is told by MODSEQ
(RFC 7162) and applied in ascending order with `highestmodseq` as its checkpoint; without, by comparing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone

from webmail.models import Account, Mailbox
from webmail.protocol.connection import Connection
from webmail.protocol.errors import BadAnswer, GiveUp, NoSuchMailbox, UidValidityChanged
from webmail.protocol.sets import MAX_UID
from webmail.protocol.types import Delta, FlagChange, MessageData, Role, Selected

from . import changes, comparing, due, index, mailbox_rows, moving, overlay, pools
from .comparing import Differences

__all__ = ["Differences", "backfill", "first_page", "list_mailboxes", "look", "reconcile", "refresh", "reread"]

FIRST_CHUNK = 200  # messages a cold mailbox starts with: a few pages
CHUNK = 2000  # messages a backfill step asks for
RECENT = 100  # without CONDSTORE, the flags of this many are compared at every refresh
COMPARE_RECENT_EVERY = timedelta(minutes=10)  # … and all of them this often
REFUSED_PAUSE = timedelta(hours=1)  # before a mailbox that can't be opened is tried again by itself

_log = logging.getLogger(__name__)


def list_mailboxes(account: Account) -> None:
    """Read the list of mailboxes with their counts: one round trip where LIST-STATUS is offered.

    Those of which the counts have news are marked as stale.
    """
    with pools.lend(account) as imap:
        infos = imap.mailboxes()
    if not infos:  # INBOX always exists (RFC 9051 §5.1); an answer without it must not empty the index
        raise BadAnswer(detail="an empty list of mailboxes")
    mailbox_rows.apply_list(account, infos)


def look(account: Account) -> None:
    """Ask once how all mailboxes of the account are, and bring those up to date of which that is news.

    Mailboxes nobody has read yet are left to `upkeep`.

    Raises:
        TryAgain, LoginNeeded: the server can't be asked now; what was found stale stays marked.
    """
    list_mailboxes(account)
    read = account.mailboxes.filter(selectable=True).exclude(lowest_uid=0)
    for mailbox in sorted(filter(_is_due, read), key=lambda mailbox: (mailbox.role != Role.INBOX, mailbox.pk)):
        mailbox.account = account
        try:
            refresh(mailbox)
        except GiveUp as error:
            give_up(mailbox, error)


def give_up(mailbox: Mailbox, error: GiveUp) -> None:
    """Leave a mailbox that can't be read alone for a while, so that it holds up no other.

    One that is not there under its name was renamed or removed since it was listed: that is asked at once.

    Raises:
        TryAgain, LoginNeeded: the server can't be asked now.
    """
    _log.warning("mailbox %s: %s", mailbox.pk, error)
    if isinstance(error, UidValidityChanged):  # then it is only to be read anew
        return
    if isinstance(error, NoSuchMailbox):
        list_mailboxes(mailbox.account)
        if not Mailbox.objects.filter(pk=mailbox.pk, name=mailbox.name).exists():
            return
    index.note_refused(mailbox, timezone.now() + REFUSED_PAUSE)


def first_page(mailbox: Mailbox, count: int, skip: int = 0) -> list[int]:
    """Fetch exactly one page of a mailbox whose index can't answer: SELECT and one FETCH.

    Args:
        count: messages on the page. skip: how many newer ones lie before it.

    Returns:
        The UIDs of the page, newest first; their rows are indexed.
    """
    read_at = timezone.now()
    with pools.lend(mailbox.account, mailbox.name) as imap:
        selected, messages = imap.newest(mailbox.name, count, skip=skip, read_only=False)
    index.apply_selected(mailbox, selected)
    index.apply_messages(mailbox, messages, read_at=read_at)
    if skip == 0:
        _note_first_chunk(mailbox, selected, [message.uid for message in messages])
    return [message.uid for message in messages]


def refresh(mailbox: Mailbox) -> None:
    """Bring one mailbox up to date: what is new, what changed, what vanished.

    Where nothing did, that is known after one round trip and written in one statement (CONDSTORE).
    """
    _refresh(mailbox, compare=False)


def reconcile(mailbox: Mailbox) -> Differences:
    """Compare every UID and flag of the index with the server, whatever the server says has changed.

    Returns:
        what differed, and is right now. A mailbox nobody has read yet begins to be read, and nothing differs.
    """
    return _refresh(mailbox, compare=True)


def backfill(mailbox: Mailbox, *, seconds: float = 0.0) -> bool:
    """Index older messages chunk by chunk, each while the next is being read. Return whether there is more to do.

    Args:
        seconds: after which no other chunk is begun; at least one is indexed.
    """
    if mailbox.lowest_uid <= 1:
        return False
    until = time.monotonic() + seconds
    indexed = mailbox.messages.filter(uid__gte=mailbox.lowest_uid, uid__lt=mailbox.uidnext).count()
    with pools.lend(mailbox.account, mailbox.name) as imap, ThreadPoolExecutor(1, "backfill") as reader:

        def read(high: int) -> Future[_Chunk]:
            return reader.submit(_read_chunk, imap, mailbox, high, max(1, mailbox.exists - indexed))

        under_way: Future[_Chunk] | None = read(mailbox.lowest_uid - 1)
        while under_way is not None:
            chunk = under_way.result()
            if chunk.uidvalidity != mailbox.uidvalidity:  # somebody else has seen it numbered anew meanwhile
                return True
            indexed += len(chunk.messages)
            under_way = read(chunk.low - 1) if chunk.low > 1 and time.monotonic() < until else None
            index.apply_messages(mailbox, chunk.messages, read_at=chunk.read_at)
            index.note_checked(mailbox, lowest_uid=chunk.low)
    # Once a slice: its pages say how far back it reaches, and no chunk of older mail changes anything else on them.
    changes.publish(mailbox.account_id, mailbox=mailbox.pk, kind="state")
    return mailbox.lowest_uid > 1


def reread(mailbox: Mailbox, uids: list[int]) -> None:
    """Ask the server how these messages are now and show that: what undoes a change it refused."""
    read_at = timezone.now()
    with pools.lend(mailbox.account, mailbox.name) as imap:
        messages = imap.fetch(mailbox.name, mailbox.uidvalidity, uids)
    index.apply_messages(mailbox, messages, read_at=read_at)
    index.apply_vanished(mailbox, sorted(set(uids) - {message.uid for message in messages}))


def _refresh(mailbox: Mailbox, *, compare: bool) -> Differences:
    with pools.lend(mailbox.account, mailbox.name) as imap:
        read_at = timezone.now()
        selected, delta = imap.resync(mailbox.name, mailbox.uidvalidity, mailbox.highestmodseq)
        if not compare and delta is not None and _is_unchanged(mailbox, selected, delta):
            index.note_unchanged(mailbox)
            return Differences()
        mailbox.refresh_from_db()
        known = (mailbox.uidvalidity, mailbox.read_only) == (selected.uidvalidity, selected.read_only)
        if not known or mailbox.lowest_uid == 0:
            index.apply_selected(mailbox, selected)
        if mailbox.lowest_uid == 0:
            _first_chunk(imap, mailbox)
            index.note_checked(mailbox, checked=True)
            return Differences()
        new = _read_new(imap, mailbox, selected)
        if delta is not None:
            # What is new was read after the delta, which so knows nothing newer of it.
            changed = tuple(change for change in delta.changed if change.uid not in new)
            _apply_delta(mailbox, replace(delta, changed=changed), read_at)
        if compare:
            differences = comparing.compare(imap, mailbox, mailbox.lowest_uid)
            index.note_checked(mailbox, highestmodseq=selected.highestmodseq or None, compared=True)
        else:
            differences = _find_rest(imap, mailbox, selected, delta)
    reached = delta.highestmodseq if delta is not None else None
    index.note_checked(mailbox, exists=selected.exists, highestmodseq=reached, checked=True)
    return differences


def _is_unchanged(mailbox: Mailbox, selected: Selected, delta: Delta) -> bool:
    """Whether the server has said that nothing happened since the index was read."""
    return (
        mailbox.lowest_uid > 0
        and not delta.changed
        and not delta.vanished
        and selected.uidnext == mailbox.uidnext
        and (mailbox.exists == selected.exists or mailbox.exists == overlay.shown(mailbox, selected.exists))
        and selected.highestmodseq == mailbox.highestmodseq
        and selected.read_only == mailbox.read_only
    )


def _find_rest(imap: Connection, mailbox: Mailbox, selected: Selected, delta: Delta | None) -> Differences:
    """What the delta could not say: all of it without CONDSTORE, what vanished without QRESYNC."""
    if delta is not None:
        if delta.vanished is None and _count_differs(mailbox, selected):
            comparing.drop_vanished(imap, mailbox)
        if _count_differs(mailbox, selected):  # something escaped us
            return comparing.compare(imap, mailbox, mailbox.lowest_uid)
        return Differences()
    compared_at = mailbox.compared_at or timezone.now()
    whole = selected.highestmodseq > 0  # its memory doesn't reach back to ours
    whole = whole or timezone.now() - compared_at > COMPARE_RECENT_EVERY or _count_differs(mailbox, selected)
    differences = comparing.compare(imap, mailbox, mailbox.lowest_uid if whole else _recent_bound(mailbox))
    if whole:
        index.note_checked(mailbox, highestmodseq=selected.highestmodseq or None, compared=True)
    return differences


def _is_due(mailbox: Mailbox) -> bool:
    """Whether a look at the list says that the mailbox has to be looked at; a server without MODSEQ can't say so
    of a flag that leaves the number of unread messages as it is."""
    if mailbox.retry_at is not None and mailbox.retry_at > timezone.now():
        return False
    if mailbox.stale or mailbox.highestmodseq:
        return mailbox.stale
    checked_at = mailbox.checked_at
    return mailbox.role == Role.INBOX or checked_at is None or timezone.now() - checked_at > COMPARE_RECENT_EVERY


def _first_chunk(imap: Connection, mailbox: Mailbox) -> None:
    read_at = timezone.now()
    selected, messages = imap.newest(mailbox.name, FIRST_CHUNK, read_only=False)
    if selected.uidvalidity != mailbox.uidvalidity:
        raise UidValidityChanged()
    index.apply_messages(mailbox, messages, read_at=read_at)
    _note_first_chunk(mailbox, selected, [message.uid for message in messages])


def _note_first_chunk(mailbox: Mailbox, selected: Selected, uids: list[int]) -> None:
    """Say what the newest chunk covers, unless the index already reaches further."""
    if mailbox.lowest_uid:
        return
    complete = len(uids) >= selected.exists
    index.note_checked(
        mailbox,
        uidnext=selected.uidnext or max(uids, default=0) + 1,
        lowest_uid=1 if complete else min(uids),
        highestmodseq=selected.highestmodseq,
        exists=selected.exists,
        compared=True,
    )
    if not complete:
        due.want(mailbox.account_id)


def _read_new(imap: Connection, mailbox: Mailbox, selected: Selected) -> set[int]:
    """Index what arrived since, newest chunk first; uidnext moves only when all of it is in. Return its UIDs."""
    if selected.uidnext and selected.uidnext <= mailbox.uidnext:
        return set()
    read_at, begin = timezone.now(), mailbox.uidnext
    found: set[int] = set()
    if selected.uidnext and selected.uidnext - begin <= CHUNK:
        messages = imap.fetch_range(mailbox.name, mailbox.uidvalidity, begin, selected.uidnext - 1)
        _look_where_they_were(imap, mailbox, messages)
        index.apply_messages(mailbox, messages, read_at=read_at)
        found.update(message.uid for message in messages)
        uidnext = selected.uidnext
    else:  # a long absence, or a server that doesn't say UIDNEXT
        new = [uid for uid in imap.uids(mailbox.name, mailbox.uidvalidity) if uid >= begin]
        for end in range(len(new), 0, -CHUNK):
            messages = imap.fetch(mailbox.name, mailbox.uidvalidity, new[max(0, end - CHUNK) : end])
            _look_where_they_were(imap, mailbox, messages)
            index.apply_messages(mailbox, messages, read_at=read_at)
            found.update(message.uid for message in messages)
        uidnext = max([selected.uidnext, begin, *(uid + 1 for uid in new[-1:])])
    index.note_checked(mailbox, uidnext=uidnext)
    return found


def _look_where_they_were(imap: Connection, mailbox: Mailbox, messages: Sequence[MessageData]) -> None:
    """Before new messages get rows: those we have in another mailbox may have been moved from there, and if so their
    rows move with them."""
    for other in moving.suspects(mailbox, messages):
        try:
            there = imap.fetch(other.mailbox.name, other.mailbox.uidvalidity, other.uids)
        except GiveUp:  # that mailbox is gone or numbered anew, and will be dealt with in its turn
            continue
        index.apply_vanished(other.mailbox, sorted(set(other.uids) - {message.uid for message in there}))


def _apply_delta(mailbox: Mailbox, delta: Delta, read_at: datetime) -> None:
    """Write what changed in ascending MODSEQ order, so that a worker that dies goes on where it was (RFC 7162 §3.1)."""
    known: Sequence[int] = delta.vanished or ()
    if len(known) > index.BATCH:  # a server that has forgotten what we knew names every UID there ever was
        known = sorted(set(known).intersection(mailbox.messages.values_list("uid", flat=True)))
    index.apply_vanished(mailbox, known)
    for batch, reached in _batches(delta.changed):
        index.apply_flags(mailbox, batch, read_at=read_at)
        if reached:
            index.note_checked(mailbox, highestmodseq=reached)


def _batches(changed: Sequence[FlagChange]) -> Iterator[tuple[Sequence[FlagChange], int]]:
    """Batches, each with the MODSEQ up to which all is in them; 0 where the next one holds more of the same."""
    for start in range(0, len(changed), index.BATCH):
        batch = changed[start : start + index.BATCH]
        following = changed[start + index.BATCH : start + index.BATCH + 1]
        if following:
            yield batch, batch[-1].modseq if batch[-1].modseq < following[0].modseq else 0
        else:
            yield batch, 0


def _count_differs(mailbox: Mailbox, selected: Selected) -> bool:
    """Whether a complete index holds another number of messages than the server: something vanished unseen."""
    if not mailbox.is_complete:
        return False
    ours = mailbox.messages.count()
    return ours != selected.exists and ours != overlay.shown(mailbox, selected.exists)


def _recent_bound(mailbox: Mailbox) -> int:
    uids = mailbox.messages.filter(uid__lte=MAX_UID).order_by("-uid").values_list("uid", flat=True)[RECENT - 1 : RECENT]
    return max(next(iter(uids), 1), mailbox.lowest_uid)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """All messages from UID `low` up to where it was begun."""

    low: int
    uidvalidity: int
    messages: list[MessageData]
    read_at: datetime


def _read_chunk(imap: Connection, mailbox: Mailbox, high: int, left: int) -> _Chunk:
    """Read a range that ends at UID `high` and holds about CHUNK of the `left` messages below.

    UIDs may have wide gaps: the number of what is left says how wide a range to ask for.
    """
    read_at = timezone.now()
    low = max(1, high + 1 - max(CHUNK, high * CHUNK // left))
    uidvalidity = mailbox.uidvalidity
    return _Chunk(low, uidvalidity, imap.fetch_range(mailbox.name, uidvalidity, low, high), read_at)
