"""The trail of what was done to accounts: shown to administrators beside what they changed themselves.

Only what was done and when, never a secret, a token or anything of a message (security §5.6).
"""

from __future__ import annotations

from django.contrib.admin.models import CHANGE, DELETION, LogEntry

from webmail.models import Account


def note(account: Account, sentence: str, *, removed: bool = False) -> None:
    """Write down what the account's owner did with it.

    Args:
        account: with its user. removed: it is about to be removed.
    """
    flag = DELETION if removed else CHANGE
    LogEntry.objects.log_actions(account.user_id, [account], flag, sentence, single_object=True)
