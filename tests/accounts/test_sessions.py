"""Sessions: a new one at each log-in, idle and absolute ends, few of them, seen and ended by their owner (T13)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import LOCAL_PASSWORD, client_of
from webmail.accounts import sessions
from webmail.models import Session, User

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def is_in(client):
    return client.get("/settings/").status_code == 200


def browser_of(address, **extra):
    """A browser in which that person has signed in by the form."""
    client = Client(**extra)
    client.post("/sign-in/", {"username": address, "password": "demo"})
    return client


def age(client, **delta):
    """Let the session's times lie that much further back."""
    by = timedelta(**delta)
    row = Session.objects.get(pk=client.session.session_key)
    Session.objects.filter(pk=row.pk).update(
        created_at=row.created_at - by, seen_at=row.seen_at - by, expire_date=row.expire_date - by
    )


def test_an_id_from_before_is_not_kept(alice):
    client = Client()
    client.get("/sign-in/")
    planted = client.cookies["session"].value
    client.post("/sign-in/", {"username": "alice@demo.test", "password": "demo"})
    assert client.cookies["session"].value != planted
    assert not Session.objects.filter(session_key=planted).exists()


def test_an_id_somebody_made_up_is_not_taken(alice):
    client = Client()
    client.cookies["session"] = "f" * 32
    client.post("/sign-in/", {"username": "alice@demo.test", "password": "demo"})
    assert client.cookies["session"].value != "f" * 32


def test_idle_for_a_day_is_the_end(alice):
    client = client_of(alice)
    age(client, hours=23, minutes=59)
    assert is_in(client)
    age(client, hours=24, minutes=1)
    assert not is_in(client)


def test_thirty_days_are_the_end_however_busy(alice):
    client = client_of(alice)
    for _ in range(30):
        age(client, hours=23, minutes=50)
        is_in(client)
    row = Session.objects.get()
    assert row.expire_date <= row.created_at + timedelta(days=30)
    age(client, hours=5)
    assert not is_in(client)


def test_a_busy_session_is_written_every_five_minutes(alice):
    client = browser_of("alice@demo.test")
    row = Session.objects.get()
    client.get("/help/")
    assert Session.objects.get().seen_at == row.seen_at
    age(client, minutes=6)
    assert "session" in client.get("/help/").cookies
    fresh = Session.objects.get()
    assert timezone.now() - fresh.seen_at < timedelta(minutes=1)
    assert fresh.expire_date > row.expire_date - timedelta(minutes=1)
    assert fresh.created_at < row.created_at


def test_who_is_in_costs_one_query(alice, django_assert_num_queries):
    client = browser_of("alice@demo.test")
    with django_assert_num_queries(1):
        client.get("/help/")


def test_a_stranger_costs_none(client, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/help/")


def test_the_oldest_ends_when_there_are_too_many(alice):
    first = client_of(alice)
    age(first, minutes=1)
    others = [client_of(alice) for _ in range(sessions.MOST)]
    assert not is_in(first)
    assert all(is_in(client) for client in others)
    assert Session.objects.count() == sessions.MOST


def test_switched_off_is_out_at_once(alice):
    client = client_of(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert not is_in(client)


def test_the_list_says_where_and_since_when(alice):
    client = browser_of("alice@demo.test", headers={"user-agent": FIREFOX}, REMOTE_ADDR="198.51.100.4")
    browser_of("alice@demo.test", headers={"user-agent": "<script>alert(1)</script>"})
    page = client.get("/settings/").content.decode()
    assert "Firefox on Linux" in page
    assert "198.51.100.4" in page
    assert "This one" in page
    assert "<script>alert" not in page
    for row in Session.objects.all():
        assert row.session_key not in page


def test_ending_one_ends_that_one(alice):
    here, there, elsewhere = client_of(alice), client_of(alice), client_of(alice)
    row = Session.objects.get(pk=there.session.session_key)
    here.post("/settings/sessions/end/", {"handle": sessions.handle_of(row)})
    assert (is_in(here), is_in(there), is_in(elsewhere)) == (True, False, True)


def test_ending_all_others(alice, bob):
    here, there, bobs = client_of(alice), client_of(alice), client_of(bob)
    here.post("/settings/sessions/end/", {"handle": "others"})
    assert (is_in(here), is_in(there), is_in(bobs)) == (True, False, True)


def test_mallory_ends_nobody_elses(alice, mallory):
    hers = client_of(alice)
    row = Session.objects.get(pk=hers.session.session_key)
    for handle in (sessions.handle_of(row), row.session_key, str(row.pk), "", "others", "%"):
        client_of(mallory).post("/settings/sessions/end/", {"handle": handle})
    assert is_in(hers)


def test_a_new_local_password_ends_every_other_session(admin):
    here, there = client_of(admin), client_of(admin)
    before = here.session.session_key
    response = here.post(
        "/settings/password/",
        {"old_password": LOCAL_PASSWORD, "new_password1": "quite another one", "new_password2": "quite another one"},
    )
    assert response.status_code == 302
    assert (is_in(here), is_in(there)) == (True, False)
    assert here.session.session_key != before


@pytest.mark.parametrize(
    ("old", "new"), [("wrong", "quite another one"), (LOCAL_PASSWORD, "short"), (LOCAL_PASSWORD, "password1234")]
)
def test_a_bad_new_password_changes_nothing(admin, old, new):
    client = client_of(admin)
    response = client.post("/settings/password/", {"old_password": old, "new_password1": new, "new_password2": new})
    assert response.status_code == 422
    admin.refresh_from_db()
    assert admin.check_password(LOCAL_PASSWORD)


def test_who_signs_in_with_mail_has_no_password_here(alice):
    client = client_of(alice)
    client.post("/settings/password/", {"old_password": "", "new_password1": "x" * 20, "new_password2": "x" * 20})
    alice.refresh_from_db()
    assert not alice.has_usable_password()
    assert "/settings/password/" not in client.get("/settings/").content.decode()


def test_sessions_hold_json_only(alice, settings):
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"
    client = client_of(alice)
    json.dumps(dict(client.session.items()))


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/150.0 Safari/537.36 Edg/150.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/150.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_are_called_as_people_call_them(user_agent, name):
    assert sessions.browser_name(user_agent) == name
