"""Plain text that is wrapped for sending is the same text for whoever unwraps it."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webmail.protocol.flowed import WIDTH, flow
from webmail.protocol.plain import _flowed

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=400)


def unwrapped(text: str) -> list[tuple[int, str]]:
    """The lines that our own reader sees, with the level of their quote."""
    flowed = flow(text)
    return [(line.depth, line.text) for line in _flowed(flowed.text.removesuffix("\n").split("\n"), delsp=flowed.delsp)]


@given(TEXT)
@example("-- " + "x" * 90)
@example("-- \nAlice")
@example("From here\n>From there\n > not a quote")
@example("「春」" * 60)
@example("a  b   c " * 30)
@example("> > one\n>> two\n>three")
@example("> -- \n> x")
def test_what_was_typed_comes_back(text: str) -> None:
    expected = []
    for line in text.rstrip("\n").split("\n"):
        marks = re.match(r"(?:> ?)*>", line)
        content = line[marks.end() :].removeprefix(" ") if marks else line
        expected.append((marks[0].count(">") if marks else 0, content if content == "-- " else content.rstrip()))
    assert unwrapped(text) == expected


def test_lines_are_short_and_break_at_blanks() -> None:
    flowed = flow("The ferry leaves at nine and takes about two hours. " * 8)
    assert not flowed.delsp
    assert all(len(line) <= WIDTH + 1 for line in flowed.lines)
    assert all(line.endswith(" ") for line in flowed.lines[:-1])
    assert not flowed.lines[-1].endswith(" ")


def test_a_quote_keeps_its_marks_on_every_line() -> None:
    lines = flow("> > " + "The ferry leaves at nine. " * 8).lines
    assert len(lines) > 2
    assert all(line.startswith(">> ") for line in lines)


def test_text_without_blanks_is_broken_all_the_same() -> None:
    flowed = flow("渡し船は朝九時に港を出ます。" * 20)
    assert flowed.delsp
    assert all(len(line) <= WIDTH // 2 + 1 and line.endswith(" ") for line in flowed.lines[:-1])


@pytest.mark.parametrize("word", ["https://demo.test/" + "a" * 200, "https://demo.test/" + "é" * 200])
def test_an_address_of_a_page_stays_whole(word: str) -> None:
    flowed = flow(f"See {word} for more")
    assert any(word in line for line in flowed.lines)


def test_the_signature_line_is_never_joined() -> None:
    assert flow("Hello\n-- \nAlice").lines == ("Hello", "-- ", "Alice")
