"""Fifty messages under faults, as `bench.sending` sends five hundred."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench import injection
from bench import sending as bench
from bench.faulty_smtp import running
from tests.servers import MailUser
from webmail.demo.certificates import ensure_certificates
from webmail.demo.imap_server import ImapServer
from webmail.models import Submission
from webmail.store import filing, sending

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = 50


def test_fifty_messages(
    mail_user: MailUser, dovecot: ImapServer, redis_url: str, worker_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((sending, "FIRST_PAUSE"), (sending, "LONGEST_PAUSE"), (filing, "PAUSE")):
        monkeypatch.setattr(module, name, getattr(module, name))  # set back after `hurry`
    bench.hurry()
    (worker_dir / "faulty").mkdir(exist_ok=True)
    with running(ensure_certificates(worker_dir / "faulty")) as sink:
        accounts = bench.make_accounts(bench.provider_for(dovecot, sink), [mail_user.address])
        bench.send_all(accounts, COUNT, sink)
        deadline = time.monotonic() + 60
        bench.sweep(lambda: bench.settle(accounts) or time.monotonic() > deadline)
        found = bench.judge(accounts, COUNT, sink, dovecot)
        Submission.objects.filter(state=Submission.State.FILED).delete()  # a person may send 200 an hour
        found |= injection.injected(accounts[0], sink, injection.PAYLOADS[::8])
    assert bench.is_good(found), found
    assert (found["messages"], found["submissions"], found["copies_of_unclear"]) == (COUNT, COUNT, 0)
    assert found["drafts_left"] == found["unclear"]
    assert set(found["faults"]) >= {"end-taken", "end-lost", "middle", "451-end", "550-rcpt", "size", "no-starttls"}
