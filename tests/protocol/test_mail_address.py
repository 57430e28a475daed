"""One spelling of an address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.protocol.mail_address import domain_of, normalise, normalise_domain


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("alice@demo.test", "alice@demo.test"),
        (" Alice@Demo.TEST. ", "alice@demo.test"),
        ("a.b+c@demo.test", "a.b+c@demo.test"),
        ("bob@faß.test", "bob@xn--fa-hia.test"),
        ("bob@MÜNCHEN.test", "bob@xn--mnchen-3ya.test"),
        ("ünï@demo.test", "ünï@demo.test"),
        ("u\u0308@demo.test", "ü@demo.test"),
    ],
)
def test_however_it_is_typed(typed, meant):
    assert normalise(typed) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "a",
        "a@",
        "@b.test",
        "a@b",
        "a@@b.test",
        "a b@c.test",
        '"a"@c.test',
        "a@[127.0.0.1]",
        "a@127.0.0.1",
        "a@b..c",
        "a@-b.test",
        "a@b_c.test",
        ".a@b.test",
        "a.@b.test",
        "a..b@c.test",
        "a\r\n@b.test",
        "a@b.test\r\nX: y",
        "a\u200b@b.test",
        "a\u202e@b.test",
        "a\xa0b@c.test",
        "a" * 65 + "@b.test",
        "a@" + "b" * 64 + ".test",
        "a@" + "b." * 130 + "test",
        "a<b>@c.test",
        "a,b@c.test",
        "\ud800@b.test",
    ],
)
def test_what_is_no_address(text):
    with pytest.raises(ValueError):
        normalise(text)


@given(st.text())
def test_nothing_else_is_raised_and_it_is_stable(text):
    for build in (str, "a@{}.test".format, "{}@demo.test".format):
        try:
            address = normalise(build(text))
        except ValueError:
            continue
        assert normalise(address) == address
        assert "\r" not in address and "\n" not in address
        assert normalise_domain(domain_of(address)) == domain_of(address)
