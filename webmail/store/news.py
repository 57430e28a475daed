"""What is new in the inboxes: how many are unread, and who wrote since somebody last looked.

The look is remembered by the browser, as a word of ours: for each inbox the UIDVALIDITY and the UID that comes next. So
nothing is new twice, older mail that is indexed later isn't new, and a renumbered mailbox begins anew (law 8).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from webmail.models import Mailbox
from webmail.protocol import senders

from .sidebar import Accounts

MOST = 5  # messages named; beyond, their number says enough
MOST_INBOXES = 200

_PLACE = re.compile(r"(\d{1,19})\.(\d{1,19})\.(\d{1,19})", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewMessage:
    """One of them, as a notification shows it."""

    pk: int
    sender: str
    subject: str


@dataclass(frozen=True, slots=True)
class News:
    """`unread` in all inboxes; `count` came since, the newest of them are `messages`; `since` is for the next look."""

    unread: int
    count: int
    messages: tuple[NewMessage, ...]
    since: str


def news_of(accounts: Accounts, since: str) -> News:
    """What came to the inboxes of a person since a look before. Nothing is new at the first one (`since` is "")."""
    inboxes = [mailbox for mailboxes in accounts.values() for mailbox in mailboxes if mailbox.role == "inbox"]
    before = _read(since)
    count, messages = 0, []
    for inbox in inboxes:
        uidvalidity, uidnext = before.get(inbox.pk, (0, 0))
        if uidvalidity == inbox.uidvalidity and uidnext < inbox.uidnext:
            arrived = inbox.messages.filter(uid__gte=uidnext, seen=False).order_by("-uid")
            count += arrived.count()
            rows = arrived.values_list("date", "pk", "sender_name", "sender_address", "subject")[:MOST]
            messages += list(rows)
    messages.sort(reverse=True)
    named = tuple(
        NewMessage(pk, senders.shown_as(name, address) or "(nobody)", subject or "(no subject)")
        for _, pk, name, address, subject in messages[:MOST]
    )
    return News(sum(inbox.unread for inbox in inboxes), count, named, _written(inboxes))


def _written(inboxes: list[Mailbox]) -> str:
    return "_".join(f"{inbox.pk}.{inbox.uidvalidity}.{inbox.uidnext}" for inbox in inboxes[:MOST_INBOXES])


def _read(since: str) -> Mapping[int, tuple[int, int]]:
    """The UIDVALIDITY and next UID of each inbox, by its key; what isn't a look of ours says nothing."""
    places = (_PLACE.fullmatch(place) for place in since.split("_")[:MOST_INBOXES])
    return {int(found[1]): (int(found[2]), int(found[3])) for found in places if found}
