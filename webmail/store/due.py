"""When accounts are due for `upkeep`: said by whoever finds that there is something to do."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from webmail.models import Account

CLAIM = timedelta(seconds=10)  # a worker's hold on an account, unless it is renewed; one that is held is not due again


def want(account_id: int) -> None:
    """Make the account due at once: it has a mailbox that isn't indexed whole."""
    now = timezone.now()
    Account.objects.filter(pk=account_id, upkeep_at__gt=now + CLAIM).update(upkeep_at=now)
