"""Pictures and pages drawn anew in a child process: only pixels leave, and bombs end there (T15, T16)."""

from __future__ import annotations

import io
import zlib

import pytest
from PIL import Image

from tests.protocol.pictures import pdf, picture, png_bomb, turned
from webmail.protocol import bounded
from webmail.protocol.errors import Unreadable
from webmail.protocol.papers import MOST_PAGES, read_pages

THUMBNAIL = "webmail.protocol.pictures:thumbnail"
LARGE = "webmail.protocol.pictures:large"
FIRST_PAGE = "webmail.protocol.papers:first_page"
PAGES = "webmail.protocol.papers:pages"


def opened(data: bytes) -> Image.Image:
    assert data.startswith(b"RIFF")
    assert data[8:12] == b"WEBP"
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("PNG", "1"), ("PNG", "I;16"), ("JPEG", "RGB"),
        ("JPEG", "CMYK"), ("GIF", "P"), ("WEBP", "RGB"), ("BMP", "RGB"), ("TIFF", "RGB"), ("AVIF", "RGB"),
        ("ICO", "RGBA"),
    ],
)  # fmt: skip
def test_every_kind_becomes_a_webp(kind: str, mode: str) -> None:
    source = picture(mode="RGB" if mode == "I;16" else mode, kind=kind)
    if mode == "I;16":
        out = io.BytesIO()
        Image.new("I;16", (60, 40), 40_000).save(out, "PNG")
        source = out.getvalue()
    drawn = opened(bounded.run(THUMBNAIL, source))
    assert max(drawn.size) <= 320
    assert drawn.width > drawn.height or kind == "ICO"


def test_it_is_turned_upright_and_forgets_where_it_was_taken() -> None:
    made = bounded.run(LARGE, turned(6))
    drawn = opened(made)
    assert drawn.size == (40, 60)
    red, _, blue = drawn.convert("RGB").getpixel((20, 5))  # type: ignore[misc]  # three channels
    assert red > blue, "what was left is on top"
    assert not drawn.getexif()
    assert b"51.5 N" not in made


def test_a_large_one_is_made_small() -> None:
    assert opened(bounded.run(THUMBNAIL, picture((4000, 3000), "JPEG"))).size == (320, 240)
    assert opened(bounded.run(LARGE, picture((4000, 3000), "JPEG"))).size == (1600, 1200)


def test_twenty_bombs_end_in_a_sentence() -> None:
    sizes = [(40_000, 40_000), (50_000, 50_000), (8_000, 8_000), (60_000, 700), (700, 60_000)]
    bombs = [png_bomb(*size) for size in sizes]
    gif = bytearray(picture(kind="GIF", mode="P"))
    gif[6:10] = b"\xff\xff\xff\xff"
    bmp = bytearray(picture(kind="BMP"))
    bmp[18:26] = b"\xff\xff\xff\x7f\xff\xff\xff\x7f"
    tiff = picture(kind="TIFF")
    bombs += [bytes(gif), bytes(bmp), tiff[:-100], picture(kind="JPEG")[:200], picture()[:-20] + zlib.compress(b"x")]
    bombs += [b"", b"GIF89a", b"\xff\xd8\xff", b"%PDF-1.4", b"<svg onload=alert(1)>", b"RIFF\xff\xff\xff\xffWEBPVP8X"]
    bombs += [b"\0\0\0\x20ftypavif" + b"\xff" * 500, b"II*\0\x08\0\0\0" + b"\xff" * 500, b"BM" + b"\0" * 60]
    bombs += [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"]
    assert len(bombs) >= 20
    for bomb in bombs:
        try:
            drawn = opened(bounded.run(THUMBNAIL, bomb))
        except Unreadable as error:
            assert error.sentence.endswith(".")
        else:
            assert max(drawn.size) <= 320


def test_forty_million_pixels_are_the_most() -> None:
    with pytest.raises(Unreadable, match="40 million"):
        bounded.run(THUMBNAIL, png_bomb(6_400, 6_400))
    assert opened(bounded.run(THUMBNAIL, png_bomb(6_300, 6_300))).size == (320, 320)


def test_pages_of_a_paper() -> None:
    count, drawn = read_pages(bounded.run(PAGES, pdf(6), argument="1"))
    assert count == 6
    assert 1 <= len(drawn) <= 4
    assert {max(opened(page).size) for page in drawn} == {1600}
    count, rest = read_pages(bounded.run(PAGES, pdf(6), argument="6"))
    assert (count, len(rest)) == (6, 1)
    assert max(opened(bounded.run(FIRST_PAGE, pdf(1))).size) == 320


@pytest.mark.parametrize("page", ["0", "7", "-1", str(MOST_PAGES + 1), "x"])
def test_no_such_page(page: str) -> None:
    with pytest.raises(Unreadable):
        bounded.run(PAGES, pdf(6), argument=page)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.4",
        pdf()[:400],
        pdf(extra="/OpenAction << /S /JavaScript /JS (app.alert(1)) >>").replace(b"/Count 3", b"/Count 99999999"),
        pdf(1, size=(10**9, 10**9)),
        pdf(1, size=(0, 0)),
        pdf(1).replace(b"Tj", b"Do"),
    ],
)
def test_a_broken_paper_is_a_sentence_or_a_page(data: bytes) -> None:
    try:
        count, drawn = read_pages(bounded.run(PAGES, data, argument="1"))
    except Unreadable as error:
        assert error.sentence.endswith(".")
    else:
        assert count >= 1
        assert all(max(opened(page).size) <= 1600 for page in drawn)


@pytest.mark.parametrize("answer", [b"", b"\0\0\0\x02[]", b"\0\0\0\x05[1,1]", b"\xff\xff\xff\xff", b"\0\0\0\x01x"])
def test_what_a_crashed_child_might_answer(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_pages(answer)
