"""What follows a job: the mailboxes that something was put into are looked at once, when nobody waits for it."""

from __future__ import annotations

import pytest

from tests.reader import letter, make_account
from tests.servers import MailUser
from tests.store.acting import box_of, key, refresh, rows, shown
from webmail.models import Account, Job, Mailbox
from webmail.store import afterwards, jobs, sync, working

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(mail_user: MailUser, redis_url: str) -> Account:
    """Somebody with four letters, and two mailboxes that were looked at before."""
    with mail_user.imap() as client:
        client.create("Papers")
        client.create("Archive")
    for number in range(1, 5):
        mail_user.append("INBOX", letter(number))
    made = make_account(mail_user)
    sync.list_mailboxes(made)
    refresh(made, "INBOX", "Papers", "Archive")
    return made


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which mailboxes are looked at, and whether another worker could have the account then."""
    looks: list[str] = []
    real = sync.refresh

    def refresh(mailbox: Mailbox) -> None:
        free = Account.objects.get(pk=mailbox.account_id).lease_until is None
        looks.append(f"{mailbox.name}, account {'free' if free else 'taken'}")
        real(mailbox)

    monkeypatch.setattr(sync, "refresh", refresh)
    return looks


def _copies(account: Account) -> None:
    for number, name in ((1, "Papers"), (2, "Papers"), (3, "Archive"), (4, "Papers")):
        jobs.record_copy(rows(box_of(account, "INBOX"), number), box_of(account, name), idem_key=key())


def test_once_each_and_without_the_lease(account: Account, looks: list[str]) -> None:
    _copies(account)
    jobs.record_move(rows(box_of(account, "INBOX"), 4), box_of(account, "Archive"), idem_key=key())
    working.work(account.pk)
    assert sorted(looks) == ["Archive, account free", "Papers, account free"]
    assert shown(box_of(account, "Papers")) == ["Letter 1", "Letter 2", "Letter 4"]
    assert shown(box_of(account, "Archive")) == ["Letter 3", "Letter 4"]


def test_not_left_for_long(account: Account, looks: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """While one job follows another, what came into a mailbox shows there all the same."""
    monkeypatch.setattr(afterwards, "OVERDUE", -1.0)
    _copies(account)
    working.work(account.pk)
    assert [look.partition(",")[0] for look in looks] == ["Papers", "Papers", "Archive", "Papers"]


def test_what_nobody_can_place_is_looked_for_at_once(
    account: Account, looks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another client took one of them: where it is now a sync has to find out, or that it is nowhere."""
    chosen = rows(box_of(account, "INBOX"), 1, 2)
    job = jobs.record_move(chosen, box_of(account, "Papers"), idem_key=key())
    Job.objects.filter(pk=job.pk).update(uid_set="1:2,77", count=3)
    working.work(account.pk)
    assert looks == ["Papers, account taken"]
