"""What accounts need without anybody asking: every mailbox indexed, inbox first, accounts in turns."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings
from django.utils import timezone

from tests.reader import letter, make_account
from tests.servers import MailUser
from webmail import tasks
from webmail.models import Account, Mailbox
from webmail.protocol.errors import Busy, ConnectionLost, Refused, TryAgain
from webmail.store import sync, upkeep

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mail_user(mailbox_user: Callable[..., MailUser]) -> MailUser:
    """Somebody with mail in three mailboxes, one of which has a name that isn't ASCII."""
    user = mailbox_user()
    with user.imap() as client:
        client.create('"Entw&APw-rfe 2026"')
    for number in range(1, 6):
        user.append("INBOX", letter(number))
        user.append("Entw&APw-rfe 2026", letter(10 + number))
    user.append("Trash", letter(20))
    return user


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was done to which mailbox, in order."""
    done: list[tuple[str, str]] = []

    def call(verb: str, real: Callable[..., object], mailbox: Mailbox, **options: float) -> object:
        done.append((verb, mailbox.name))
        return real(mailbox, **options)

    for name in ("refresh", "backfill", "reconcile"):
        monkeypatch.setattr(sync, name, partial(call, name, getattr(sync, name)))
    monkeypatch.setattr(sync, "FIRST_CHUNK", 2)
    monkeypatch.setattr(sync, "CHUNK", 2)
    return done


def run_dry() -> None:
    while upkeep.work():
        pass


def test_every_mailbox_is_indexed_by_itself_the_inbox_first(account: Account, steps: list[tuple[str, str]]) -> None:
    run_dry()
    assert not account.mailboxes.filter(selectable=True).exclude(lowest_uid=1).exists()
    subjects = account.messages.filter(mailbox__name="Entwürfe 2026").values_list("subject", flat=True)
    assert sorted(subjects) == [f"Letter {number}" for number in range(11, 16)]
    assert steps[0] == ("refresh", "INBOX")
    assert steps.index(("refresh", "Trash")) < steps.index(("refresh", "Entwürfe 2026"))
    assert steps.index(("refresh", "Entwürfe 2026")) < steps.index(("backfill", "INBOX"))
    assert {message.preview for message in account.messages.all()} >= {"Hello."}


def test_nothing_is_due_until_the_daily_comparison(account: Account, steps: list[tuple[str, str]]) -> None:
    run_dry()
    account.refresh_from_db()
    assert timedelta(hours=23) < account.upkeep_at - timezone.now() < timedelta(hours=25)
    steps.clear()
    run_dry()
    assert steps == []
    account.mailboxes.filter(role="inbox").update(compared_at=timezone.now() - timedelta(hours=25))
    account.messages.filter(subject="Letter 3").delete()
    Account.objects.update(upkeep_at=timezone.now())
    run_dry()
    assert steps == [("reconcile", "INBOX")]
    assert account.messages.filter(subject="Letter 3").exists()


def test_a_large_account_waits_behind_the_others_after_its_slice(
    account: Account,
    mailbox_user: Callable[..., MailUser],
    steps: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = make_account(mailbox_user())
    monkeypatch.setattr(upkeep, "SLICE", 0.0)
    monkeypatch.setattr(upkeep, "RUN", 0.0001)
    order = []
    real = upkeep._work_on
    monkeypatch.setattr(upkeep, "_work_on", lambda account: (order.append(account.pk), real(account)))
    while upkeep.work() and len(order) < 100:
        pass
    assert order[:4] == [account.pk, other.pk] * 2


def test_a_mailbox_that_cannot_be_opened_holds_up_no_other(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sync.refresh

    def refuse(mailbox: Mailbox) -> None:
        if mailbox.role == "inbox":
            raise Refused(detail="broken")
        real(mailbox)

    monkeypatch.setattr(sync, "refresh", refuse)
    run_dry()
    assert account.mailboxes.get(name="Trash").is_complete
    assert account.mailboxes.get(role="inbox").is_cold
    account.refresh_from_db()
    assert account.upkeep_at - timezone.now() < timedelta(hours=1)
    monkeypatch.undo()
    Mailbox.objects.update(retry_at=timezone.now())
    Account.objects.update(upkeep_at=timezone.now())
    run_dry()
    assert account.mailboxes.get(role="inbox").is_complete


@pytest.mark.parametrize(("error", "soonest", "latest"), [(TryAgain, 5, 60), (ConnectionLost, 0, 5)])
def test_a_server_that_fails_is_asked_later(
    account: Account, monkeypatch: pytest.MonkeyPatch, error: type[TryAgain], soonest: float, latest: float
) -> None:
    def fail(_account: Account) -> None:
        raise error

    monkeypatch.setattr(sync, "list_mailboxes", fail)
    before = timezone.now()
    upkeep.work()
    account.refresh_from_db()
    assert account.upkeep_at > before + timedelta(seconds=soonest)
    assert account.upkeep_at < timezone.now() + timedelta(seconds=latest)


def test_the_work_of_a_worker_that_died_is_found_again(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(_mailbox: Mailbox, **_: float) -> bool:
        raise Killed

    monkeypatch.setattr(sync, "FIRST_CHUNK", 2)
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(sync, "backfill", die)
        run_dry()
    assert upkeep.work() is False, "it is still taken"
    Account.objects.update(upkeep_at=timezone.now())
    run_dry()
    assert not account.mailboxes.filter(selectable=True).exclude(lowest_uid=1).exists()


def test_a_worker_keeps_what_takes_long_and_a_killed_one_loses_it_soon(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that died held up what was new in its account, a mailbox made meanwhile for one, for half a minute."""
    monkeypatch.setattr(upkeep, "CLAIM", timedelta(seconds=0.6))
    monkeypatch.setattr(upkeep, "RENEW_SECONDS", 0.1)
    held: list[bool] = []

    def take_long(_account: Account) -> None:
        time.sleep(1.2)
        held.append(upkeep._claim() is None)

    monkeypatch.setattr(sync, "list_mailboxes", take_long)
    upkeep._work_on(upkeep._claim() or account)
    assert held == [True]


