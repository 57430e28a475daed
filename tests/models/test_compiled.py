"""A compiled query says what Django's own would, on every run and in every thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection, models
from django.utils import timezone

from tests.cast import give_mail
from webmail.models import Account, Message, Session, User
from webmail.models.compiled import Compiled, Parameter

BY_ACCOUNT = Compiled(
    lambda: Message.objects.filter(
        account=Parameter("account", models.BigIntegerField()), date__lte=Parameter("until", models.DateTimeField())
    ).order_by("uid"),
    ["pk", "date", "seen", "account__key"],
    ["pk", "date", "seen", "key"],
)


def test_the_same_rows_with_the_same_types(alice: User, mallory: User) -> None:
    hers, other = give_mail(alice), give_mail(mallory)
    for message in (hers, other):
        account = Account.objects.get(pk=message.account_id)
        (row,) = BY_ACCOUNT(account=account.pk, until=timezone.now())
        assert (row.pk, row.date, row.seen, row.key) == (message.pk, message.date, False, account.key)
        assert row.seen is False


def test_nothing_found(alice: User) -> None:
    message = give_mail(alice)
    assert BY_ACCOUNT(account=0, until=timezone.now()) == []
    assert BY_ACCOUNT(account=message.account_id, until=datetime(2000, 1, 1, tzinfo=UTC)) == []


def test_a_value_stays_a_value(alice: User) -> None:
    by_subject = Compiled(lambda: Message.objects.filter(subject=Parameter("subject", models.CharField())), ["subject"])
    message = give_mail(alice)
    Message.objects.filter(pk=message.pk).update(subject="100 % 'quoted' %s; --")
    assert [row.subject for row in by_subject(subject="100 % 'quoted' %s; --")] == ["100 % 'quoted' %s; --"]
    assert by_subject(subject="' OR 1=1 --") == []


@pytest.mark.django_db(transaction=True)
def test_each_thread_has_its_own_connection(alice: User) -> None:
    message = give_mail(alice)

    def look(_: int) -> list[int]:
        try:
            return [row.pk for row in BY_ACCOUNT(account=message.account_id, until=timezone.now())]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(look, range(20))) == [[message.pk]] * 20


def test_a_session_brings_its_user(alice: User, client) -> None:
    client.force_login(alice, backend="webmail.accounts.backends.MailBackend")
    store = Session.get_session_store_class()(client.session.session_key)
    assert store["_auth_user_id"] == str(alice.pk)
    assert store.user == alice
    assert store.user.date_joined == alice.date_joined
