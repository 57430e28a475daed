"""Preferences: each saved by itself, said so, and in force on the next page."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from tests.cast import client_of
from webmail.accounts.forms import time_zones
from webmail.models import Session, User

PREFERENCES = "/settings/preferences/"


def test_all_at_once(alice):
    client = client_of(alice)
    response = client.post(
        PREFERENCES,
        {"name": "Alice Moor", "theme": "dark", "density": "compact", "reading_pane": "off", "time_zone": "Asia/Tokyo"},
        follow=True,
    )
    assert "Your preferences are saved" in response.content.decode()
    alice.refresh_from_db()
    assert (alice.get_full_name(), alice.theme, alice.density) == ("Alice Moor", "dark", "compact")
    assert (alice.reading_pane, alice.time_zone) == ("off", "Asia/Tokyo")


@pytest.mark.parametrize(
    ("name", "value"), [("theme", "light"), ("density", "compact"), ("reading_pane", "below"), ("time_zone", "UTC")]
)
def test_one_leaves_the_others_alone(alice, name, value):
    User.objects.update(first_name="Alice", theme="dark", time_zone="Asia/Tokyo")
    client = client_of(alice)
    response = client.post(PREFERENCES, {name: value}, headers={"HX-Request": "true"})
    assert response.content.decode().strip() == "Saved"
    fresh = User.objects.get()
    assert getattr(fresh, name) == value
    assert fresh.first_name == "Alice"
    assert fresh.theme == ("light" if name == "theme" else "dark")


@pytest.mark.parametrize(
    "data", [{"theme": "pink"}, {"time_zone": "Mars/Olympus"}, {"name": "x" * 151}, {"density": ""}]
)
def test_what_is_no_choice_is_refused(alice, data):
    client = client_of(alice)
    assert client.post(PREFERENCES, data).status_code == 422
    assert client.post(PREFERENCES, data, headers={"HX-Request": "true"}).status_code == 422
    fresh = User.objects.get()
    assert (fresh.theme, fresh.time_zone, fresh.first_name) == ("system", "UTC", "")


def test_nothing_to_save(alice):
    assert client_of(alice).post(PREFERENCES, {"other": "1"}).status_code == 400


def test_the_theme_is_on_every_page(alice):
    User.objects.update(theme="dark")
    assert 'data-theme="dark"' in client_of(alice).get("/help/").content.decode()


def test_times_are_in_the_persons_zone(alice):
    User.objects.update(time_zone="Asia/Tokyo")
    client = client_of(alice)
    begun = Session.objects.get().created_at.astimezone(ZoneInfo("Asia/Tokyo"))
    assert f"{begun:%H:%M}" in client.get("/settings/").content.decode()


def test_a_zone_that_is_no_more(alice):
    User.objects.update(time_zone="Mars/Olympus")
    assert client_of(alice).get("/settings/").status_code == 200


def test_names_are_text(alice):
    client = client_of(alice)
    client.post(PREFERENCES, {"name": "<script>alert(1)</script>"})
    assert "<script>alert" not in client.get("/settings/").content.decode()


def test_the_list_of_zones_has_places_and_utc():
    names = {name for area, zones in time_zones() if not isinstance(zones, str) for name, _ in zones}
    assert {"Europe/Prague", "America/Argentina/Buenos_Aires", "Asia/Kolkata"} <= names
    assert ("UTC", "UTC") in time_zones()


def test_each_hint_has_its_tick(alice):
    client = client_of(alice)
    assert client.post("/settings/preferences/", {"hints": ["", "new", "many"]}).status_code == 302
    alice.refresh_from_db()
    assert alice.hints == {"new", "many"}
    assert client.post("/settings/preferences/", {"theme": "dark"}).status_code == 302
    alice.refresh_from_db()
    assert alice.hints == {"new", "many"}, "what is not sent stays"
    client.post("/settings/preferences/", {"hints": [""]})
    alice.refresh_from_db()
    assert alice.hints == frozenset()
    client.post("/settings/preferences/", {"hints": ["eggs"]})
    alice.refresh_from_db()
    assert alice.hints == frozenset()
