"""Colours exchanged for dark paper: whatever a mail brings can be read on it."""

from __future__ import annotations

import re
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from webmail.protocol.darkening import MAX_SURFACE, MIN_TEXT, exchange
from webmail.protocol.html import wash

DARK_ON_WHITE = (
    '<body bgcolor="#ffffff" text="black"><style>.a{color:#333;background:white url(https://a.test/x.png)}'
    '</style><p class="a" style="color:rgba(0,0,0,.5);background:#fff linear-gradient(red,blue);'
    "box-shadow:0 0 1px #000;"
    'opacity:.5;border:1px solid #ddd"><font color="red">x</font><img src="https://a.test/y.png">'
)


def test_darkened_colours_keep_their_distance() -> None:
    washed = wash(DARK_ON_WHITE, images={}, proxied={"https://a.test/y.png": "/remote/y/"}, darken=True)
    assert washed.darkened
    assert set(washed.remote) == {"https://a.test/x.png", "https://a.test/y.png"}
    assert 'src="/remote/y/"' in washed.html
    assert "url(" not in washed.css
    for gone in ("opacity", "shadow", "rgba", "#fff;", "black", "white"):
        assert gone not in washed.html + washed.css + washed.body, gone
    text = _light(re.findall(r'(?<![\w-])(?:color|text)[:=]"?(#\w{6})', washed.html + washed.css + washed.body))
    surface = _light(re.findall(r'(?:background|bgcolor)[:=]"?(#\w{6})', washed.html + washed.css + washed.body))
    assert len(text) == 4
    assert len(surface) == 3
    assert (min(text) + 0.05) / (max(surface) + 0.05) >= 4.5
    assert not wash("<p>no colours", images={}, darken=True).darkened


@given(st.integers(0, 0xFFFFFF), st.sampled_from(["text", "surface"]))
def test_any_colour_is_fit_for_its_role(colour: int, role: Literal["text", "surface"]) -> None:
    light = _light([exchange(f"#{colour:06x}", role)])[0]
    assert light >= MIN_TEXT if role == "text" else light <= MAX_SURFACE


def _light(colours: list[str]) -> list[float]:
    """Relative luminances (WCAG 2.2)."""
    found = []
    for colour in colours:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
        found.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return found
