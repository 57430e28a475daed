"""Messages inside messages: a card each, a page of their own, their own frame, images and files."""

from __future__ import annotations

import base64
from collections.abc import Callable
from email.message import EmailMessage

import pytest
from django.test import Client

from tests.message import letters
from webmail.models import Job, Message
from webmail.protocol.fetching import Fetching
from webmail.store import pools

pytestmark = pytest.mark.django_db(transaction=True)
Received = Callable[..., Message]


def forwarding(*inner: EmailMessage) -> EmailMessage:
    """A letter with whole messages attached."""
    outer = letters.letter("Fwd: two letters")
    outer.set_content("See below.\n")
    for message in inner:
        outer.add_attachment(message)
    return outer


def illustrated(subject: str) -> EmailMessage:
    """HTML whose picture has a Content-ID that others use too, and a file."""
    message = letters.letter(subject)
    message.set_content(f"<p>This is {subject}</p><img src=cid:loaf alt=Loaf>", subtype="html")
    message.add_related(letters.PIXEL, "image", "png", cid="<loaf>", filename="loaf.png")
    message.add_attachment(b"%PDF-1.4 plan", "application", "pdf", filename=f"{subject}.pdf")
    return message


def opened(reader: Client, message: Message, inside: str = "", **headers: str) -> str:
    path = f"/message/{message.pk}/" + (f"inside/{inside}/" if inside else "")
    response = reader.get(path, headers=headers)
    assert response.status_code == 200, path
    return response.content.decode()


