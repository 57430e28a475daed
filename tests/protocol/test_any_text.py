"""Whatever a stranger sends as header, parameter or body: nothing raises, all is bounded, what comes out is text."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.protocol import text
from webmail.protocol.html import text_to_html
from webmail.protocol.types import Address, Envelope

HINTS = st.sampled_from(["", "windows-1250", "koi8-r", "utf-16", "iso-2022-jp", "hz", "gb2312", "x-unknown", "utf-7"])
# Pieces that broken headers are made of, so that chance finds their seams.
PIECES = st.sampled_from(
    [b"=?utf-8?Q?", b"=?utf-8?B?", b"=?iso-2022-jp?B?", b"=?x?q?", b"=??B?", b"?=", b"?", b"=", b"=C3", b"=A9",
     b"\xc3", b"\xa9", b"\xe9\xe8", b"w6k", b"w6k=", b"GyRC", b" ", b"\r\n ", b"\t", b'"', b"\\", b"<", b">",
     b"(", b")", b",", b";", b":", b"@", b"a", b"bob@demo.test", b"'", b"''", b"%", b"%E9", b"*", b"\x1b$B",
     b"\x0e", b"\0", b"\xed\xa0\xbd", b"\xe2\x80\xae", b"_", b"undisclosed-recipients:;", b"\xff\xfe", b"~{",
     b"+AOk-"]
)  # fmt: skip
SEAMS = st.lists(PIECES, max_size=30).map(b"".join)
ANYTHING = st.one_of(st.binary(max_size=400), SEAMS)
UNSEEN = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\ufeff]")


def is_one_line(value: str) -> bool:
    """Whether it can stand in a list row: no controls, no surrogates, no bidi overrides, no line ends."""
    value.encode()
    return not UNSEEN.search(value) and not any(
        unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in value
    )


def all_texts(envelope: Envelope) -> list[str]:
    lists = (envelope.from_, envelope.sender, envelope.reply_to, envelope.to, envelope.cc, envelope.bcc)
    people: list[Address] = [address for found in lists for address in found]
    return [
        envelope.subject, envelope.message_id, envelope.list_id, *envelope.in_reply_to, *envelope.references,
        *(person.name for person in people), *(person.address for person in people),
    ]  # fmt: skip


@given(ANYTHING, HINTS)
def test_any_header_value(raw: bytes, hint: str) -> None:
    for value in (text.decode_header(raw, hint), text.decode_header(raw.decode("utf-8", "surrogateescape"), hint)):
        assert is_one_line(value)
        assert len(value) <= len(raw) + 1
    for person in text.addresses(raw, hint):
        assert is_one_line(person.name)
        assert is_one_line(person.address)
        assert len(person.address) <= 321


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    b"Subject",
                    b"From",
                    b"To",
                    b"Cc",
                    b"Date",
                    b"Message-ID",
                    b"References",
                    b"In-Reply-To",
                    b"List-Id",
                    b"reply-to ",
                    b"X",
                    b"",
                ]
            ),
            ANYTHING,
        ),
        max_size=8,
    ),
    HINTS,
)
def test_any_header_block(fields: list[tuple[bytes, bytes]], charset: str) -> None:
    envelope = text.envelope(b"\r\n".join(name + b": " + value for name, value in fields), charset)
    for value in all_texts(envelope):
        assert is_one_line(value)
    if envelope.date is not None:
        assert envelope.date.tzinfo is not None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["name", "name*", "name*0", "name*0*", "name*1", "name*1*", "name*2*", "NAME*x"]), ANYTHING
        ),
        max_size=6,
    ),
    HINTS,
)
def test_any_parameter(params: list[tuple[str, bytes | str]], hint: str) -> None:
    for value in text.decode_params(params, hint).values():
        assert is_one_line(value)
        cleaned = text.clean_filename(value)
        assert is_one_line(cleaned)
        assert 0 < len(cleaned) <= 200
        assert not set(cleaned) & set('/\\<>:"|?*')


@given(ANYTHING, HINTS, HINTS, st.booleans())
def test_any_body(raw: bytes, charset: str, hint: str, flowed: bool) -> None:
    decoded = text.decode_text(raw, charset, hint)
    decoded.encode()
    assert "\0" not in decoded
    html = text_to_html(decoded, flowed=flowed)
    html.encode()
    assert len(html) <= 60 * len(decoded) + 400
    line = text.preview(decoded)
    assert is_one_line(line)
    assert len(line) <= 140


@pytest.mark.parametrize(
    "unit",
    [b"=?utf-8?B?aGVsbG8=?= ", b"=?utf-8?Q?", b"=?utf-8?Q?a?b ", b"?=", b"? =", b"=?", b"\xe9\xe8 ",
     b"a <b@c.test>, ", b"<", b"(", b'"', b'"\\', b",", b":", b";", b"a@", b"\xcf <\xf0@", b"a\r\n ", b"=? ",
     b"=?x?Q?==?", b"%E9", b"'", b"\x1b$B", b"=?x?B?w6k?= "],
)  # fmt: skip
def test_a_header_of_1_4_megabytes(unit: bytes) -> None:
    blob = unit * (1_400_000 // len(unit))
    start = time.process_time()
    for name in (b"Subject", b"From", b"To", b"References", b"Date"):
        text.envelope(name + b": " + blob, "koi8-r")
    text.decode_params([("name", blob), ("name*", blob), *((f"title*{n}*", blob) for n in range(100))])
    assert time.process_time() - start < 2
