"""The lease of an account: its holder is the account's only writer.

`lease_owner`, `lease_until` and `fence` stand in the account's row. Whoever lost the lease finds another fence there,
and stops before the next command.

The owner's name begins with its process's. What ended on this machine is dead, and so is one that has not renewed its
lease in time and gives no sign of life either: its lease is taken before it runs out.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import DatabaseError, connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from webmail.models import Account

from . import processes
from .renewing import renewing

# After a kill the account's changes wait this long at most; a quarter of it where Redis knows of the death, and not at
# all where the system does.
LEASE = timedelta(seconds=20)
RENEW_SECONDS = 5.0
OVERDUE = timedelta(seconds=RENEW_SECONDS + 1)  # who lives has renewed it by then


class LeaseLost(Exception):
    """Another worker has the account now: stop at once, touch nothing."""


class Lease:
    """What the holder of an account's lease knows: who it is and under which number.

    Attributes:
        inherited: the one before died moments ago, and the server may still be at what it was told.
    """

    def __init__(self, account: Account, owner: str, *, inherited: bool = False) -> None:
        self.account, self.owner, self.fence = account, owner, account.fence
        self.inherited = inherited

    @property
    def held(self) -> QuerySet[Account]:
        """The account's row, as long as it is ours."""
        return Account.objects.filter(pk=self.account.pk, fence=self.fence, lease_owner=self.owner)

    def check(self) -> None:
        """Raise LeaseLost unless the account is still ours. Called before every command and in the final commit."""
        if not self.held.exists():
            raise LeaseLost

    def lock(self) -> None:
        """Likewise at the beginning of a transaction, which has the account's row for itself from here on."""
        if not list(self.held.select_for_update(no_key=True).order_by().values_list("pk")):
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


def is_free(owner: str, until: datetime | None) -> bool:
    """Whether a lease with this owner and end may be taken: nobody has it, it ran out, or its owner is dead."""
    now = timezone.now()
    if until is None or until < now:
        return True
    process, _, drawn = owner.partition("/")
    if not drawn:
        return False
    return processes.has_ended_here(process) or (until - LEASE + OVERDUE < now and processes.is_dead(process))


@contextmanager
def take(account_id: int) -> Iterator[Lease | None]:
    """Take the account's lease, keep it alive meanwhile, give it back. Yields None where another has it."""
    owner, now = f"{processes.name()}/{secrets.token_hex(8)}", timezone.now()
    these = Account.objects.filter(pk=account_id)
    mine = {"lease_owner": owner, "lease_until": now + LEASE, "fence": F("fence") + 1}
    inherited = False
    if not these.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now)).update(**mine):
        held = these.values_list("lease_owner", "lease_until").first()
        if held is None or not is_free(*held):
            yield None
            return
        inherited = bool(these.filter(lease_owner=held[0], lease_until=held[1]).update(**mine))
        if not inherited:  # it lives after all, or another was faster
            yield None
            return
    lease = Lease(Account.objects.select_related("provider").get(pk=account_id), owner, inherited=inherited)
    try:
        with renewing(lease.renew, RENEW_SECONDS):
            yield lease
    except LeaseLost:
        return
    finally:
        lease.release()
