"""One job in twenty that never succeeds, whatever it does to its worker: the others hardly notice (R12).

`bench.acts` measures how long one in a hundred keeps the others waiting.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.mortal import live
from tests.reader import letter, make_account
from tests.servers import MailUser
from tests.store.acting import box_of, key, refresh, rows
from webmail.models import Account, Job
from webmail.protocol.connection import Connection
from webmail.protocol.errors import ConnectionLost, Refused
from webmail.protocol.types import Flag, FlagChange
from webmail.store import bodies, jobs, sync, working

pytestmark = pytest.mark.django_db(transaction=True)
MANY, POISON = 20, 10  # jobs; the UID of the message whose job never succeeds


@pytest.fixture
def account(mail_user: MailUser, redis_url: str) -> Account:
    """An account with a job for each of its messages."""
    for number in range(1, MANY + 1):
        mail_user.append("INBOX", letter(number))
    made = make_account(mail_user)
    sync.list_mailboxes(made)
    refresh(made, "INBOX")
    for row in rows(box_of(made, "INBOX"), *range(1, MANY + 1)):
        jobs.record_flags([row], add=[Flag.FLAGGED], idem_key=key())
    return made


def _others_are_done() -> bool:
    return not Job.objects.exclude(uid_set=str(POISON)).exclude(state=Job.State.DONE).exists()


def _spoil(harm: Callable[[], None]) -> Callable[..., list[FlagChange]]:
    real = Connection.store

    def store(imap: Connection, name: str, uidvalidity: int, uids: Sequence[int], **more: object) -> list[FlagChange]:
        if POISON in uids:
            harm()
        return real(imap, name, uidvalidity, uids, **more)  # type: ignore[arg-type]

    return store


def _work_until_killed(account_id: int) -> None:
    """For a process of its own: the poison kills it."""
    Connection.store = _spoil(lambda: os.kill(os.getpid(), signal.SIGKILL))  # type: ignore[method-assign]
    working.work(account_id)


@pytest.mark.parametrize(("error", "tries"), [(Refused, 2), (ConnectionLost, 3)])
def test_refused_or_cut_off(
    error: type[Refused | ConnectionLost], tries: int, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def harm() -> None:
        raise error

    spoilt, commands = _spoil(harm), []

    def store(imap: Connection, name: str, uidvalidity: int, uids: Sequence[int], **more: object) -> list[FlagChange]:
        commands.append(len(uids))
        return spoilt(imap, name, uidvalidity, uids, **more)

    monkeypatch.setattr(Connection, "store", store)
    for _ in range(tries):
        working.work(account.pk)
        Job.objects.pending().update(not_before=timezone.now())
    assert _others_are_done()
    assert len(commands) <= 14, "halves of halves, and not each alone"
    job = Job.objects.get(uid_set=str(POISON))
    assert job.state == (Job.State.FAILED if error is Refused else Job.State.RETRY)


def test_two_deaths_and_the_others_are_done(account: Account) -> None:
    """The first one with all in one command, the second one alone."""
    for death in (1, 2):
        assert live("tests.store.test_poison:_work_until_killed", account.pk) == -signal.SIGKILL, death
        Account.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        bodies.client.flushdb()
    assert live("tests.store.test_poison:_work_until_killed", account.pk) == -signal.SIGKILL
    assert _others_are_done(), "those behind it went before it"
    assert Job.objects.get(uid_set=str(POISON)).attempts == 3
