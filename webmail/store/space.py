"""What takes the room of an account: the server's quota, and from the index what is largest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Sum
from django.utils import timezone

from webmail.models import Account, Mailbox, Message, User
from webmail.protocol import senders
from webmail.protocol.domains import shown_address

from . import listing, pools, words
from .cursors import Query
from .sidebar import full_title_of, room_of

QUOTA_EVERY = timedelta(minutes=10)
MOST = 25  # lines of each list


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list. `link` leads to what it is about; `pk` is a message's key, a mailbox's or "".

    `act` is where all mail of a sender is acted on.
    """

    pk: str
    name: str
    detail: str
    size: str
    link: str
    role: str = ""
    act: str = ""


@dataclass(frozen=True, slots=True)
class Space:
    """The page. `room` and `percent` are "" where the server sets no limit; `act` is where messages are acted on."""

    room: str
    percent: str
    total: str
    messages: tuple[Line, ...]
    senders: tuple[Line, ...]
    mailboxes: tuple[Line, ...]
    act: str


def is_quota_due(account: Account) -> bool:
    """Whether the quota was read so long ago that it may be read again."""
    return account.quota_at is None or timezone.now() - account.quota_at > QUOTA_EVERY


def read_quota(account: Account) -> None:
    """Ask the server how full the account is, and keep it."""
    with pools.lend(account) as imap:
        quota = imap.quota()
    values = {"quota_used": quota.used if quota else 0, "quota_limit": quota.limit if quota else 0}
    Account.objects.filter(pk=account.pk).update(quota_at=timezone.now(), **values)


def page(user: User, account: Account) -> Space:
    """The page of one account, from the index alone.

    Args:
        account: one of `user`'s.
    """
    mailboxes = list(account.mailboxes.select_related("account"))
    inbox = next((each for each in mailboxes if each.role == "inbox"), None)
    held = Message.objects.filter(account=account, mailbox__isnull=False)
    limit = account.quota_limit
    return Space(
        room=room_of(account),
        percent=str(min(100, account.quota_used * 100 // limit)) if limit else "",
        total=words.size(held.aggregate(total=Sum("size"))["total"] or 0),
        messages=_largest(account, user),
        senders=_senders(account, inbox),
        mailboxes=_mailboxes(account, mailboxes),
        act=f"/mailbox/{inbox.pk}/act/" if inbox else "",
    )


def _largest(account: Account, user: User) -> tuple[Line, ...]:
    zone = listing.zone_of(user)
    held = Message.objects.filter(account=account, mailbox__isnull=False).select_related("mailbox__account")
    return tuple(
        Line(
            pk=str(row.pk),
            name=row.subject or "(no subject)",
            detail=f"{senders.shown_as(row.sender_name, row.sender_address)} · "
            f"{words.long_day(row.date.astimezone(zone).date())} · "
            f"{listing.title_of(row.mailbox) if row.mailbox else ''}",
            size=words.size(row.size),
            link=f"/message/{row.pk}/",
        )
        for row in held.order_by("-size", "-pk")[:MOST]
    )


def _senders(account: Account, inbox: Mailbox | None) -> tuple[Line, ...]:
    held = Message.objects.filter(account=account, mailbox__isnull=False).exclude(sender_address="")
    most = held.values("sender_address").annotate(total=Sum("size"), count=Count("pk")).order_by("-total")[:MOST]
    return tuple(
        Line(
            pk="",
            name=shown_address(row["sender_address"]),
            detail=words.messages(row["count"]),
            size=words.size(row["total"]),
            link=f"/mailbox/{inbox.pk}/{Query(sender=row['sender_address']).replace()}" if inbox else "",
            act=f"/mailbox/{inbox.pk}/act/{Query(sender=row['sender_address']).replace()}" if inbox else "",
        )
        for row in most
    )


def _mailboxes(account: Account, mailboxes: list[Mailbox]) -> tuple[Line, ...]:
    held = Message.objects.filter(account=account, mailbox__isnull=False)
    sizes = {row["mailbox"]: row for row in held.values("mailbox").annotate(total=Sum("size"), count=Count("pk"))}
    known = [each for each in mailboxes if each.pk in sizes]
    return tuple(
        Line(
            pk=str(each.pk),
            name=full_title_of(each),
            detail=words.messages(each.exists) + ("" if each.is_complete else ", not all of them read so far"),
            size=words.size(sizes[each.pk]["total"]),
            link=f"/mailbox/{each.pk}/?sort=size",
            role=each.role,
        )
        for each in sorted(known, key=lambda each: -sizes[each.pk]["total"])
    )
