"""The accounts and mailboxes at the side of every page: one query, whatever their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import models
from django.db.models import Count, Subquery, Value

from webmail.models import Account, Job, Mailbox, User
from webmail.models.compiled import Compiled, Parameter

from . import listing, words

SPACE_ORDER = ("own", "other", "shared")
_HEADINGS = {"other": "Other people’s mailboxes", "shared": "Shared mailboxes"}
ROLE_ORDER = ("inbox", "drafts", "sent", "archive", "junk", "trash")


class Accounts(dict[Account, list[Mailbox]]):
    """A person's accounts in order, each with its mailboxes.

    `waiting`: how many changes to their mail the servers may not have yet.
    """

    waiting = 0

    @property
    def waiting_words(self) -> str:
        """Likewise in words, "" where there are none."""
        return f"{self.waiting} change{'' if self.waiting == 1 else 's'} waiting" if self.waiting else ""


@dataclass(frozen=True, slots=True)
class SidebarMailbox:
    """One line of the sidebar. `depth` counts from 0; `unread` is "" where there is none; `heading` is what
    those have in common that aren't the person's own, else ""."""

    pk: int
    name: str
    full_name: str
    role: str
    depth: int
    unread: str
    selectable: bool
    current: bool
    colour: str
    heading: str = ""


@dataclass(frozen=True, slots=True)
class SidebarAccount:
    """One account with its mailboxes: those with a role first, then the tree. `sentence` says what is wrong, or "".

    `unread` counts the inbox alone: what a title or an icon says.
    """

    pk: int
    address: str
    state: str
    sentence: str
    need: str
    unread: int
    mailboxes: tuple[SidebarMailbox, ...]
    room: str


def accounts_of(user: User) -> Accounts:
    """The user's accounts in order, each with its mailboxes: what every page starts from."""
    found: dict[int, tuple[Account, list[Mailbox]]] = {}
    waiting = 0
    for row in _ACCOUNTS(user=user.pk):
        if row[0] not in found:
            found[row[0]] = Account.from_db(None, _ACCOUNT, row[: len(_ACCOUNT)]), []
        account, mailboxes = found[row[0]]
        if row[len(_ACCOUNT)] is not None:
            mailbox = Mailbox.from_db(None, _MAILBOX, row[len(_ACCOUNT) : -1])
            mailbox.account = account
            mailboxes.append(mailbox)
        waiting = row[-1] or 0
    accounts = Accounts(found.values())
    accounts.waiting = waiting
    return accounts


def find_mailbox(accounts: Mapping[Account, Sequence[Mailbox]], pk: int) -> Mailbox | None:
    """The mailbox with this key among the user's accounts, or None."""
    return next((mailbox for mailboxes in accounts.values() for mailbox in mailboxes if mailbox.pk == pk), None)


def sidebar(
    user: User, accounts: Mapping[Account, Sequence[Mailbox]], current: int | None = None
) -> tuple[SidebarAccount, ...]:
    """The sidebar of `accounts_of` a user, with the mailbox whose key is `current` marked."""
    zone = listing.zone_of(user)
    return tuple(
        SidebarAccount(
            pk=account.pk,
            address=account.address,
            state=account.state,
            sentence=listing.notice_of(account, zone),
            need=account.need if account.state == Account.State.LOGIN_NEEDED else "",
            unread=sum(mailbox.unread for mailbox in mailboxes if mailbox.role == "inbox"),
            mailboxes=tuple(_line(mailbox, current) for mailbox in sorted(mailboxes, key=_place)),
            room=room_of(account),
        )
        for account, mailboxes in accounts.items()
    )


def room_of(account: Account) -> str:
    """How full the account is: "1.2 GB of 2.0 GB", "" where that isn't known or there is no limit."""
    if not account.quota_limit:
        return ""
    return f"{words.size(account.quota_used)} of {words.size(account.quota_limit)}"


def targets_of(account: Account) -> list[Mailbox]:
    """The mailboxes of an account that something can be put in, in the order of the sidebar."""
    return sorted(account.mailboxes.filter(selectable=True), key=_place)


def tree_of(account: Account) -> list[Mailbox]:
    """All mailboxes of an account in the order of the sidebar, also those that only hold others."""
    return sorted(account.mailboxes.select_related("account"), key=_place)


def full_title_of(mailbox: Mailbox) -> str:
    """A mailbox with those it lies in: "Projects / Budget"."""
    return " / ".join([*mailbox.path[:-1], listing.title_of(mailbox)])


def _place(mailbox: Mailbox) -> tuple[int, int, list[str]]:
    space = SPACE_ORDER.index(mailbox.space)
    if mailbox.role:
        return space, ROLE_ORDER.index(mailbox.role), []
    return space, len(ROLE_ORDER), [piece.casefold() for piece in mailbox.path]


def _line(mailbox: Mailbox, current: int | None) -> SidebarMailbox:
    quiet = mailbox.role in ("sent", "trash")
    count = mailbox.exists if mailbox.role == "drafts" else mailbox.unread
    return SidebarMailbox(
        pk=mailbox.pk,
        name=listing.title_of(mailbox),
        full_name=mailbox.name,
        role=mailbox.role,
        depth=0 if mailbox.role else len(mailbox.path) - 1,
        unread="" if quiet else words.short_count(count),
        selectable=mailbox.selectable,
        current=mailbox.pk == current,
        colour=mailbox.account.colours.get(mailbox.name, ""),
        heading=_HEADINGS.get(mailbox.space, ""),
    )


# "id" of both first: whose row it is, and whether an account has any mailbox.
_ACCOUNT = [field.attname for field in Account._meta.concrete_fields]
_MAILBOX = [field.attname for field in Mailbox._meta.concrete_fields]
_OF_USER = Parameter("user", models.BigIntegerField())
# It names no row of the query around it, so the database counts once.
_WAITING = (
    Job.objects.pending().filter(account__user=_OF_USER).order_by()
    .annotate(all=Value(1)).values("all").annotate(count=Count("pk")).values("count")
)  # fmt: skip
_ACCOUNTS = Compiled(
    lambda: Account.objects.filter(user=_OF_USER).annotate(waiting=Subquery(_WAITING)),
    [*_ACCOUNT, *(f"mailboxes__{name}" for name in _MAILBOX), "waiting"],
    [*(f"account_{name}" for name in _ACCOUNT), *(f"mailbox_{name}" for name in _MAILBOX), "waiting"],
)
