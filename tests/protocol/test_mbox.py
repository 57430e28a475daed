"""Files of mail taken apart: every dialect of mbox, and what no program should have written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from webmail.protocol import mbox
from webmail.protocol.mbox_marks import marks
from webmail.protocol.types import Flag

LINE = b"From bob@demo.test Tue Mar  3 14:02:00 2026\n"
ONE, TWO = b"Subject: one\n\nHello.\n", b"Subject: two\n\nBye.\n"
INSIDE = LINE + b"Subject: inside\n>From me\n"
CL2 = b"Subject: cl\nContent-Length: %d\n\n" % len(INSIDE) + INSIDE


def taken_apart(data: bytes, *, alone: bool = False) -> list[bytes]:
    def read(offset: int, length: int) -> bytes:
        assert length <= 1 << 20
        return data[offset : offset + length]

    found = list(mbox.places(read, len(data), alone=alone))
    for at, place in enumerate(found[:-1]):
        assert list(mbox.places(read, len(data), place.next)) == found[at + 1 :], "it goes on at any of them"
    return [b"".join(mbox.octets(read, place)) for place in found]


def crlf(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


SENTENCE = b"\nFrom me to you at 12:00 in 2026\nand so on\n"
WRONG, ENDLESS = b"Content-Length: 5\nA: b\n\n", b"Content-Length: 99999999999\nA: b\n\n"
MOVED, TAKEN = b"From - Tue Mar  3 14:02:00 2026\n", b"From 1@xxx Tue Mar 03 14:02:00 +0000 2026\n"
DIALECTS = {
    "LF": (LINE + ONE + b"\n" + LINE + TWO + b"\n", [ONE, TWO]),
    "no empty line at the end": (LINE + ONE + b"\n" + LINE + TWO, [ONE, TWO]),
    "mark and empty lines before it": (b"\xef\xbb\xbf\n\n" + LINE + ONE + b"\n", [ONE]),
    "no empty line between": (LINE + ONE + LINE + TWO, [ONE, TWO]),
    "a sentence": (LINE + ONE + SENTENCE, [ONE + SENTENCE]),
    "mboxrd": (LINE + b"A: b\n\n>From x\n>>From y\n\n" + LINE + TWO, [b"A: b\n\nFrom x\n>From y\n", TWO]),
    "mboxcl2": (LINE + CL2 + b"\n" + LINE + TWO + b"\n", [CL2, TWO]),
    "mboxcl2, the last": (LINE + CL2, [CL2]),
    "a length that is wrong": (LINE + WRONG + b">From x\n\n" + LINE + TWO, [WRONG + b"From x\n", TWO]),
    "a length without end": (LINE + ENDLESS + b"x\n\n" + LINE + TWO, [ENDLESS + b"x\n", TWO]),
    "nothing between": (LINE + LINE + ONE, [b"", ONE]),
    "Thunderbird, Takeout": (MOVED + ONE + b"\n" + TAKEN + TWO, [ONE, TWO]),
    "a message alone": (ONE + b"\n" + LINE + b"x: y\n", [ONE + b"\n" + LINE + b"x: y\n"]),
    "nothing at all": (b"\n\n\n", []),
    "empty": (b"", []),
}


@pytest.mark.parametrize(("data", "expected"), DIALECTS.values(), ids=DIALECTS)
def test_dialects(data: bytes, expected: list[bytes]) -> None:
    assert taken_apart(data) == [crlf(each) for each in expected]
    assert taken_apart(crlf(data).replace(b": %d\r\n" % len(INSIDE), b": %d\r\n" % len(crlf(INSIDE)))) == [
        crlf(each).replace(b": %d\r\n" % len(INSIDE), b": %d\r\n" % len(crlf(INSIDE))) for each in expected
    ]


def test_one_that_is_alone_stays_whole() -> None:
    assert taken_apart(LINE + ONE + b"\n" + LINE + TWO, alone=True) == [crlf(ONE + b"\n" + LINE + TWO)]


@pytest.mark.parametrize(
    ("unit", "times", "number"),
    [
        (b"x", 40 << 20, 1),
        (b"\nFrom a ", 500_000, 1),
        (b"From a 12:00 2020\n\n", 9_000, 9_001),
        (b">" * 999, 20_000, 1),
    ],
)
def test_what_never_ends_is_read_in_pieces(unit: bytes, times: int, number: int) -> None:
    data = LINE + b"Subject: x\n\n" + unit * times

    def read(offset: int, length: int) -> bytes:
        assert length <= 1 << 20
        return data[offset : offset + length]

    found = list(mbox.places(read, len(data)))
    assert len(found) == number
    assert max(map(len, mbox.octets(read, found[0]))) <= 3 << 20


@pytest.mark.parametrize(
    ("header", "separator", "flags", "day"),
    [
        (b"Status: RO\r\nX-Status: AD\r\nX-Keywords: $Label1 a\"b\r\n", LINE, {Flag.SEEN, Flag.ANSWERED, "$Label1"}, 3),
        (b"X-Mozilla-Status: 1001\nReceived: by x;\n 2 Mar 2026 01:00 +0000\n", MOVED, {Flag.SEEN, Flag.FORWARDED}, 2),
        (b"X-Gmail-Labels: Inbox,Starred,Unread\nDate: Wed, 4 Mar 2026 01:00:00 +0000\n", b"", {Flag.FLAGGED}, 4),
        (b"Date: Wed, 4 Mar 2150 01:00:00 +0000\nX-Mozilla-Status: zz\n", b"From x\n", set(), None),
    ],
)  # fmt: skip
def test_marks(header: bytes, separator: bytes, flags: set[object], day: int | None) -> None:
    found = marks(header, separator)
    assert found.flags == flags
    assert found.is_marked
    assert (found.date and found.date.astimezone(UTC).date()) == (day and datetime(2026, 3, day, tzinfo=UTC).date())
