"""What comes with a message costs one round trip and one child process, once; and no structure is too much."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import pytest
from django.test import Client

from tests import outlook, signing
from tests.message import letters
from tests.odd_mail import CORPUS
from webmail.models import Message
from webmail.protocol import bounded
from webmail.protocol.fetching import Fetching
from webmail.store import pools

pytestmark = pytest.mark.django_db(transaction=True)
Received = Callable[..., Message]
ENOUGH = 1.5  # seconds for a page on a busy machine; alone it takes a tenth


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Fills with each FETCH of sections and each child process."""
    done: list[str] = []
    sections, run = Fetching.sections, bounded.run

    def fetch(self: Fetching, *args: object) -> dict[str, bytes]:
        done.append("fetch")
        return sections(self, *args)  # type: ignore[arg-type]

    def child(name: str, *args: object, **more: object) -> bytes:
        done.append(name.partition(":")[2])
        return run(name, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Fetching, "sections", fetch)
    monkeypatch.setattr(bounded, "run", child)
    return done


def opened(reader: Client, message: Message, inside: str = "") -> str:
    path = f"/message/{message.pk}/" + (f"inside/{inside}/" if inside else "")
    response = reader.get(path, headers={"HX-Request": "true"})
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(
    ("name", "children"),
    [
        ("calendar-request", ["read_cards"]),
        ("calendar-twice", ["read_cards"]),
        ("contact-3.0", ["read_cards"]),
        ("smime-detached", ["read_cards"]),
        ("smime-with-its-content", ["open_container"]),
        ("smime-with-html-and-a-file", ["open_container"]),
        ("tnef-with-files", ["open_container"]),
        ("tnef-with-the-text", ["open_container"]),
        ("tnef-empty", ["open_container"]),
        ("calendar-not-one", ["read_cards"]),
        ("report-of-exim", []),
        ("report-of-postfix", []),
        ("receipt-that-it-was-shown", []),
        ("digest-with-a-text", []),
        ("html-around-a-picture", []),
    ],
)
def test_one_round_trip_and_one_child_and_then_none(
    reader: Client, received: Received, work: list[str], monkeypatch: pytest.MonkeyPatch, name: str, children: list[str]
) -> None:
    message = received((CORPUS / f"{name}.eml").read_bytes())
    work.clear()
    first = opened(reader, message)
    assert work == ["fetch", *children]
    monkeypatch.setattr(pools, "lend", None)
    assert opened(reader, message).count("sheet-card") == first.count("sheet-card")
    assert work == ["fetch", *children]


def test_what_outlook_packed_can_be_downloaded(reader: Client, received: Received, work: list[str]) -> None:
    message = received((CORPUS / "tnef-with-files.eml").read_bytes())
    assert "plán nábřeží.pdf" in opened(reader, message)
    answer = reader.get(f"/message/{message.pk}/part/2!1/")
    assert b"".join(answer.streaming_content) == b"%PDF-1.4 plan"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    whole = b"".join(reader.get(f"/message/{message.pk}/part/2/").streaming_content)
    assert whole.startswith(b"\x78\x9f\x3e\x22")
    assert work.count("open_container") == 1


def test_a_large_container_waits_to_be_asked_for(reader: Client, received: Received, work: list[str]) -> None:
    message = letters.letter("Large")
    message.set_content("See the files.\n")
    files = [outlook.file("big.bin", bytes(2_000_000)), outlook.file("small.txt", b"small")]
    message.add_attachment(outlook.tnef(*files), "application", "ms-tnef", filename="winmail.dat")
    row = received(bytes(message))
    work.clear()
    shown = opened(reader, row)
    assert work == ["fetch"]
    assert f"/message/{row.pk}/inside/2/" in shown
    inside = opened(reader, row, "2")
    assert "small.txt" in inside
    answer = reader.get(f"/message/{row.pk}/part/2!2/")
    assert b"".join(answer.streaming_content) == b"small"


def test_signed_content_is_shown_in_the_frame(reader: Client, received: Received) -> None:
    message = received((CORPUS / "smime-with-html-and-a-file.eml").read_bytes())
    shown = opened(reader, message)
    assert "plan.pdf" in shown
    frame = reader.get(f"/message/{message.pk}/frame/", headers={"Sec-Fetch-Dest": "iframe"}).content.decode()
    assert "the ferry leaves at ten" in frame
    assert "script" not in frame
    answer = reader.get(f"/message/{message.pk}/part/1!2/")
    assert b"".join(answer.streaming_content) == b"%PDF-1.4"


def test_a_signature_inside_an_encoded_message_is_checked(reader: Client, received: Received) -> None:
    inner = (CORPUS / "smime-detached.eml").read_bytes()
    raw = (
        b"From: bob@demo.test\r\nSubject: outer\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n"
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.encodebytes(inner).replace(b"\n", b"\r\n")
        + b"--o\r\nContent-Type: message/rfc822\r\n\r\n"
        + inner
        + b"\r\n--o--\r\n"
    )
    message = received(raw)
    for inside in ("1", "2"):
        assert "Signed by Bob Novak &lt;bob@demo.test&gt;, but the certificate" in opened(reader, message, inside)