def test_accounts_of_people_who_may_not_sign_in_are_left_alone(account: Account, steps: list[tuple[str, str]]) -> None:
    account.user.is_active = False
    account.user.save()
    run_dry()
    Account.objects.update(state=Account.State.LOGIN_NEEDED)
    account.user.is_active = True
    account.user.save()
    run_dry()
    assert steps == []


def test_half_of_a_workers_threads_stay_free_for_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []

    def work() -> bool:
        begun.append(len(begun))
        if len(begun) < 100:
            tasks.keep_up()  # as if another thread began meanwhile
        return False

    monkeypatch.setattr(upkeep, "work", work)
    tasks.keep_up()
    assert len(begun) == settings.CELERY_WORKER_CONCURRENCY // 2


def test_a_mailbox_renamed_while_its_turn_comes_is_read_under_its_new_name(
    account: Account, mail_user: MailUser
) -> None:
    """What is known by its old name alone is listed again at once, not left alone for an hour."""
    sync.list_mailboxes(account)
    with mail_user.imap() as other:
        other.rename('"Entw&APw-rfe 2026"', '"Drafts 2026"')
    run_dry()
    renamed = account.mailboxes.get(name="Drafts 2026")
    assert (renamed.lowest_uid, renamed.messages.count()) == (1, 5)
    assert not account.mailboxes.filter(name="Entwürfe 2026").exists()


def test_a_new_mailbox_is_indexed_without_waiting_for_tomorrow(
    account: Account, mail_user: MailUser, steps: list[tuple[str, str]]
) -> None:
    run_dry()
    with mail_user.imap() as client:
        client.create("New")
    mail_user.append("New", letter(30))
    sync.look(account)
    run_dry()
    assert account.mailboxes.get(name="New").is_complete


@pytest.mark.parametrize("was", ["read by its page", "said to have news"])
def test_what_a_worker_found_no_connection_for_is_done_soon(
    account: Account, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch, was: str
) -> None:
    run_dry()
    if was == "read by its page":
        account.mailboxes.filter(role="inbox").update(checked_at=None)
    else:
        mail_user.append("INBOX", letter(40))
    inbox = account.mailboxes.get(role="inbox")

    def busy(_mailbox: Mailbox) -> None:
        raise Busy

    with monkeypatch.context() as patch:
        patch.setattr(sync, "refresh", busy)
        tasks.catch_up(inbox.pk)
    run_dry()
    before = inbox.checked_at
    inbox.refresh_from_db()
    assert inbox.checked_at not in (None, before)
    assert inbox.messages.filter(subject="Letter 40").exists() is (was == "said to have news")


def test_what_is_put_off_while_the_last_mailbox_is_worked_on_is_not_forgotten(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker has seen that nothing is left, and has not said so yet."""
    run_dry()
    inbox = account.mailboxes.get(role="inbox")
    real = upkeep._next_time

    def next_time(mailboxes: list[Mailbox]) -> object:
        monkeypatch.undo()
        upkeep.put_off(inbox)
        return real(mailboxes)

    monkeypatch.setattr(upkeep, "_next_time", next_time)
    Account.objects.update(upkeep_at=timezone.now())
    run_dry()
    inbox.refresh_from_db()
    assert not inbox.stale
