"""How often the mail of somebody who is not online is looked at: the sooner they may come back, the more often.

`Account.look_at` says when an account is next due. Each has a phase of its own in its period, so that thousands are
spread evenly, whenever they were last looked at. Who is online is `watching`'s.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from webmail.models import Account, User

from . import breaker, presence
from .watching import phase

# By how long ago the owner was here. Who looks daily should find an index of the last quarter of an hour, so that the
# first page is true before the server has answered; who comes once a month can wait that second.
PERIODS = (
    (timedelta(days=1), timedelta(minutes=15)),
    (timedelta(days=7), timedelta(hours=1)),
)
LONGEST = timedelta(hours=6)
VISIT_COUNTS = timedelta(minutes=5)  # a visit is written down at most so often
TICK = 5.0  # seconds between two calls of `take_due`
MOST = 500  # accounts that one query finds
ROUNDS = 10  # queries: a server of which many are due must not stand before the others
# Of the log-ins that a server may be asked for; the rest is for people and for `watching`.
SHARE_OF_LOG_INS = 0.6


def note_visit(user: User) -> None:
    """Remember that the person is here. Writes at most every VISIT_COUNTS."""
    now = timezone.now()
    old = Q(visited_at__isnull=True) | Q(visited_at__lt=now - VISIT_COUNTS)
    Account.objects.for_user(user).filter(old).update(visited_at=now)


def take_due() -> list[int]:
    """The accounts to look at now, put back in line for their next turn.

    Of one server no more than it may be asked to log in, those first whose owners were here last; none of a server
    that is away. The others keep their place.
    """
    now = timezone.now()
    online = presence.online_accounts()
    turn = _Turn()
    with transaction.atomic():
        for _ in range(ROUNDS):
            due = Account.objects.filter(look_at__lte=now, user__is_active=True).exclude(provider__in=turn.full)
            due = due.exclude(state=Account.State.LOGIN_NEEDED).select_related("provider").order_by("look_at")
            found = list(due.select_for_update(skip_locked=True, of=("self",), no_key=True)[:MOST])
            taken = [account for account in sorted(found, key=_last_visit, reverse=True)
                     if account.pk in online or turn.affords(account)]  # fmt: skip
            for account in taken:
                account.look_at = next_look(account, now)
            Account.objects.bulk_update(taken, ["look_at"])
            turn.taken += [account.pk for account in taken if account.pk not in online]
            if len(found) < MOST or len(turn.taken) >= MOST:
                break
    return turn.taken


def next_look(account: Account, now: datetime) -> datetime:
    """When the account is next due after `now`: in its own phase of its period."""
    age = now - account.visited_at if account.visited_at else timedelta.max
    period = next((period for limit, period in PERIODS if age < limit), LONGEST)
    seconds = period.total_seconds()
    left = seconds - (now.timestamp() - phase(account.pk, seconds)) % seconds
    return now + timedelta(seconds=left if left > 1 else left + seconds)


class _Turn:
    """What one call takes: the accounts, and the providers of which it takes no more."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.full: set[int] = set()
        self._asked: Counter[int] = Counter()
        self._most = max(1, int(settings.LOGINS_PER_SECOND * TICK * SHARE_OF_LOG_INS))

    def affords(self, account: Account) -> bool:
        provider = account.provider
        if provider.pk in self.full:
            return False
        if not self._asked[provider.pk] and breaker.state_of(provider.imap).name == "open":
            self.full.add(provider.pk)
            return False
        self._asked[provider.pk] += 1
        if self._asked[provider.pk] >= self._most:
            self.full.add(provider.pk)
        return True


def _last_visit(account: Account) -> datetime:
    return account.visited_at or account.look_at - timedelta(days=10_000)
