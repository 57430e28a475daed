"""A selection of messages, frozen: "all 48,213 in this mailbox" as they are at this moment, in one query.

What comes to the mailbox later, or changes so that it would match, is not meant. So the UIDs are kept, as ranges: the
database finds them (100,000 in a tenth of a second), and the row of the job stays small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Q, TextField, Value
from django.db.models.functions import Concat

from webmail.models import Mailbox, Message
from webmail.models.message import MessageQuerySet

from . import cursors

# What the server is asked of messages that aren't in the index; None: that it can't say.
CRITERIA = {"all": "ALL", "unread": "UNSEEN", "flagged": "FLAGGED", "attachment": None}
# Likewise of those for which setting or clearing a flag is a change.
_CHANGING = {("add", "seen"): "UNSEEN", ("remove", "seen"): "SEEN", ("add", "flagged"): "UNFLAGGED",
             ("remove", "flagged"): "FLAGGED"}  # fmt: skip


# Gaps and islands: within a run of UIDs the difference to their number in line is the same.
_ISLANDS = """
SELECT MIN(uid), MAX(uid), COUNT(*), SUM(CASE WHEN seen THEN 0 ELSE 1 END)
FROM (SELECT uid, seen, uid - ROW_NUMBER() OVER (ORDER BY uid) AS island FROM (CHOSEN) AS chosen) AS numbered
GROUP BY island ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """All messages of a mailbox that match.

    Args:
        only: a key of `cursors.FILTERS`. below: UIDs from here on aren't meant (UIDNEXT as the page showed it); 0 for
            whatever is there now. without: keys of rows that were taken out again.
    """

    mailbox: Mailbox
    only: str = "all"
    below: int = 0
    without: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Frozen:
    """The messages of a job: their UIDs as a set, how many they are and how many of them unread.

    `rest`: what of it isn't in the index and has to be asked for. `rows`: the rows, where they were given.
    """

    uid_set: str
    count: int
    unread: int
    last: int
    rest: dict[str, Any] = field(default_factory=dict)
    rows: Sequence[Message] = ()


def freeze(selection: Selection, changing: tuple[str, str] | None = None) -> Frozen:
    """The selection as it is now.

    Args:
        changing: ("add" | "remove", flag) or ("label" | "unlabel", keyword): only those for which that is a change.
    """
    mailbox = selection.mailbox
    messages = Message.objects.filter(cursors.FILTERS[selection.only], mailbox=mailbox)
    criterion = CRITERIA[selection.only]
    if changing is not None:
        key, word = changing
        messages = _changed_by(messages, key, word)
        criterion = f"{criterion} {_CHANGING[changing]}" if criterion and changing in _CHANGING else None
    if selection.below:
        messages = messages.filter(uid__lt=selection.below)
    if selection.without:
        messages = messages.exclude(pk__in=selection.without)
    inner, parameters = messages.order_by().values("uid", "seen").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_ISLANDS.replace("CHOSEN", inner), parameters)
        runs = cursor.fetchall()
    rest: dict[str, Any] = {}
    if criterion and mailbox.lowest_uid > 1:
        rest = {"low": 1, "high": min(mailbox.lowest_uid, selection.below or mailbox.lowest_uid) - 1,
                "criterion": criterion}  # fmt: skip
    return Frozen(
        uid_set=",".join(f"{low}:{high}" if low != high else f"{low}" for low, high, _, _ in runs),
        count=sum(many for _, _, many, _ in runs),
        unread=sum(unread for _, _, _, unread in runs),
        last=runs[-1][1] if runs else 0,
        rest=rest,
    )


def _changed_by(messages: MessageQuerySet, key: str, word: str) -> MessageQuerySet:
    if key in ("add", "remove"):
        return messages.filter(**{word: key == "remove"})
    padded = messages.annotate(padded=Concat(Value(" "), "keywords", Value(" "), output_field=TextField()))
    has = Q(padded__contains=f" {word} ")
    return padded.filter(has if key == "unlabel" else ~has)
