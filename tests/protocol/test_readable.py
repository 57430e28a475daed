"""An HTML mail as plain text: in order, with its quotes, lists and links, and bounded."""

from __future__ import annotations

import time

import pytest

from webmail.protocol.readable import readable


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Hello", "Hello"),
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div>One</div><div>Two<br>Three</div>", "One\nTwo\nThree"),
        ("One<br><br>Two", "One\n\nTwo"),
        ("  a \n\t b&nbsp;&amp;&lt; ", "a b &<"),
        (
            "<p>x</p><blockquote>q<p>r</p><blockquote>s</blockquote></blockquote><p>y</p>",
            "x\n\n> q\n>\n> r\n>\n>> s\n\ny",
        ),
        ("<ul><li>a<li>b<ol><li>c<li>d</ol></ul>z", "• a\n• b\n  1. c\n  2. d\n\nz"),
        ("<ol><li><p>a</p><li><p>b</p></ol>", "1. a\n\n2. b"),
        ("<pre>a\n  b\n\nc</pre>", "a\n  b\n\nc"),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a  b\nc  d"),
        ("<h1>T</h1>x<hr>y", f"T\n\nx\n\n{'—' * 20}\n\ny"),
        ('x<img alt="a cat" src=cid:a>y<img src=cid:b>', "x a cat y"),
        ('<div style="display:none">no<p>no</p><img></div>yes', "yes"),
        ('<span style="DISPLAY : none">no</span>yes', "yes"),
        ("<style>p{}</style><script>no</script><title>no</title>yes<!-- no -->", "yes"),
        ("&gt; no quote", " > no quote"),
        ("<b>b</b><i>i</i> <u>u</u>", "bi u"),
        ("", ""),
    ],
)
def test_what_it_comes_to(html: str, text: str) -> None:
    assert readable(html) == text


@pytest.mark.parametrize(
    ("html", "line", "places"),
    [
        ('<a href="https://a.example/x">Read</a> on', "Read [1] on", ["https://a.example/x"]),
        ('<a href="https://a.example">1</a> <a href="https://a.example">2</a>', "1 [1] 2 [1]", ["https://a.example"]),
        ('<a href="https://a.example/">a.example</a>', "a.example [1]", ["https://a.example/"]),
        ('<a href="https://www.a.example/">https://a.example</a>', "https://a.example", []),
        ('<a href="mailto:bob@demo.test?subject=x">bob@demo.test</a>', "bob@demo.test", []),
        ('<a href="mailto:bob@demo.test">Bob</a>', "Bob [1]", ["bob@demo.test"]),
        ('<a href="https://evil.example">paypal.com</a>', "paypal.com [1] (goes to evil.example)", ["https://evil.example"]),
        ('<a href="https://a.example"><div>Block</div></a>', "Block [1]", ["https://a.example"]),
        ('<a href="https://a.example"><img src=cid:a></a>x', "x", []),
        ('<a href="javascript:alert(1)">no</a> <a>none</a>', "no none", []),
    ],
)  # fmt: skip
def test_links_are_numbered_and_listed(html: str, line: str, places: list[str]) -> None:
    said, *rest = readable(html).split("\n")
    assert said == line
    assert rest == (
        ["", "—" * 20, *(f"[{number}] {place}" for number, place in enumerate(places, 1))] if places else []
    )


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 200_000,
        "<blockquote>" * 10_000 + "x" + "<br>y" * 10_000,
        "<ul><li>" * 50_000,
        '<a href="https://a.example/">x' * 30_000,
        "".join(f'<a href="https://a.example/{number}">x</a>' for number in range(20_000)),
        "<p>" + "x " * 500_000,
        "<pre>" + "\n" * 1_000_000,
        "<td>" * 300_000,
        '<a href="https://a.example"><div></div>' * 20_000,
    ],
)
def test_bounded(html: str) -> None:
    start = time.perf_counter()
    text = readable(html)
    assert time.perf_counter() - start < 3
    assert len(text) < 1_100_000


def test_a_quote_has_its_marks_and_no_label():
    quote = '<blockquote type="cite"><p>Bread<img src="cid:a" alt="Loaf">?</p></blockquote>'
    assert (
        readable(f"<p>Yes.</p><p>On Tuesday, Bob wrote:</p>{quote}")
        == "Yes.\n\nOn Tuesday, Bob wrote:\n\n> Bread Loaf ?"
    )
