"""Remote images: blocked, counted and named; shown by the person's word and by way of us alone (T2, T3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import pytest
import redis
from django.test import Client
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.cast import client_of
from tests.internet import PUBLIC, Internet, internet, picture
from tests.message import letters
from webmail.models import Account, Message, Provider, TrustedSender, User
from webmail.protocol import redraw
from webmail.protocol.raster import raster_type
from webmail.store import bodies, image_cache

pytestmark = pytest.mark.django_db(transaction=True)
Received = Callable[..., Message]

IMAGES = (
    '<img src="http://cdn.example/a.png" width=40><img src="http://cdn.example/b.png">'
    '<table><tr><td background="//pics.example/c.png">x</table><p style="background:url(http://pics.example/d.png)">x</p>'
    '<img src="http://news.example/open/AbCdEf0123456789" width=1 height=1>'
)


@pytest.fixture(autouse=True)
def net(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_url: str) -> Iterator[Internet]:
    with internet(monkeypatch, tmp_path) as net:
        for name in ("a", "b", "d"):
            net.picture(f"/{name}.png")
        yield net


@pytest.fixture(autouse=True)
def _a_new_minute(redis_url: str) -> None:
    bodies.client.flushdb()


def newsletter(html: str = IMAGES, sender: str = "Bread <news@bakery.example>", more: str = "") -> bytes:
    message = letters.letter("Bread for beginners")
    message.replace_header("From", sender)
    message.set_content("Dear Alice, bread.\n")
    message.add_alternative(f"<h1>Bread</h1>{html}", subtype="html")
    return more.encode() + bytes(message)


def shows(reader: Client, message: Message, what: str) -> None:
    response = reader.post(f"/message/{message.pk}/images/", {"show": what})
    assert (response.status_code, response["Location"]) == (302, f"/message/{message.pk}/")


def page(reader: Client, message: Message) -> str:
    return reader.get(f"/message/{message.pk}/").content.decode()


def frame(reader: Client, message: Message) -> str:
    return reader.get(f"/message/{message.pk}/frame/").content.decode()


def paths(document: str, message: Message) -> list[str]:
    return list(dict.fromkeys(re.findall(rf"/message/{message.pk}/remote/[\w=-]+/", document)))


def test_they_are_blocked_counted_and_named(reader: Client, received: Received, net: Internet) -> None:
    message = received(newsletter())
    shown = page(reader, message)
    assert "4 remote images were not loaded, so the sender does not learn that you read this." in shown
    assert "1 tracking pixel was left out." in shown
    assert re.findall(r"<dt>([\w.]+\.example)</dt><dd>(\d+)", shown) == [
        ("cdn.example", "2"), ("pics.example", "2"), ("news.example", "1"),
    ]  # fmt: skip
    document = frame(reader, message)
    assert "example" not in document
    assert "/remote/" not in document
    assert (net.dialled, net.asked) == ([], [])


def test_a_mail_with_pixels_alone_asks_nothing(reader: Client, received: Received) -> None:
    shown = page(reader, received(newsletter('<img src="http://news.example/a.gif" width=1 height=1>')))
    assert "1 tracking pixel" in shown
    assert "Show images" not in shown


def test_shown_once(reader: Client, received: Received, net: Internet) -> None:
    message, other = received(newsletter()), received(newsletter(sender="news@bakery.example"))
    shows(reader, message, "once")
    assert "4 remote images are shown. Our server fetched them, not your browser." in page(reader, message)
    document = frame(reader, message)
    assert "example" not in document, "no address of theirs"
    assert len(paths(document, message)) == 4
    assert f"url(/message/{message.pk}/remote/" in document
    assert net.dialled == [], "not before the browser asks us"
    assert paths(frame(reader, other), other) == []
    shows(reader, message, "ask")
    assert paths(frame(reader, message), message) == []


def test_each_comes_by_way_of_us(reader: Client, received: Received, net: Internet) -> None:
    message = received(newsletter())
    shows(reader, message, "once")
    found = [reader.get(path) for path in paths(frame(reader, message), message)]
    assert sorted(asked.path for asked in net.asked) == ["/a.png", "/b.png", "/d.png"]  # c is on https, of nobody's
    assert {address for address, _ in net.dialled} == {PUBLIC}
    for asked in net.asked:
        assert set(asked.fields) == {"Host", "Accept", "Accept-Encoding", "Connection", "User-Agent"}
        assert "alice" not in f"{asked.path} {asked.fields}".lower()
    for response in found:
        assert response.status_code == 200
        assert response["Content-Type"] == "image/png" == raster_type(response.content)
        assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert response["Referrer-Policy"] == "no-referrer"
        assert response["Cross-Origin-Resource-Policy"] == "same-origin"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Cache-Control"] == "no-store, private"
        assert response["Content-Disposition"] == "inline"
    assert [response.content == redraw.placeholder() for response in found].count(True) == 1


def test_a_second_look_fetches_nothing(reader: Client, received: Received, net: Internet) -> None:
    message = received(newsletter())
    shows(reader, message, "once")
    first = [reader.get(path).content for path in paths(frame(reader, message), message)]
    asked, dialled = len(net.asked), len(net.dialled)
    assert [reader.get(path).content for path in paths(frame(reader, message), message)] == first
    assert (len(net.asked), len(net.dialled)) == (asked, dialled), "neither those that failed"


def test_what_is_kept_is_sealed(reader: Client, received: Received) -> None:
    message = received(newsletter())
    shows(reader, message, "once")
    for path in paths(frame(reader, message), message):
        reader.get(path)
    keys = [key for key in bodies.client.keys("*") if key.startswith((b"image:", b"body:"))]
    assert any(key.startswith(b"image:") for key in keys)
    for key in keys:
        assert b"cdn.example" not in key
        kept = bodies.client.get(key) or b""
        assert b"PNG" not in kept
        assert b"cdn.example" not in kept


def test_a_token_is_for_one_image_of_one_message_of_one_person(
    reader: Client, received: Received, alice: User, net: Internet
) -> None:
    message, other = received(newsletter()), received(newsletter(sender="a@b.example"))
    shows(reader, message, "once")
    shows(reader, other, "once")
    path = paths(frame(reader, message), message)[0]
    assert reader.get(path).status_code == 200
    token = path.split("/")[4]
    assert reader.get(f"/message/{other.pk}/remote/{token}/").status_code == 404
    assert client_of(alice).get(path).status_code == 404
    for changed in (token[:-1], token + "A", token.swapcase(), "A" * len(token), "%00", "ž", token[::-1]):
        assert reader.get(f"/message/{message.pk}/remote/{changed}/").status_code == 404
    assert len(net.asked) == 1


def test_the_pixel_has_no_token(reader: Client, received: Received, net: Internet) -> None:
    message = received(newsletter('<img src="http://news.example/a.gif" width=1 height=1>'))
    shows(reader, message, "once")
    assert paths(frame(reader, message), message) == []


@pytest.mark.parametrize(
    "answer",
    [
        (404, {}, b"no"),
        (200, {"Content-Type": "image/svg+xml"}, b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        (200, {"Content-Type": "image/png"}, b"<!doctype html><script>alert(1)</script>"),
        (200, {}, picture()[:40]),
        (200, {}, b"x" * (5 * 2**20 + 1)),
        (302, {"Location": "http://127.0.0.1/a.png"}, b""),
        (302, {"Location": "http://169.254.169.254/latest/meta-data/"}, b""),
    ],
)
def test_what_is_no_image_is_a_placeholder(
    reader: Client, received: Received, net: Internet, answer: tuple[int, dict[str, str], bytes]
) -> None:
    net.answers["/a.png"] = answer
    message = received(newsletter('<img src="http://cdn.example/a.png">'))
    shows(reader, message, "once")
    response = reader.get(paths(frame(reader, message), message)[0])
    assert (response.status_code, response["Content-Type"]) == (200, "image/png")
    assert response.content == redraw.placeholder()
    assert set(net.dialled) == {(PUBLIC, 80)}


def test_octets_are_never_passed_on(reader: Client, received: Received, net: Internet) -> None:
    net.answers["/a.png"] = (200, {}, picture() + b"<script>alert(1)</script>")
    message = received(newsletter('<img src="http://cdn.example/a.png">'))
    shows(reader, message, "once")
    response = reader.get(paths(frame(reader, message), message)[0])
    assert raster_type(response.content) == "image/png"
    assert b"script" not in response.content


def test_fifty_a_minute(reader: Client, received: Received, net: Internet, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = [f"http://cdn.example/many/{number}.png" for number in range(60)]
    monkeypatch.setattr("webmail.store.remote.fetch", lambda account_id, url: net.asked.append(url) or picture())
    message = received(newsletter("".join(f'<img src="{url}">' for url in urls)))
    shows(reader, message, "once")
    answers = [reader.get(path).content for path in paths(frame(reader, message), message)]
    assert len(net.asked) == 50
    assert answers.count(redraw.placeholder()) == 10


def test_without_redis_nothing_is_fetched(
    reader: Client, received: Received, net: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = received(newsletter())
    shows(reader, message, "once")
    path = paths(frame(reader, message), message)[0]
    nobody = redis.Redis(unix_socket_path="/nonexistent", retry=Retry(NoBackoff(), 0))
    for module in (bodies, image_cache):
        monkeypatch.setattr(module, "client", nobody)
    assert reader.get(path).content == redraw.placeholder()
    response = reader.post(f"/message/{message.pk}/images/", {"show": "once"})
    assert response.status_code == 503
    assert "Images can&#x27;t be fetched at the moment." in response.content.decode()
    assert net.asked == []


def test_always_for_the_sender(reader: Client, received: Received) -> None:
    message = received(newsletter())
    offered = page(reader, message)
    assert "From news@bakery.example" in offered
    assert "From everybody at bakery.example" in offered
    assert "Your mail server did not verify" in offered
    shows(reader, message, "address")
    again, other = received(newsletter()), received(newsletter(sender="shop@bakery.example"))
    assert len(paths(frame(reader, again), again)) == 4
    assert "You always show those from news@bakery.example." in page(reader, again)
    assert paths(frame(reader, other), other) == []
    shows(reader, again, "ask")
    assert paths(frame(reader, again), again) == []
    assert not TrustedSender.objects.exists()


def test_always_for_the_domain(reader: Client, received: Received) -> None:
    shows(reader, received(newsletter(sender="news@mail.bakery.example")), "domain")
    assert TrustedSender.objects.get().name == "bakery.example"
    for sender, many in (
        ("Shop <shop@BAKERY.example>", 4),
        ("x@a.b.bakery.example", 4),
        ("x@bakery.example.evil.example", 0),
        ("x@otherbakery.example", 0),
        ("news@bakery.example, mallory@evil.example", 0),
        ('"news@bakery.example" <mallory@evil.example>', 0),
    ):
        message = received(newsletter(sender=sender))
        assert len(paths(frame(reader, message), message)) == many, sender


@pytest.mark.parametrize(
    "sender",
    ["bob@gmail.com", "bob@demo.test", "bob@mail.demo.test", "x@co.uk", "x@someone.github.io", "x@[127.0.0.1]"],
)
def test_no_domain_that_people_share(reader: Client, received: Received, provider: Provider, sender: str) -> None:
    message = received(newsletter(sender=sender))
    assert ("everybody at" in page(reader, message)) is (sender == "x@someone.github.io")
    if sender != "x@someone.github.io":
        assert reader.post(f"/message/{message.pk}/images/", {"show": "domain"}).status_code == 400
    assert not TrustedSender.objects.exists()


def test_mail_that_failed_the_check_counts_as_nobodys(reader: Client, received: Received, account: Account) -> None:
    Provider.objects.update(authserv_ids="mx.demo.test")
    passed = "Authentication-Results: mx.demo.test; dmarc=pass header.from=bakery.example\r\n"
    failed = "Authentication-Results: mx.demo.test; dmarc=fail header.from=bakery.example\r\n"
    message = received(newsletter(more=passed))
    assert "did not verify" not in page(reader, message)
    shows(reader, message, "address")
    for more, many in ((passed, 4), (failed, 0), ("", 0)):
        again = received(newsletter(more=more))
        assert len(paths(frame(reader, again), again)) == many, more
    forged = received(newsletter(more=failed, sender="other@bakery.example"))
    assert "Always show" not in page(reader, forged)
    assert reader.post(f"/message/{forged.pk}/images/", {"show": "address"}).status_code == 400
    shows(reader, forged, "once")
    assert len(paths(frame(reader, forged), forged)) == 4


def test_never_in_junk(reader: Client, received: Received, account: Account) -> None:
    message = received(newsletter())
    shows(reader, message, "address")
    account.mailboxes.filter(role="inbox").update(role="junk")
    assert paths(frame(reader, message), message) == []
    assert "Always show" not in page(reader, message)


def test_never_at_all(reader: Client, received: Received, account: Account) -> None:
    message = received(newsletter())
    shows(reader, message, "address")
    reader.post("/settings/preferences/", {"remote_images": "never"})
    shown = page(reader, message)
    assert "4 remote images were not loaded: your settings say never." in shown
    assert "Show images" not in shown
    assert paths(frame(reader, message), message) == []


@pytest.mark.parametrize("what", ["", "all", "address2"])
def test_nothing_else_can_be_asked_for(reader: Client, received: Received, what: str) -> None:
    message = received(newsletter())
    assert reader.post(f"/message/{message.pk}/images/", {"show": what}).status_code == 400
    assert reader.get(f"/message/{message.pk}/images/", {"show": "once"}).status_code == 405


def test_with_scripts_the_message_comes_anew(reader: Client, received: Received) -> None:
    message = received(newsletter())
    response = reader.post(f"/message/{message.pk}/images/", {"show": "once"}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert "4 remote images are shown" in response.content.decode()
    assert "<html" not in response.content.decode()


def test_a_message_inside_a_message_is_shown_once_at_most(reader: Client, received: Received, net: Internet) -> None:
    shows(reader, received(newsletter()), "address")
    outer = letters.letter("Fwd")
    outer.set_content("See below.\n")
    outer.add_attachment(message_from_bytes(newsletter(), policy=SMTP))
    message = received(bytes(outer))
    root = f"/message/{message.pk}/inside/2/"
    shown = reader.get(root).content.decode()
    assert "4 remote images were not loaded" in shown
    assert "Always show" not in shown, "nobody has checked who wrote that"
    assert "/remote/" not in reader.get(f"{root}frame/").content.decode()
    response = reader.post(f"{root}images/", {"show": "once"})
    assert response["Location"] == root
    found = re.findall(rf"{root}remote/[\w=-]+/", reader.get(f"{root}frame/").content.decode())
    assert len(found) == 4
    assert raster_type(reader.get(found[0]).content) == "image/png"
    assert reader.get(found[0].replace("/inside/2", "")).status_code == 404
    assert len(net.asked) == 1


def test_the_settings_list_and_forget(reader: Client, received: Received, alice: User) -> None:
    shows(reader, received(newsletter()), "address")
    shown = reader.get("/settings/").content.decode()
    assert "<b>news@bakery.example</b>" in shown
    row = TrustedSender.objects.get()
    client_of(alice).post("/settings/images/forget/", {"pk": row.pk})
    assert TrustedSender.objects.exists(), "not somebody else's"
    response = reader.post("/settings/images/forget/", {"pk": row.pk}, follow=True)
    assert "Images from news@bakery.example are no longer shown without asking." in response.content.decode()
    assert not TrustedSender.objects.exists()
    assert reader.post("/settings/images/forget/", {"pk": "x"}).status_code == 302


def test_ten_mails_with_ten_images(reader: Client, received: Received, net: Internet) -> None:
    """T3: every one of 100 images is asked for by us, none of the documents names another host."""
    got = 0
    for number in range(10):
        urls = [f"http://cdn{image}.example/{number}/{image}.png" for image in range(10)]
        for image in range(10):
            net.picture(f"/{number}/{image}.png", size=(8, 8))
        message = received(newsletter("".join(f'<img src="{url}">' for url in urls), sender=f"n{number}@b.example"))
        shows(reader, message, "once")
        document = frame(reader, message)
        assert "example" not in document
        for path in paths(document, message):
            got += reader.get(path).content != redraw.placeholder()
        bodies.client.delete(f"fetches:{message.account.user_id}")  # a minute later
    assert got == 100
    assert len(net.asked) == 100
    assert not any({"Cookie", "Referer", "Authorization"} & set(asked.fields) for asked in net.asked)
