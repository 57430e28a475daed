"""All of the demo's mail in one stream."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from webmail.demo.mail import (
    archive,
    broken,
    code,
    drafts,
    home,
    junk,
    leisure_news,
    local_news,
    oddities,
    projects,
    receipts,
    scripts,
    studio,
    studio_before,
    trade_news,
)
from webmail.demo.mail.letters import DemoMail

_KINDS = (
    studio,
    studio_before,
    projects,
    home,
    code,
    archive,
    trade_news,
    leisure_news,
    local_news,
    receipts,
    scripts,
    oddities,
    broken,
    junk,
    drafts,
)


def all_messages(now: datetime) -> Iterator[DemoMail]:
    """Every message of every demo user, in no order; `now` is aware and fixes all dates."""
    for kind in _KINDS:
        yield from kind.messages(now)
