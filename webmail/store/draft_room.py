"""How much another file of a draft may have, so that a form can say so before it is uploaded."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Sum

from webmail.models import Account, Draft, DraftFile, User

LARGEST = 25_000_000  # octets of a message with all its files (security §5.5)
_OVERHEAD = 40_000  # octets that the head of a message and its parts may take
_PARTS = 1_000  # octets around each file


def room(draft_id: UUID, account: Account) -> int:
    """Octets that another file may have, so that a form can say so before the upload."""
    used = DraftFile.objects.filter(draft_id=draft_id).aggregate(sum=Sum("size"))["sum"] or 0
    count = DraftFile.objects.filter(draft_id=draft_id).count()
    encoded = largest(account) - _OVERHEAD - (count + 1) * _PARTS
    return max(0, encoded * 3 // 4 * 76 // 78 - used)


def room_for(user: User, draft_id: UUID) -> int:
    """Likewise, for a draft of the person.

    Raises:
        Draft.DoesNotExist: there is none.
    """
    draft = Draft.objects.for_user(user).select_related("account__provider").get(pk=draft_id)
    return room(draft.pk, draft.account)


def largest(account: Account) -> int:
    """Octets of the largest message that the account's server takes, as far as it said, and that we send."""
    limit = account.provider.smtp_size_limit
    return min(LARGEST, limit) if limit else LARGEST