def framed(reader: Client, message: Message, inside: str) -> str:
    answer = reader.get(f"/message/{message.pk}/inside/{inside}/frame/", headers={"Sec-Fetch-Dest": "iframe"})
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Fills with each FETCH of sections."""
    asked: list[object] = []
    original = Fetching.sections

    def counted(self: Fetching, *args: object) -> dict[str, bytes]:
        asked.append(args)
        return original(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Fetching, "sections", counted)
    return asked


def test_a_card_says_what_is_attached(reader: Client, received: Received, round_trips: list[object]) -> None:
    message = received(bytes(forwarding(illustrated("First"), illustrated("Second"))))
    shown = opened(reader, message)
    assert len(round_trips) == 1
    assert "First" in shown
    assert "Bob Novak &lt;bob@demo.test&gt;" in shown
    assert f'href="/message/{message.pk}/inside/2/' in shown
    assert f'href="/message/{message.pk}/part/3/"' in shown


def test_it_opens_as_a_message_of_its_own(reader: Client, received: Received, round_trips: list[object]) -> None:
    message = received(bytes(forwarding(illustrated("First"), illustrated("Second"))))
    shown = opened(reader, message, "3")
    assert len(round_trips) == 1
    assert 'class="subject">Second</h1>' in shown
    assert "data-flag" not in shown
    assert "Second.pdf" in shown
    assert f'href="/message/{message.pk}/part/3.2/"' in shown
    assert f'src="/message/{message.pk}/inside/3/frame/"' in shown
    assert not Job.objects.exists()  # looking inside marks nothing
    frame = framed(reader, message, "3")
    assert "This is Second" in frame
    assert f'src="/message/{message.pk}/inline/3.1.2/"' in frame  # its own picture, not the first message's


def test_its_parts_are_served(reader: Client, received: Received) -> None:
    message = received(bytes(forwarding(illustrated("First"), illustrated("Second"))))
    answer = reader.get(f"/message/{message.pk}/part/3.2/")
    assert b"".join(answer.streaming_content) == b"%PDF-1.4 plan"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    image = reader.get(f"/message/{message.pk}/inline/2.1.2/")
    assert image.content == letters.PIXEL
    whole = b"".join(reader.get(f"/message/{message.pk}/part/2/").streaming_content)
    assert b"Subject: First" in whole


def test_a_second_look_asks_the_server_nothing(
    reader: Client, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = received(bytes(forwarding(illustrated("First"))))
    opened(reader, message)
    opened(reader, message, "2")
    monkeypatch.setattr(pools, "lend", None)
    assert "First" in opened(reader, message)
    assert "First.pdf" in opened(reader, message, "2")
    assert "This is First" in framed(reader, message, "2")


def test_five_deep(reader: Client, received: Received) -> None:
    message = illustrated("Level 5")
    for level in range(4, -1, -1):
        outer = letters.letter(f"Level {level}")
        outer.set_content(f"Text {level}\n")
        outer.add_attachment(message)
        message = outer
    row = received(bytes(message))
    inside = "2"
    for level in range(1, 6):
        shown = opened(reader, row, inside)
        assert f'class="subject">Level {level}</h1>' in shown
        inside += ".2"
    answer = reader.get(f"/message/{row.pk}/part/2.2.2.2.2.2/")
    assert b"".join(answer.streaming_content) == b"%PDF-1.4 plan"


def test_one_that_was_encoded_is_opened_here(reader: Client, received: Received) -> None:
    inner = base64.encodebytes(bytes(illustrated("Encoded"))).decode().replace("\n", "\r\n")
    raw = (
        "From: bob@demo.test\r\nTo: alice@demo.test\r\nSubject: outer\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee.\r\n--b\r\n"
        f"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{inner}\r\n--b--\r\n"
    )
    row = received(raw.encode())
    shown = opened(reader, row, "2")
    assert 'class="subject">Encoded</h1>' in shown
    assert "Encoded.pdf" in shown
    frame = framed(reader, row, "2")
    assert "This is Encoded" in frame
    assert f'src="/message/{row.pk}/inline/2%211.2/"' in frame
    assert reader.get(f"/message/{row.pk}/inline/2!1.2/").content == letters.PIXEL
    answer = reader.get(f"/message/{row.pk}/part/2!2/")
    assert b"".join(answer.streaming_content) == b"%PDF-1.4 plan"


@pytest.mark.parametrize(
    "inside", ["1", "9", "2.9", "2!1", "HEADER", "2.HEADER", "!", "2!", "0", "x", "2!1!1!1!1", "2.TEXT"]
)
def test_nothing_lies_there(reader: Client, received: Received, inside: str) -> None:
    message = received(bytes(forwarding(illustrated("First"))))
    assert reader.get(f"/message/{message.pk}/inside/{inside}/").status_code == 404
    assert reader.get(f"/message/{message.pk}/inside/{inside}/frame/").status_code == 404
    if inside != "1":
        assert reader.get(f"/message/{message.pk}/part/{inside}/").status_code == 404


def test_the_frame_by_itself_leads_to_its_page(reader: Client, received: Received) -> None:
    message = received(bytes(forwarding(illustrated("First"))))
    answer = reader.get(f"/message/{message.pk}/inside/2/frame/", headers={"Sec-Fetch-Dest": "document"})
    assert (answer.status_code, answer["Location"]) == (302, f"/message/{message.pk}/inside/2/")


def test_texts_and_pictures_in_their_order(reader: Client, received: Received) -> None:
    """As Apple Mail sends them."""
    message = letters.letter("Photos")
    message.set_content("Before the picture.\n")
    message.add_attachment(letters.PIXEL, "image", "png", disposition="inline", filename="one.png")
    message.add_attachment("After the picture.\n", disposition="inline")
    row = received(bytes(message))
    shown = opened(reader, row)
    first, picture, last = (
        shown.index(words)
        for words in ("Before the picture", f'src="/message/{row.pk}/inline/2/" alt="one.png"', "After the")
    )
    assert first < picture < last


def test_html_and_what_follows_it(reader: Client, received: Received) -> None:
    message = letters.letter("List")
    message.set_content("<table><tr><td>Never closed <b>bold", subtype="html")
    message.make_mixed()
    message.add_attachment(letters.PIXEL, "image", "png", disposition="inline", filename="one.png")
    message.add_attachment("Footer <script>pwn</script> https://list.example/x\n", disposition="inline")
    message.add_attachment("<p onclick=pwn>Second letter</p>", subtype="html", disposition="inline")
    row = received(bytes(message))
    answer = reader.get(f"/message/{row.pk}/frame/", headers={"Sec-Fetch-Dest": "iframe"}).content.decode()
    places = [
        answer.index(words) for words in ("Never closed", f'src="/message/{row.pk}/inline/2/"', "Footer &lt;script")
    ]
    assert places == sorted(places)
    assert answer.index("Second letter") > places[-1]
    assert 'href="https://list.example/x"' in answer
    assert "onclick" not in answer
