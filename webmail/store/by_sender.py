"""All mail from one address, or with it, wherever in the account it lies: a list like any, from the index alone.

What was sent to somebody is found by looking through the recipients of what lies in Sent; so far as the index keeps
them (the first twenty of a message), and the newest SENT_KEPT.
"""

from __future__ import annotations

import re

from django.db.models import Q

from webmail.models import Account, Mailbox, Message, User
from webmail.models.message import MessageQuerySet, hash_of
from webmail.protocol import domains

from . import listing, slices, words
from .cursors import Query
from .listing import Choice, ListPage

SENT_KEPT = 1_000  # messages to somebody that are listed beside theirs
MOST_AT_ONCE = 5_000  # messages of a sender that one act can be about


def list_page(user: User, mailbox: Mailbox, query: Query, *, current: int | None = None) -> ListPage:
    """The page that `query` asks for: of a mailbox, or of all mail from a sender in the mailbox's account.

    Args:
        mailbox: with its account; found through `for_user`. Of a sender's mail it is the place to return to.
        current: key of the message that is open beside the list.
    """
    if not query.sender:
        return listing.mailbox_page(user, mailbox, query, current=current)
    messages = messages_of(mailbox.account, query)
    found = slices.slice_of(messages, query)
    total = messages.count()
    zone = listing.zone_of(user)
    shown = domains.shown_address(query.sender)
    back = Query().replace()
    return ListPage(
        mailbox_pk=mailbox.pk,
        title=shown,
        role=mailbox.role,
        total=f"{words.count(total)} in all mailboxes",
        unread="",
        rows=tuple(listing.rows_of(found.rows, query, zone, current)),
        sorts=(Choice("date", "Date", query.replace(), True),),
        filters=(
            Choice("person", "With this person", Query(sender=query.sender, mutual=True).replace(), query.mutual),
            Choice("sender", "From this sender", Query(sender=query.sender).replace(), not query.mutual),
            Choice("all", f"All in {listing.title_of(mailbox)}", back, False),
        ),
        newer=slices.newer_than(found, query),
        older=slices.older_than(found, query),
        oldest=query.replace(page=str(-(-total // slices.PAGE))) if found.more else "",
        position=slices.position_of(found, total),
        checked="",
        checked_age="",
        coverage="" if _is_all_read(mailbox.account) else "Of the mail that was read so far",
        notice=listing.notice_of(mailbox.account, zone),
        empty_title="No mail from there",
        empty_sentence=f"Nothing that was read so far is from {shown}{' or went there' if query.mutual else ''}.",
        query=query.replace(),
        here=query.here,
        below="",
        all=f"All {words.count(total)}" if len(found.rows) < total <= MOST_AT_ONCE else "",
    )


def messages_from(account: Account, address: str) -> MessageQuerySet:
    """The messages of `account` that came from `address`, in any case, in no order: `message_by_address` finds them."""
    return Message.objects.filter(account=account, sender_hash=hash_of(address.lower()), mailbox__isnull=False)


def messages_of(account: Account, query: Query) -> MessageQuerySet:
    """The messages that a query with a sender lists, in no order."""
    if not query.mutual:
        return messages_from(account, query.sender)
    found = Q(sender_hash=hash_of(query.sender.lower())) | Q(pk__in=_sent_to(account, query.sender))
    return Message.objects.filter(found, account=account, mailbox__isnull=False)


def place_of(user: User, address: str) -> Mailbox | None:
    """The mailbox beside which mail with an address is listed: the inbox of an account that has any, or the first."""
    inboxes = Mailbox.objects.for_user(user).filter(role="inbox", selectable=True).select_related("account")
    found = list(inboxes.order_by("account_id"))
    wanted = (inbox for inbox in found if messages_of(inbox.account, Query(sender=address, mutual=True)).exists())
    return next(wanted, next(iter(found), None))


def _sent_to(account: Account, address: str) -> list[int]:
    """The keys of the newest messages that were sent to an address."""
    sent = Message.objects.filter(account=account, mailbox__role="sent", recipients__icontains=address)
    whole = re.compile(rf"(?<![\w.+-]){re.escape(address)}(?![\w-]|\.\w)", re.IGNORECASE)
    rows = sent.order_by("-date").values_list("pk", "recipients")[:SENT_KEPT]
    return [pk for pk, recipients in rows if whole.search(recipients)]


def _is_all_read(account: Account) -> bool:
    return not account.mailboxes.filter(selectable=True, exists__gt=0).exclude(lowest_uid=1).exists()
