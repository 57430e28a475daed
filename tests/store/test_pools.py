"""What failures say about an account, and when a password that was refused is tried again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.protocol.scripted import PoliteImap
from webmail.models import Account, Provider
from webmail.protocol.errors import LoginNeeded
from webmail.store import credentials, pools
from webmail.store.bodies import client


@pytest.fixture
def refusing(account: Account) -> Iterator[PoliteImap]:
    """A server that refuses the account's password."""
    with PoliteImap() as imap:
        imap.change = lambda verb, answer: (
            answer.split()[0] + b" NO [AUTHENTICATIONFAILED] no\r\n" if verb == "AUTHENTICATE" else answer
        )
        Provider.objects.filter(pk=account.provider_id).update(
            imap_host="127.0.0.1", imap_port=imap.port, imap_security="none"
        )
        yield imap


def try_once(account: Account) -> None:
    fresh = Account.objects.select_related("provider").get(pk=account.pk)
    with pytest.raises(LoginNeeded), pools.lend(fresh):
        pass


def passed(account: Account, time: timedelta) -> None:
    """As if the last refusal were so long ago, and the first one much longer."""
    now = timezone.now()
    Account.objects.filter(pk=account.pk).update(state_since=now - timedelta(days=1))
    client.set(f"refused:{account.pk}", (now - time).timestamp(), ex=60)


def test_a_refused_password_is_not_tried_again_at_once(account: Account, refusing: PoliteImap) -> None:
    client.delete(f"refused:{account.pk}")
    for _ in range(3):
        try_once(account)
    assert refusing.connections == 1
    account.refresh_from_db()
    assert account.state == Account.State.LOGIN_NEEDED


def test_people_try_it_sooner_than_background_work(account: Account, refusing: PoliteImap) -> None:
    try_once(account)
    passed(account, pools.LOGIN_PAUSE + timedelta(seconds=1))
    with pools.background():
        try_once(account)
    assert refusing.connections == 1
    try_once(account)
    assert refusing.connections == 2
    try_once(account)
    assert refusing.connections == 2, "it counts from the last refusal, not from the first"
    passed(account, pools.BACKGROUND_LOGIN_PAUSE + timedelta(seconds=1))
    with pools.background():
        try_once(account)
    assert refusing.connections == 3


def test_a_new_password_is_tried_at_once(account: Account, refusing: PoliteImap) -> None:
    try_once(account)
    refusing.change = lambda verb, answer: answer
    account.refresh_from_db()
    account.credential = credentials.seal(account, "another")
    account.save()
    pools.note_state(account, Account.State.OK, "")
    with pools.lend(account) as imap:
        imap.noop()
