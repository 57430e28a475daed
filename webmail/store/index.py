"""The one writer of `Mailbox` and `Message` rows (law 4): the server's facts first, then the pending jobs on top.
The list of mailboxes is written by `mailbox_rows`, and what jobs make of it all by `overlay`.

Each public function is one transaction that locks the mailbox's row, so writers of one mailbox take turns (SQLite takes
the write lock at BEGIN). No function here touches the network.

What the server said under another UIDVALIDITY than the row has by now is about other messages, and is dropped (law 8).

`read_at` is the moment before the server was asked. A flag job that finished after it may be missing from the answer,
so jobs finished since then are laid on top like the pending ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from webmail.models import Account, Job, Mailbox, Message
from webmail.protocol.sets import MAX_UID
from webmail.protocol.types import FlagChange, MessageData, Selected

from . import changes, inserting, moving, overlay, rows

BATCH = 500
INSERTED_AT_ONCE = 2000
DELETED_AT_ONCE = 5000


def apply_selected(mailbox: Mailbox, selected: Selected) -> None:
    """Take note of what SELECT said. Another UIDVALIDITY makes every row meaningless: they go (law 8).

    `mailbox` is brought up to date with its row.
    """
    with transaction.atomic():
        row = _lock(mailbox)
        if row.uidvalidity != selected.uidvalidity:
            if row.uidvalidity:  # else all there is has just been moved into it
                row.messages.filter(uid__lte=MAX_UID).delete()
                overlay.forget_leaving(row)
            _tell(row, "messages")
            row.uidvalidity, row.uidnext, row.highestmodseq, row.lowest_uid = selected.uidvalidity, 0, 0, 0
        row.exists, row.read_only = overlay.shown(row, selected.exists), selected.read_only
        row.save()
    mailbox.refresh_from_db()


def apply_messages(mailbox: Mailbox, messages: Sequence[MessageData], *, read_at: datetime) -> None:
    """Index `messages` as the server described them: new rows are made, known ones get their flags.

    A new one whose row has just vanished elsewhere in the account gets that row: it was moved.
    """
    for start in range(0, len(messages), INSERTED_AT_ONCE):
        batch = messages[start : start + INSERTED_AT_ONCE]
        with transaction.atomic():
            row = _lock(mailbox)
            if row.uidvalidity != mailbox.uidvalidity:
                return
            uids = [data.uid for data in batch]
            known = _known(row, uids) | overlay.displaced(row, min(uids), max(uids))
            new = [rows.values_of(row, data) for data in batch if data.uid not in known and data.header is not None]
            if new:
                inserting.insert(moving.claim(row, moving.not_on_their_way(row, new)))
            _write_flags(
                row,
                [
                    FlagChange(data.uid, data.flags, data.modseq)
                    for data in batch
                    if data.uid in known and data.flags is not None
                ],
            )
            overlay.rebase(row, uids, read_at)
            if start + INSERTED_AT_ONCE >= len(messages):
                _recount(row)
                if any(data.uid >= row.lowest_uid for data in messages):  # older mail changes no page that is shown
                    _tell(row, "messages")


def apply_flags(
    mailbox: Mailbox, changes: Sequence[FlagChange], *, read_at: datetime, after: Collection[Job] = ()
) -> int:
    """Write the flags the server reports, then the pending jobs; return how many rows differed.

    Args:
        after: jobs that the server had done when it reported them.
    """
    differed = 0
    for start in range(0, len(changes), BATCH):
        batch = changes[start : start + BATCH]
        with transaction.atomic(savepoint=False):  # a job's end is a transaction already, and fails as a whole
            row = _lock(mailbox)
            if row.uidvalidity != mailbox.uidvalidity:
                return differed
            differed += _write_flags(row, batch)
            overlay.rebase(row, [change.uid for change in batch], read_at, after)
            if start + BATCH >= len(changes):
                _recount(row)
                if differed:
                    _tell(row, "messages")
    return differed


def apply_vanished(mailbox: Mailbox, uids: Sequence[int]) -> int:
    """Unlink the rows of `uids`: a move finds them again, the next pass deletes them. Return how many there were."""
    gone = 0
    for start in range(0, len(uids), BATCH):
        with transaction.atomic():
            row = _lock(mailbox)
            if row.uidvalidity != mailbox.uidvalidity:
                return gone
            gone += row.messages.filter(uid__in=uids[start : start + BATCH]).update(
                mailbox=None, unlinked_at=timezone.now()
            )
            if not row.jobs.pending().exists():  # what was hidden because it could only be marked as deleted
                row.leaving.filter(origin_uid__in=uids[start : start + BATCH], mailbox=None).delete()
            if start + BATCH >= len(uids):
                _recount(row)
                if gone:
                    _tell(row, "messages")
    return gone


def delete_unlinked(before: datetime) -> int:
    """Delete rows that vanished from their mailbox before `before` and that no move has claimed; a bounded number."""
    old = Message.objects.filter(unlinked_at__lt=before).values("pk")[:DELETED_AT_ONCE]
    deleted, _ = Message.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
    return deleted


def note_checked(
    mailbox: Mailbox,
    *,
    uidnext: int | None = None,
    lowest_uid: int | None = None,
    highestmodseq: int | None = None,
    exists: int | None = None,
    checked: bool = False,
    compared: bool = False,
) -> None:
    """Record how far the index reaches, after the rows it speaks of were written. None leaves a value as it is.

    Args:
        checked: all that is new, changed or vanished is in. compared: every UID and flag was compared as well.
    """
    now = timezone.now()
    values: dict[str, object] = {}
    if checked:
        values |= {"checked_at": now, "stale": False, "retry_at": None}
    if compared:
        values["compared_at"] = now
    for name, value in (
        ("uidnext", uidnext),
        ("lowest_uid", lowest_uid),
        ("highestmodseq", highestmodseq),
    ):
        if value is not None:
            values[name] = value
    with transaction.atomic():
        row = _lock(mailbox)
        if exists is not None:
            values["exists"] = overlay.shown(row, exists)
        if row.uidvalidity == mailbox.uidvalidity:
            Mailbox.objects.filter(pk=row.pk).update(**values)
            for name, written in values.items():
                setattr(row, name, written)
        if checked or lowest_uid is not None:  # who writes rows in between has counted them
            _recount(row)
        if checked:
            _tell(row, "state")
    mailbox.refresh_from_db()


def note_unchanged(mailbox: Mailbox) -> None:
    """Record that the index is what the server has at this moment: one statement, the usual end of a look."""
    mailbox.checked_at, mailbox.stale, mailbox.retry_at = timezone.now(), False, None
    Mailbox.objects.filter(pk=mailbox.pk, uidvalidity=mailbox.uidvalidity).update(
        checked_at=mailbox.checked_at, stale=False, retry_at=None
    )
    _tell(mailbox, "state")


def note_stale(mailbox: Mailbox) -> None:
    """Record that the server may have news of the mailbox that were not read."""
    mailbox.stale = True
    Mailbox.objects.filter(pk=mailbox.pk).update(stale=True)


def note_refused(mailbox: Mailbox, retry_at: datetime) -> None:
    """Record that the mailbox can't be read at present, and when to try again."""
    mailbox.retry_at, mailbox.stale = retry_at, False
    Mailbox.objects.filter(pk=mailbox.pk).update(retry_at=retry_at, stale=False)


