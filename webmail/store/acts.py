"""What a person asks of chosen messages: one word, a job for each mailbox, and what is said of it then."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import models
from django.db.models import Q

from webmail.models import Job, Mailbox, Message, User
from webmail.models.compiled import Compiled, Parameter
from webmail.protocol.errors import Refused
from webmail.protocol.types import Flag

from . import activity, jobs, listing, mailbox_acts, words
from .jobs import Messages
from .selecting import Selection

FLAGS = ("read", "unread", "flag", "unflag")
TARGETED = ("move", "copy")
LABELLED = ("label", "unlabel")
ACTS = ("archive", "delete", "junk", "not_junk", *TARGETED, *FLAGS, *LABELLED)
MOST = 1_000  # rows that are chosen one by one; more are a selection

# Where a row is; what else a job looks at is read when it is recorded.
_WHERE = ("account", "mailbox", "uid", "origin", "origin_uid")
# What IMAP lets a keyword be (RFC 9051: an atom), less what our own index separates them by.
_KEYWORD = re.compile(r"[A-Za-z0-9$_.+&'!#~=:;,@^`|/<>?-]{1,60}", re.ASCII)
_PAST = {
    "archive": "Archived {n}",
    "trash": "Deleted {n}",
    "delete": "Deleted {n} for good",
    "junk": "Reported {n} as junk",
    "not_junk": "Reported {n} as not junk",
    "move": "Moved {n} to {to}",
    "copy": "Copied {n} to {to}",
    "read": "Marked {n} as read",
    "unread": "Marked {n} as unread",
    "flag": "Flagged {n}",
    "unflag": "Cleared the flag of {n}",
    "label": "Labelled {n} {word}",
    "unlabel": "Took {word} off {n}",
}


_WHERE_IT_IS = ("id", "account_id", "mailbox_id")
_READ = {"id", "account_id", "name", "uidvalidity", "role", "read_only"}
_ITS_MAILBOX = [field.attname for field in Mailbox._meta.concrete_fields if field.attname in _READ]  # in their order
_TO_FLAG = Compiled(
    lambda: Message.objects.filter(
        pk=Parameter("key", models.BigIntegerField()),
        account__user=Parameter("user", models.BigIntegerField()),
        mailbox__isnull=False,
    ),
    [*_WHERE_IT_IS, *(f"mailbox__{name}" for name in _ITS_MAILBOX)],
    [*_WHERE_IT_IS, *(f"mailbox_{name}" for name in ("key", *_ITS_MAILBOX[1:]))],
)


class CannotAct(Exception):
    """It can't be done, and nothing was; the sentence says why."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done.

    Args:
        act: of ACTS. target: for those in TARGETED; create: the name of a mailbox to be made, in its place.
        keyword: for those in LABELLED.
        idem_key: made by the page.
        places: the account's mailboxes, where they are known already.
    """

    act: str
    idem_key: str
    target: Mailbox | None = None
    create: str = ""
    keyword: str = ""
    places: Sequence[Mailbox] = ()


def chosen(user: User, mailbox: Mailbox, keys: Sequence[int]) -> list[Messages]:
    """The person's messages with these keys, in the mailbox's account, mailbox by mailbox; what is gone is left out."""
    found = Message.objects.for_user(user).filter(pk__in=keys[:MOST], account=mailbox.account_id)
    return grouped(mailbox, list(found.filter(mailbox__isnull=False).only(*_WHERE)))


def to_flag(user: User, pk: int) -> Message | None:
    """The person's message with this key, and of its mailbox what recording a flag looks at; None where it is gone."""
    for row in _TO_FLAG(user=user.pk, key=pk):
        message = Message.from_db(None, _WHERE_IT_IS, row[: len(_WHERE_IT_IS)])
        message.mailbox = Mailbox.from_db(None, _ITS_MAILBOX, row[len(_WHERE_IT_IS) :])
        return message
    return None


def grouped(mailbox: Mailbox, rows: Sequence[Message]) -> list[Messages]:
    """Rows of the mailbox's account, mailbox by mailbox."""
    # Nearly always they all lie in the one mailbox that is here already.
    others = {key for row in rows for key in (row.mailbox_id, row.origin_id) if key and key != mailbox.pk}
    places = {mailbox.pk: mailbox}
    if others:
        places |= Mailbox.objects.select_related("account__provider").in_bulk(others)
    groups: dict[int, list[Message]] = {}
    for row in rows:
        assert row.mailbox_id
        row.mailbox = places[row.mailbox_id]
        row.origin = places[row.origin_id] if row.origin_id else None
        groups.setdefault(row.mailbox_id, []).append(row)
    return list(groups.values())


