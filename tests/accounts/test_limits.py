"""Guessing passwords (T12). `reached` counts the tries that got as far as a hash or a mail server."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from axes.models import AccessFailureLog
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.cast import LOCAL_PASSWORD
from webmail.accounts import clients, limits
from webmail.models import User
from webmail.protocol.errors import ConnectionFailed, LoginNeeded
from webmail.store import pools, providers

OWNER, GUESS = "alice@demo.test", "guess"
TRIES = 300  # the table says a thousand, but past the limits each is one more refusal
DAY = 86_400


@pytest.fixture
def reached(monkeypatch):
    """The names that a try was made for at the mail server; the only right password is "demo"."""
    names = []

    def connect(server, login, **more):
        names.append(login.username)
        if login.password != "demo":
            raise LoginNeeded
        raise ConnectionFailed

    monkeypatch.setattr(pools, "log_in", connect)
    return names


@pytest.fixture
def hashed(monkeypatch):
    """The names whose hash was looked at; the right password is `LOCAL_PASSWORD`."""
    names = []
    check = ModelBackend.authenticate

    def authenticate(self, request, username=None, password=None, **more):
        names.append(username)
        return (
            check(self, request, username=username, password=password, **more) if password == LOCAL_PASSWORD else None
        )

    monkeypatch.setattr(ModelBackend, "authenticate", authenticate)
    return names


@pytest.fixture
def clock(monkeypatch):
    """A clock that only moves when told to."""

    class Clock:
        now = timezone.now()

        def move(self, **delta):
            self.now += timedelta(**delta)

    moving = Clock()
    monkeypatch.setattr(timezone, "now", lambda: moving.now)
    return moving


def guess(address="198.51.100.1", name=OWNER, password=GUESS, client=None):
    return (client or Client()).post("/sign-in/", {"username": name, "password": password}, REMOTE_ADDR=address)


def test_many_guesses_from_one_address_in_a_day(provider, reached, clock):
    for number in range(TRIES):
        guess(name=f"person{number % 40}@demo.test")
        clock.move(seconds=DAY / TRIES - 1)
    assert len(reached) <= 50


def test_many_guesses_from_one_address_at_once(provider, reached, clock):
    answers = [guess(name=f"person{number}@demo.test") for number in range(100)]
    assert len(reached) == 10
    assert {answer.status_code for answer in answers[:10]} == {200}
    assert {answer.status_code for answer in answers[10:]} == {429}


def test_many_guesses_each_from_another_address(admin, hashed, clock):
    """And the owner still gets in, from the browser that once was theirs."""
    owner = Client()
    guess("203.0.113.7", "admin", LOCAL_PASSWORD, owner)
    owner.post("/sign-out/")
    hashed.clear()
    for number in range(TRIES):
        guess(f"198.18.{number // 250}.{number % 250}", "admin")
        clock.move(seconds=DAY / TRIES - 1)
    assert len(hashed) <= 100
    assert guess("203.0.113.8", "admin", LOCAL_PASSWORD).status_code == 429
    assert guess("203.0.113.7", "admin", LOCAL_PASSWORD, owner).status_code == 302


def test_five_failures_for_one_name_and_address_in_a_quarter_of_an_hour(provider, reached, clock):
    for _ in range(8):
        guess()
    assert len(reached) == 5
    assert "Too many attempts" in guess().content.decode()
    clock.move(minutes=16)
    guess()
    assert len(reached) == 6


def test_spelling_the_name_otherwise_is_no_way_round(provider, reached, clock):
    for name in ("alice@demo.test", "ALICE@demo.test", " alice@DEMO.test", "Alice@demo.test.", "aLice@demo.test"):
        guess(name=name)
    guess(name="alicE@demo.test")
    assert len(reached) == 5


def test_a_network_of_ipv6_is_one_client(provider, reached, clock):
    for number in range(20):
        guess(f"2001:db8:1:2::{number:x}", f"person{number}@demo.test")
    assert len(reached) == 10
    guess("2001:db8:1:3::1", "person@demo.test")
    assert len(reached) == 11


def test_guesses_at_the_same_moment_do_not_slip_through(admin, monkeypatch, transactional_db):
    hashed = []

    def authenticate(self, request, username=None, password=None, **more):
        hashed.append(username)
        time.sleep(0.2)

    monkeypatch.setattr(ModelBackend, "authenticate", authenticate)

    def work():
        guess(name="admin")
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hashed) <= 5


def test_the_right_password_strikes_out_ones_own_failures(admin, clock):
    for _ in range(4):
        guess(name="admin")
    assert guess(name="admin", password=LOCAL_PASSWORD).status_code == 302
    assert not AccessFailureLog.objects.exists()


def test_a_mail_server_that_is_away_counts_no_failure(provider, reached, clock):
    for _ in range(8):
        guess(password="demo")
    assert len(reached) == 8
    assert not AccessFailureLog.objects.exists()


def test_a_server_nobody_knows_counts(db, clock, monkeypatch):
    """Else the form would be a way to make us knock at doors."""
    asked = []

    def search(address):
        asked.append(address)
        raise ConnectionFailed

    monkeypatch.setattr(providers, "search", search)
    for number in range(30):
        guess(name=f"person@nowhere{number}.test")
    assert len(asked) == 10


def test_a_cookie_of_ones_own_making_exempts_nobody(admin, hashed, clock):
    for number in range(100):
        guess(f"198.18.0.{number}", "admin")
    forger = Client()
    for value in ("admin", "x" * 5000, "W10:1:1", ""):
        forger.cookies[limits.DEVICE_COOKIE] = value
        assert guess("203.0.113.9", "admin", LOCAL_PASSWORD, forger).status_code == 429


def test_the_known_device_of_one_is_not_that_of_another(admin, hashed, clock):
    User.objects.create_user("mallory", password=LOCAL_PASSWORD)
    hers = Client()
    guess("203.0.113.9", "mallory", LOCAL_PASSWORD, hers)
    hers.post("/sign-out/")
    for number in range(100):
        guess(f"198.18.0.{number}", "admin")
    assert guess("203.0.113.9", "admin", LOCAL_PASSWORD, hers).status_code == 429


def test_the_cookie_does_not_tell_who_was_here(admin):
    browser = Client()
    guess("203.0.113.9", "admin", LOCAL_PASSWORD, browser)
    cookie = browser.cookies[limits.DEVICE_COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert "admin" not in cookie.value


def test_the_administrator_lets_somebody_try_again(admin, hashed, clock):
    for _ in range(6):
        guess(name="admin")
    call_command("axes_reset_username", "Admin")
    assert guess(name="admin", password=LOCAL_PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "1.2.3.4", "198.51.100.1"),
        (1, "1.2.3.4", "1.2.3.4"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.1", "1.2.3.4"),
        (2, "1.2.3.4", "1.2.3.4"),
        (1, "nonsense", "198.51.100.1"),
        (1, "", "198.51.100.1"),
        (1, "::ffff:1.2.3.4", "1.2.3.4"),
        (1, "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_whose_address_counts_behind_proxies(rf, settings, proxies, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/", REMOTE_ADDR="198.51.100.1", headers={"X-Forwarded-For": forwarded})
    assert clients.address_of(request) == address


class CountedArgon(Argon2PasswordHasher):
    """Notes each hash that it computes, which is what takes the time of an answer."""

    memory_cost = 1024
    parallelism = 1
    computed: list[str] = []

    def encode(self, password, salt):
        self.computed.append("encode")
        return super().encode(password, salt)

    def verify(self, password, encoded):
        self.computed.append("verify")
        return super().verify(password, encoded)


@pytest.mark.parametrize("name", ["admin", "nobody", "mail only"])
def test_known_and_unknown_names_cost_one_hash(admin, clock, settings, name):
    settings.PASSWORD_HASHERS = [f"{__name__}.CountedArgon"]
    User.objects.update(password=make_password(LOCAL_PASSWORD))
    User.objects.create_user("mail only")
    CountedArgon.computed.clear()
    guess("198.51.100.1", name)
    assert len(CountedArgon.computed) == 1
