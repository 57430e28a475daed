"""The mailboxes that jobs have put something into, to be looked at: each once, however many jobs that were.

A look asks the server and counts the mailbox's rows, which takes longer than the job did. So it comes when nothing is
due any more, at the latest OVERDUE after the first of them was named, and without the account's lease: what is asked
for meanwhile doesn't wait for it. Lost with its worker it is no loss, for the next look at the mailbox does the same.
"""

from __future__ import annotations

import time
from contextlib import suppress

from webmail.models import Mailbox
from webmail.protocol.errors import ProtocolError

from . import sync

OVERDUE = 2.0  # seconds


class Afterwards:
    """What one worker still has to look at, of one account."""

    def __init__(self) -> None:
        self._keys: dict[int, None] = {}
        self._since = 0.0

    def add(self, mailbox: Mailbox) -> None:
        """Look at this one later."""
        if not self._keys:
            self._since = time.monotonic()
        self._keys[mailbox.pk] = None

    def look_if_overdue(self) -> None:
        """Look now, if that has been waiting for long enough."""
        if self._keys and time.monotonic() - self._since > OVERDUE:
            self.look()

    def look(self) -> None:
        """Look at all of them now. What fails is left to the next visit."""
        keys, self._keys = list(self._keys), {}
        for mailbox in Mailbox.objects.select_related("account__provider").filter(pk__in=keys) if keys else ():
            with suppress(ProtocolError):
                sync.refresh(mailbox)
