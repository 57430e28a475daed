"""Pictures drawn anew: a browser gets what our own encoder wrote of a foreign picture, never the octets that came.

The room's one law: `redraw` is called through `bounded` only, because decoders are what a hostile picture aims at. Only
PNG, JPEG, GIF and WebP are decoded. Of what they carry beside the picture (EXIF, places, profiles, comments) nothing is
left but the way up.
"""

from __future__ import annotations

import contextlib
import functools
import io
import time
from typing import Any

from PIL import Image, ImageDraw, ImageOps, ImageSequence

from .errors import Unreadable

MAX_PIXELS = 40_000_000  # of one frame, decoded (security T16)
MAX_SHOWN = 8_000_000  # pixels; what is larger is made smaller, which no mail shows the difference of
MAX_FRAMES = 300
MAX_FRAME_PIXELS = 60_000_000  # of all frames of an animation together
MOST = 4 * 2**20  # octets written

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_LARGE_PNG = 2**20  # octets from which a PNG is a photograph that WebP keeps better
_SECONDS = 2.5  # for an animation; then its first frame stands for it
_LEAST_DELAY, _MOST_DELAY = 20, 60_000  # milliseconds a frame stays


def redraw(data: bytes) -> bytes:
    """The picture in `data` as PNG, JPEG, GIF or WebP, of at most MAX_SHOWN pixels a frame and MOST octets.

    An animation within bounds stays one; of any other the first frame is left.

    Raises:
        Unreadable: it has more than MAX_PIXELS, or takes more than MOST.
        Exception: what the decoder raises for no such picture or a broken one; `bounded` makes it Unreadable.
    """
    Image.MAX_IMAGE_PIXELS = None  # ours is stricter, and not a warning
    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise Unreadable("The picture is too large.")
        moving = _moving(image)
        drawn = moving if moving is not None else _still(image)
    if len(drawn) > MOST:
        raise Unreadable("The picture is too large.")
    return drawn


@functools.cache
def placeholder() -> bytes:
    """A small grey picture frame, as PNG: what stands where a picture could not be had."""
    side, line = 48, (128, 128, 128, 150)
    image = Image.new("RGBA", (side, side), (128, 128, 128, 28))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((13, 14, 34, 33), radius=3, outline=line, width=2)
    draw.line((15, 30, 21, 23, 26, 28, 29, 25, 32, 28), fill=line, width=2)
    draw.ellipse((26, 17, 29, 20), fill=line)
    return _saved(image, "PNG")


def _still(image: Image.Image) -> bytes:
    """One frame, the right way up and not larger than anybody looks at."""
    photograph = image.format == "JPEG"
    factor = min(1.0, (MAX_SHOWN / (image.width * image.height)) ** 0.5)
    size = max(1, int(image.width * factor)), max(1, int(image.height * factor))
    if photograph:
        image.draft("RGB", size)  # decodes no more than is wanted
    image.load()
    shown = _plain(image)
    if factor < 1:
        shown = shown.resize(size, reducing_gap=2.0)
    with contextlib.suppress(Exception):  # a broken EXIF block is no reason to lose the picture
        shown = ImageOps.exif_transpose(shown)
    if photograph:
        return _saved(shown.convert("RGB"), "JPEG", quality=86, progressive=True)
    drawn = _saved(shown, "PNG")
    if len(drawn) > _LARGE_PNG:
        drawn = _saved(shown, "WEBP", quality=86, method=2)
    return drawn


def _moving(image: Image.Image) -> bytes | None:
    """An animated GIF or WebP frame by frame; None where it is none, or one that goes beyond what is allowed."""
    count = getattr(image, "n_frames", 1)
    if image.format not in {"GIF", "WEBP"} or not 1 < count <= MAX_FRAMES:
        return None
    if image.width * image.height > MAX_SHOWN or count * image.width * image.height > MAX_FRAME_PIXELS:
        return None
    end = time.monotonic() + _SECONDS
    frames, delays = [], []
    for frame in ImageSequence.Iterator(image):
        if time.monotonic() > end:
            image.seek(0)
            return None
        delays.append(_delay(frame.info.get("duration")))
        frames.append(_bare(_plain(frame)))
    # Once or for ever: a count in between is nothing that a mail needs.
    loop = {} if image.format == "GIF" and "loop" not in image.info else {"loop": 0}
    more = {"method": 0, "quality": 80} if image.format == "WEBP" else {"disposal": 2, "optimize": False}
    drawn = _saved(frames[0], image.format, save_all=True, append_images=frames[1:], duration=delays, **loop, **more)
    image.seek(0)
    return drawn if len(drawn) <= MOST else None


def _plain(image: Image.Image) -> Image.Image:
    """The pixels as grey, colour, or colour with transparency."""
    if image.mode in {"L", "RGB", "RGBA"} and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):  # 16 bits of grey
        return image.convert("I").point(lambda value: value / 256).convert("L")
    see_through = image.mode in {"PA", "LA", "La", "RGBa"} or "transparency" in image.info
    return image.convert("RGBA" if see_through else "RGB")


def _delay(duration: object) -> int:
    return min(max(int(duration), _LEAST_DELAY), _MOST_DELAY) if isinstance(duration, int | float) else 100


def _bare(image: Image.Image) -> Image.Image:
    """A copy of the pixels, without anything that came with them."""
    bare = image.copy()
    bare.info = {}
    return bare


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    _bare(image).save(out, kind, **options)
    return out.getvalue()
