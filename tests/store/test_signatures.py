"""What a page says of a signature: never more than was checked."""

from __future__ import annotations

from datetime import UTC

import pytest

from webmail.store.enclosures import Signature
from webmail.store.signatures import signature_line

BOB = {"name": "Bob Novak", "addresses": ["bob@demo.test"], "issuer": "Authority", "until": "2030-01-01T00:00:00+00:00"}


@pytest.mark.parametrize(
    ("facts", "sender", "state", "sentence"),
    [
        ({"result": "valid", **BOB}, "bob@demo.test", "good", "Signed by Bob Novak <bob@demo.test>, valid."),
        ({"result": "valid", **BOB}, "Bob@Demo.TEST", "good", "valid."),
        ({"result": "valid", **BOB}, "bob@demo.test.example", "loss", "who is not the sender."),
        ({"result": "valid", **BOB}, "", "loss", "who is not the sender."),
        ({"result": "valid", **BOB, "addresses": []}, "", "loss", "who is not the sender."),
        ({"result": "unknown", **BOB}, "bob@demo.test", "wait", "not from a known authority"),
        ({"result": "expired", **BOB}, "bob@demo.test", "wait", "has expired"),
        ({"result": "weak", **BOB}, "bob@demo.test", "wait", "no longer safe"),
        ({"result": "changed", **BOB}, "bob@demo.test", "loss", "the message was changed"),
        ({"result": "unchecked", "why": "It names no signer."}, "bob@demo.test", "wait", "It names no signer."),
        ({"result": "unreadable"}, "bob@demo.test", "wait", "can't be read"),
        ({}, "bob@demo.test", "", "too large"),
    ],
)
def test_in_words(facts: dict[str, object], sender: str, state: str, sentence: str) -> None:
    line = signature_line(Signature("smime", facts), sender, UTC)
    assert line is not None
    assert line.state == state
    assert sentence in line.sentence


def test_a_part_that_is_signed_vouches_for_no_more() -> None:
    line = signature_line(Signature("smime", {"result": "valid", **BOB}, whole=False), "bob@demo.test", UTC)
    assert line is not None
    assert line.state == ""
    assert line.sentence.startswith("Only a part of this message is signed.")
    changed = signature_line(Signature("smime", {"result": "changed", **BOB}, whole=False), "bob@demo.test", UTC)
    assert changed is not None
    assert changed.state == "loss"


def test_what_is_not_checked_is_said() -> None:
    pgp = signature_line(Signature("pgp", {}), "bob@demo.test", UTC)
    assert pgp is not None
    assert (pgp.state, "can't be checked here" in pgp.sentence) == ("", True)
    assert signature_line(None, "bob@demo.test", UTC) is None
