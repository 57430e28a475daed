"""What accounts need without anybody asking: all mailboxes indexed, and each compared with its server once a day.

The database says what is due (`Account.upkeep_at`, and how far each mailbox's index reaches), so nothing depends on
a message that gets through. A worker takes the account that waits longest, works on it for a slice, and puts it back
at the end of the line: an account with a million messages holds up nobody.

    due ──taken──▶ claimed ──slice over, more to do──▶ due, behind all others
     ▲                │
     │                ├── nothing left ──▶ due again when the first mailbox is to be compared
     │                ├── server away, or connection lost ──▶ due again after a pause, short where it may be chance
     └── claim ran out (the worker died)
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from webmail.models import Account, Mailbox
from webmail.protocol.errors import Busy, ConnectionLost, GiveUp, ProtocolError
from webmail.protocol.types import Role

from . import due, index, pools, prefetch, sync
from .due import CLAIM
from .renewing import renewing

RENEW_SECONDS = 3.0
SLICE = 5.0  # seconds that one account is worked on before others have their turn
RUN = 20.0  # seconds before a worker looks whether it has other things to do
COMPARE_EVERY = timedelta(days=1)
# Seconds after a server could not be reached (`breaker` spares it), or what was reached was lost; with full jitter.
AWAY_PAUSE, LOST_PAUSE = 60.0, 5.0
UNLINKED_KEPT = timedelta(minutes=5)  # how long a vanished row waits for a move to find it
PREVIEWS = 50  # the newest messages of each mailbox whose first words are read ahead
ROLES = ("inbox", "drafts", "sent", "archive", "junk", "trash", "")  # in this order

_log = logging.getLogger(__name__)


def work() -> bool:
    """Work on accounts that are due, in turns. Return whether there may be more to do at once."""
    until = time.monotonic() + RUN
    while time.monotonic() < until:
        account = _claim()
        if account is None:
            return False
        with pools.background():
            _work_on(account)
    return True


def put_off(mailbox: Mailbox) -> None:
    """What is new in a mailbox can't be read now: it is, as soon as somebody has time and a connection for it."""
    index.note_stale(mailbox)
    due.want(mailbox.account_id)


def delete_unlinked() -> int:
    """Delete rows that vanished a while ago and that no move has claimed. Return how many."""
    return index.delete_unlinked(timezone.now() - UNLINKED_KEPT)


def _claim() -> Account | None:
    """The account that has been due for longest, taken for CLAIM."""
    with transaction.atomic():
        due = Account.objects.filter(upkeep_at__lte=timezone.now(), user__is_active=True)
        due = due.exclude(state=Account.State.LOGIN_NEEDED).select_related("provider", "user").order_by("upkeep_at")
        account = due.select_for_update(skip_locked=True, of=("self",), no_key=True).first()
        if account is not None:
            _put(account, timezone.now() + CLAIM)
    return account


def _put(account: Account, due: datetime) -> int:
    return Account.objects.filter(pk=account.pk).update(upkeep_at=due)


def _work_on(account: Account) -> None:
    with renewing(lambda: _put(account, timezone.now() + CLAIM), RENEW_SECONDS):
        try:
            when, is_over = _take_turns(account), True
        except ProtocolError as error:
            _log.warning("account %s: %s", account.pk, error)
            longest = LOST_PAUSE if isinstance(error, ConnectionLost | Busy) else AWAY_PAUSE
            pause = random.uniform(longest / 10, longest)  # noqa: S311
            when, is_over = timezone.now() + timedelta(seconds=pause), False
    _put(account, when or timezone.now())
    if when and is_over and _next(list(account.mailboxes.filter(selectable=True))) is not None:
        _put(account, timezone.now())  # put off meanwhile, when it could not be made due because it was claimed


def _take_turns(account: Account) -> datetime | None:
    """Work on the account's mailboxes for SLICE. Return when it is due again, None where there is more to do now.

    Raises:
        ProtocolError: the server can't be asked now.
    """
    until = time.monotonic() + SLICE
    if account.listed_at is None or timezone.now() - account.listed_at > COMPARE_EVERY:
        sync.list_mailboxes(account)
    while time.monotonic() < until:
        mailboxes = list(account.mailboxes.filter(selectable=True))
        mailbox = _next(mailboxes)
        if mailbox is None:
            return _next_time(mailboxes)
        mailbox.account = account
        _step(mailbox)
    return None


def _step(mailbox: Mailbox) -> None:
    """Take one mailbox one step on. One that can't be read is left alone for a while.

    Raises:
        TryAgain, LoginNeeded: the server can't be asked now.
    """
    try:
        if _is_behind(mailbox):
            sync.refresh(mailbox)
            prefetch.read_previews(mailbox, PREVIEWS)
            if mailbox.role == Role.INBOX:
                prefetch.read_texts(mailbox)
        elif not mailbox.is_complete:
            sync.backfill(mailbox, seconds=SLICE)
        else:
            found = sync.reconcile(mailbox)
            if found.total:
                _log.warning("mailbox %s differed from its server: %s", mailbox.pk, found)
    except GiveUp as error:
        sync.give_up(mailbox, error)


def _next(mailboxes: Sequence[Mailbox]) -> Mailbox | None:
    """The mailbox whose turn it is: what is new in each, then older mail, then what is to be compared."""
    now = timezone.now()

    def rank(mailbox: Mailbox) -> int:
        if _is_behind(mailbox):
            return 0
        if not mailbox.is_complete:
            return 1
        return 2 if mailbox.compared_at is None or now - mailbox.compared_at > COMPARE_EVERY else 3

    waiting = [mailbox for mailbox in mailboxes if mailbox.retry_at is None or mailbox.retry_at <= now]
    ranked = [(rank(mailbox), ROLES.index(mailbox.role), mailbox.pk, mailbox) for mailbox in waiting]
    first = min(ranked, default=None)
    return first[-1] if first is not None and first[0] < 3 else None


def _is_behind(mailbox: Mailbox) -> bool:
    """Whether there is mail that nobody has read, as far as we know; of a mailbox that only its page has read, nobody
    knows."""
    return mailbox.lowest_uid == 0 or mailbox.stale or mailbox.checked_at is None


def _next_time(mailboxes: Sequence[Mailbox]) -> datetime:
    """When the first of these mailboxes, none of which is due, will be."""
    now = timezone.now()
    times = []
    for mailbox in mailboxes:
        due = mailbox.compared_at + COMPARE_EVERY if mailbox.compared_at else now
        times.append(max(due, mailbox.retry_at or due))
    return min(times, default=now + COMPARE_EVERY)
