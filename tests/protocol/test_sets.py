"""Sets of UIDs: compact out, bounded in."""

from __future__ import annotations

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmail.protocol import sets as kept
from webmail.protocol.errors import BadAnswer
from webmail.protocol.sets import MAX_UID, read_set, write_sets


@given(st.lists(st.integers(min_value=-3, max_value=400)), st.integers(0, 30))
def test_what_is_written_is_what_was_meant(uids: list[int], count: int) -> None:
    sets = list(write_sets(uids, octets=40, count=count))
    read = [uid for written, _ in sets for uid in read_set(written)]
    assert read == sorted({uid for uid in uids if uid > 0})
    for written, named in sets:
        assert len(written) <= 40
        assert named == len(read_set(written))
        assert not count or named <= count


@given(st.sets(st.integers(1, 300) | st.integers(1, 2**60)))
def test_what_is_kept_is_what_was_meant(uids: set[int]) -> None:
    numbers = sorted(uids)
    runs = list(kept.ranges(numbers))
    assert [uid for low, high in runs for uid in range(low, high + 1)] == numbers
    assert all(one[1] + 1 < other[0] for one, other in itertools.pairwise(runs)), "no two that are one"
    assert kept.unpack(kept.pack(numbers)) == numbers
    assert kept.last(kept.pack(numbers)) == max(numbers, default=0)


@given(st.sets(st.integers(1, 60)), st.sets(st.integers(1, 80)))
def test_which_of_some_are_among_those_kept(kept_ones: set[int], some: set[int]) -> None:
    assert kept.among(kept.pack(sorted(kept_ones)), sorted(some)) == sorted(kept_ones & some)


def test_ten_thousand_uids_are_one_range() -> None:
    assert list(write_sets(range(1, 10_001))) == [(b"1:10000", 10_000)]


def test_scattered_uids_are_cut_into_lines_a_server_takes() -> None:
    sets = list(write_sets(range(1, 40_000, 2)))
    assert len(sets) > 1
    assert all(len(written) <= 8_000 for written, _ in sets)


@pytest.mark.parametrize("text", [b"", b"x", b"1:", b":1", b"1,,2", b"1:2:3", b"-1", b"1;2", b"9" * 11, b"*", b"1:*"])
def test_what_is_no_set(text: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_set(text)


def test_ranges_turned_round_are_read() -> None:
    assert read_set(b"5:3,1") == [1, 3, 4, 5]


def test_a_huge_set_is_cut() -> None:
    assert len(read_set(b"1:%d" % MAX_UID, 1000)) == 1000
    assert len(read_set(b",".join([b"1:600"] * 100_000), 1000)) <= 1000


@given(st.binary(max_size=60))
def test_nothing_else_comes_out(text: bytes) -> None:
    with contextlib.suppress(BadAnswer):
        assert len(read_set(text, 500)) <= 500
