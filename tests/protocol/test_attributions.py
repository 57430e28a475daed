"""The line above a quote in the reader's language, which our own reader takes for one."""

from __future__ import annotations

from datetime import datetime

import pytest

from webmail.protocol import attributions
from webmail.protocol.attributions import attribution
from webmail.protocol.quoting import Recogniser

WHEN = datetime(2026, 3, 4, 9, 5)


@pytest.mark.parametrize("language", attributions._LINES)
def test_every_line_is_seen_as_what_introduces_a_quote(language):
    line = attribution(language, "Bob Novak", WHEN)
    assert "Bob Novak" in line
    assert "09:05" in line
    assert Recogniser().attribution(["At ten.", "", line]) == 1


@pytest.mark.parametrize(
    ("languages", "begins"),
    [("de-AT,de;q=0.9,en;q=0.8", "Am 04.03.2026 um 09:05 schrieb"), ("nn", "Den 04.03."), ("en-GB,de", ""), ("", ""),
     ("x-klingon", ""), ("\r\nde{who}", "Am 04")],
)  # fmt: skip
def test_by_the_first_language(languages, begins):
    line = attribution(languages, "Bob {day}", WHEN)
    assert line.startswith(begins)
    assert bool(line) == bool(begins)
    assert not line or "Bob {day}" in line
