"""Which job comes next, and for how long a large one has its turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.reader import letter, make_account
from tests.servers import MailUser
from tests.store.acting import box_of, flags_of, key, refresh, rows, state
from webmail.models import Account, Job, Mailbox
from webmail.protocol import flagging
from webmail.protocol.connection import Connection
from webmail.protocol.errors import ConnectionLost
from webmail.protocol.types import Flag
from webmail.store import jobs, ordering, sync, working
from webmail.store.kinds import flags

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def box(mail_user: MailUser, redis_url: str) -> Mailbox:
    """Six unread letters, indexed."""
    for number in range(1, 7):
        mail_user.append("INBOX", letter(number))
    account = make_account(mail_user)
    sync.list_mailboxes(account)
    refresh(account, "INBOX")
    return box_of(account, "INBOX")


def record(box: Mailbox, *numbers: int, add: Flag = Flag.SEEN) -> Job:
    return jobs.record_flags(rows(box, *numbers), add=[add], idem_key=key())


@pytest.mark.parametrize(("seconds", "looks"), [(60.0, 2), (-1.0, 4)])
def test_what_comes_next_is_not_looked_for_after_each(
    box: Mailbox, monkeypatch: pytest.MonkeyPatch, seconds: float, looks: int
) -> None:
    """What is ready needn't wait for anything else that is; a second later there may be something more urgent."""
    monkeypatch.setattr(working, "LOOK_AROUND", seconds)
    looked: list[Account] = []
    real = ordering._pending

    def pending(account: Account) -> Iterator[Job]:
        looked.append(account)
        return real(account)

    monkeypatch.setattr(ordering, "_pending", pending)
    for number, flag in enumerate((Flag.SEEN, Flag.FLAGGED, Flag.ANSWERED), 1):
        record(box, number, add=flag)
    working.work(box.account_id)
    assert set(Job.objects.values_list("state", flat=True)) == {Job.State.DONE}
    assert len(looked) == looks, "and once more: there is nothing left"


def test_after_a_doubt_it_is_looked_anew(box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    record(box, 1)
    record(box, 2, add=Flag.FLAGGED)
    batches: list[int] = []
    real = ordering.next_batches
    monkeypatch.setattr(ordering, "next_batches", lambda account: (batches.append(0), real(account))[1])
    monkeypatch.setattr(Connection, "store", lambda *_arguments, **_more: _lose())
    working.work(box.account_id)
    assert set(Job.objects.values_list("state", flat=True)) == {Job.State.RETRY}
    assert len(batches) == 3


def _lose() -> None:
    raise ConnectionLost


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six messages are very many, two are a piece, and after each of them a go is over."""
    for module, name, value in (
        *((jobs, "BULK", 1), (flags, "READ_BACK", 2), (flags, "GO_SECONDS", 0.0)),
        *((flagging, "FIRST_PIECE", 2), (flagging, "PIECE_SECONDS", 0.0)),
    ):
        monkeypatch.setattr(module, name, value)


@pytest.mark.usefixtures("large")
def test_others_get_their_turn_during_a_large_one(
    box: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def reach(name: str) -> None:
        if name == "job.settled":
            last = Job.objects.exclude(evidence={}).order_by("-fence", "-done").values_list("act", "done")
            done.append(", ".join(f"{act} {number}" for act, number in last.order_by("sequence")))
            if len(done) == 1:
                record(box, 6, add=Flag.FLAGGED)

    monkeypatch.setattr(working, "reach", reach)
    large = record(box, 1, 2, 3, 4, 5)
    working.work(box.account_id)
    assert done == ["read 2", "read 2, flag 1", "read 4, flag 1", "read 5, flag 1"]
    assert state(large) == Job.State.DONE
    assert large.evidence["flags"] == 5
    assert all("\\Seen" in flags_of(mail_user, "INBOX", f"Letter {number}") for number in range(1, 6))
    assert "\\Seen" not in flags_of(mail_user, "INBOX", "Letter 6")


@pytest.mark.usefixtures("large")
def test_who_lost_the_lease_sends_no_second_piece(
    box: Mailbox, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Connection.store_silently

    def stolen(imap: Connection, *arguments: Any, go_on: Callable[[], bool], **more: Any) -> int:
        def steal() -> bool:
            Account.objects.update(lease_owner="somebody", fence=99)
            return go_on()

        return real(imap, *arguments, go_on=steal, **more)

    monkeypatch.setattr(Connection, "store_silently", stolen)
    job = record(box, 1, 2, 3, 4, 5)
    working.work(box.account_id)
    assert state(job) == Job.State.ON_WIRE
    read = [number for number in range(1, 7) if "\\Seen" in flags_of(mail_user, "INBOX", f"Letter {number}")]
    assert read == [1, 2], "the one that was under way, and no other"
