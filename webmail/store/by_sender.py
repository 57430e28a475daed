"""All mail from one address, wherever in the account it lies: a list like a mailbox's, from the index alone."""

from __future__ import annotations

from webmail.models import Account, Mailbox, Message, User
from webmail.models.message import MessageQuerySet, hash_of
from webmail.protocol import domains

from . import listing, slices, words
from .cursors import Query
from .listing import Choice, ListPage


def list_page(user: User, mailbox: Mailbox, query: Query, *, current: int | None = None) -> ListPage:
    """The page that `query` asks for: of a mailbox, or of all mail from a sender in the mailbox's account.

    Args:
        mailbox: with its account; found through `for_user`. Of a sender's mail it is the place to return to.
        current: key of the message that is open beside the list.
    """
    if not query.sender:
        return listing.mailbox_page(user, mailbox, query, current=current)
    messages = messages_from(mailbox.account, query.sender)
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
            Choice("sender", "From this sender", query.replace(), True),
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
        empty_sentence=f"Nothing that was read so far is from {shown}.",
        query=query.replace(),
        here=query.here,
        below="",
        all="",
    )


def messages_from(account: Account, address: str) -> MessageQuerySet:
    """The messages of `account` that came from `address`, in any case, in no order: `message_by_address` finds them."""
    return Message.objects.filter(account=account, sender_hash=hash_of(address.lower()), mailbox__isnull=False)


def _is_all_read(account: Account) -> bool:
    return not account.mailboxes.filter(selectable=True, exists__gt=0).exclude(lowest_uid=1).exists()
