"""Remote images that only report that a mail was opened, told from those that are there to be seen."""

from __future__ import annotations

import time

import pytest

from webmail.protocol import html, trackers

PLAIN = "https://cdn.example/a.png"
REPORT = "https://news.example/open/AbCdEf0123456789"


@pytest.mark.parametrize(
    "image",
    [
        f'<img src="{PLAIN}" width="1" height="1">',
        f"<IMG WIDTH=1 HEIGHT=1 SRC={PLAIN}>",
        f"<img height='0' src='{PLAIN}'>",
        f'<img src="{PLAIN}" style="width:1px;height:1px!important">',
        f'<img src="{PLAIN}" width="1">',
        f'<img src="{PLAIN}" style="max-height:0;max-width:0">',
        f'<img src="{PLAIN}" style="display: none">',
        f'<img src="{PLAIN}" style="opacity:0">',
        f'<img src="{PLAIN}" style="VISIBILITY:hidden" width="50%">'.replace("VISIBILITY", "visibility"),
        f'<image src="{PLAIN}" width=2 height=2>',
    ],
)  # fmt: skip
def test_of_no_size_or_hidden(image: str) -> None:
    assert trackers.find(image) == {PLAIN}


@pytest.mark.parametrize(
    "url",
    [
        REPORT,
        "https://track.news.example/x/0a1b2c3d4e5f6a7b8c9d.gif",
        "https://news.example/wf/open?upn=AbCdEf0123456789",
        "https://pixel.example/i?user=alice%40demo.test",
        "https://news.example/e/o.gif?id=12345678",
        "https://news.example/beacon.gif?m=99881234&amp;r=77",
    ],
)
def test_named_like_a_report(url: str) -> None:
    assert trackers.find(f'<img src="{url}">') == {url.replace("&amp;", "&")}


@pytest.mark.parametrize(
    "image",
    [
        f'<img src="{PLAIN}">',
        f'<img src="{REPORT}" width="600" height="200">',  # the sender gives it a size: it is there to be seen
        f'<img src="{REPORT}" style="width:100px">',
        f'<img src="{PLAIN}" width="1" height="20">',  # keeps lines of a table apart
        f'<img src="{PLAIN}" class="mobile" style="display:none">',  # shown on a telephone by a rule
        '<img src="https://open.example/logo.png">',
        '<img src="https://news.example/tracks/winter-2026-collection.jpg">',
        f"<td background='{REPORT}'>",
        f"<a href='{REPORT}'>x</a>",
        "<img src='cid:x' width=1 height=1><img src='data:image/gif;base64,AA==' width=1 height=1>",
    ],
)
def test_there_to_be_seen(image: str) -> None:
    assert trackers.find(image) == set()


def test_one_place_where_it_is_seen_is_enough() -> None:
    assert trackers.find(f'<img src="{PLAIN}" width=1 height=1><img src="{PLAIN}" width=99>') == set()


def test_addresses_are_spelt_as_the_wash_spells_them() -> None:
    for spelt in ("HTTPS://cdn.example/a.png", "//cdn.example/a.png", " https://cdn.example/\na.png"):
        source = f'<img src="{spelt}" width=1 height=1>'
        assert set(html.wash(source, images={}).remote) == trackers.find(source)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://CDN.example:443/a", "cdn.example"),
        ("http://bücher.example/", "xn--bcher-kva.example"),
        ("http://[::1/", "an unreadable address"),
        (f"http://{'ů' * 90}.example/", "an unreadable address"),
    ],
)
def test_hosts_as_people_read_them(url: str, host: str) -> None:
    assert trackers.host_of(url) == host


@pytest.mark.parametrize(
    "source",
    [
        "<img " * 200_000,
        "<img " + "a-" * 300_000,
        '<img style="' + "width:;" * 100_000,
        ("<img src=//x.example " + "a=b " * 4_000) * 60,
        "".join(f'<img src="//{number}.example/{"a%" * 4_000}">' for number in range(120)),
        '<img src="' + "\x00" * 1_000_000,
    ],
)
def test_hostile_html_takes_no_time(source: str) -> None:
    start = time.process_time()
    trackers.without(source)
    assert time.process_time() - start < 1.0


def test_what_only_reports_is_cut_out_and_the_rest_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = f'<p>At <img src="{PLAIN}" width="600"> nine</p>'
    source = f'{seen}<img src="{REPORT}" alt="a > b"><IMG width=1\nheight=1 src=&#104;ttps://x.example/a.gif>{seen}'
    assert trackers.without(source).replace(' b">', "") == seen + seen
    assert trackers.without(seen) == seen
    monkeypatch.setattr(trackers, "MAX_IMAGES", 1)
    assert trackers.without(seen * 2) == f"{seen}<p>At  nine</p>", "nor what nobody looked at"
