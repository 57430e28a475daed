"""Links: what stays one, where it goes, and which say something else than where they go (T20)."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest

from webmail.protocol.html import wash
from webmail.protocol.links import host_of, misleads, title
from webmail.protocol.plain import text_to_html

SCHEMES = (
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "java\nscript:alert(1)",
    "java&#10;script:alert(1)", "java&Tab;script:alert(1)", "&#106;avascript:alert(1)", "&#x6A;avascript:alert(1)",
    "&#0000106avascript:alert(1)", "javascript&colon;alert(1)", "javascript&#58;alert(1)", " javascript:alert(1)",
    "\x01javascript:alert(1)", "javascript://https://demo.test/%0aalert(1)", "vbscript:x", "data:text/html,x",
    "DATA:text/html;base64,PHNjcmlwdD4=", "blob:https://demo.test/1", "filesystem:https://demo.test/x", "file:///etc",
    "ftp://demo.test/", "about:blank", "view-source:https://demo.test", "chrome://settings", "ms-word:ofe|u|x",
    "search-ms:query=x", "tel:+123", "sms:+123", "intent://x#Intent;end", "market://x", "itms-apps://x",
    "steam://run/1", "ssh://demo.test", "telnet://demo.test", "gopher://demo.test", "ws://demo.test", "wss://demo.test",
    "jar:https://demo.test!/", "livescript:x", "mocha:x", "feed:https://demo.test", "cid:a", "mid:a", "news:a",
    "x-apple-helpviewer:a", "/settings/", "settings/", "../sign-out/", "?next=1", "#top", "//", "http:",
    "https:/demo.test", "http:///demo.test", "https:\\\\demo.test", "/\\demo.test", "\\\\demo.test\\share", "", " ",
    "mailto:", "mailto: ",
)  # fmt: skip
WEB = (
    "http://demo.test/", "https://demo.test/", "HTTPS://demo.test/a?b=1&amp;c=2#d", "//demo.test/a",
    " https://demo.test/ ", "https://dem\to.test/", "ht\ntps://demo.test/", "https://bob@demo.test/", "https://paypal.test@demo.test/",
    "https://demo.test\\@evil.example/", "https://[::1]/", "https://0x7f.1/", "https://2130706433/", "https://0177.1/",
    "https://demo.test:8443/a", "https://xn--80ak6aa92e.com/", "https://аррӏе.com/", "https://demo.test./",
    "https://%64emo.test/", "https://demo。test/", "https://demo.test/?a=1&copy=2", "https://demo.test/&lt;script&gt;",
    "https://demo.test/'onclick='alert(1)", "https://demo.test/&quot; onclick=&quot;alert(1)", "https://demo.test/%0d%0aX:y",
    "https://demo.test/javascript:alert(1)", "https://demo.test/#javascript:alert(1)",
)  # fmt: skip
MAIL = (
    "mailto:bob@demo.test", "MAILTO:bob@demo.test", "mailto:bob@demo.test?subject=x&amp;attach=/etc/passwd",
    "mailto:bob@demo.test?attachment=c:\\x", "mailto:bob%0d%0aBcc:x@demo.test", "mailto:?to=bob@demo.test",
    "mailto:bob@demo.test,carol@demo.test",
)  # fmt: skip
FORMS = (
    '<a href="{}">x</a>',
    "<a href='{}'>x</a>",
    '<A HREF="{}" href="javascript:alert(2)" target=_top rel=opener>x</A>',
)
HREFS = [(form, href) for form in FORMS for href in (*SCHEMES, *WEB, *MAIL) if not ("'" in href and "'" in form)]


class Links(HTMLParser):
    """The attributes of the links of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("a", "area", "base", "form"):
            self.found.append({name: value or "" for name, value in attrs})


def test_there_are_enough_of_them() -> None:
    assert len(HREFS) >= 150


@pytest.mark.parametrize(("form", "href"), HREFS)
def test_only_web_and_mail_addresses_stay_links(form: str, href: str) -> None:
    for link in Links(wash(form.format(href), images={}).html).found:
        if "href" not in link:
            continue
        assert re.match(r"(?:https?://[^\s/\\]|mailto:\S)", link["href"]), link
        assert href not in SCHEMES
        assert link["rel"] == "noopener noreferrer nofollow"
        assert link["target"] == "_blank"
        assert link["title"]
        assert not any(name.startswith("on") for name in link)
    assert any("href" in link for link in Links(wash(form.format(href), images={}).html).found) == (href not in SCHEMES)


@pytest.mark.parametrize("href", [*SCHEMES, *WEB, *MAIL])
def test_in_plain_text_too(href: str) -> None:
    for link in Links(text_to_html(f"See <{href}> or {href}.")).found:
        assert re.match(r"(?:https?://|mailto:)", link["href"], re.IGNORECASE)
        assert link["rel"] == "noopener noreferrer nofollow"
        assert link["target"] == "_blank"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://demo.test/", "demo.test"),
        ("https://paypal.test@demo.test/", "demo.test"),
        ("https://a@b@demo.test:443/", "demo.test"),
        ("https://demo.test\\@evil.example/", "demo.test"),
        ("https://demo.test#@evil.example/", "demo.test"),
        ("https://demo.test?@evil.example/", "demo.test"),
        ("https://%64emo.test/", "demo.test"),
        ("https://demo。test/", "demo.test"),
        ("https://0x7f.1:80/", "127.0.0.1"),
        ("https://[::1]:80/", "::1"),
        ("https://DEMO.test", "demo.test"),
    ],
)
def test_the_host_a_browser_goes_to(url: str, host: str) -> None:
    assert host_of(url) == host