def carry_out(mailbox: Mailbox, groups: Sequence[Messages], order: Order) -> list[Job]:
    """Record what was ordered, a job for each mailbox. Messages that lie where they are to go are left alone.

    A second call with an order's key returns what the first one recorded.

    Raises:
        CannotAct: in words; nothing was recorded.
    """
    key = order.idem_key[:50]
    # Of one group that is where it was, the ledger itself knows when it is recorded for the second time.
    alone = len(groups) == 1 and mailbox_of(groups[0]).pk == mailbox.pk and not order.create
    if not alone and (before := _recorded(mailbox, key)):
        return before
    if not groups:
        raise CannotAct("These messages are no longer here. They were moved or deleted elsewhere.")
    if order.act in LABELLED and not _KEYWORD.fullmatch(order.keyword):
        raise CannotAct("A label is made of letters without accents, digits and signs, without spaces.")
    if order.create:
        try:
            made = mailbox_acts.record_create(mailbox_of(groups[0]).account, order.create, idem_key=f"{key}.new")
        except mailbox_acts.BadName as error:
            raise CannotAct(error.sentence) from error
        order = replace(order, target=made.mailbox)
    recorded = []
    for number, group in enumerate(groups):
        try:
            recorded.append(_record(group, order, key if number == 0 else f"{key}.{number}"))
        except (jobs.NoSuchPlace, Refused) as error:
            raise CannotAct(error.sentence) from error
        except ValueError as error:
            if len(groups) == 1:
                if before := _recorded(mailbox, key):
                    return before
                raise CannotAct("They are there already.") from error
    if recorded and not any(map(_is_about_something, recorded)):
        Job.objects.filter(pk__in=[job.pk for job in recorded]).delete()
        raise CannotAct("Nothing was changed: it is so already, or they were moved meanwhile.")
    return recorded


def _recorded(mailbox: Mailbox, key: str) -> list[Job]:
    """The jobs that an order with this key has recorded before."""
    mine = Q(idem_key=key) | Q(idem_key__startswith=f"{key}.")
    before = Job.objects.filter(mine, account=mailbox.account_id).exclude(kind=Job.Kind.CREATE)
    return list(before.order_by("sequence"))


def mailbox_of(group: Messages) -> Mailbox:
    """The mailbox that a group of messages lies in."""
    mailbox = group.mailbox if isinstance(group, Selection) else group[0].mailbox
    assert mailbox is not None
    return mailbox


def is_for_good(groups: Sequence[Messages], order: Order) -> bool:
    """Whether messages would be gone for ever, so that one has to be asked first."""
    return order.act == "delete" and any(mailbox_of(group).role == "trash" for group in groups)


def past(recorded: Sequence[Job]) -> str:
    """What happened, as a sentence without its full stop: "Moved 3 messages to Projects"."""
    if not recorded:
        return "They are there already"
    first = recorded[0]
    count = sum(job.count for job in recorded)
    number = words.messages(count, "a message")
    # Of a mailbox that isn't indexed whole only the server can say how many there are.
    number = "all messages that match" if any(job.arguments.get("rest") for job in recorded) else number
    word = next(iter([*first.arguments.get("label", ()), *first.arguments.get("unlabel", ())]), "")
    target = listing.title_of(first.target) if first.target else ""
    return _PAST[first.act].format(n=number, to=target, word=word)


def is_undoable(job: Job) -> bool:
    """Whether the job changes anything, so that there is something to take back."""
    return _is_about_something(job) and (job.kind != Job.Kind.FLAG or bool(job.arguments["changed"]))


def undone(taken_back: Sequence[Job]) -> str:
    """What was taken back, likewise: "Undone: moved 3 messages to Projects"."""
    words = past(taken_back) if all(job.act in _PAST for job in taken_back) else activity.what(taken_back[0])
    return f"Undone: {words[0].lower()}{words[1:]}"


def recent_targets(mailbox: Mailbox, most: int = 3) -> list[int]:
    """Keys of the mailboxes that a person last moved or copied something to by name, newest first."""
    named = Job.objects.filter(account=mailbox.account_id, act__in=TARGETED, target__isnull=False)
    last = named.order_by("-sequence").values_list("target_id", flat=True)[:50]
    return [key for key in dict.fromkeys(last) if key != mailbox.pk][:most]


def _is_about_something(job: Job) -> bool:
    return bool(job.count or job.arguments.get("rest"))


def _record(group: Messages, order: Order, key: str) -> Job:
    act = order.act
    if act in FLAGS:
        flag = Flag.SEEN if act.endswith("read") else Flag.FLAGGED
        if act.startswith("un"):
            return jobs.record_flags(group, remove=[flag], idem_key=key)
        return jobs.record_flags(group, add=[flag], idem_key=key)
    if act == "label":
        return jobs.record_flags(group, label=[order.keyword], idem_key=key)
    if act == "unlabel":
        return jobs.record_flags(group, unlabel=[order.keyword], idem_key=key)
    if act in TARGETED:
        assert order.target is not None
        record = jobs.record_move if act == "move" else jobs.record_copy
        return record(group, order.target, idem_key=key)
    if act == "archive":
        return jobs.record_archive(group, idem_key=key, places=order.places)
    if act == "delete":
        return jobs.record_delete(group, idem_key=key, places=order.places)
    return jobs.record_junk(group, junk=act == "junk", idem_key=key, places=order.places)
