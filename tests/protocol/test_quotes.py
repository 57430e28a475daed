"""Quotes in HTML replies are folded, and only they."""

from __future__ import annotations

import re

import pytest

from webmail.protocol.html import wash

FOLD = '<details class="quoted"><summary>Quoted text</summary>'
OLD = "<p>the old words</p>"


def folded(source: str) -> list[str]:
    """What is inside each fold."""
    html = wash(source, images={}).html
    assert html.count("<details") == html.count("</details>") == html.count(FOLD)
    return re.findall(f"{re.escape(FOLD)}(.*?)</details>", html, re.DOTALL)


REPLIES = {
    "Gmail": f'<div dir="ltr">Yes.</div><br><div class="gmail_quote gmail_quote_container"><div class="gmail_attr">'
    f'On Monday Bob wrote:<br></div><blockquote class="gmail_quote" style="margin:0">{OLD}</blockquote></div>',
    "Thunderbird": f'<p>Yes.</p><div class="moz-cite-prefix">Bob wrote:<br></div>'
    f'<blockquote type="cite">{OLD}</blockquote>',
    "Apple Mail": f"Yes.<div><br><blockquote type=cite><div>On Monday, Bob wrote:</div>{OLD}</blockquote></div>",
    "answered below": f"Bob wrote:<blockquote type=cite>{OLD}</blockquote><p>Yes.</p>",
    "Outlook on the web": '<div>Yes.</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" '
    f'tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><b>From:</b> Bob</div><div>{OLD}</div>',
    "Outlook": '<div class=WordSection1><p class=MsoNormal>Yes.</p><div> <div style="border:none;'
    f'border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class=MsoNormal><b>From:</b> Bob</p></div></div>'
    f"{OLD}</div>",
    "Yahoo": f'<div>Yes.</div><div id="yahoo_quoted_1" class="yahoo_quoted">{OLD}</div>',
    "Proton": f'<div>Yes.</div><div class="protonmail_quote">Bob:<blockquote type="cite">{OLD}</blockquote></div>',
    "never closed": f"Yes.<blockquote type=cite>{OLD}<div><b>more",
}


@pytest.mark.parametrize("program", REPLIES)
def test_the_quote_of_a_reply_is_folded(program: str) -> None:
    inside = folded(REPLIES[program])
    assert len(inside) == 1
    assert "the old words" in inside[0]
    assert "Yes." not in inside[0]


@pytest.mark.parametrize(
    "source",
    [
        f'<div class="gmail_quote">{OLD}</div>',
        f"<style>p{{color:red}}</style><p>&nbsp;</p><blockquote type=cite>{OLD}</blockquote>",
        f"<p>Look:</p><blockquote>{OLD}</blockquote>",
        f'<p>For you</p><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded</div>{OLD}</div>',
        f"<p>For you</p>Begin forwarded message:<blockquote type=cite>{OLD}</blockquote>",
        f"<p>a</p><blockquote type=cite>{OLD}</blockquote><p>b</p><blockquote type=cite>{OLD}</blockquote><p>c</p>",
    ],
)
def test_what_is_meant_to_be_read_stays_open(source: str) -> None:
    assert folded(source) == []


def test_answers_between_the_lines_keep_their_lines() -> None:
    inside = folded(
        "<p>a</p><blockquote type=cite>first</blockquote><p>b</p><blockquote type=cite>second</blockquote><br> "
        "<div class='gmail_quote'>third <blockquote class='gmail_quote'>and older</blockquote></div>"
    )
    assert [re.sub("<[^>]*>", "", each) for each in inside] == ["second", "third and older"]


@pytest.mark.parametrize(
    "bomb",
    [
        "x" + "<blockquote type=cite>" * 40_000,
        "x" + "<blockquote type=cite>y</blockquote>z" * 25_000,
        "x<blockquote type=cite>y</blockquote>" + "<style " * 140_000,
        "x<blockquote type=cite>y</blockquote>" + "<" * 1_000_000,
        'x<div id="divRplyFwdMsg">' + "<table><tr><td><div style='border-top:solid #E1E1E1 1.0pt'>" * 15_000,
    ],
)
def test_many_quotes_cost_no_more(bomb: str) -> None:
    assert wash(bomb, images={}).html.count("<details") <= 50
