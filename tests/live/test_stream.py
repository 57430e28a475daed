"""The event stream over HTTP: who hears what, and when it ends."""

from __future__ import annotations

import pytest

from tests.cast import client_of
from tests.live.conftest import wait_for
from webmail import headers
from webmail.live import entrance
from webmail.live import streams as rooms
from webmail.models import Session, User
from webmail.store import changes, presence
from webmail.store.bodies import client as redis


@pytest.fixture(autouse=True)
def _hurried(monkeypatch):
    monkeypatch.setattr(rooms, "CHECK_SECONDS", 0.1)


def account_of(user):
    return user.accounts.get().pk


def test_a_change_is_told_to_its_owner_alone(streams, alice, mallory):
    hers, theirs = streams(alice), streams(mallory)
    changes.publish(account_of(alice), mailbox=5, kind="messages")
    changes.publish(account_of(mallory), kind="state")
    assert hers.fact() == {"account": account_of(alice), "mailbox": 5, "kind": "messages"}
    assert theirs.fact() == {"account": account_of(mallory), "mailbox": None, "kind": "state"}


def test_an_account_that_is_added_is_heard_of(streams, alice, bob):
    stream = streams(alice)
    account = bob.accounts.get()
    account.user = alice
    account.save()
    wait_for(lambda: any(account.pk in each.accounts for each in rooms.hub._streams))
    changes.publish(account.pk, kind="mailboxes")
    assert stream.fact()["account"] == account.pk


def test_the_headers_are_those_of_every_answer(streams, alice):
    answer = streams(alice).answer
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["Content-Security-Policy"] == headers.PAGE_CSP
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Permissions-Policy"] == headers.PERMISSIONS
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("key", ["", "no-such-session", "x" * 5000])
def test_a_stranger_gets_none(streams, key):
    stream = streams(key=key)
    assert stream.status == 403
    assert stream.answer.headers["Content-Security-Policy"] == headers.PAGE_CSP


def test_a_page_elsewhere_gets_none(streams, alice):
    assert streams(alice, {"Sec-Fetch-Site": "cross-site"}).status == 403
    assert streams(alice, {"Host": "elsewhere.example"}).status == 400


def test_whoever_may_not_sign_in_gets_none(streams, alice):
    key = client_of(alice).session.session_key
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert streams(key=key).status == 403


def sign_out(user, browser):
    browser.post("/sign-out/")


def disable(user, browser):
    User.objects.filter(pk=user.pk).update(is_active=False)


def change_password(user, browser):
    user.set_password("quite another password")
    user.save()


def end_the_session(user, browser):
    Session.objects.for_user(user).delete()


@pytest.mark.parametrize("end", [sign_out, disable, change_password, end_the_session])
def test_it_ends_with_the_session(streams, alice, bob, end):
    browser = client_of(alice)
    hers, his = streams(key=browser.session.session_key), streams(bob)
    end(alice, browser)
    assert hers.fact() == {"kind": "end"}
    assert hers.fact() is None
    changes.publish(account_of(bob), kind="jobs")
    assert his.fact()["kind"] == "jobs"


def test_a_quiet_one_shows_signs_of_life(streams, alice, monkeypatch):
    monkeypatch.setattr(entrance, "BEAT_SECONDS", 0.1)
    stream = streams(alice)
    while stream.next_kind() != "beat":
        pass


def test_one_person_holds_so_many(streams, alice, bob):
    held = [streams(alice) for _ in range(rooms.MOST_OF_ONE)]
    assert {stream.status for stream in held} == {200}
    assert streams(alice).status == 429
    assert streams(bob).status == 200
    held[0].close()
    wait_for(lambda: streams(alice).status == 200)


def test_who_has_one_is_online(streams, alice, monkeypatch):
    monkeypatch.setattr(rooms, "TOUCH_EVERY", 1)
    redis.delete("presence")
    streams(alice)
    assert presence.online_accounts() == {account_of(alice)}
    redis.delete("presence")
    wait_for(lambda: presence.online_accounts() == {account_of(alice)})


def test_after_an_outage_of_redis_everything_is_in_doubt(streams, alice):
    stream = streams(alice)
    assert stream.next_kind() == "all"  # as it begins
    redis.client_kill_filter(_type="pubsub")
    assert stream.next_kind() == "all"
    changes.publish(account_of(alice), kind="state")
    assert stream.fact()["kind"] == "state"