AGREE = [
    ("Read on", "https://studio.example/a"),
    ("studio.example", "https://www.studio.example/"),
    ("https://mail.studio.example/", "https://studio.example/login"),
    ("www.example.co.uk", "https://shop.example.co.uk/"),
    ("Write e.g. to us", "https://studio.example/"),
    ("README.md", "https://studio.example/main/README.md"),
    ("v1.2.3", "https://studio.example/v1.2.3"),
    ("bob@demo.test", "mailto:bob@demo.test"),
    ("Bob", "mailto:bob@demo.test"),
    ("bob@demo.test", "https://studio.example/unsubscribe"),
    ("http://studio.example", "https://studio.example"),
    ("192.0.2.1", "https://192.0.2.1"),
    ("bücher.example", "https://xn--bcher-kva.example/"),
    ("", "https://studio.example"),
]
DISAGREE = [
    ("paypal.com", "https://evil.example/", "goes to evil.example"),
    ("https://paypal.com/login", "https://paypal.com.evil.example/", "goes to paypal.com.evil.example"),
    ("Go to www.paypal.com now", "https://evil.example/", "goes to evil.example"),
    ("HTTPS://PAYPAL.COM", "http://evil.example/", "goes to evil.example"),
    ("ok", "https://paypal.com@evil.example/", "goes to evil.example"),
    ("https://paypal.com@evil.example/", "https://paypal.com@evil.example/", "goes to evil.example"),
    ("here", "https://192.0.2.1/", "goes to 192.0.2.1"),
    ("here", "https://0xC0000201/", "goes to 192.0.2.1"),
    ("apple", "https://аррӏе.com/", "goes to xn--80ak6aa92e.com"),
    ("аррӏе.com", "https://xn--80ak6aa92e.com/", "goes to xn--80ak6aa92e.com"),
    ("https://studio.example/", "http://studio.example/", "goes to studio.example without encryption"),
    ("example.co.uk", "https://other.co.uk/", "goes to other.co.uk"),
    ("bob@demo.test", "mailto:mallory@evil.example", "writes to mallory@evil.example"),
    ("pay\u200bpal.com", "https://evil.example/", "goes to evil.example"),
    ("allegro.pl", "https://evil.example/", "goes to evil.example"),
]  # fmt: skip


@pytest.mark.parametrize(("label", "url"), AGREE)
def test_words_and_target_agree(label: str, url: str) -> None:
    assert misleads(label, url) == ""
    washed = wash(f'<a href="{url}">{label}</a>', images={})
    assert washed.misleading == ()
    assert "<small" not in washed.html


@pytest.mark.parametrize(("label", "url", "words"), DISAGREE)
def test_words_and_target_disagree(label: str, url: str, words: str) -> None:
    washed = wash(f'<p><a href="{url}"><b>{label[:3]}</b>{label[3:]}</a> end</p>', images={})
    assert f" ({words})</small> end</p>" in washed.html
    assert len(washed.misleading) == 1
    assert washed.misleading[0].endswith(words)


@pytest.mark.parametrize("url", ["https://paypal.com@evil.example/", "https://0x7f.1/a", "https://аррӏе.com/"])
def test_in_plain_text_the_place_is_said(url: str) -> None:
    html = text_to_html(f"Go to {url} now")
    (link,) = Links(html).found
    assert link["title"] == title(url)
    assert f"{url} (goes to {host_of(url)})</a> now" in html


def test_the_sender_writes_no_title_of_his_own() -> None:
    (link,) = Links(wash('<a title="https://paypal.com" href="https://evil.example/">Pay</a>', images={}).html).found
    assert link["title"] == "https://evil.example/"


def test_what_was_judged_is_what_is_followed() -> None:
    sources = (
        '<a data-x=" href=https://paypal.com " href="https://evil.example/?a=1&copy=2&amp;d=&quot;">paypal.com</a>',
        '<a HREF=https://evil.example/?a=1&copy=2&amp;d=&quot; href="https://paypal.com">paypal.com</a>',
    )
    for source in sources:
        washed = wash(source, images={})
        (link,) = Links(washed.html).found
        assert link["href"] == 'https://evil.example/?a=1&copy=2&d="'
        assert "(goes to evil.example)" in washed.html


def test_an_image_counts_by_its_description() -> None:
    washed = wash('<a href="https://evil.example"><img alt="https://paypal.com" src=cid:a></a>', images={})
    assert washed.misleading == ("“https://paypal.com” goes to evil.example",)


def test_the_title_says_whose_the_address_is() -> None:
    assert title("https://paypal.com@evil.example/a") == "https://evil.example/a"
    assert title("https://xn--bcher-kva.example/a") == "https://bücher.example/a"
    assert title("https://аррӏе.com:8443/") == "https://xn--80ak6aa92e.com:8443/"
    assert title("mailto:bob@demo.test?subject=x") == "Write to bob@demo.test"
    assert len(title("https://demo.test/" + "a" * 5000)) == 300


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://evil.example/">paypal.com</a>' * 20_000,
        '<a href="https://evil.example/">' * 30_000,
        '<a href="https://' + "a." * 4_000 + 'example/">' + "b." * 100_000 + "com</a>",
        "<a " + "href " * 200_000 + ">x</a>",
        '<a href="https://evil.example/">' + '<img alt="' * 50_000,
    ],
)
def test_bounded(html: str) -> None:
    start = time.perf_counter()
    washed = wash(html, images={})
    assert time.perf_counter() - start < 4
    assert len(washed.misleading) <= 20
