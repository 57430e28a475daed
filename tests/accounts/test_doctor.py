"""How an account is: for its owner, and for the administrator without the names of mailboxes."""

from __future__ import annotations

import pytest
from django.utils import timezone

from tests.cast import client_of, give_mail
from webmail.models import Job
from webmail.protocol.errors import Busy, ConnectionLost, Refused
from webmail.store import doctor, pools


@pytest.fixture
def account(alice, redis_url):
    give_mail(alice)
    account = alice.accounts.select_related("provider").get()
    account.mailboxes.create(name="Divorce", uidvalidity=1, uidnext=101, lowest_uid=41, exists=100)
    doctor.forget(account.pk)  # what another test's account of the same key has left
    return account


def page_of(account):
    answer = client_of(account.user).get(f"/settings/accounts/{account.pk}/doctor/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_nothing_is_known_at_first(account):
    page = page_of(account)
    assert "nobody has logged in lately" in page
    assert "None that is known." in page
    assert "60 %" in page


def test_a_log_in_says_what_the_server_offers(account):
    with pools.lend(account):
        pass
    page = page_of(account)
    assert "just now" in page
    assert page.count('data-offered="yes"') > 8
    assert " in use, 5 at most" in page
    assert "News at once" in page


def test_what_a_poor_server_lacks_is_said_in_words(account):
    doctor.note_log_in(account.pk, 0.25, {"IMAP4REV1", "IDLE", "QRESYNC"})
    page = page_of(account)
    assert "250 ms" in page
    assert "without it mail is copied, then removed" in page
    assert "without it flags are compared" not in page  # QRESYNC brings CONDSTORE along


def test_the_last_ten_failures_and_no_waiting_of_ours(account):
    for number in range(12):
        with pytest.raises(Refused), doctor.noting_failures(account.pk):
            raise Refused("It refused.", f"number {number}.")
    with pytest.raises(Busy), doctor.noting_failures(account.pk):
        raise Busy
    assert [failure.detail for failure in doctor.last_failures(account.pk)] == [
        f"number {number}." for number in range(11, 1, -1)
    ]
    assert "It refused." in page_of(account)


def test_changes_that_failed(account):
    job = Job(account=account, sequence=1, idem_key="1", kind="flag", mailbox=account.mailboxes.get(name="Divorce"))
    job.uidvalidity, job.uids, job.state, job.error = 1, [1, 2], Job.State.FAILED, "The server said no."
    job.finished_at = timezone.now()
    job.save()
    page = page_of(account)
    assert "Flag, 2 messages in Divorce: refused" in page
    assert "The server said no." in page
    assert "1 refused" in page


def test_the_administrator_learns_no_names(account, admin):
    with pytest.raises(ConnectionLost), doctor.noting_failures(account.pk):
        raise ConnectionLost(detail="closed")
    answer = client_of(admin).get(f"/admin/webmail/account/{account.pk}/doctor/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "closed" in page
    assert "Mailbox " in page
    assert "Divorce" not in page
    assert "Private to alice" not in page
    assert client_of(account.user).get(f"/admin/webmail/account/{account.pk}/doctor/").status_code in {302, 403}
    assert client_of(admin).get("/admin/webmail/account/0/doctor/").status_code == 404


def test_without_redis_the_page_comes(account, monkeypatch):
    monkeypatch.setattr(doctor, "client", doctor.client.from_url("unix:///nowhere/redis.sock"))
    doctor.note_log_in(account.pk, 1, set())
    assert "nobody has logged in lately" in page_of(account)
