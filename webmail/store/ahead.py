"""The images of trusted senders, fetched by a worker before their mail is opened, so that opening it tells nobody.

Bounded in messages, images, octets and time; what is left over is fetched when it is looked at. Never for Junk.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from webmail.models import Mailbox, Message, TrustedSender, User
from webmail.protocol.errors import GiveUp

from . import bodies, image_cache, reading, remote, trust
from .paths import inline_root
from .remote import Shown

LOOKED_AT = 200  # newest unread rows of the mailbox
MOST_MESSAGES = 20
MOST_IMAGES = 30  # of one message
MOST_OCTETS = 20 * 2**20  # of one run
SECONDS = 40.0  # of one run
RECENT = timedelta(days=7)

_DONE = "images-ahead"  # the name under which it is kept that a message had its turn


def is_wanted(mailbox: Mailbox) -> bool:
    """Whether somebody's images may be fetched ahead in this mailbox. One query."""
    user = mailbox.account.user
    if mailbox.role in trust.NEVER_TRUSTED or user.remote_images == User.RemoteImages.NEVER:
        return False
    return TrustedSender.objects.for_user(user).exists()


def fetch(mailbox: Mailbox) -> int:
    """Fetch what the newest unread mail of trusted senders will show. Return how many images were fetched.

    Args:
        mailbox: with its account, provider and user.

    Raises:
        TryAgain, LoginNeeded: the mail server can't be asked now.
    """
    if not is_wanted(mailbox):
        return 0
    end, fetched, octets = time.monotonic() + SECONDS, 0, 0
    for message in _messages(mailbox):
        if time.monotonic() > end:
            return fetched
        for url in _images(mailbox.account.user, message):
            if time.monotonic() > end or octets > MOST_OCTETS:
                return fetched
            if image_cache.get(message.account_id, url) is not None:
                continue
            if not image_cache.may_fetch(mailbox.account.user_id, ahead=True):
                return fetched
            octets += len(remote.fetch(message.account_id, url))
            fetched += 1
        bodies.put(message, {_DONE: b"1"})
    return fetched


def _messages(mailbox: Mailbox) -> Iterator[Message]:
    """Newest unread messages from trusted senders that had no turn yet."""
    unread = mailbox.messages.filter(seen=False, deleted=False, date__gte=timezone.now() - RECENT)
    rows = list(unread.order_by("-date", "-uid")[:LOOKED_AT])
    senders = trust.may_be_trusted(mailbox.account.user, {row.sender_address for row in rows})
    for row in [row for row in rows if row.sender_address in senders][:MOST_MESSAGES]:
        row.mailbox, row.account = mailbox, mailbox.account
        if _DONE not in bodies.get(row, [_DONE]):
            yield row


def _images(user: User, message: Message) -> list[str]:
    """What opening the message would show without being asked; nothing where it can't be read for good."""
    try:
        body = reading.body(message, inline_root(message))
    except GiveUp:
        return []
    if body.frame is None or remote.decide(user, message, body).shown is not Shown.ALLOWED:
        return []
    return [url for url in body.frame.remote if url not in body.frame.tracking][:MOST_IMAGES]
