"""A hundred jobs of all kinds, with ten workers killed and sessions of the server's cut at random moments in between;
then every message is counted by its octets (R1, R3). `bench.kills` does the same at length, with everything killed.
"""

from __future__ import annotations

import imaplib
import os
import random
import signal
import subprocess
from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone

from bench import asking
from tests.mortal import live
from tests.reader import make_account
from tests.servers import MailUser
from tests.store.acting import LACKING, lose, refresh, work
from webmail.models import Account, Job
from webmail.protocol.connection import Connection
from webmail.store import bodies, sync

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS, EACH = 10, 10
FOREIGN = 3  # messages that somebody else has marked as deleted


@pytest.mark.parametrize("name", LACKING)
def test_a_hundred_jobs_and_ten_deaths(
    name: str, mail_user: MailUser, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "_welcome", Connection._welcome)  # put back in the end
    lose(LACKING[name])
    rng = random.Random(name)
    with mail_user.imap() as client:
        model = asking.prepare(client, {"INBOX": 30, "Archive": 10, "Letters": 10})
        _mark_foreign(client)
    account = make_account(mail_user)
    sync.list_mailboxes(account)
    refresh(account, *asking.BOXES)
    asker = asking.Asker(account, model, rng.randrange(1000))
    for _ in range(ROUNDS):
        for _ in range(EACH):
            asker.ask()
        ended = live("tests.store.acting:work_without", account.pk, list(LACKING[name]), rng.uniform(0.02, 0.5))
        assert ended in (-signal.SIGALRM, 0)
        _cut_sessions(mail_user)
        bodies.client.flushdb()
        Account.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        # Ten deaths in a row would use up the tries of one job; that is tested elsewhere.
        Job.objects.pending().update(not_before=timezone.now(), attempts=0)
    work(account)
    jobs = Job.objects.filter(pk__in=[job.pk for job in asker.asked])
    ended = {job.state for job in jobs}
    assert ended <= {Job.State.DONE, Job.State.CANCELLED}, [(j.kind, j.state, j.error) for j in jobs]
    with mail_user.imap() as client:
        verdict = asking.judge(client, model, marked_are_gone="UIDPLUS" in LACKING[name])
        if verdict.lost or verdict.doubled or verdict.wrong_message or verdict.wrong_flags:
            lines = [line for number in verdict.numbers[:2] for line in asking.history(asker.asked, number)]
            said = mail_user.server.log.read_text(errors="replace").splitlines()
            said = [line for line in said if mail_user.address in line and ("Error" in line or "Warning" in line)]
            pytest.fail("\n".join([str(verdict), *lines, *said[-30:]]))
        foreign = [words for _, words in asking.messages(client, "INBOX") if "foreign" in words]
        assert len([words for words in foreign if "\\deleted" in words]) == FOREIGN


def _mark_foreign(client: imaplib.IMAP4) -> None:
    for number in range(FOREIGN):
        raw = f"Subject: Foreign {number}\r\n\r\nNot ours.\r\n".encode()
        client.append("INBOX", "(\\Deleted foreign)", "", raw)


def _cut_sessions(user: MailUser) -> None:
    """Kill the processes of the server that serve connections; it starts others."""
    found = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(user.server.pid)], capture_output=True, text=True, check=False
    )
    for line in found.stdout.splitlines():
        pid, _, words = line.strip().partition(" ")
        if words.startswith("dovecot/imap") and "login" not in words:
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
