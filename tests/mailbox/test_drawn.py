"""What is kept of a drawn list is what its values say: another value is drawn anew, and nothing of anybody else's."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from webmail.store.listing import Row
from webmail.templatetags import lists

ROW = Row(
    pk="1", subject="Budget <b>", people="Bob & Co", preview="Dear", date="14:02", when="Tuesday", size="2 kB",
    address="", unread=True, flagged=False, answered=False, forwarded=False, attachment=False, labels=(), current=False,
    is_draft=False,
    initial="B", hue="12", day="Today",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _as_after_a_start() -> None:
    lists.forget()


def test_rows_kept_and_new_come_in_their_order() -> None:
    one, two, three = (replace(ROW, pk=str(number), subject=f"Letter {number}") for number in (1, 2, 3))
    lists.rows([one, three], "")
    drawn = lists.rows([one, two, three], "")
    assert re.findall(r"<b>(Letter \d)", drawn) == ["Letter 1", "Letter 2", "Letter 3"]
    assert lists.rows([three, two, one], "").count("<li class=") == 6  # with a heading each


def test_every_value_counts() -> None:
    before = lists.rows([ROW], "")
    for name, value in {
        "unread": False,
        "flagged": True,
        "current": True,
        "subject": "Other",
        "day": "",
        "labels": ("Kept",),
    }.items():
        assert lists.rows([replace(ROW, **{name: value})], "") != before, name
    assert "?sort=size" in lists.rows([ROW], "?sort=size")
    assert lists.rows([ROW], "") == before


def test_markup_is_letters() -> None:
    for _ in range(2):
        drawn = lists.rows([ROW], "")
        assert "Budget &lt;b&gt;" in drawn
        assert "Bob &amp; Co" in drawn


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_ROWS", 5)
    for number in range(20):
        lists.rows([replace(ROW, pk=str(number))], "")
        assert len(lists._rows) <= 5
    assert lists.rows([], "") == ""
