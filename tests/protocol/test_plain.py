"""Plain text as HTML for the page itself: escaped, linked, its quotes and signature set apart."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.html_payloads import LEAVES, LOADS, RUNS
from webmail.protocol.html import text_to_html

LINK = ' rel="noopener noreferrer nofollow" target="_blank"'


class Inspector(HTMLParser):
    """Fails on markup that `text_to_html` doesn't write; gathers the text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        allowed = {"div": {"class"}, "blockquote": {"class"}, "details": {"class"}, "summary": set(),
                   "a": {"href", "rel", "target"}}  # fmt: skip
        assert set(dict(attrs)) <= allowed[tag], (tag, attrs)
        if tag == "a":
            assert (dict(attrs)["href"] or "").lower().startswith(("http://", "https://", "mailto:"))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a\nb", '<div class="lines">a\nb</div>'),
        ("a\r\nb\rc\n\n", '<div class="lines">a\nb\nc</div>'),
        ('<b> & "q" \'', '<div class="lines">&lt;b&gt; &amp; "q" \'</div>'),
        ("", '<div class="lines"></div>'),
        ("> q\nr", '<blockquote class="quote"><div class="lines">q</div></blockquote><div class="lines">r</div>'),
        (
            "> a\n>> b\n> > c\nd",
            '<blockquote class="quote"><div class="lines">a</div><blockquote class="quote"><div class="lines">b\nc'
            '</div></blockquote></blockquote><div class="lines">d</div>',
        ),
        ("x\n-- \nBob", '<div class="lines">x</div><div class="signature">-- \nBob</div>'),
        ("x\n--\nBob", '<div class="lines">x</div><div class="signature">--\nBob</div>'),  # its space was lost
        ("x\n--\n" + "y\n" * 8 + "z", '<div class="lines">x\n--\n' + "y\n" * 8 + "z</div>"),
        ("x\n\nSent from my phone", '<div class="lines">x</div><div class="signature">Sent from my phone</div>'),
        ("a -> b > c", '<div class="lines">a -&gt; b &gt; c</div>'),
    ],
)
def test_lines(source: str, expected: str) -> None:
    assert text_to_html(source) == expected


def test_a_long_quote_at_the_end_is_folded() -> None:
    html = text_to_html("Yes.\n\nOn Monday, Bob wrote:\n> a\n> b\n>\n> c\n\n-- \nAlice")
    assert html == (
        '<div class="lines">Yes.</div><details class="quoted"><summary>On Monday, Bob wrote:</summary>'
        '<blockquote class="quote"><div class="lines">a\nb\n\nc</div></blockquote></details>'
        '<div class="signature">-- \nAlice</div>'
    )
    assert "<details" not in text_to_html("Yes.\n> a\n> b")  # short
    assert "<details" not in text_to_html("> a\n> b\n> c\n> d\n> e")  # there is nothing else
    assert "<details" not in text_to_html("> a\n> b\n> c\n> d\nNo.")  # answered below


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("see https://demo.test/a?b=1&c=2.", f'see <a href="https://demo.test/a?b=1&amp;c=2"{LINK}>https://demo.test/a?b=1&amp;c=2</a>.'),
        ("(http://demo.test/x)", f'(<a href="http://demo.test/x"{LINK}>http://demo.test/x</a>)'),
        ("<https://demo.test>", f'&lt;<a href="https://demo.test"{LINK}>https://demo.test</a>&gt;'),
        ("www.demo.test!", f'<a href="http://www.demo.test"{LINK}>www.demo.test</a>!'),
        ("bob@demo.test,", f'<a href="mailto:bob@demo.test"{LINK}>bob@demo.test</a>,'),
        ("Bob <bob@demo.test>", f'Bob &lt;<a href="mailto:bob@demo.test"{LINK}>bob@demo.test</a>&gt;'),
        ("https://demo.test/?to=bob@demo.test", f'<a href="https://demo.test/?to=bob@demo.test"{LINK}>https://demo.test/?to=bob@demo.test</a>'),
        ("README.md and demo.test", "README.md and demo.test"),
        ("javascript:pwn() ftp://x.test data:text/html,x", "javascript:pwn() ftp://x.test data:text/html,x"),
        ("HTTP://DEMO.TEST", f'<a href="HTTP://DEMO.TEST"{LINK}>HTTP://DEMO.TEST</a>'),
    ],
)  # fmt: skip
def test_links(source: str, expected: str) -> None:
    assert text_to_html(source) == f'<div class="lines">{expected}</div>'


def test_links_end_with_the_budget() -> None:
    html = text_to_html("http://a.test/\n" * 3_000)
    assert 1_000 < html.count("<a ") < 2_000
    assert Inspector(html).text == "\n".join(["http://a.test/"] * 3_000)


@pytest.mark.parametrize(
    ("source", "delsp", "expected"),
    [
        ("one \ntwo \nthree", False, '<div class="lines">one two three</div>'),
        ("one\ntwo", False, '<div class="lines">one\ntwo</div>'),
        ("日本 \n語", True, '<div class="lines">日本語</div>'),
        ("> one \n> two\nthree", False,
         '<blockquote class="quote"><div class="lines">one two</div></blockquote><div class="lines">three</div>'),
        (" >stuffed\n From", False, '<div class="lines">&gt;stuffed\nFrom</div>'),
        ("text \n-- \nBob", False, '<div class="lines">text </div><div class="signature">-- \nBob</div>'),
        ("> a \n>> b", False,
         '<blockquote class="quote"><div class="lines">a </div><blockquote class="quote"><div class="lines">b</div>'
         "</blockquote></blockquote>"),
    ],
)  # fmt: skip
def test_flowed_text(source: str, delsp: bool, expected: str) -> None:
    assert text_to_html(source, flowed=True, delsp=delsp) == expected


@pytest.mark.parametrize("payload", RUNS + LOADS + LEAVES)
def test_a_payload_is_text(payload: str) -> None:
    for source in (payload, f"> {payload}", f"http://x.test/{payload} bob@demo.test{payload}", f"-- \n{payload}"):
        html = text_to_html(source)
        inspector = Inspector(html)
        assert "pwn" not in "".join(part for part in html.split("<") if part.startswith(("script", "img", "svg")))
        if source == payload and not set("\r\n") & set(payload):
            assert inspector.text == payload.replace("\0", "")


@pytest.mark.parametrize(
    "bomb",
    [">" * 1_000_000, ">" * 20_000 + "x", ">\n" * 400_000, "".join(">" * (n % 100) + "x\n" for n in range(20_000)),
     "-- \n" * 250_000, "\n" * 1_000_000, "http://a.b/ " * 90_000, "a@b.test\n" * 100_000, "&" * 1_000_000,
     "<" * 1_000_000, "a@" * 500_000, "www." * 250_000, "x \n" * 300_000],
)  # fmt: skip
@pytest.mark.parametrize("flowed", [False, True])
def test_bombs(bomb: str, flowed: bool) -> None:
    html = text_to_html(bomb, flowed=flowed)
    assert len(html) <= 8 * len(bomb) + 400_000
    assert html.count('<blockquote class="quote">') <= len(bomb)
    assert "<blockquote" * 9 not in html


@given(st.text(alphabet="ab>< \n-&\"'@.:/hwt\r;", max_size=120), st.booleans(), st.booleans())
def test_any_text(source: str, flowed: bool, delsp: bool) -> None:
    inspector = Inspector(text_to_html(source, flowed=flowed, delsp=delsp))
    if not flowed and ">" not in source and "\r" not in source and not source.endswith("\n") and "--" not in source:
        assert inspector.text == source
