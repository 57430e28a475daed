"""Domains: who owns them, and which are shown in their own script."""

from __future__ import annotations

import time

import pytest

from webmail.protocol import domains

HONEST = (
    "demo.test", "mail.example.co.uk", "bücher.example", "münchen.example", "škoda.example", "łódź.example",
    "çankaya.example", "việtnam.example", "smörgåsbord.example", "пример.рф", "почта.com", "аптека.com", "москва.ru",
    "раура.ru", "ελλάδα.com", "παράδειγμα.δοκιμή", "例え.jp", "eメール.jp", "日本語と英語abc.jp", "中文.cn",
    "臺灣abc.tw", "한국어naver.kr", "שלום.com", "مثال.example", "ตัวอย่าง.example", "उदाहरण.example", "ısparta.tr",
    "հայաստան.am",
)  # fmt: skip
DECEIVING = (
    "раура.com",  # all Cyrillic
    "аррӏе.com",
    "ехаmple.com",  # Cyrillic with Latin
    "pаypal.com",
    "gооgle.com",
    "аmazon.com",
    "bаnk.test",
    "ορ.com",  # all Greek
    "gοogle.com",  # Greek in Latin
    "micrоsoft.example",
    "paypaı.com",  # Latin without its dot
    "ɡoogle.com",  # phonetic
    "ɑpple.com",
    "pɑypal.example",
    "google.comノlogin.example",  # a stroke that passes for a slash
    "exampleー.jp",
    "аbс.xn--p1ai",  # mixed under a Cyrillic top-level domain
    "տest.com",
    "օօօ.com",
    "pa\u0443pal.com",
    "demo.tеst",
    "xn--krier-2ve.example",  # a capital Я, which IDNA refuses
)


@pytest.mark.parametrize("domain", HONEST)
def test_honest_ones_are_shown_in_their_own_script(domain: str) -> None:
    ace = domains.ascii_domain(domain)
    assert ace.isascii()
    assert domains.shown_domain(ace) == domains.shown_domain(domain) == domain
    assert not domains.is_lookalike(domain)


@pytest.mark.parametrize("domain", DECEIVING)
def test_deceiving_ones_are_shown_as_on_the_wire(domain: str) -> None:
    assert domains.shown_domain(domain).isascii()
    assert "xn--" in domains.shown_domain(domain)
    assert domains.is_lookalike(domain)


@pytest.mark.parametrize(
    ("domain", "owner"),
    [
        ("mail.demo.test", "demo.test"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("EXAMPLE.co.uk.", "example.co.uk"),
        ("alice.github.io", "alice.github.io"),
        ("co.uk", "co.uk"),
        ("x.bücher.example", "xn--bcher-kva.example"),
        ("192.0.2.1", "192.0.2.1"),
        ("0x7f.1", "127.0.0.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("localhost", "localhost"),
        ("", ""),
    ],
)
def test_whose_a_domain_is(domain: str, owner: str) -> None:
    assert domains.registrable(domain) == owner


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("0x7f.0x0.0x0.0x1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("1.2.3.4.5", ""),
        ("256.1.1.1", ""),
        ("08.1", ""),
        ("a.1", ""),
        ("", ""),
        ("...", ""),
        ("9" * 400, ""),
    ],
)
def test_hosts_in_numbers(host: str, address: str) -> None:
    assert domains.ip_address(host) == address


@pytest.mark.parametrize(
    "domain",
    [
        "a..b",
        ".",
        "-",
        "xn--",
        "xn--a",
        "xn--\u0430",
        "\u0430" * 5000,
        "a" * 5000 + ".test",
        "☃.test",
        "a b",
        "\ud800.test",
    ],
)
def test_nonsense_raises_nothing_and_takes_no_time(domain: str) -> None:
    start = time.perf_counter()
    domains.shown_domain(domain)
    domains.registrable(domain)
    domains.is_lookalike(domain)
    domains.is_public(domain)
    assert time.perf_counter() - start < 0.2


@pytest.mark.parametrize("domain", ["i❤.example", "☃.example", "xn--a.example", "xn--.example"])
def test_odd_ones_deceive_nobody(domain: str) -> None:
    assert domains.shown_domain(domain).isascii()
    assert not domains.is_lookalike(domain)


def test_words_of_two_alphabets() -> None:
    assert domains.has_mixed_word("Раypal Support")
    assert not domains.has_mixed_word("Борис Novak")
    assert not domains.has_mixed_word("Bob")
