"""The index of one mailbox against the server, UID by UID and flag by flag: the truth, for servers that can't tell
what changed and for whatever escaped the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import timezone

from webmail.models import Mailbox
from webmail.protocol.connection import Connection

from . import index, overlay, rows

WINDOW = 20_000  # messages whose flags are asked for at a time: what is held in memory
_COLUMNS = ("uid", *rows.FLAG_COLUMNS)


@dataclass(frozen=True, slots=True)
class Differences:
    """How many messages the index did not have, had too many, and had with other flags than the server."""

    appeared: int = 0
    vanished: int = 0
    flags: int = 0

    @property
    def total(self) -> int:
        return self.appeared + self.vanished + self.flags

    def __add__(self, other: Differences) -> Differences:
        return Differences(self.appeared + other.appeared, self.vanished + other.vanished, self.flags + other.flags)


def compare(imap: Connection, mailbox: Mailbox, low: int) -> Differences:
    """Make the rows from UID `low` up to what was read so far (`uidnext`) what the server has; newest first."""
    found = Differences()
    for begin, end in _windows(mailbox, low):
        found += _compare_window(imap, mailbox, begin, end)
    return found


def drop_vanished(imap: Connection, mailbox: Mailbox) -> int:
    """Unlink what the server no longer has, where it tells changed flags but not that (CONDSTORE without QRESYNC)."""
    there = set(imap.uids(mailbox.name, mailbox.uidvalidity))
    known = mailbox.messages.filter(uid__gte=mailbox.lowest_uid, uid__lt=mailbox.uidnext)
    return index.apply_vanished(mailbox, sorted(set(known.values_list("uid", flat=True)) - there))


def _windows(mailbox: Mailbox, low: int) -> Iterator[tuple[int, int]]:
    """Ranges of UIDs that hold about WINDOW messages each, from the newest down to `low`."""
    end = mailbox.uidnext - 1
    while end >= low:
        newest = mailbox.messages.filter(uid__gte=low, uid__lte=end).order_by("-uid").values_list("uid", flat=True)
        begin = next(iter(newest[WINDOW - 1 : WINDOW]), low)
        yield begin, end
        end = begin - 1


def _compare_window(imap: Connection, mailbox: Mailbox, begin: int, end: int) -> Differences:
    read_at = timezone.now()
    changes = imap.flags(mailbox.name, mailbox.uidvalidity, begin, end)
    before = _flags_of(mailbox, begin, end)
    leaving = overlay.displaced(mailbox, begin, end)
    there = {change.uid for change in changes}
    lacking = sorted(there - before.keys() - leaving)
    vanished = index.apply_vanished(mailbox, sorted((before.keys() | leaving) - there))
    differing = [
        change for change in changes if change.uid in before and rows.flag_tuple(change.flags) != before[change.uid]
    ]
    index.apply_flags(mailbox, differing, read_at=read_at)
    flags = 0
    if differing:  # what a waiting job makes different is meant to be so, and stays
        after = _flags_of(mailbox, differing[0].uid, differing[-1].uid)
        flags = sum(after.get(change.uid) != before[change.uid] for change in differing)
    if lacking:
        index.apply_messages(mailbox, imap.fetch(mailbox.name, mailbox.uidvalidity, lacking), read_at=read_at)
    return Differences(len(lacking), vanished, flags)


def _flags_of(mailbox: Mailbox, begin: int, end: int) -> dict[int, tuple[bool | str, ...]]:
    found = mailbox.messages.filter(uid__gte=begin, uid__lte=end).values_list(*_COLUMNS)
    return {row[0]: tuple(row[1:]) for row in found.iterator(5000)}
