"""Foreign pictures drawn anew, in the child process they are meant for (T16)."""

from __future__ import annotations

import io
import os
import struct
import zlib

import pytest
from PIL import Image

from tests.protocol.pictures import picture, png_bomb, turned
from webmail.protocol import bounded, redraw
from webmail.protocol.errors import Unreadable
from webmail.protocol.raster import raster_type


def drawn(data: bytes) -> bytes:
    return bounded.run("webmail.protocol.redraw:redraw", data, most=redraw.MOST)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def animation(kind: str, frames: int = 5, size: tuple[int, int] = (30, 20)) -> bytes:
    out = io.BytesIO()
    images = [Image.new("RGB", size, (number * 9 % 256, number // 28, 0)) for number in range(frames)]
    images[0].save(out, kind, save_all=True, append_images=images[1:], duration=80, loop=0)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_an_ordinary_picture_keeps_its_kind_and_size(kind: str) -> None:
    data = picture((60, 40), kind)
    again = drawn(data)
    assert raster_type(again) == ("image/png" if kind in ("GIF", "WEBP") else f"image/{kind.lower()}")
    assert opened(again).size == (60, 40)
    red, _, blue = opened(again).convert("RGB").getpixel((5, 5))  # type: ignore[misc]  # three bands
    assert red > 150 > blue


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (20, 10)).save(out, "PNG")
    assert opened(drawn(out.getvalue())).size == (20, 10)


def test_transparency_stays() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(out, "PNG")
    assert opened(drawn(out.getvalue())).getpixel((1, 1)) == (0, 0, 0, 0)


def test_nothing_but_pixels_is_left() -> None:
    again = drawn(turned(6))
    assert b"51.5" not in again
    assert opened(again).size == (40, 60), "turned the right way up"
    trailer = picture() + b"<script>alert(1)</script>"
    assert b"script" not in drawn(trailer)


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_an_animation_stays_one(kind: str) -> None:
    again = opened(drawn(animation(kind)))
    assert (again.format, again.n_frames, again.info["loop"]) == (kind, 5, 0)  # type: ignore[attr-defined]


@pytest.mark.parametrize("data", [animation("GIF", redraw.MAX_FRAMES + 1, (4, 4)), animation("GIF", 250, (600, 500))])
def test_an_animation_beyond_bounds_is_its_first_frame(data: bytes) -> None:
    again = opened(drawn(data))
    assert getattr(again, "n_frames", 1) == 1


def test_a_photograph_is_made_smaller() -> None:
    again = opened(drawn(picture((6000, 5000), "JPEG")))
    assert again.width * again.height <= redraw.MAX_SHOWN
    assert abs(again.width / again.height - 1.2) < 0.01


def test_noise_as_png_becomes_webp() -> None:
    out = io.BytesIO()
    Image.frombytes("RGB", (700, 700), os.urandom(700 * 700 * 3)).save(out, "PNG")
    again = drawn(out.getvalue())
    assert raster_type(again) == "image/webp"
    assert len(again) < len(out.getvalue())


def _bomb(kind: str, width: int, height: int) -> bytes:
    if kind == "PNG":
        return png_bomb(width, height)
    if kind == "GIF":
        return (
            b"GIF89a"
            + struct.pack("<HH", width, height)
            + b"\x80\0\0"
            + bytes(6)
            + b",\0\0\0\0"
            + struct.pack("<HH", width, height)
            + b"\0\2\2D\1\0;"
        )
    if kind == "WEBP":
        head = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (width - 1).to_bytes(3, "little")
        head += (height - 1).to_bytes(3, "little")
        return b"RIFF" + struct.pack("<I", len(head) + 4) + b"WEBP" + head
    plain = picture((8, 8), "JPEG")
    at = plain.index(b"\xff\xc0") + 5
    return plain[:at] + struct.pack(">HH", height, width) + plain[at + 4 :]


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "JPEG"])
@pytest.mark.parametrize("size", [(8_001, 5_000), (30_000, 30_000), (60_000, 60_000), (65_535, 700), (16_383, 16_383)])
def test_twenty_pixel_bombs(kind: str, size: tuple[int, int]) -> None:
    with pytest.raises(Unreadable):
        drawn(_bomb(kind, *size))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', b"<!doctype html><p>x",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", picture(kind="BMP"), picture(kind="TIFF"), picture()[:60],
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + zlib.compress(b"x" * 1000),
    ],
)  # fmt: skip
def test_what_is_no_such_picture(data: bytes) -> None:
    with pytest.raises(Unreadable):
        drawn(data)


def test_the_placeholder_is_a_small_png() -> None:
    assert raster_type(redraw.placeholder()) == "image/png"
    assert len(redraw.placeholder()) < 1_000
