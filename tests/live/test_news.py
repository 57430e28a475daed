"""What is new in the inboxes since a look before."""

from __future__ import annotations

import pytest
from django.utils import timezone

from tests.cast import client_of, give_mail


def look(user, since=""):
    answer = client_of(user).get("/news/", {"since": since})
    assert answer.status_code == 200
    return answer.json()


def arrive(inbox, subject, **values):
    uid = inbox.uidnext
    inbox.uidnext, inbox.unread = uid + 1, inbox.unread + 1
    inbox.save()
    defaults = {"sender_name": "Bob", "sender_address": "bob@demo.test", "date": timezone.now(), "size": 1}
    return inbox.messages.create(account=inbox.account, uid=uid, subject=subject, **(defaults | values))


@pytest.fixture
def inbox(alice):
    give_mail(alice)
    return alice.accounts.get().mailboxes.get()


def test_nothing_is_new_at_first(alice, inbox):
    inbox.unread = 3
    inbox.save()
    news = look(alice)
    assert (news["unread"], news["count"], news["messages"]) == (3, 0, [])


def test_what_came_since_is_new_once(alice, inbox):
    since = look(alice)["since"]
    message = arrive(inbox, "Hello")
    news = look(alice, since)
    assert (news["unread"], news["count"]) == (1, 1)
    assert news["messages"] == [{"pk": message.pk, "sender": "Bob", "subject": "Hello"}]
    assert look(alice, news["since"])["count"] == 0


def test_of_many_the_newest_are_named(alice, inbox):
    since = look(alice)["since"]
    for number in range(8):
        arrive(inbox, f"Number {number}")
    arrive(inbox, "Read elsewhere", seen=True)
    news = look(alice, since)
    assert news["count"] == 8
    assert [message["subject"] for message in news["messages"]] == [f"Number {number}" for number in (7, 6, 5, 4, 3)]


def test_older_mail_and_a_renumbered_mailbox_are_not_new(alice, inbox):
    since = look(alice)["since"]
    inbox.messages.create(account=inbox.account, uid=0, date=timezone.now(), subject="Indexed later", size=1)
    assert look(alice, since)["count"] == 0
    inbox.uidvalidity = 2
    arrive(inbox, "Under another number")
    assert look(alice, since)["count"] == 0


@pytest.mark.parametrize("since", ["1", "a.b.c", "9.9.9_" * 1000, "9" * 400, "1.1.99999999999999999999", "\0", "é.1.1"])
def test_a_look_that_is_none_of_ours(alice, inbox, since):
    assert look(alice, since)["count"] == 0


def test_mallory_learns_nothing_of_alice(alice, mallory, inbox):
    since = look(alice)["since"]
    arrive(inbox, "Private")
    assert look(mallory, since) == {"unread": 0, "count": 0, "messages": [], "since": "", "attention": 0}
