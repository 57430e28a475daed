"""Numbers and dates as people read them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from webmail.store import words

TODAY = date(2026, 3, 3)


@pytest.mark.parametrize(
    ("number", "short"), [(0, ""), (7, "7"), (999, "999"), (1000, "1k"), (1234, "1.2k"), (48213, "48k")]
)
def test_short_count(number: int, short: str) -> None:
    assert words.short_count(number) == short


@pytest.mark.parametrize(
    ("octets", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (82_400, "82 kB"), (1_250_000, "1.2 MB"), (3 * 10**9, "3.0 GB")],
)
def test_size(octets: int, shown: str) -> None:
    assert words.size(octets) == shown


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        (datetime(2026, 3, 3, 14, 2), "14:02"),
        (datetime(2026, 3, 2, 9, 0), "Mon"),
        (datetime(2026, 2, 25, 9, 0), "Wed"),
        (datetime(2026, 2, 24, 9, 0), "24 Feb"),
        (datetime(2025, 12, 31, 9, 0), "2025-12-31"),
        (datetime(2026, 3, 4, 9, 0), "4 Mar"),
    ],
)
def test_list_date(when: datetime, shown: str) -> None:
    assert words.list_date(when, TODAY) == shown


def test_day_headings() -> None:
    assert words.day_heading(TODAY, TODAY) == "Today"
    assert words.day_heading(TODAY - timedelta(days=1), TODAY) == "Yesterday"
    assert words.day_heading(date(2026, 2, 24), TODAY) == "Tuesday 24 February"
    assert words.day_heading(date(2025, 2, 24), TODAY) == "Monday 24 February 2025"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "just now"),
        (1, "just now"),
        (4, "4 s ago"),
        (61, "1 min ago"),
        (7200, "2 h ago"),
        (86400, "1 day ago"),
        (5 * 86400, "5 days ago"),
        (70 * 86400, "2 months ago"),
        (800 * 86400, "2 years ago"),
    ],
)
def test_ago(seconds: int, shown: str) -> None:
    now = datetime(2026, 3, 3, tzinfo=UTC)
    assert words.ago(now - timedelta(seconds=seconds), now) == shown


def test_marks_of_people() -> None:
    assert words.initial("“Žofie” Malá") == "Ž"
    assert words.initial("") == "?"
    assert words.hue("Bob@Demo.test") == words.hue("bob@demo.test")
