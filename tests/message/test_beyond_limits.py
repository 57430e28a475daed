"""HTML beyond what is washed: its text is shown, says so, and the design is one link away."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.message import letters
from webmail.models import Message
from webmail.protocol import html
from webmail.store.showing import CUT, IN_WORDS
from webmail.store.texts import TEXT_LIMIT

pytestmark = pytest.mark.django_db(transaction=True)
Received = Callable[..., Message]

ACCENTED = str.maketrans("aeo", "áéó")
DEEP = "<div>" * 600 + "<p>Dear Alice, <b>the bread</b> is deep inside.</p>"


def page(reader: Client, message: Message, path: str = "") -> str:
    response = reader.get(f"/message/{message.pk}/{path}")
    assert response.status_code == 200
    return response.content.decode()


def designed(html_: str, plain: str = "", cte: str = "8bit") -> bytes:
    """A message of this HTML, and perhaps a plain version."""
    message = letters.letter("Bread")
    if plain:
        message.set_content(plain)
        message.add_alternative(html_, subtype="html", cte=cte)
    else:
        message.set_content(html_, subtype="html", cte=cte)
    return bytes(message)


def long(size: int) -> str:
    """HTML of `size` characters, whose first words are Dear Alice."""
    begin, line = "<p>Dear Alice, bread.</p>\n", "<p>More about <i>bread</i> and how it is made.</p>\n"
    return (begin + line * (size // len(line) + 1))[:size]


@pytest.mark.parametrize("source", [DEEP, long(TEXT_LIMIT + 40)], ids=["deep", "long"])
def test_its_text_is_shown_and_its_design_on_demand(reader: Client, received: Received, source: str) -> None:
    message = received(designed(source))
    shown = page(reader, message)
    assert "Dear Alice, " in shown
    assert "<iframe" not in shown
    assert shown.count(IN_WORDS) == 1
    assert shown.count('?plain=0"') == 2  # beside the note and in the menu
    as_designed = page(reader, message, "?plain=0")
    assert "<iframe" in as_designed
    assert CUT in as_designed
    assert reader.get(f"/message/{message.pk}/frame/").status_code == 200
    assert b"".join(reader.get(f"/message/{message.pk}/raw/")).replace(b"\r\n", b"\n") == designed(source).replace(
        b"\r\n", b"\n"
    )


@pytest.mark.parametrize("cte", ["base64", "quoted-printable"])
def test_what_counts_is_its_size_when_decoded(reader: Client, received: Received, cte: str) -> None:
    assert "<iframe" in page(reader, received(designed(long(TEXT_LIMIT * 2 // 3).translate(ACCENTED), cte=cte)))
    assert IN_WORDS in page(reader, received(designed(long(TEXT_LIMIT + 40), cte=cte)))


def test_the_plain_version_that_came_along_is_taken(reader: Client, received: Received) -> None:
    shown = page(reader, received(designed(DEEP, "Dear Alice, this is the plain version.\n")))
    assert "this is the plain version" in shown
    assert "deep inside" not in shown
    assert shown.count(IN_WORDS) == 1


def test_inside_another_and_on_paper(reader: Client, received: Received) -> None:
    outer = letters.letter("Forwarded")
    outer.set_content("See below.\n")
    inner = letters.letter("Bread")
    inner.set_content(DEEP, subtype="html")
    outer.add_attachment(inner)
    message = received(bytes(outer))
    assert IN_WORDS in page(reader, message, "inside/2/")
    assert "<iframe" in page(reader, message, "inside/2/?plain=0")
    alone = received(designed(DEEP))
    assert "deep inside" in page(reader, alone, "print/")
    assert f'/message/{alone.pk}/print/?plain=0"' in page(reader, alone, "?plain=0")


def test_its_images_are_shown_in_the_design(reader: Client, received: Received) -> None:
    message = received(designed(f"<img src=https://studio.example/a.png>{DEEP}"))
    page(reader, message, "?plain=0")
    response = reader.post(f"/message/{message.pk}/images/", {"show": "once"})
    assert response["Location"] == f"/message/{message.pk}/?plain=0"
    response = reader.post(f"/message/{message.pk}/images/", {"show": "once"}, headers={"HX-Request": "true"})
    assert b"<iframe" in response.content


def test_its_design_stays_when_it_is_darkened(reader: Client, received: Received) -> None:
    message = received(designed(f"<p style='color:red'>Red.</p>{DEEP}"))
    assert f'action="/message/{message.pk}/darken/"' in page(reader, message, "?plain=0")
    response = reader.post(f"/message/{message.pk}/darken/", {"darken_mail": "1"}, follow=True)
    assert b"<iframe" in response.content


def test_what_cannot_be_washed_is_shown_as_text(
    reader: Client, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: object, **named: object) -> None:
        raise RecursionError

    message = received(designed("<p>Dear Alice, <b>bread</b>."))
    with monkeypatch.context() as mistake:
        mistake.setattr(html, "wash", fails)
        shown = page(reader, message)
        assert "Dear Alice, bread." in shown
        assert IN_WORDS in shown
        assert "<iframe" not in page(reader, message, "?plain=0")
    assert "<iframe" in page(reader, message)
