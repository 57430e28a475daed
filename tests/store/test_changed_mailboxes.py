"""Another client renumbers, renames and deletes mailboxes while jobs on their messages wait: none of these is done to
another message, and whatever isn't done is said (R11).
"""

from __future__ import annotations

import imaplib
import os
import re

import pytest

from tests.reader import letter, make_account
from tests.servers import MailUser
from tests.store.acting import LACKING, box_of, key, lose, on_server, refresh, rows, work
from webmail.models import Account, Job
from webmail.protocol.connection import Connection
from webmail.protocol.types import Flag
from webmail.store import jobs, pools, sync

pytestmark = pytest.mark.django_db(transaction=True)
EACH = int(os.environ.get("CHANGED_MAILBOXES", "5"))  # that each thing happens to
JOBS = 4  # that wait for each
NEW = 100_000  # the first of the letters that come under the same UIDs
HAPPENS = ("Renumbered", "Renamed", "Deleted")


@pytest.mark.parametrize("name", LACKING)
def test_under_waiting_jobs(name: str, mail_user: MailUser, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "_welcome", Connection._welcome)  # put back in the end
    lose(LACKING[name])
    boxes = [f"{what}{number}" for what in HAPPENS for number in range(EACH)]
    with mail_user.imap() as client:
        for box in ("Archive", "Trash", *boxes):
            client.create(box)
        for number, box in enumerate(boxes):
            _fill(client, box, number * JOBS)
    account = make_account(mail_user)
    sync.list_mailboxes(account)
    refresh(account, "Archive", "Trash", *boxes)
    recorded = {box: _record(account, box, number * JOBS) for number, box in enumerate(boxes)}
    pools.forget(account)  # no session holds them any more, as after some minutes
    with mail_user.imap() as client:
        for box in boxes:
            _happen(client, box)
    work(account, 6 + EACH)
    for box, those in recorded.items():
        states = [Job.objects.get(pk=job.pk) for job in those]
        if box.startswith("Renamed"):
            assert {job.state for job in states} == {Job.State.DONE}, (box, [job.error for job in states])
            _acted(mail_user, f"Now{box}")
            continue
        assert {job.state for job in states} == {Job.State.FAILED}, box
        told = "renumbered" if box.startswith("Renumbered") else "no longer exists|was deleted"
        assert all(re.search(told, job.error) for job in states), (box, [job.error for job in states])
        if box.startswith("Renumbered"):
            _untouched(mail_user, box)
    there = on_server(mail_user, "Archive")
    # Of each renamed mailbox one letter was moved and one copied; of nothing else any.
    assert sum(there.values()) == 2 * EACH
    assert not there.keys() & {f"Letter {NEW + number}" for number in range(JOBS)}


def _fill(client: imaplib.IMAP4, box: str, first: int) -> None:
    for number in range(first, first + JOBS):
        client.append(box, "", "", letter(number))


def _record(account: Account, name: str, first: int) -> list[Job]:
    box, archive = box_of(account, name), box_of(account, "Archive")
    one, two, three, four = (rows(box, number)[0] for number in range(first, first + JOBS))
    return [
        jobs.record_flags([one], add=[Flag.FLAGGED], idem_key=key()),
        jobs.record_move([two], archive, idem_key=key()),
        jobs.record_copy([three], archive, idem_key=key()),
        jobs.record_delete([four], for_good=True, idem_key=key()),
    ]


def _happen(client: imaplib.IMAP4, box: str) -> None:
    if box.startswith("Renamed"):
        client.rename(box, f"Now{box}")
        return
    client.delete(box)
    if box.startswith("Renumbered"):
        client.create(box)
        _fill(client, box, NEW)  # other messages under the same UIDs


def _acted(user: MailUser, box: str) -> None:
    with user.imap() as client:
        client.select(box, readonly=True)
        assert client.search(None, "FLAGGED")[1] == [b"1"]
        assert len(client.search(None, "UNDELETED")[1][0].split()) == 2


def _untouched(user: MailUser, box: str) -> None:
    with user.imap() as client:
        client.select(box, readonly=True)
        assert len(client.search(None, "UNFLAGGED", "UNDELETED", "UNSEEN")[1][0].split()) == JOBS
