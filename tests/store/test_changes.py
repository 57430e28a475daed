"""Changes are told once, after commit, and only that they are."""

from __future__ import annotations

import asyncio
import json

import pytest
from django.db import transaction

from tests.reader import letter
from webmail.store import changes, sync
from webmail.store.bodies import client
from webmail.store.changes import Change


@pytest.fixture
def told(redis_url):
    """A function that gives what was told since the last time."""
    with client.pubsub(ignore_subscribe_messages=True) as subscription:
        subscription.subscribe(changes.CHANNEL)
        subscription.get_message(timeout=5)

        def heard():
            client.publish(changes.CHANNEL, "the end")
            said = []
            while True:
                message = subscription.get_message(timeout=5)
                if message and message["data"] == b"the end":
                    return said
                if message:
                    said.append(message["data"])

        yield heard


@pytest.mark.django_db(transaction=True)
def test_a_transaction_tells_each_fact_once_after_its_commit(told):
    with transaction.atomic():
        for _ in range(3):
            changes.publish(7, mailbox=3, kind="messages")
            changes.publish(7, kind="mailboxes")
        assert told() == []
    assert [json.loads(data) for data in told()] == [
        {"account": 7, "mailbox": 3, "kind": "messages"},
        {"account": 7, "mailbox": None, "kind": "mailboxes"},
    ]


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_it_is_told_at_once(told):
    changes.publish(7, kind="state")
    assert len(told()) == 1


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_not_told(told):
    with transaction.atomic():
        with pytest.raises(RuntimeError), transaction.atomic():
            changes.publish(7, mailbox=1, kind="messages")
            raise RuntimeError
        changes.publish(7, mailbox=2, kind="messages")
    assert [json.loads(data)["mailbox"] for data in told()] == [2]


@pytest.mark.django_db(transaction=True)
def test_how_far_back_the_index_reaches_is_told_once_a_slice(inbox, mail_user, monkeypatch, told):
    for number in range(5):
        mail_user.append("INBOX", letter(number))
    monkeypatch.setattr(sync, "FIRST_CHUNK", 1)
    monkeypatch.setattr(sync, "CHUNK", 1)
    sync.refresh(inbox)
    told()
    assert sync.backfill(inbox, seconds=60) is False
    facts = [json.loads(data) for data in told()]
    assert facts.count({"account": inbox.account_id, "mailbox": inbox.pk, "kind": "state"}) == 1


@pytest.mark.django_db(transaction=True)
def test_redis_away_is_no_error(monkeypatch):
    monkeypatch.setattr(changes, "client", client.from_url("unix:///nowhere/redis.sock"))
    with transaction.atomic():
        changes.publish(7, kind="jobs")


def test_listening_begins_with_a_doubt_and_goes_on_after_an_outage(redis_url):
    async def hear():
        heard = changes.listen()
        assert await anext(heard) is None
        await asyncio.to_thread(client.publish, changes.CHANNEL, "nonsense")
        await asyncio.to_thread(client.publish, changes.CHANNEL, '{"account":1,"mailbox":2,"kind":"messages"}')
        assert await anext(heard) == Change(1, 2, "messages")
        await asyncio.to_thread(client.client_kill_filter, _type="pubsub")
        assert await anext(heard) is None
        await heard.aclose()

    asyncio.run(asyncio.wait_for(hear(), 20))
