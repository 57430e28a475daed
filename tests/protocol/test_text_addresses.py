"""Address lists as they are really written, and the envelope they end in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.protocol import text
from webmail.protocol.types import Address, Envelope


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("bob@demo.test", [("", "bob@demo.test")]),
        ("Bob Novak <bob@demo.test>", [("Bob Novak", "bob@demo.test")]),
        ('"Novak, Bob" <bob@demo.test>', [("Novak, Bob", "bob@demo.test")]),
        ('"Bob \\"B\\" Novak" <bob@demo.test>', [('Bob "B" Novak', "bob@demo.test")]),
        ("bob@demo.test (Bob Novak)", [("Bob Novak", "bob@demo.test")]),
        ("=?utf-8?Q?Bob <x>?= <bob@demo.test>", [("Bob <x>", "bob@demo.test")]),  # white space inside a word
        ("=?utf-8?Q?Nov=C3=A1k, Bob?= <bob@demo.test>", [("Novák, Bob", "bob@demo.test")]),
        ("=?utf-8?Q?Bob <b@x.test>, =?utf-8?Q?Carol?= <c@x.test>", [("Bob", "b@x.test"), ("Carol", "c@x.test")]),
        ("=?utf-8?Q?=22Nov=C3=A1k=22?= <bob@demo.test>", [("Novák", "bob@demo.test")]),
        ("Bob <mailto:bob@demo.test>", [("Bob", "bob@demo.test")]),
        ("<<bob@demo.test>>", [("", "bob@demo.test")]),
        ("Bob (the (real) one) <bob@demo.test>", [("Bob", "bob@demo.test")]),
        ("a@x.test, b@x.test", [("", "a@x.test"), ("", "b@x.test")]),
        ("a@x.test; b@x.test", [("", "a@x.test"), ("", "b@x.test")]),
        ("Novak, Bob <bob@demo.test>", [("Novak, Bob", "bob@demo.test")]),
        ("undisclosed-recipients:;", [("undisclosed-recipients", "")]),
        ("Team: a@x.test, B <b@x.test>; c@x.test", [("", "a@x.test"), ("B", "b@x.test"), ("", "c@x.test")]),
        ("=?utf-8?Q?Nov=C3=A1k,_Bob?= <bob@demo.test>", [("Novák, Bob", "bob@demo.test")]),
        ('"=?utf-8?Q?Nov=C3=A1k?=" <bob@demo.test>', [("Novák", "bob@demo.test")]),
        ("=?utf-8?B?Qm9i?=\r\n =?utf-8?B?Ynk=?= <bob@demo.test>", [("Bobby", "bob@demo.test")]),
        ("Jörg <joerg@demo.test>", [("Jörg", "joerg@demo.test")]),
        ("Bob <bob@demo.test", [("Bob", "bob@demo.test")]),
        ('"never closed <bob@demo.test>', [("never closed", "bob@demo.test")]),
        ("<@relay.test,@b.test:bob@demo.test>", [("", "bob@demo.test")]),
        ("bob@demo.test <mallory@evil.test>", [("bob@demo.test", "mallory@evil.test")]),
        ("<bob@demo.test> <mallory@evil.test>", [("", "bob@demo.test"), ("", "mallory@evil.test")]),
        ("bob@demo.test <bob@demo.test>", [("", "bob@demo.test")]),
        ("< bob@demo.test >", [("", "bob@demo.test")]),
        ("root", [("root", "")]),
        ("", []),
        (",,;", []),
        ("<>", []),
        ("Mail Delivery <>", [("Mail Delivery", "")]),
        ("ödön@öko.test", [("", "ödön@öko.test")]),
        (
            "=?utf-8?b?Y2Fyb2xAYmFuay50ZXN0?==?utf-8?Q?=00?=@evil.test",
            [("", "=?utf-8?b?Y2Fyb2xAYmFuay50ZXN0?==?utf-8?Q?=00?=@evil.test")],
        ),
        ("=?utf-8?Q?carol=40bank.test=3E?= <mallory@evil.test>", [("carol@bank.test>", "mallory@evil.test")]),
        ("=?utf-8?Q?carol@bank.test?=", [("carol@bank.test", "")]),
        ("\u202eboB <bob@demo.test>", [("boB", "bob@demo.test")]),
        ("Bob <bob@demo.test\r\nBcc: x@y.test>", [("Bob", "bob@demo.testBcc:x@y.test")]),
    ],
)
def test_addresses(raw: str, expected: list[tuple[str, str]]) -> None:
    assert [(found.name, found.address) for found in text.addresses(raw)] == expected
    assert [(found.name, found.address) for found in text.addresses(raw.encode())] == expected


def test_at_most_a_thousand() -> None:
    assert len(text.addresses("a@b.test," * 5_000)) == 1_000


@pytest.mark.parametrize(
    "unit", ['"', '"\\"', "(", "()", "<", "<,", ",", ":", "g:;", "=?x?q?", "@", "\\", "a b ", "\r\n "]
)
def test_hostile_lists_end(unit: str) -> None:
    raw = unit * (1_400_000 // len(unit))
    assert len(text.addresses(raw)) <= 1_000
    assert len(text.addresses(raw.encode())) <= 1_000


@given(st.text(alphabet='ab@.<>(),;:"\\ \r\n=?Qq_é', max_size=60))
def test_no_address_is_decoded_or_multiline(raw: str) -> None:
    for found in text.addresses(raw):
        assert isinstance(found, Address)
        assert not set("\r\n\0 ") & set(found.address)
        assert not set("\r\n\0") & set(found.name)


HEADER = (
    b"Message-ID: <one@demo.test>\r\n"
    b"Date: Mon, 23 Nov 2026 07:49:16 +0100\r\n"
    b"From: Bob Novak <bob@demo.test>\r\n"
    b"To: alice@demo.test,\r\n carol@demo.test\r\n"
    b"Cc: a@x.test\r\n"
    b"Subject: =?utf-8?Q?B=C3=BCdget?=\r\n for Q3\r\n"
    b"In-Reply-To: <zero@demo.test>\r\n"
    b"References: <a@demo.test>\r\n\t<zero@demo.test>\r\n"
    b"List-Id: Harbour choir <choir.demo.test>\r\n"
    b"\r\nSubject: not this one\r\n"
)


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_an_envelope(line_end: bytes) -> None:
    found = text.envelope(HEADER.replace(b"\r\n", line_end))
    assert found.subject == "Büdget for Q3"
    assert found.from_ == (Address("Bob Novak", "bob@demo.test"),)
    assert [to.address for to in found.to] == ["alice@demo.test", "carol@demo.test"]
    assert [cc.address for cc in found.cc] == ["a@x.test"]
    assert found.date is not None
    assert found.date.isoformat() == "2026-11-23T07:49:16+01:00"
    assert found.message_id == "one@demo.test"
    assert found.in_reply_to == ("zero@demo.test",)
    assert found.references == ("a@demo.test", "zero@demo.test")
    assert found.list_id == "choir.demo.test"


def test_odd_envelopes() -> None:
    assert text.envelope(b"") == Envelope()
    assert text.envelope(b"garbage without a colon\r\n\xff\xfe\r\n") == Envelope()
    assert text.envelope(b"Message-ID: <").message_id == ""
    assert text.envelope(b"Message-ID: <cut@demo.test").message_id == "cut@demo.test"
    assert text.envelope(b"Message-ID: <fol\r\n ded@demo.test>").message_id == "folded@demo.test"
    assert text.envelope(b"Message-ID: bare@demo.test").message_id == "bare@demo.test"
    assert text.envelope(b"In-Reply-To: Your message of Monday <x@demo.test>").in_reply_to == ("x@demo.test",)
    assert text.envelope(b"SUBJECT : spaced").subject == "spaced"
    assert text.envelope(b"Subject: one\r\nSubject: two").subject == "one"
    assert [to.address for to in text.envelope(b"To: a@x.test\r\nTo: b@x.test").to] == ["a@x.test", "b@x.test"]
    assert text.envelope(b"From: bob@demo.test\r\nFrom: mallory@evil.test").from_ == (Address("", "bob@demo.test"),)
    many = text.envelope(b"References: " + b" ".join(b"<%d@demo.test>" % n for n in range(1_000))).references
    assert len(many) == 200
    assert (many[0], many[-1]) == ("0@demo.test", "999@demo.test")
