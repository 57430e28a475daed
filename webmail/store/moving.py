"""Messages that vanished from one mailbox and came into another: the row goes with them, so that its links stay.

A message is known again by its digest: Message-ID, size and INTERNALDATE, which MOVE and COPY keep (RFC 6851, RFC 9051
§6.4.7). One without a Message-ID is never taken for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from webmail.models import Job, Mailbox, Message
from webmail.models.message import hash_of
from webmail.protocol import text
from webmail.protocol.types import MessageData

from . import rows
from .rows import Values

MOST_SUSPECTS = 2000  # rows of one mailbox that are asked about

_MESSAGE_ID_FIELD = re.compile(rb"^message-id:[^\n]*\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE)
_PLACE = {name: place for place, name in enumerate(rows.COLUMNS)}
_UID, _MESSAGE_ID, _HASH, _SIZE, _DATE = (
    _PLACE[name] for name in ("uid", "message_id", "message_hash", "size", "date")
)
_TAKEN = ("mailbox_id", "uid", "modseq", *rows.FLAG_COLUMNS)  # from where it came in
_WRITTEN = ("mailbox", *_TAKEN[1:], "unlinked_at")


def claim(mailbox: Mailbox, new: Sequence[Values]) -> list[Values]:
    """Put rows that vanished elsewhere in the account where their messages are now.

    Args:
        mailbox: whose row is locked. new: rows that are about to be added to it.

    Returns:
        the rows that are still to be added.
    """
    unlinked = Message.objects.filter(account=mailbox.account_id, unlinked_at__isnull=False, mailbox=None)
    if not new or not unlinked.exists():
        return list(new)
    waiting: dict[tuple[object, ...], list[Message]] = {}
    found = unlinked.filter(message_hash__in=[row[_HASH] for row in new if row[_HASH]])
    for message in found.select_for_update(of=("self",)).only("message_id", "size", "date").order_by("-pk"):
        waiting.setdefault((message.message_id, message.size, message.date), []).append(message)
    left, moved = [], []
    for row in new:
        same = waiting.get((row[_MESSAGE_ID], row[_SIZE], row[_DATE]))
        if not same:
            left.append(row)
            continue
        message = same.pop()
        for name in _TAKEN:
            setattr(message, name, row[_PLACE[name]])
        message.unlinked_at = None
        moved.append(message)
    Message.objects.bulk_update(moved, _WRITTEN, batch_size=500)
    return left


def not_on_their_way(mailbox: Mailbox, new: Sequence[Values]) -> list[Values]:
    """Those of `new` that no pending move is putting there: a moved message has a row already, which comes with it.

    Should the move come to nothing after all, the mailbox's count differs from the server's, and it is compared.
    """
    moves = Job.objects.pending().filter(
        kind=Job.Kind.MOVE, target=mailbox, target_uidvalidity=mailbox.uidvalidity, target_uidnext__gt=0
    )
    coming = [(first, {tuple(digest) for digest in known.values()}) for first, known in moves.values_list(
        "target_uidnext", "digests")]  # fmt: skip
    if not coming:
        return list(new)

    def is_coming(row: Values) -> bool:
        digest = (row[_MESSAGE_ID], row[_SIZE], int(row[_DATE].timestamp()))
        return any(row[_UID] >= first and digest in digests for first, digests in coming)

    return [row for row in new if not is_coming(row)]


@dataclass(frozen=True, slots=True)
class Suspects:
    """Rows of one mailbox whose messages may lie elsewhere by now."""

    mailbox: Mailbox
    uids: list[int]


def suspects(mailbox: Mailbox, messages: Iterable[MessageData]) -> list[Suspects]:
    """Where else in the account there are rows of messages that have just come into `mailbox`."""
    digests = {digest for data in messages if (digest := _digest_of(data))[0]}
    hashes = [hash_of(digest[0]) for digest in digests]
    same = Message.objects.filter(account=mailbox.account_id, message_hash__in=hashes)
    found: dict[int, list[int]] = {}
    elsewhere = same.filter(mailbox__isnull=False, origin=None).exclude(mailbox=mailbox.pk)
    for where, uid, message_id, size, date in elsewhere.values_list("mailbox", "uid", "message_id", "size", "date"):
        if (message_id, size, date) in digests and len(found.setdefault(where, [])) < MOST_SUSPECTS:
            found[where].append(uid)
    mailboxes = Mailbox.objects.in_bulk(found)
    return [Suspects(mailboxes[pk], uids) for pk, uids in found.items() if pk in mailboxes and uids]


def _digest_of(data: MessageData) -> tuple[str, int, datetime | None]:
    found = _MESSAGE_ID_FIELD.search(data.header or b"")
    return (text.envelope(found[0]).message_id[:500] if found else "", data.size, data.internal_date)
