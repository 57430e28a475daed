"""The document around a washed mail, and the paper it is on."""

from __future__ import annotations

import pytest

from webmail.protocol.html import document, wash


def test_the_document_holds_what_was_washed_and_nothing_else() -> None:
    washed = wash('<style>p{color:red}</style><p>x</p><img src="https://a.test/x.png">', images={})
    page = document(washed)
    assert f"<body>{washed.html}</body>" in page
    assert page.count("<style>") == page.count("</style>") == 1
    assert "p{color:red}\n</style>" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


LIGHT, DARK, BOTH = (
    ":root { color-scheme: light !",
    ":root { color-scheme: dark !",
    ":root { color-scheme: light dark !",
)


@pytest.mark.parametrize(
    ("source", "papers"),
    [
        ("<p>plain</p>", (LIGHT, DARK, BOTH)),
        ("<p style='border:1px solid'>plain</p>", (LIGHT, DARK, BOTH)),
        ("<p style='color:red'>x", (LIGHT, LIGHT, LIGHT)),
        ("<table bgcolor=red><tr><td>x", (LIGHT, LIGHT, LIGHT)),
        ("<body text=red>x", (LIGHT, LIGHT, LIGHT)),
        ("<style>p{background:red}</style><p>x", (LIGHT, LIGHT, LIGHT)),
        ("<style>@media (prefers-color-scheme:dark){p{color:red}}</style><p>x", (LIGHT, LIGHT, LIGHT)),
        ("<meta name=color-scheme content='light dark'><style>@media (prefers-color-scheme:dark){p{color:red}}</style>"
         "<p>x", (LIGHT, DARK, BOTH)),
        ("<style>:root{color-scheme:light dark}@media (prefers-color-scheme:dark){p{color:red}}</style><p>x",
         (LIGHT, DARK, BOTH)),
    ],
)  # fmt: skip
def test_the_paper_follows_the_page_only_where_the_mail_can(source: str, papers: tuple[str, str, str]) -> None:
    washed = wash(source, images={})
    pages = [document(washed, theme=theme) for theme in ("light", "dark", "system")]
    for page, paper in zip(pages, papers, strict=True):
        assert paper in page
    if "@media" in source:
        assert "@media (max-width:0){p" in pages[0]
        assert ("@media (min-width:0){p" in pages[1]) is (papers[1] == DARK)
        assert ("@media (prefers-color-scheme:dark){p" in pages[2]) is (papers[2] == BOTH)


@pytest.mark.parametrize(
    "source",
    ["<body bgcolor=white><p>x", "<body style='background:#eee'>x", "<style>table, body {background:#eee}</style>x"],
)
def test_a_darkened_body_covers_the_canvas(source: str) -> None:
    assert ":root { background: none; }" in document(wash(source, images={}, darken=True), theme="dark")
    assert ":root { background: none; }" not in document(wash("<p style='color:red'>x", images={}, darken=True))


@pytest.mark.parametrize(
    ("doctype", "standards", "quirks"),
    [
        ("<!DOCTYPE html>", True, False),
        ("", False, True),
        (
            '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/x.dtd">',
            False,
            False,
        ),
        ('<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">', True, False),
        ('<!doctype html public "-//W3C//DTD XHTML 1.0 Strict//EN">', True, False),
        ('<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2//EN">', False, True),
        ("<!DOCTYPE foo>", False, True),
        ('<!-- x --><!DOCTYPE html SYSTEM "about:legacy-compat">', True, False),
    ],
)
def test_the_layout_mode_is_the_one_it_was_written_for(doctype: str, standards: bool, quirks: bool) -> None:
    washed = wash(f"{doctype}<html><body><table><tr><td>x</table>", images={})
    assert (washed.standards, washed.quirks) == (standards, quirks)
    page = document(washed)
    assert page.startswith("<!doctype html>" if standards else '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Trans')
    assert ("font-variant: normal" in page) is quirks
