"""The accounts and mailboxes at the side of every page: two queries, whatever their number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from webmail.models import Account, Mailbox, User

from . import listing, words

ROLE_ORDER = ("inbox", "drafts", "sent", "archive", "junk", "trash")


@dataclass(frozen=True, slots=True)
class SidebarMailbox:
    """One line of the sidebar. `depth` counts from 0; `unread` is "" where there is none."""

    pk: int
    name: str
    full_name: str
    role: str
    depth: int
    unread: str
    selectable: bool
    current: bool


@dataclass(frozen=True, slots=True)
class SidebarAccount:
    """One account with its mailboxes: those with a role first, then the tree. `sentence` says what is wrong, or ""."""

    pk: int
    address: str
    state: str
    sentence: str
    mailboxes: tuple[SidebarMailbox, ...]


def accounts_of(user: User) -> list[Account]:
    """The user's accounts with their mailboxes, in order: what every page starts from."""
    return list(Account.objects.for_user(user).prefetch_related("mailboxes"))


def find_mailbox(accounts: Iterable[Account], pk: int) -> Mailbox | None:
    """The mailbox with this key among the user's accounts, or None."""
    return next((mailbox for account in accounts for mailbox in account.mailboxes.all() if mailbox.pk == pk), None)


def sidebar(user: User, accounts: Iterable[Account], current: int | None = None) -> tuple[SidebarAccount, ...]:
    """The sidebar of `accounts_of` a user, with the mailbox whose key is `current` marked."""
    zone = listing.zone_of(user)
    return tuple(
        SidebarAccount(
            pk=account.pk,
            address=account.address,
            state=account.state,
            sentence=listing.notice_of(account, zone),
            mailboxes=tuple(_line(mailbox, current) for mailbox in sorted(account.mailboxes.all(), key=_place)),
        )
        for account in accounts
    )


def _place(mailbox: Mailbox) -> tuple[int, list[str]]:
    if mailbox.role:
        return ROLE_ORDER.index(mailbox.role), []
    return len(ROLE_ORDER), [piece.casefold() for piece in mailbox.path]


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
    )
