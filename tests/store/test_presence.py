"""Who is online."""

from __future__ import annotations

import pytest

from webmail.models import User
from webmail.store import presence
from webmail.store.bodies import client


@pytest.fixture
def nobody(redis_url):
    client.delete("presence")


def test_the_accounts_of_those_who_are_there(alice, bob, mallory, nobody):
    presence.touch(alice.pk)
    presence.touch_all([alice.pk, bob.pk])
    assert presence.online_accounts() == {alice.accounts.get().pk, bob.accounts.get().pk}


def test_it_runs_out(alice, nobody, monkeypatch):
    presence.touch(alice.pk)
    now = presence.time.time()
    monkeypatch.setattr(presence.time, "time", lambda: now + presence.SECONDS + 1)
    assert presence.online_accounts() == set()
    assert client.exists("presence") == 0


def test_whoever_may_not_sign_in_is_not_there(alice, nobody):
    presence.touch(alice.pk)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert presence.online_accounts() == set()


def test_while_redis_is_away_those_who_were_there_count(alice, nobody, monkeypatch):
    presence.touch(alice.pk)
    there = presence.online_accounts()
    monkeypatch.setattr(presence, "client", client.from_url("unix:///nowhere/redis.sock"))
    presence.touch(alice.pk)
    assert presence.online_accounts() == there == {alice.accounts.get().pk}
