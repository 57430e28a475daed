"""Drafts and their copies in the Drafts mailbox, as the product carries them out and as another program sees them."""

from __future__ import annotations

import email
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import Message as Mail
from email.policy import default

import pytest
from django.utils import timezone

from tests.servers import MailUser
from tests.store.acting import LACKING, box_of, lose
from webmail.models import Account, Draft, DraftCopy
from webmail.protocol.connection import Connection
from webmail.store import drafts, mirroring, sync
from webmail.store.drafts import Written


@pytest.fixture
def hers(account: Account, redis_url: str) -> Account:
    sync.list_mailboxes(account)
    sync.refresh(box_of(account, "Drafts"))
    return account


@pytest.fixture(params=LACKING)
def missing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ...]]:
    """What the server doesn't offer."""
    monkeypatch.setattr(Connection, "_welcome", Connection._welcome)  # put back in the end
    lose(LACKING[request.param])
    yield LACKING[request.param]


def pause() -> None:
    """Nobody types for a while, and whoever had anything is dead."""
    past = timezone.now() - timedelta(seconds=1)
    Draft.objects.exclude(copy_at=None).update(copy_at=past)
    DraftCopy.objects.update(not_before=past)
    DraftCopy.objects.exclude(claim_until=None).update(claim_until=past)


def carry_out(times: int = 1) -> None:
    """What the sweeper has done by workers."""
    for _ in range(times):
        pause()
        for draft_id in mirroring.due():
            mirroring.mirror(draft_id)
        for copy_id in mirroring.loose():
            mirroring.settle(copy_id)


def be_a_worker(missing: list[str]) -> None:
    """The same in a process of its own."""
    lose(missing)
    carry_out()


def in_drafts(user: MailUser) -> list[Mail]:
    """What another program sees, in full."""
    with user.imap() as client:
        client.select("Drafts", readonly=True)
        _, found = client.search(None, "ALL")
        octets = [client.fetch(number.decode(), "(BODY.PEEK[])")[1][0][1] for number in found[0].split()]  # type: ignore[index]
    return [email.message_from_bytes(each, policy=default) for each in octets]


def subjects(user: MailUser) -> list[str]:
    return sorted(str(each["Subject"]) for each in in_drafts(user))


def again(account: Account, draft: Written, **changes: object) -> Written:
    """It is typed into once more."""
    found = drafts.find(account.user, draft.id)
    assert found is not None
    return drafts.save(account.user, draft.id, replace(found.values, **changes), version=found.version)  # type: ignore[arg-type]
