"""How a list is left, as its mail says: only what is plainly offered, and one click only where nobody added to it."""

from __future__ import annotations

import pytest

from webmail.protocol.fields import fields
from webmail.protocol.mailing_list import Leaving, is_mass_mail, leaving, vouched_for

ONE_CLICK = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
PAGE = "https://a.example/1"
ONE_URL = f"List-Unsubscribe: <{PAGE}>\r\n"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (ONE_URL, Leaving("", "", PAGE)),
        ("List-Unsubscribe: <MAILTO:a@a.test>,\r\n <https://a.exa\r\n mple/1>", Leaving("", "MAILTO:a@a.test", PAGE)),
        ("List-Unsubscribe: <javascript:alert(1)>, <ftp://a/b>, <https:///x>, <http://[::1>", Leaving()),
        (f"List-Unsubscribe: {PAGE}", Leaving()),
        (ONE_CLICK + ONE_URL + ONE_URL, Leaving("", "", PAGE)),
        (ONE_CLICK + ONE_CLICK + ONE_URL, Leaving("", "", PAGE)),
        (ONE_CLICK + ONE_URL, Leaving(PAGE, "", PAGE)),
    ],
)
def test_the_ways_that_a_header_names(header: str, found: Leaving) -> None:
    assert leaving(fields(header.encode())) == found


def test_whose_signature_covers_fields() -> None:
    header = fields(
        b"DKIM-Signature: v=1; a=rsa-sha256; d=Bakery.test; s=x;\r\n h=From:List-Unsubscribe :\r\n"
        b" list-unsubscribe-post; b=abc\r\nDKIM-Signature: v=1; d=other.test; h=from; b=x\r\n"
        b"DKIM-Signature: h=list-id\r\n"
    )
    assert vouched_for(header, ("list-unsubscribe", "list-unsubscribe-post")) == {"bakery.test"}
    assert vouched_for(header, ("from",)) == {"bakery.test", "other.test"}


def test_mail_to_many_or_by_a_machine() -> None:
    for line in ("List-Id: <x>", "Precedence: Bulk", "Auto-Submitted: auto-replied; x=y", "List-Unsubscribe: <x>"):
        assert is_mass_mail(fields(line.encode()))
    for line in ("Auto-Submitted: no", "Precedence: first-class", "Subject: List-Id: x"):
        assert not is_mass_mail(fields(line.encode()))
