"""Brings the index up to date with the server: new, changed and vanished messages, newest first.

The room's one law: facts are read outside any transaction, then handed to `index`, which writes them.

How far a mailbox's index reaches is two numbers in its row:

    1 ........ lowest_uid ............ uidnext
      unknown  |   every message here   |  arrived since
               |   is indexed           |
    `backfill` moves lowest_uid down     `refresh` moves uidnext up

so a worker that dies between two chunks costs one chunk, and is continued by the next.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from webmail.models import Account, Mailbox
from webmail.protocol import content, html, text
from webmail.protocol.connection import Connection
from webmail.protocol.errors import UidValidityChanged
from webmail.protocol.types import Selected

from . import index, pools

FIRST_CHUNK = 200  # messages a cold mailbox starts with: a few pages
CHUNK = 2000  # messages a backfill step asks for
COMPARE_EVERY = timedelta(days=1)
RECENT = 100  # without CONDSTORE, the flags of this many are compared at every refresh
COMPARE_RECENT_EVERY = timedelta(minutes=10)  # … and all of them this often
UNLINKED_KEPT = timedelta(minutes=5)  # how long a vanished row waits for a move to find it
PREVIEW_BYTES = 2048


def list_mailboxes(account: Account) -> None:
    """Read the list of mailboxes with their counts: one round trip where LIST-STATUS is offered."""
    with pools.lend(account) as imap:
        infos = imap.mailboxes()
    index.apply_list(account, infos)


def first_page(mailbox: Mailbox, count: int, skip: int = 0) -> list[int]:
    """Fetch exactly one page of a mailbox whose index can't answer: SELECT and one FETCH.

    Args:
        count: messages on the page. skip: how many newer ones lie before it.

    Returns:
        The UIDs of the page, newest first; their rows are indexed.
    """
    read_at = timezone.now()
    with pools.lend(mailbox.account, mailbox.name) as imap:
        selected, messages = imap.newest(mailbox.name, count, skip=skip)
    index.apply_selected(mailbox, selected)
    index.apply_messages(mailbox, messages, read_at=read_at)
    if skip == 0:
        _note_first_chunk(mailbox, selected, [message.uid for message in messages])
    return [message.uid for message in messages]


def refresh(mailbox: Mailbox, *, compare: bool = False) -> None:
    """Bring one mailbox up to date: what is new, what changed, what vanished.

    Args:
        compare: compare every UID and flag with the server, whatever the server says has changed.
    """
    with pools.lend(mailbox.account, mailbox.name) as imap:
        selected = _select_afresh(imap, mailbox)
        if mailbox.lowest_uid == 0:
            _first_chunk(imap, mailbox)
            index.note_checked(mailbox, checked=True)
            return
        _read_new(imap, mailbox, selected)
        if compare or mailbox.compared_at is None or timezone.now() - mailbox.compared_at > COMPARE_EVERY:
            _compare(imap, mailbox, selected, mailbox.lowest_uid)
        elif selected.highestmodseq and mailbox.highestmodseq:
            if selected.highestmodseq != mailbox.highestmodseq:
                _read_delta(imap, mailbox, selected)
            if _count_differs(mailbox, selected):  # no QRESYNC to say what vanished, or something escaped us
                _compare(imap, mailbox, selected, mailbox.lowest_uid)
        elif timezone.now() - mailbox.compared_at > COMPARE_RECENT_EVERY or _count_differs(mailbox, selected):
            _compare(imap, mailbox, selected, mailbox.lowest_uid)
        else:
            _compare(imap, mailbox, selected, _recent_bound(mailbox))
    index.delete_unlinked(mailbox.account, timezone.now() - UNLINKED_KEPT)
    index.note_checked(mailbox, exists=selected.exists, checked=True)


def backfill(mailbox: Mailbox) -> bool:
    """Index one more chunk of older messages. Return whether there is more to do."""
    if mailbox.uidvalidity == 0 or mailbox.lowest_uid <= 1:
        return False
    read_at = timezone.now()
    with pools.lend(mailbox.account, mailbox.name) as imap:
        low = _chunk_bound(imap, mailbox)
        messages = imap.fetch_range(mailbox.name, mailbox.uidvalidity, low, mailbox.lowest_uid - 1)
    index.apply_messages(mailbox, messages, read_at=read_at)
    index.note_checked(mailbox, lowest_uid=low)
    return mailbox.lowest_uid > 1


def read_previews(mailbox: Mailbox, limit: int) -> int:
    """Read the first words of the newest `limit` messages that have none yet. Return how many were read."""
    wanted: dict[tuple[str, str, str, str], list[int]] = {}
    newest = mailbox.messages.filter(preview="").exclude(structure="").order_by("-date", "-uid")
    for message in newest.only("mailbox", "uid", "structure")[:limit]:
        chosen = content.choose(content.unpack(message.structure))
        part = chosen.alternative or (chosen.text[0] if chosen.text else chosen.html)
        if part is not None:
            key = (part.section, part.type, part.encoding, part.charset)
            wanted.setdefault(key, []).append(message.uid)
    if not wanted:
        return 0
    previews = {}
    with pools.lend(mailbox.account, mailbox.name) as imap:
        for (section, kind, encoding, charset), uids in wanted.items():
            found = imap.peek(mailbox.name, mailbox.uidvalidity, uids, section, PREVIEW_BYTES)
            for uid, data in found.items():
                words = text.decode_body(text.decode_transfer(data, encoding), kind, charset)
                previews[uid] = text.preview(html.html_to_text(words) if kind == "text/html" else words)
    index.apply_previews(mailbox, previews)
    return len(previews)


def reread(mailbox: Mailbox, uids: list[int]) -> None:
    """Ask the server how these messages are now and show that: what undoes a change it refused."""
    read_at = timezone.now()
    with pools.lend(mailbox.account, mailbox.name) as imap:
        messages = imap.fetch(mailbox.name, mailbox.uidvalidity, uids)
    index.apply_messages(mailbox, messages, read_at=read_at)
    index.apply_vanished(mailbox, sorted(set(uids) - {message.uid for message in messages}))


def _select_afresh(imap: Connection, mailbox: Mailbox) -> Selected:
    """SELECT now, even if it is selected: only the answer to SELECT says HIGHESTMODSEQ and the true count."""
    selected = imap.select(mailbox.name, fresh=True)
    index.apply_selected(mailbox, selected)
    return selected


def _first_chunk(imap: Connection, mailbox: Mailbox) -> None:
    read_at = timezone.now()
    selected, messages = imap.newest(mailbox.name, FIRST_CHUNK)
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


def _read_new(imap: Connection, mailbox: Mailbox, selected: Selected) -> None:
    """Index what arrived since, newest chunk first; uidnext moves only when all of it is in."""
    if selected.uidnext and selected.uidnext <= mailbox.uidnext:
        return
    read_at, begin = timezone.now(), mailbox.uidnext
    if selected.uidnext and selected.uidnext - begin <= CHUNK:
        messages = imap.fetch_range(mailbox.name, mailbox.uidvalidity, begin, selected.uidnext - 1)
        index.apply_messages(mailbox, messages[::-1], read_at=read_at)
        uidnext = selected.uidnext
    else:  # a long absence, or a server that doesn't say UIDNEXT
        new = [uid for uid in imap.uids(mailbox.name, mailbox.uidvalidity) if uid >= begin]
        for end in range(len(new), 0, -CHUNK):
            messages = imap.fetch(mailbox.name, mailbox.uidvalidity, new[max(0, end - CHUNK) : end])
            index.apply_messages(mailbox, messages[::-1], read_at=read_at)
        uidnext = max([selected.uidnext, begin, *(uid + 1 for uid in new[-1:])])
    index.note_checked(mailbox, uidnext=uidnext, exists=selected.exists)


def _read_delta(imap: Connection, mailbox: Mailbox, selected: Selected) -> None:
    """Apply what changed and vanished since the stored MODSEQ (RFC 7162)."""
    read_at = timezone.now()
    delta = imap.delta(mailbox.name, mailbox.uidvalidity, mailbox.highestmodseq)
    index.apply_flags(mailbox, delta.changed, read_at=read_at)
    index.apply_vanished(mailbox, delta.vanished or ())
    index.note_checked(mailbox, highestmodseq=max(selected.highestmodseq, delta.highestmodseq))


def _compare(imap: Connection, mailbox: Mailbox, selected: Selected, low: int) -> None:
    """Compare UIDs and flags from `low` up with the server's: the path for servers without CONDSTORE, and the truth."""
    read_at = timezone.now()
    changes = imap.flags(mailbox.name, mailbox.uidvalidity, low)
    index.apply_flags(mailbox, changes, read_at=read_at)
    there = {change.uid for change in changes if change.uid < mailbox.uidnext}
    ours = set(mailbox.messages.filter(uid__gte=low, uid__lt=mailbox.uidnext).values_list("uid", flat=True))
    index.apply_vanished(mailbox, sorted(ours - there))
    if lacking := sorted(there - ours):
        found = imap.fetch(mailbox.name, mailbox.uidvalidity, lacking)
        index.apply_messages(mailbox, found, read_at=read_at)
    index.note_checked(mailbox, highestmodseq=selected.highestmodseq or None, compared=low == mailbox.lowest_uid)


def _count_differs(mailbox: Mailbox, selected: Selected) -> bool:
    """Whether a complete index holds another number of messages than the server: something vanished unseen."""
    return mailbox.is_complete and mailbox.messages.count() != selected.exists


def _recent_bound(mailbox: Mailbox) -> int:
    uids = mailbox.messages.order_by("-uid").values_list("uid", flat=True)[RECENT - 1 : RECENT]
    return max(next(iter(uids), 1), mailbox.lowest_uid)


def _chunk_bound(imap: Connection, mailbox: Mailbox) -> int:
    """The UID down to which the next chunk reaches, so that it holds about CHUNK messages.

    UIDs may have wide gaps: the count of what is left says how wide a range to ask for.
    """
    indexed = mailbox.messages.filter(uid__gte=mailbox.lowest_uid).count()
    left = max(1, mailbox.exists - indexed)
    width = max(CHUNK, (mailbox.lowest_uid - 1) * CHUNK // left)
    return max(1, mailbox.lowest_uid - width)
