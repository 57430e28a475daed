"""Addresses of list pages: round trips, and whatever somebody types into them."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from webmail.store.cursors import Cursor, Query, beyond, cursor_of, read_query


def test_defaults() -> None:
    assert read_query({}) == Query()
    assert read_query({"sort": "sender"}).descending is False
    assert read_query({"sort": "x", "filter": "y", "order": "z", "page": "-1"}) == Query()


def test_a_date_cursor_comes_back_to_the_microsecond() -> None:
    when = datetime(2026, 3, 3, 14, 2, 1, 999_999, tzinfo=UTC)
    cursor = cursor_of("date", when, 7, 50)
    query = read_query({"after": str(cursor)})
    assert query.after == cursor
    assert f"{when!r}" in repr(beyond(cursor, query, forward=True)).replace("zoneinfo.", "")


@given(st.text(max_size=60), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_any_text_key_comes_back(key: str, uid: int, position: int) -> None:
    cursor = Cursor(key, uid, position)
    assert read_query({"sort": "subject", "after": str(cursor)}).after == cursor


@given(st.dictionaries(st.sampled_from(["after", "before", "page", "sort", "order", "filter"]), st.text(max_size=80)))
def test_nothing_in_an_address_raises(values: dict[str, str]) -> None:
    query = read_query(values)
    for cursor in (query.after, query.before):
        if cursor is not None:
            beyond(cursor, query, forward=True)


@given(st.integers(), st.integers(), st.integers())
def test_no_number_in_a_cursor_raises(key: int, uid: int, position: int) -> None:
    query = read_query({"after": str(Cursor(key, uid, position))})
    if query.after is not None:
        beyond(query.after, query, forward=True)


def test_the_query_string_keeps_what_is_not_default() -> None:
    query = read_query({"sort": "size", "filter": "unread", "order": "asc"})
    assert query.replace() == "?filter=unread&sort=size&order=asc"
    assert query.replace(filter="all", sort="date", order="") == "?filter=all&sort=date"