def apply_previews(mailbox: Mailbox, previews: dict[int, str]) -> None:
    """Keep the first words of messages, by UID."""
    with transaction.atomic():
        row = _lock(mailbox)
        for message in row.messages.filter(uid__in=previews).only("mailbox", "uid"):
            message.preview = previews[message.uid]
            message.save(update_fields=["preview"])  # each is sealed for its row
        _tell(row, "messages")


def expect_mailbox(account: Account, name: str, delimiter: str) -> Mailbox:
    """The row of a mailbox that a job is about to make."""
    return Mailbox.objects.create(account=account, name=name, delimiter=delimiter)


def forget_mailbox(mailbox: Mailbox) -> None:
    """The mailbox that `expect_mailbox` spoke of won't be, unless it is there after all."""
    Mailbox.objects.filter(pk=mailbox.pk, uidvalidity=0).delete()


def apply_renamed(mailbox: Mailbox, name: str) -> None:
    """A mailbox got another name, and all below it with it."""
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=mailbox.account_id)
        row = _lock(mailbox)
        for each in Mailbox.objects.filter(account=row.account_id):
            if row.holds(each.name):
                each.name = name + each.name.removeprefix(row.name)
                each.save(update_fields=["name"])


def recount(mailboxes: Iterable[Mailbox]) -> None:
    """Count the unread of mailboxes anew. Called inside a transaction."""
    for mailbox in sorted(mailboxes, key=lambda each: each.pk):
        _recount(_lock(mailbox))


def _lock(mailbox: Mailbox) -> Mailbox:
    # NO KEY: rows that refer to this one may still be inserted meanwhile; else two writers of one account could wait
    # for each other's keys in PostgreSQL. The same for accounts.
    return Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)


def _known(mailbox: Mailbox, uids: Sequence[int]) -> set[int]:
    """Which of these have rows."""
    low, high = min(uids), max(uids)
    dense = high - low < 4 * len(uids)  # then a range is found faster than each
    among = mailbox.messages.filter(uid__gte=low, uid__lte=high) if dense else mailbox.messages.filter(uid__in=uids)
    return set(among.values_list("uid", flat=True))


def _write_flags(mailbox: Mailbox, changes: Sequence[FlagChange]) -> int:
    """Write the server's flags to the rows they are news for; a report older than the row's MODSEQ is not."""
    by_uid = {change.uid: change for change in changes}
    alike: dict[FlagChange, list[int]] = {}  # what one STORE did to many is one statement here too
    found = mailbox.messages.filter(uid__in=by_uid).values_list("pk", "uid", "modseq", *rows.FLAG_COLUMNS)
    for pk, uid, modseq, *flags in found:
        change = by_uid[uid]
        if change.modseq and change.modseq < modseq:
            continue
        if change.modseq != modseq or rows.flag_tuple(change.flags) != tuple(flags):
            alike.setdefault(replace(change, uid=0), []).append(pk)
    for change, keys in alike.items():
        values = rows.flag_values(change.flags)
        Message.objects.filter(pk__in=keys).update(modseq=change.modseq, **values)
    return sum(map(len, alike.values()))


def _recount(mailbox: Mailbox) -> None:
    """Count the unread from the index once it holds every message; until then the server's count stands.

    `mailbox` is its row, locked.
    """
    if mailbox.lowest_uid == 1 and not overlay.is_unsettled(mailbox):
        unread = mailbox.messages.filter(seen=False).count()
        if mailbox.unread != unread:
            mailbox.unread = unread
            Mailbox.objects.filter(pk=mailbox.pk).update(unread=unread)
            _tell(mailbox, "mailboxes")


def _tell(mailbox: Mailbox, kind: str) -> None:
    changes.publish(mailbox.account_id, mailbox=mailbox.pk, kind=kind)
