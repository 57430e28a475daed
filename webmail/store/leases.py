"""The lease of an account: its holder is the account's only writer.

`lease_owner`, `lease_until` and `fence` stand in the account's row. Whoever lost the lease finds another fence there,
and stops before the next command.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError, connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from webmail.models import Account

from .renewing import renewing

# After a kill the account's changes wait this long.
LEASE = timedelta(seconds=20)
RENEW_SECONDS = 5.0


class LeaseLost(Exception):
    """Another worker has the account now: stop at once, touch nothing."""


class Lease:
    """What the holder of an account's lease knows: who it is and under which number."""

    def __init__(self, account: Account, owner: str) -> None:
        self.account, self.owner, self.fence = account, owner, account.fence

    @property
    def held(self) -> QuerySet[Account]:
        """The account's row, as long as it is ours."""
        return Account.objects.filter(pk=self.account.pk, fence=self.fence, lease_owner=self.owner)

    def check(self) -> None:
        """Raise LeaseLost unless the account is still ours. Called before every command and in the final commit."""
        if not self.held.exists():
            raise LeaseLost

    def renew(self) -> bool:
        """Hold the account for another LEASE; False when it was lost."""
        return bool(self.held.update(lease_until=timezone.now() + LEASE))

    def release(self) -> None:
        """Give it back, if it is still ours. With the database away it runs out by itself."""
        try:
            self.held.update(lease_owner="", lease_until=None)
        except DatabaseError:
            connection.close()


@contextmanager
def take(account_id: int) -> Iterator[Lease | None]:
    """Take the account's lease, keep it alive meanwhile, give it back. Yields None where another has it."""
    owner, now = uuid.uuid4().hex, timezone.now()
    free = Account.objects.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now), pk=account_id)
    if not free.update(lease_owner=owner, lease_until=now + LEASE, fence=F("fence") + 1):
        yield None
        return
    lease = Lease(Account.objects.select_related("provider").get(pk=account_id), owner)
    try:
        with renewing(lease.renew, RENEW_SECONDS):
            yield lease
    except LeaseLost:
        return
    finally:
        lease.release()
