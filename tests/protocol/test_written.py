"""HTML that was written here: a letter's shape stays, what runs or reports goes."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from tests.protocol.html_payloads import LEAVES, LOADS, RUNS
from webmail.protocol.elements import TAGS
from webmail.protocol.written import clean, is_blank, pictures


@pytest.mark.parametrize(
    "html",
    [
        '<p>Dear <b>Bob</b>,</p><ul><li>one</li></ul><ol start="3"><li>three</li></ol>',
        '<blockquote type="cite"><p>Nine?</p></blockquote>',
        '<p>See <a href="https://demo.test/a?b=c&amp;d">this</a><br>and</p>',
        '<p style="color:red">x</p>',
        '<img src="cid:one@demo.test" alt="The quay" width="300">',
        '<table border="1"><tbody><tr><td colspan="2">x</td></tr></tbody></table>',
        '<p dir="rtl">שלום</p>',
    ],
)
def test_what_a_letter_needs_stays(html: str) -> None:
    assert clean(html) == html


class _Seen(HTMLParser):
    """Every element and attribute of a text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attributes]


@pytest.mark.parametrize("payload", (*RUNS, *LOADS, *LEAVES))
def test_what_runs_goes(payload: str) -> None:
    seen = _Seen(clean(payload))
    assert seen.tags <= TAGS
    for name, value in seen.attributes:
        assert not name.startswith("on")
        if name in ("href", "src"):
            assert value.partition(":")[0] in ("http", "https", "mailto", "cid")
        if name == "style":
            assert "url(" not in value


def test_quotes_are_not_folded_away_for_those_who_get_it() -> None:
    html = '<p>Yes.</p><div class="gmail_quote"><div>On Monday Bob wrote:</div><blockquote>' + "<p>x</p>" * 9
    assert "<details" not in clean(html)


def test_the_pictures_it_shows() -> None:
    html = clean('<img src="cid:one@demo.test"><img src="CID:two"><img src="https://demo.test/3.png"><p>cid:four</p>')
    assert pictures(html) == {"one@demo.test", "two"}


@pytest.mark.parametrize("html", ["", "<p><br></p>", "<div>&nbsp;</div>", "<p>\n</p>"])
def test_blank(html: str) -> None:
    assert is_blank(clean(html))


@pytest.mark.parametrize("html", ["x", "<p>x</p>", '<img src="cid:a">', "<hr>", "<p>&amp;</p>"])
def test_not_blank(html: str) -> None:
    assert not is_blank(clean(html))
