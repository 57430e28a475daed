"""What a sender calls himself, beside his address: names that pose as another's (T21)."""

from __future__ import annotations

import pytest

from webmail.protocol import senders
from webmail.protocol.types import Address

OWN = "mallory@evil.example"
POSING = (
    "bob@demo.test", "Bob Novak <bob@demo.test>", "bob@demo.test (Bob)", "'bob@demo.test' via list", "BOB@DEMO.TEST",
    "bob＠demo.test", "bob﹫demo.test", "bob [at] demo.test", "bob(at)demo.test", "x bob@sub.demo.test y",
    "ｂｏｂ@ｄｅｍｏ.ｔｅｓｔ", "bob@demo.test" + " " * 900,
)  # fmt: skip


@pytest.mark.parametrize("name", POSING)
def test_a_name_that_poses_as_an_address(name: str) -> None:
    assert senders.other_address(name, OWN).endswith("demo.test")
    assert senders.shown_as(name, OWN) == OWN
    assert senders.shown_name(Address(name, OWN)) == OWN


@pytest.mark.parametrize(
    "name", ["Bob Novak", "Bob @ Demo", "Mallory (mallory@evil.example)", "MALLORY@Evil.example", "", "@"]
)
def test_a_name_that_does_not(name: str) -> None:
    assert senders.other_address(name, OWN) == ""


def test_a_name_without_an_address_stays() -> None:
    assert senders.shown_as("Bob Novak", OWN) == "Bob Novak"
    assert senders.shown_as("", "bob@xn--80ak6aa92e.com") == "bob@xn--80ak6aa92e.com"
    assert senders.shown_as("", "bob@xn--bcher-kva.example") == "bob@bücher.example"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("PayPal.com", "paypal.com"),
        ("Support of www.demo.test", ""),  # .test is no top-level domain that exists
        ("allegro.pl", "allegro.pl"),
        ("Evil.example", ""),
        ("Dr. Novak", ""),
        ("Node.js Weekly", ""),
        ("e.g. me", ""),
    ],
)
def test_a_name_that_names_a_domain(name: str, found: str) -> None:
    assert senders.other_domain(name, OWN) == found
    assert senders.other_domain("PayPal.com", "service@intl.paypal.com") == ""
