"""Attachments as cards, thumbnails, previews: never an octet of theirs on a page (T15), however hostile (T16)."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.test import Client
from PIL import Image

from tests.cast import give_mail
from tests.message import letters
from tests.message.test_download import body
from tests.protocol.pictures import pdf, picture, png_bomb, turned
from tests.servers import MailUser
from webmail import tasks
from webmail.models import Job, Message, User
from webmail.store import attachments, bodies, previews, working

pytestmark = pytest.mark.django_db(transaction=True)
Received = Callable[..., Message]
Sent = tuple[str, str, bytes]  # name, type, octets

PHOTO = ("harbour.jpg", "image/jpeg", turned(6))
PAPER = ("plan.pdf", "application/pdf", pdf(6))
RATES = ("rates.csv", "text/csv", "Město;Kč\r\nBrno;12\r\n<script>alert(1)</script>\r\n".encode())
SHEET = ("rates.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK\x03\x04....xl/")


def message_with(*files: Sent, subject: str = "Files") -> bytes:
    message = letters.letter(subject)
    message.set_content("See below.\n")
    for name, type_, data in files:
        main, _, sub = type_.partition("/")
        message.add_attachment(data, main, sub, filename=name)
    return bytes(message)


def section(number: int) -> str:
    """The section of the attachment with this number, counted from 1."""
    return str(number + 1)


def shown(reader: Client, message: Message) -> dict[str, attachments.AttachmentCard]:
    page = reader.get(f"/message/{message.pk}/")
    return {card.name: card for card in page.context["message"].attachments}


def test_a_thumbnail_comes_when_it_is_drawn(reader: Client, received: Received) -> None:
    message = received(message_with(PHOTO, PAPER, RATES, SHEET))
    page = reader.get(f"/message/{message.pk}/").content.decode()
    assert f"/message/{message.pk}/files/?quiet=1&amp;asked=1" in page
    assert "/thumbnail/" not in page
    tasks.prepare_attachments(message.pk)
    page = reader.get(f"/message/{message.pk}/").content.decode()
    assert "hx-get" not in page
    assert f"/message/{message.pk}/thumbnail/{section(1)}/" in page
    assert f"/message/{message.pk}/thumbnail/{section(2)}/" in page
    assert page.count("/thumbnail/") == 2
    found = shown(reader, message)
    assert [(card.kind, card.preview) for card in found.values()] == [
        ("Image", "image"), ("PDF", "paper"), ("Spreadsheet", "text"), ("Spreadsheet", ""),
    ]  # fmt: skip


def test_the_cards_alone_for_a_page_that_waits(reader: Client, received: Received) -> None:
    message = received(message_with(PHOTO))
    path = f"/message/{message.pk}/files/"
    assert "asked=4" in reader.get(f"{path}?asked=3").content.decode()
    for odd in ("", "?asked=99", "?asked=-1", "?asked=²", "?asked=x"):
        assert reader.get(f"{path}{odd}").status_code == 200
    assert "hx-get" not in reader.get(f"{path}?asked=6").content.decode(), "it stops asking"
    tasks.prepare_attachments(message.pk)
    fragment = reader.get(f"{path}?asked=2").content.decode()
    assert fragment.startswith("<section")
    assert "/thumbnail/" in fragment


def test_pictures_are_drawn_anew(reader: Client, received: Received) -> None:
    message = received(message_with(PHOTO))
    for path in ("thumbnail/2", "picture/2/1"):
        response = reader.get(f"/message/{message.pk}/{path}/")
        assert response["Content-Type"] == "image/webp"
        assert response["Content-Disposition"] == "inline"
        assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Referrer-Policy"] == "no-referrer"
        assert response["Cache-Control"] == "no-store, private"
        assert b"51.5 N" not in response.content
        assert Image.open(io.BytesIO(response.content)).size == (40, 60)
    assert bodies.get(message, ["thumbnail:2", "page:2:1"]).keys() == {"thumbnail:2", "page:2:1"}


def test_without_the_cache_they_are_drawn_each_time(
    reader: Client, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = received(message_with(PHOTO, PAPER))
    monkeypatch.setattr(bodies, "get", lambda message, names: {})
    assert reader.get(f"/message/{message.pk}/thumbnail/2/").status_code == 200
    assert reader.get(f"/message/{message.pk}/picture/3/2/").status_code == 200
    assert reader.get(f"/message/{message.pk}/preview/3/").context["preview"].pages == 6


def test_a_picture_has_a_page_and_a_fragment(reader: Client, received: Received) -> None:
    message = received(message_with(PHOTO, PAPER, RATES))
    path = f"/message/{message.pk}/preview/{section(2)}/"
    page = reader.get(path).content.decode()
    assert page.startswith("<!doctype html>")
    assert page.count('<img src="/message/') == 6
    assert "PDF · " in page
    assert "2 of 3" in page
    assert f'rel="prev" href="/message/{message.pk}/preview/{section(1)}/"' in page
    assert f'rel="next" href="/message/{message.pk}/preview/{section(3)}/"' in page
    fragment = reader.get(path, headers={"HX-Request": "true"}).content.decode()
    assert fragment.startswith("<article")
    assert reader.get(f"/message/{message.pk}/picture/{section(2)}/6/").status_code == 200
    assert reader.get(f"/message/{message.pk}/picture/{section(2)}/7/").status_code == 404


def test_text_is_shown_as_text(reader: Client, received: Received) -> None:
    message = received(message_with(RATES, ("page.html", "text/html", b"<h1 onclick=alert(1)>Hi</h1>")))
    page = reader.get(f"/message/{message.pk}/preview/{section(1)}/").content.decode()
    assert "Město;Kč" in page
    assert "&lt;script&gt;alert(1)" in page
    page = reader.get(f"/message/{message.pk}/preview/{section(2)}/").content.decode()
    assert "&lt;h1 onclick=alert(1)&gt;" in page
    assert "This is a web page" in page


def test_a_long_text_is_cut(reader: Client, received: Received) -> None:
    message = received(message_with(("long.log", "text/plain", b"a line of a log\r\n" * 40_000)))
    response = reader.get(f"/message/{message.pk}/preview/2/")
    assert len(response.context["preview"].text) == previews.TEXT_OCTETS
    assert "Only the beginning is shown" in response.content.decode()


def test_what_has_no_preview_says_so(reader: Client, received: Received) -> None:
    message = received(
        message_with(
            SHEET, ("bomb.png", "image/png", png_bomb(40_000, 40_000)), ("x.png", "image/png", b"\x89PNG\r\n\x1a\n")
        )
    )
    words = [reader.get(f"/message/{message.pk}/preview/{section(n)}/").content.decode() for n in (1, 2, 3)]
    assert "There is no preview for this kind of file." in words[0]
    assert "more than 40 million pixels" in words[1]
    assert "damaged" in words[2]
    tasks.prepare_attachments(message.pk)
    assert not any(card.thumbnail for card in shown(reader, message).values())
    for number in (1, 2, 3):
        for path in (f"thumbnail/{section(number)}", f"picture/{section(number)}/1"):
            assert reader.get(f"/message/{message.pk}/{path}/").status_code == 404


def test_content_is_believed_not_the_name(reader: Client, received: Received) -> None:
    files = [
        ("invoice.pdf", "application/pdf", b"<!doctype html><script>alert(1)</script>"),
        ("photo.jpg", "image/jpeg", b"MZ\x90\0" + b"\0" * 100),
        ("scan.dat", "application/octet-stream", picture()),
        ("invoice.pdf.exe", "application/pdf", b"MZ\x90\0"),
        ("table.csv", "application/octet-stream", b"a,b\r\n1,2\r\n"),
    ]
    message = received(message_with(*files))
    assert shown(reader, message)["invoice.pdf.exe"].caution, "said before anything was looked into"
    tasks.prepare_attachments(message.pk)
    found = shown(reader, message)
    assert [(card.kind, card.preview) for card in found.values()] == [
        ("Web page", "text"), ("Program", ""), ("Image", "image"), ("Program", ""), ("Spreadsheet", "text"),
    ]  # fmt: skip
    assert "inside is a web page" in found["invoice.pdf"].caution
    assert "inside is a program" in found["photo.jpg"].caution
    assert not found["table.csv"].caution
    assert reader.get(f"/message/{message.pk}/picture/{section(1)}/1/").status_code == 404


@pytest.mark.parametrize("octets", [0, 1, 2, 3, 999, 4_097, 12_345, 100_000])
def test_the_size_is_that_of_the_file(reader: Client, received: Received, octets: int) -> None:
    message = received(
        message_with(
            ("noise.bin", "application/octet-stream", bytes(range(256)) * (octets // 256) + b"\1" * (octets % 256))
        )
    )
    tasks.prepare_attachments(message.pk)
    found = attachments.known_of(message).files.get(section(1))
    assert found is not None
    assert abs(found.size - octets) <= (2 if octets > 4_000 else 0)


TYPES = [
    "text/html", "text/xml", "text/xsl", "text/css", "text/javascript", "text/plain", "text/csv", "text/markdown",
    "text/calendar", "text/vcard", "text/rtf", "text/x-python", "text/x-server-parsed-html",
    "text/cache-manifest", "text/vnd.wap.wml", "text/event-stream", "image/svg+xml", "image/png", "image/jpeg",
    "image/gif", "image/webp", "image/bmp", "image/tiff", "image/avif", "image/heic", "image/x-icon",
    "image/x-eps", "image/vnd.adobe.photoshop", "image/jxl", "image/x-xbitmap", "application/pdf",
    "application/xhtml+xml", "application/xml", "application/xslt+xml", "application/rss+xml",
    "application/atom+xml", "application/mathml+xml", "application/javascript", "application/json",
    "application/x-shockwave-flash", "application/java-archive", "application/octet-stream",
    "application/x-msdownload", "application/zip", "application/msword", "application/vnd.ms-excel",
    "application/x-httpd-php", "application/hta", "application/x-x509-ca-cert", "application/wasm",
    "application/x-sh", "application/rtf", "application/postscript", "application/vnd.mozilla.xul+xml",
    "application/x-mimearchive", "multipart-x/related", "message-x/http", "audio/mpeg", "video/mp4", "font/woff2",
    "model/vrml", "x/y",
]  # fmt: skip


def test_sixty_types_none_of_them_rendered(reader: Client, received: Received) -> None:
    """Whatever a part says it is, what comes out is our own page, a picture drawn anew, or a download."""
    assert len(TYPES) >= 60
    live = b"<html><svg xmlns='http://www.w3.org/2000/svg' onload=alert(1)><script>alert(1)</script></svg></html>"
    message = received(message_with(*((f"file{n}.bin", type_, live) for n, type_ in enumerate(TYPES))))
    tasks.prepare_attachments(message.pk)
    for number in range(1, len(TYPES) + 1):
        root = f"/message/{message.pk}"
        download = reader.get(f"{root}/part/{section(number)}/")
        assert download["Content-Type"] == "application/octet-stream"
        assert download["Content-Disposition"].startswith("attachment")
        assert b"<script>" in body(download)
        for path in (f"thumbnail/{section(number)}", f"picture/{section(number)}/1", f"inline/{section(number)}"):
            assert reader.get(f"{root}/{path}/").status_code == 404, TYPES[number - 1]
        page = reader.get(f"{root}/preview/{section(number)}/").content
        assert b"<script>alert" not in page
        assert b"<svg xmlns" not in page


def test_a_preview_of_no_part(reader: Client, received: Received) -> None:
    message = received(message_with(PHOTO))
    for path in ("preview/9", "preview/1", "thumbnail/9", "picture/9/1", "picture/2/0", "picture/2/99", "preview/TEXT"):
        assert reader.get(f"/message/{message.pk}/{path}/").status_code == 404, path
    plain = received(letters.plain())
    assert reader.get(f"/message/{plain.pk}/zip/").status_code == 404


def test_saving_one_in_a_mailbox(reader: Client, received: Received, mail_user: MailUser) -> None:
    with mail_user.imap() as client:
        client.create("Papers")
        client.create("Papers/Old")
    message = received(message_with(PHOTO))
    target = message.account.mailboxes.get(name="Papers")
    path = f"/message/{message.pk}/save/2/"
    page = reader.get(path).content.decode()
    assert page.startswith("<!doctype html>")
    assert "Papers / Old</option>" in page
    assert reader.get(path, headers={"HX-Request": "true"}).content.decode().startswith("<form")
    answer = reader.post(path, {"mailbox": target.pk, "idem_key": "once"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["Content-Type"]) == (202, "text/plain; charset=utf-8")
    assert answer.content.decode() == "harbour.jpg is being saved to Papers."
    assert reader.post(path, {"mailbox": target.pk, "idem_key": "once"}).status_code == 302
    assert "Being saved to Papers…" in reader.get(f"/message/{message.pk}/").content.decode()
    assert Job.objects.filter(kind="append").count() == 1
    working.work(message.account_id)
    assert "Saved to Papers." in reader.get(f"/message/{message.pk}/").content.decode()
    Job.objects.filter(kind="append").update(state="failed", error="Your mail account is full.")
    assert "Not saved to Papers: Your mail account is full." in reader.get(f"/message/{message.pk}/").content.decode()


def test_saving_somewhere_else(reader: Client, received: Received, mallory: User) -> None:
    message = received(message_with(PHOTO))
    theirs = give_mail(mallory).mailbox
    assert theirs is not None
    path = f"/message/{message.pk}/save/2/"
    for mailbox in (theirs.pk, 0, "x", ""):
        assert reader.post(path, {"mailbox": mailbox}).status_code == 400
    assert reader.get(f"/message/{message.pk}/save/9/").status_code == 404
    assert not Job.objects.filter(kind="append").exists()
