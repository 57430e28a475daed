"""Fetching a remote image: what goes out, what comes back, and where nothing goes at all (T3, T9)."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.internet import PUBLIC, Internet, internet, trust_its_certificate
from tests.protocol.test_guard import ALL_FORMS
from webmail.protocol import guard, web
from webmail.protocol.errors import ConnectionFailed, Forbidden, ProtocolError

FAILURES = (ProtocolError, ValueError, OSError, http.client.HTTPException)
MOST = 100_000


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Internet]:
    with internet(monkeypatch, tmp_path) as net:
        yield net


def fetch(url: str, seconds: float = 5.0) -> bytes:
    return web.image(url, seconds, MOST)


def test_an_image_arrives(net: Internet) -> None:
    data = net.picture("/a.png?size=1&x=%20y")
    assert fetch("http://cdn.example/a.png?size=1&x=%20y#top") == data
    assert net.dialled == [(PUBLIC, 80)]


def test_the_other_end_learns_nothing_about_who_asks(net: Internet) -> None:
    """T3: cookies that a host sets aren't sent back either."""
    net.picture("/a.png")
    fetch("http://cdn.example/a.png")
    fetch("http://cdn.example/a.png")
    assert [asked.fields for asked in net.asked] == 2 * [
        {
            "Host": "cdn.example",
            "Accept-Encoding": "identity",
            "Accept": "image/webp,image/png,image/jpeg,image/gif,image/*;q=0.5",
            "Connection": "close",
            "User-Agent": "Mozilla/5.0 (compatible)",
        }
    ]


def test_https_asks_by_the_name(net: Internet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trust_its_certificate(monkeypatch, tmp_path)
    data = net.picture("/a.png")
    assert fetch("https://cdn.example/a.png") == data
    assert (net.dialled, net.presented) == ([(PUBLIC, 443)], ["cdn.example"])


def test_a_certificate_of_somebody_else_ends_it(net: Internet) -> None:
    net.picture("/a.png")
    with pytest.raises(OSError, match="certificate"):
        fetch("https://cdn.example/a.png")
    assert net.asked == []


@pytest.mark.parametrize("host", ALL_FORMS)
def test_no_form_of_a_bad_address_is_dialled(net: Internet, host: str) -> None:
    """T9: whatever the mail names, at once or after a redirect. Where the guard is asked, its sentence is the same."""
    for spelt in (host, f"[{host}]"):
        net.redirect("/away", f"http://{spelt}/x.png")
        for url in (f"http://{spelt}/x.png", "http://cdn.example/away"):
            with pytest.raises(FAILURES) as caught:
                fetch(url)
            if isinstance(caught.value, ProtocolError):
                assert (caught.value.sentence, caught.value.detail) == (guard.NO_SERVER, "")
    assert set(net.dialled) <= {(PUBLIC, 80)}
    assert {asked.host for asked in net.asked} <= {"cdn.example", "mail.example"}  # line ends in an address go


@pytest.mark.parametrize(
    "url",
    [
        "ftp://cdn.example/a", "file:///etc/passwd", "gopher://cdn.example/", "data:,x", "//cdn.example/a",
        "http://cdn.example:8080/a", "http://cdn.example:443/a", "https://cdn.example:80/a", "http://cdn.example:25/a",
        "http://cdn.example:x/a", "http://me:secret@cdn.example/a", "http://cdn.example@10.0.0.1/a", "http:///a", "http://",
        "", "http://[::1", f"http://cdn.example/{'a' * 9_000}",
    ],
)  # fmt: skip
def test_what_is_no_address_to_fetch(net: Internet, url: str) -> None:
    with pytest.raises(FAILURES):
        fetch(url)
    assert net.dialled == []


def test_nothing_is_slipped_into_the_request(net: Internet) -> None:
    for url in (
        "http://cdn.example/a\r\nCookie: x=1",
        "http://cdn.example/a b\tc",
        "http://cdn.example/\x00",
        "http://cdn.example/č?q=ž",
    ):
        with pytest.raises(FAILURES):
            fetch(url)
    assert all("Cookie" not in asked.fields and asked.path.isascii() for asked in net.asked)
    assert net.asked[-1].path == "/%C4%8D?q=%C5%BE"


def test_a_name_that_changes_its_mind(net: Internet) -> None:
    """Rebinding: judged and dialled is the first answer; the second, which names this machine, nobody asks for."""
    net.names["cdn.example"] = [[PUBLIC], ["127.0.0.1"]]
    data = net.picture("/a.png")
    assert fetch("http://cdn.example/a.png") == data
    with pytest.raises(Forbidden):
        fetch("http://cdn.example/a.png")
    assert net.dialled == [(PUBLIC, 80)]


def test_redirects_are_followed_three_times(net: Internet) -> None:
    data = net.picture("/4")
    net.redirect("/3", "http://d.example/4")
    net.redirect("/2", "//c.example/3")
    net.redirect("/1", "/2")
    assert fetch("http://a.example/1") == data
    assert [asked.host for asked in net.asked] == ["a.example", "a.example", "c.example", "d.example"]
    net.redirect("/0", "/1")
    with pytest.raises(ValueError, match="redirects"):
        fetch("http://a.example/0")


def test_a_redirect_inside_is_refused(net: Internet) -> None:
    net.names["inside.example"] = [["10.1.2.3"]]
    net.redirect("/1", "http://inside.example/x")
    with pytest.raises(Forbidden):
        fetch("http://a.example/1")
    assert net.dialled == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({}, b"x" * (MOST + 1)),
        ({"Content-Length": str(MOST + 1)}, b"x"),
        ({"Content-Encoding": "gzip"}, b"x"),
    ],
)
def test_too_much_is_refused(net: Internet, fields: dict[str, str], body: bytes) -> None:
    net.answers["/a"] = (200, fields, body)
    with pytest.raises(ValueError):
        fetch("http://a.example/a")


@pytest.mark.parametrize("status", [204, 206, 304, 400, 403, 404, 500])
def test_only_200_is_an_image(net: Internet, status: int) -> None:
    net.answers["/a"] = (status, {}, b"")
    with pytest.raises(ValueError):
        fetch("http://a.example/a")


def test_a_slow_drip_ends_in_time(net: Internet) -> None:
    net.answers["/a"] = (200, {}, [piece for _ in range(60) for piece in (b"x", 0.1)])
    start = time.monotonic()
    with pytest.raises(FAILURES):
        web.image("http://a.example/a", 0.6, MOST)
    assert time.monotonic() - start < 2.0


def test_redirects_share_one_deadline(net: Internet) -> None:
    for number in range(3):
        net.redirect(f"/{number}", f"/{number + 1}")
    net.answers["/3"] = (200, {}, [5.0, b"x"])
    start = time.monotonic()
    with pytest.raises(FAILURES):
        web.image("http://a.example/0", 0.5, MOST)
    assert time.monotonic() - start < 2.0
    assert len(net.asked) == 4


def test_a_host_that_is_away(net: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr("socket.create_connection", refused)
    with pytest.raises(ConnectionFailed):
        fetch("http://a.example/a")
