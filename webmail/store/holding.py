"""A row held by one worker at a time: taken by one conditional UPDATE, kept by renewing, found when lost."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db.models import F, Model, Q, QuerySet
from django.db.models.functions import Least
from django.utils import timezone

from webmail.models import Submission

from .renewing import renewing

# A worker that was killed is noticed after this; a doubt it left is shown within 30 s (security R6).
CLAIM = timedelta(seconds=20)
RENEW_SECONDS = 5.0
MOST_COUNTED = 30_000  # attempts: a copy may be tried to be filed for months


class ClaimLost(Exception):
    """Another worker has the row, or a person took it back: stop at once."""


class Claim:
    """What the holder of a row knows."""

    def __init__(self, model: type[Model], key: Any, token: str) -> None:
        self.model, self.id, self.token = model, key, token

    @property
    def held(self) -> QuerySet[Any]:
        """The row, as long as it is ours."""
        return self.model._base_manager.filter(pk=self.id, claim=self.token)

    def update(self, *, states: tuple[str, ...], **values: Any) -> None:
        """Write to the row.

        Raises:
            ClaimLost: it isn't ours any more, or in none of `states`.
        """
        if not self.held.filter(state__in=states).update(**values):
            raise ClaimLost

    def renew(self) -> bool:
        """Hold the row for another CLAIM; False when it was lost."""
        return bool(self.held.update(claim_until=timezone.now() + CLAIM))

    def check(self) -> None:
        """Raise ClaimLost unless the row is still ours."""
        if not self.held.exists():
            raise ClaimLost


@contextmanager
def take(key: Any, free: Q, model: type[Model] = Submission, **values: Any) -> Iterator[Claim | None]:
    """Take the row if it is in a state that `free` says; yields None where it isn't. Kept while inside.

    Args:
        model: with the columns claim, claim_until, attempts and state.
        values: what is written along with the claim.
    """
    token, now = uuid.uuid4().hex, timezone.now()
    rows = model._base_manager.filter(free, pk=key)
    if not rows.update(claim=token, claim_until=now + CLAIM, attempts=Least(F("attempts") + 1, MOST_COUNTED), **values):
        yield None
        return
    claim = Claim(model, key, token)
    try:
        with renewing(claim.renew, RENEW_SECONDS):
            yield claim
    except ClaimLost:
        return
