"""The mailboxes of an account as index rows: a part of the one writer (see `index`), as the server's LIST has them.

A row is known again, so that links to it and its messages stay, by what the server calls it, surest first:

    OBJECTID ──▶ the same name (and UIDVALIDITY) ──▶ a UIDVALIDITY that no other mailbox has ──▶ the same name

The third is a renamed mailbox on a server without OBJECTID (RFC 8474). Servers that give several mailboxes one
UIDVALIDITY can't be told anything by it: there a renamed mailbox is a new one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils import timezone

from webmail.models import Account, Job, Mailbox
from webmail.protocol.types import MailboxInfo, MailboxStatus

from . import changes, due, overlay


def apply_list(account: Account, infos: Iterable[MailboxInfo]) -> None:
    """Make the account's mailboxes those the server listed, and mark as stale those of which STATUS has news.

    Counts of mailboxes that aren't indexed whole are taken from STATUS; UIDVALIDITY and the rest only from SELECT.
    """
    listed = {info.name: info for info in infos}
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        known = list(account.mailboxes.all())
        rows = _matched(known, listed)
        kept = {mailbox.pk for mailbox in rows.values()}
        coming = Job.objects.pending().filter(account=account, kind=Job.Kind.CREATE)
        gone = account.mailboxes.exclude(pk__in=kept).exclude(pk__in=coming.values("mailbox"))
        overlay.send_home(gone)
        gone.delete()
        _make_way(rows)
        before = {mailbox.pk: _values(mailbox) for mailbox in rows.values()}
        mailboxes = [_take(rows.get(name) or Mailbox(account=account), info) for name, info in listed.items()]
        _give_roles(mailboxes)
        for mailbox in mailboxes:
            if mailbox.pk is None:
                mailbox.save()
                due.want(account.pk)
            elif before[mailbox.pk] != _values(mailbox):
                mailbox.save(update_fields=_LISTED)
        Account.objects.filter(pk=account.pk).update(listed_at=timezone.now())
        if len(kept) < max(len(known), len(mailboxes)) or any(before[m.pk] != _values(m) for m in rows.values()):
            changes.publish(account.pk, kind="mailboxes")


def choose_roles(account: Account, chosen: Mapping[str, int | None]) -> None:
    """Keep what the person says the account's mailboxes are for.

    Args:
        chosen: for each role the key of a mailbox, or None to leave it to the server.
    """
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        mailboxes = list(account.mailboxes.select_for_update(no_key=True).order_by("pk"))
        roles = {pk: role for role, pk in chosen.items() if pk is not None}
        for mailbox in mailboxes:
            if mailbox.chosen_role in chosen or mailbox.pk in roles:
                mailbox.chosen_role = roles.get(mailbox.pk, "")
        _give_roles(mailboxes)
        Mailbox.objects.bulk_update(mailboxes, ["chosen_role", "role"])
        changes.publish(account.pk, kind="mailboxes")


_LISTED = ("name", "delimiter", "role", "listed_role", "space", "selectable", "subscribed", "object_id", "exists",
           "unread", "stale")  # fmt: skip


def _values(mailbox: Mailbox) -> tuple[object, ...]:
    return tuple(getattr(mailbox, name) for name in _LISTED)


def _matched(known: list[Mailbox], listed: Mapping[str, MailboxInfo]) -> dict[str, Mailbox]:
    """Which row each listed mailbox is, by name; those that are new are left out."""
    found: dict[str, Mailbox] = {}
    free = {mailbox.pk: mailbox for mailbox in known}

    def claim(name: str, mailbox: Mailbox | None) -> None:
        if mailbox is not None and name not in found and free.pop(mailbox.pk, None) is not None:
            found[name] = mailbox

    by_object = {mailbox.object_id: mailbox for mailbox in known if mailbox.object_id}
    by_name = {mailbox.name: mailbox for mailbox in known}
    for name, info in listed.items():
        claim(name, by_object.get(info.object_id) if info.object_id else None)
    for name, info in listed.items():
        mailbox = by_name.get(name)
        if mailbox is not None and _uidvalidity(info) in (0, mailbox.uidvalidity):
            claim(name, mailbox)
    shared = Counter(map(_uidvalidity, listed.values()))
    ours = Counter(mailbox.uidvalidity for mailbox in known)
    unique = {m.uidvalidity: m for m in free.values() if m.uidvalidity and ours[m.uidvalidity] == 1}
    for name, info in listed.items():
        mailbox = unique.get(_uidvalidity(info))
        if mailbox is not None and shared[mailbox.uidvalidity] == 1 and _may_be(mailbox, info.status):
            claim(name, mailbox)
    for name in listed:
        claim(name, by_name.get(name))
    return found


def _uidvalidity(info: MailboxInfo) -> int:
    return (info.status.uidvalidity if info.status else None) or 0


def _may_be(mailbox: Mailbox, status: MailboxStatus | None) -> bool:
    """Whether the counts, less what waiting jobs make of them, allow that it is ours: UIDNEXT never falls."""
    if status is None or status.uidnext is None or status.messages is None:
        return False
    if status.uidnext == mailbox.uidnext:
        return overlay.shown(mailbox, status.messages) <= mailbox.exists
    return status.uidnext > mailbox.uidnext


def _make_way(rows: Mapping[str, Mailbox]) -> None:
    """Give rows that will be called otherwise a name nobody has, so that two may change names with each other."""
    renamed = [mailbox.pk for name, mailbox in rows.items() if mailbox.name != name]
    for pk in renamed:
        Mailbox.objects.filter(pk=pk).update(name=f"{pk}\n")  # no mailbox's name holds a line end


def _take(mailbox: Mailbox, info: MailboxInfo) -> Mailbox:
    """The row with what LIST and STATUS say."""
    mailbox.name, mailbox.delimiter = info.name, info.delimiter
    mailbox.listed_role = info.role.value if info.role else ""
    mailbox.space = info.space.value
    mailbox.selectable, mailbox.subscribed = info.selectable, info.subscribed
    mailbox.object_id = info.object_id
    if info.status is None:
        return mailbox
    mailbox.stale = mailbox.stale or _has_news(mailbox, info.status)
    if not mailbox.is_complete:  # one that is counts its own rows: what is listed and what is counted agree
        if info.status.messages is not None:
            mailbox.exists = overlay.shown(mailbox, info.status.messages) if mailbox.pk else info.status.messages
        mailbox.unread = mailbox.unread if info.status.unseen is None else info.status.unseen
    return mailbox


def _has_news(mailbox: Mailbox, status: MailboxStatus) -> bool:
    """Whether STATUS says what a mailbox's row, which was read before, doesn't know yet."""
    if mailbox.lowest_uid == 0:
        return False  # nothing was read yet: `upkeep` will
    if status.uidvalidity and status.uidvalidity != mailbox.uidvalidity:
        return True
    if (status.uidnext or 0) > mailbox.uidnext:
        return True
    if status.messages not in (None, mailbox.exists) and mailbox.exists != overlay.shown(mailbox, status.messages or 0):
        return True
    if status.highestmodseq and mailbox.highestmodseq:
        return status.highestmodseq != mailbox.highestmodseq
    return status.unseen is not None and status.unseen != mailbox.unread


def _give_roles(mailboxes: Iterable[Mailbox]) -> None:
    """What the person chose goes before the server's word, for the mailbox and for the role."""
    mailboxes = list(mailboxes)
    chosen = {mailbox.chosen_role for mailbox in mailboxes} - {""}
    for mailbox in mailboxes:
        listed = "" if mailbox.listed_role in chosen else mailbox.listed_role
        mailbox.role = mailbox.chosen_role or listed