def test_a_large_signed_message_says_who_signed_it_once_it_is_opened(reader: Client, received: Received) -> None:
    bob = signing.identity(signing.authority())
    content = signing.entity("the ferry leaves at ten\r\n" * 60_000)
    row = received(signing.opaque_mail(signing.enveloping(content, bob), key="large", subject="Large"))
    card = opened(reader, row)
    assert f"/message/{row.pk}/inside/1/" in card
    assert "can&#x27;t be opened" not in card
    shown = opened(reader, row, "1")
    assert "Signed by Bob Novak &lt;bob@demo.test&gt;, but the certificate" in shown
    assert "the ferry leaves at ten" in shown
    assert ">Large</h1>" in shown


def test_large_signed_content_is_not_checked_and_that_is_said(reader: Client, received: Received) -> None:
    content = signing.entity("x" * 78 + "\r\n" + "Hello\r\n" * 200_000)
    raw = signing.signed_mail(content, b"not looked at", key="large")
    assert "too large for its signature to be checked" in opened(reader, received(raw))


def test_a_calendar_shows_the_readers_time(reader: Client, received: Received) -> None:
    message = received((CORPUS / "calendar-in-a-zone-of-windows.eml").read_bytes())
    account = message.account
    account.user.time_zone = "America/New_York"
    account.user.save()
    shown = opened(reader, message)
    assert "Friday 27 November 2026, 12:00 – 13:30" in shown
    assert "18:00 – 19:30 in Berlin" in shown


def nested(depth: int) -> bytes:
    """Multiparts in multiparts, a text in the innermost."""
    lines = ["From: bob@demo.test\r\nSubject: deep\r\nMIME-Version: 1.0"]
    lines += [f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}" for n in range(depth)]
    return "\r\n".join([*lines, "Content-Type: text/plain\r\n\r\nthe innermost words\r\n"]).encode()


def forwarded(depth: int) -> bytes:
    """Messages in messages."""
    lines = ["From: bob@demo.test\r\nSubject: level 0\r\nMIME-Version: 1.0"]
    lines += [
        f"Content-Type: message/rfc822\r\n\r\nFrom: bob@demo.test\r\nSubject: level {n + 1}" for n in range(depth)
    ]
    return "\r\n".join([*lines, "Content-Type: text/plain\r\n\r\nthe innermost words\r\n"]).encode()


def wide(count: int, part: str) -> bytes:
    """Many parts side by side."""
    head = (
        "From: bob@demo.test\r\nSubject: wide\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    )
    return (head + f"--b\r\n{part}\r\n" * count + "--b--\r\n").encode()


EVENT = (
    "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261127T170000Z\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)
TNEF = (
    "Content-Type: application/ms-tnef\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.b64encode(outlook.tnef(outlook.file("a", b"b"))).decode()
)
BOTH = (
    "Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c\r\n"
    "Content-Type: text/html\r\n\r\ny\r\n--c--"
)
SHAPES = {
    "depth-300": nested(300),
    "messages-300-deep": forwarded(300),
    "a-thousand-texts": wide(1_000, "Content-Type: text/plain\r\n\r\nwords"),
    "a-thousand-html": wide(1_000, "Content-Type: text/html\r\n\r\n<p>words"),
    "a-thousand-files": wide(1_000, "Content-Type: application/pdf; name=a.pdf\r\n\r\n%PDF"),
    "a-thousand-messages": wide(1_000, "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny"),
    "a-thousand-events": wide(1_000, EVENT),
    "a-thousand-containers": wide(1_000, TNEF),
    "a-thousand-alternatives": wide(1_000, BOTH),
    "five-thousand-parts": wide(5_000, "\r\nwords"),
}  # fmt: skip


CUT = set(SHAPES) - {"messages-300-deep"}


@pytest.mark.parametrize("shape", SHAPES)
def test_no_structure_is_too_much(reader: Client, received: Received, shape: str) -> None:
    message = received(SHAPES[shape])
    begun = time.monotonic()
    shown = opened(reader, message)
    assert time.monotonic() - begun < ENOUGH
    assert "Something went wrong" not in shown
    assert ("The original, to be downloaded, has all of it." in shown) is (shape in CUT)
    begun = time.monotonic()
    whole = reader.get(f"/message/{message.pk}/raw/")
    assert b"".join(whole.streaming_content) == SHAPES[shape]
    assert time.monotonic() - begun < ENOUGH
    for section in ("2", "2.1", "1.1.1.1", "2!1", "1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1"):
        for kind in ("part", "inside", "inline"):
            assert reader.get(f"/message/{message.pk}/{kind}/{section}/").status_code in (200, 404)
