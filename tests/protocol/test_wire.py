"""The wire: lines and literals told apart however the bytes are cut, within limits, a budget and a deadline."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocol.test_fetched import HEADER, TEXT, fetched, response
from webmail.protocol.errors import BadAnswer, ConnectionLost
from webmail.protocol.fetched import read_fetch
from webmail.protocol.types import Flag, Flags
from webmail.protocol.wire import MAX_LINE, MAX_LITERAL, Wire


def wire_with(data: bytes, *, budget: int = 1 << 30, seconds: float = 2.0) -> Wire:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    theirs.sendall(data)
    theirs.close()
    wire = Wire(ours)
    wire.allow(seconds, budget)
    return wire


def test_lines_and_literals_are_told_apart() -> None:
    wire = wire_with(b"* 1 FETCH (X {3}\r\na\r\n Y {2+}\r\n)( Z)\r\n* OK see {5}\r\nW1 OK {9}\r\n+ {7}\r\n")
    assert wire.response() == [b"* 1 FETCH (X {3}\r\n", b"a\r\n", b" Y {2+}\r\n", b")(", b" Z)\r\n"]
    assert wire.response() == [b"* OK see {5}\r\n"]
    assert wire.response() == [b"W1 OK {9}\r\n"]
    assert wire.response() == [b"+ {7}\r\n"]
    with pytest.raises(ConnectionLost):
        wire.response()


def test_what_nobody_wants_is_left_out_as_far_as_it_has_come() -> None:
    """And nothing else: not what only looks like it inside a literal, nor what isn't there to its end."""
    plain, literal = b"* 7 FETCH (UID 9 MODSEQ (4))\r\n", b"* 2 FETCH (X {30}\r\n"
    inside = plain[:28].ljust(28) + b"\r\n"
    wire = wire_with(plain * 3 + b"* 8 EXISTS\r\n" + plain + literal + inside + b")\r\n" + plain + b"* 1 FETCH (UID 3")
    wire.skip_fetches()  # nothing has come yet
    assert wire.response() == [plain]
    wire.skip_fetches()
    assert wire.response() == [b"* 8 EXISTS\r\n"]
    wire.skip_fetches()
    assert wire.response() == [literal, inside, b")\r\n"]
    wire.skip_fetches()
    with pytest.raises(ConnectionLost):
        wire.response()


@given(st.lists(st.binary(max_size=50), max_size=8), st.lists(st.integers(1, 30), min_size=1))
@settings(max_examples=60, deadline=None)
def test_however_the_bytes_are_cut(literals: list[bytes], cuts: list[int]) -> None:
    segments: list[bytes] = []
    for literal in literals:
        segments += [b"word {%d}\r\n" % len(literal), literal]
    segments.append(b"end\r\n")
    data = b"".join(segments)
    ours, theirs = socket.socketpair()
    wire = Wire(ours)
    wire.allow(5, 1 << 20)
    pieces = []
    at = step = 0
    while at < len(data):
        size = cuts[step % len(cuts)]
        pieces.append(data[at : at + size])
        at, step = at + size, step + 1
    supply = iter(pieces)

    class Slow:
        def settimeout(self, seconds: float) -> None:
            assert seconds > 0

        def recv(self, _: int) -> bytes:
            return next(supply)

    wire.sock = Slow()  # type: ignore[assignment]
    assert wire.response() == segments
    ours.close()
    theirs.close()


@pytest.mark.parametrize(
    "data",
    [
        b"a" * (MAX_LINE + 10),
        b"* X {%d}\r\n" % (MAX_LITERAL + 1),
        b"* X {99999999999999999999}\r\n",
        b"* X {1}\r\n!" * 3_000,
        b"* 1 FETCH (" + b"a" * (MAX_LITERAL + 2 * MAX_LINE),
        b"* 1 FETCH (" + b"X {1}\r\n!" * 3_000 + b"\r\n",
        b"* 1 FETCH (" + b"a" * 2 * MAX_LINE + b"\r\n",
    ],
)
def test_limits(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    wire = Wire(ours)
    wire.allow(5, 1 << 30)

    def send() -> None:
        with theirs:
            try:
                theirs.sendall(data)
            except OSError:
                return

    thread = threading.Thread(target=send)
    thread.start()
    with pytest.raises(BadAnswer):
        read_fetch(wire.response())
    wire.close()
    thread.join()


@pytest.mark.parametrize(
    "structure",
    [
        b"(" + TEXT * 20_000 + b' "mixed" NIL NIL NIL)',
        b"(" + b'("text" "plain" ("name" {4}\r\nna\xc3\xaf) NIL NIL "7bit" 1 1 NIL NIL NIL NIL)' * 3000 + b' "mixed")',
        b"(" + TEXT * 7000 + b'("text" "plain" ("name" {2}\r\nna) NIL NIL "7bit" 1 1)' + TEXT * 20_000 + b' "mixed")',
    ],
    ids=["a line", "literals", "both"],
)
def test_a_structure_that_is_too_long_costs_the_structure_alone(structure: bytes) -> None:
    segments = response(structure)
    after = b"* 8 EXISTS\r\n"
    ours, theirs = socket.socketpair()
    wire = Wire(ours)
    wire.allow(20, 2 * MAX_LINE)  # what is dropped is no part of it

    def send() -> None:
        with theirs:
            theirs.sendall(b"".join(segments) + after)

    thread = threading.Thread(target=send)
    thread.start()
    message = fetched(wire.response()).message()
    assert (message.uid, message.size, message.modseq, message.header) == (42, 4711, 99, HEADER)
    assert message.flags == Flags(frozenset({Flag.SEEN, Flag.FORWARDED}), frozenset({"Work"}))
    assert message.structure is None
    assert wire.response() == [after]
    # What is dropped is counted as far as it had come when that was decided.
    assert wire.received < 2 * MAX_LINE
    thread.join()
    wire.close()


def test_a_budget() -> None:
    with pytest.raises(BadAnswer):
        wire_with(b"* 1 EXISTS\r\n" * 10, budget=50).response()


def test_a_deadline() -> None:
    ours, theirs = socket.socketpair()
    wire = Wire(ours)
    wire.allow(0.05, 1000)
    started = time.monotonic()
    with pytest.raises(ConnectionLost, match="in time"):
        wire.response()
    assert time.monotonic() - started < 2
    with pytest.raises(ConnectionLost):
        wire.send(b"x")
    theirs.close()
    wire.close()
