"""Pictures drawn in code, so that the demo needs no image file: a canvas, a PNG writer, and what gets painted on it.

Edges are smoothed by blending the pixel that a shape covers only in part. Painting takes a while in Python, so each
picture is painted once and given out as the bytes of its PNG.
"""

from __future__ import annotations

import math
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise

Colour = tuple[int, int, int]


def colour(code: str) -> Colour:
    """ "#1f6feb" as three numbers."""
    value = int(code.removeprefix("#"), 16)
    return value >> 16, value >> 8 & 255, value & 255


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with `share` (0 to 1) of `other` in it."""
    share = min(max(share, 0.0), 1.0)
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


class Canvas:
    """A picture in 24-bit colour, in pixels from the upper left."""

    def __init__(self, width: int, height: int, fill: Colour = (255, 255, 255)) -> None:
        self.width, self.height = width, height
        self.pixels = bytearray(bytes(fill) * (width * height))

    def sky(self, stops: Sequence[Colour]) -> None:
        """A vertical gradient over the whole canvas."""
        for y in range(self.height):
            place = y / max(self.height - 1, 1) * (len(stops) - 1)
            low = min(int(place), len(stops) - 2)
            row = bytes(mix(stops[low], stops[low + 1], place - low)) * self.width
            self.pixels[y * self.width * 3 : (y + 1) * self.width * 3] = row

    def span(self, y: int, left: float, right: float, fill: Colour, opacity: float = 1.0) -> None:
        """One row from `left` to `right`, its two end pixels blended."""
        left, right = max(left, 0.0), min(right, float(self.width))
        if not 0 <= y < self.height or right <= left:
            return
        first, last = math.ceil(left), math.floor(right)
        if first > last:
            self._blend(last, y, fill, (right - left) * opacity)
            return
        if opacity >= 1.0:
            start = (y * self.width + first) * 3
            self.pixels[start : start + (last - first) * 3] = bytes(fill) * (last - first)
        else:
            for x in range(first, last):
                self._blend(x, y, fill, opacity)
        self._blend(first - 1, y, fill, (first - left) * opacity)
        self._blend(last, y, fill, (right - last) * opacity)

    def box(self, x: float, y: int, width: float, height: int, *, fill: Colour, radius: float = 0) -> None:
        """A rectangle with rounded corners."""
        for row in range(height):
            depth = max(radius - row - 0.5, radius - (height - row) + 0.5, 0.0)
            inset = radius - math.sqrt(max(radius * radius - depth * depth, 0.0)) if depth else 0.0
            self.span(y + row, x + inset, x + width - inset, fill)

    def disc(self, x: float, y: float, radius: float, fill: Colour, opacity: float = 1.0) -> None:
        """A filled circle around (x, y)."""
        for row in range(math.floor(y - radius), math.ceil(y + radius) + 1):
            half = radius * radius - (row + 0.5 - y) ** 2
            if half > 0:
                self.span(row, x - math.sqrt(half), x + math.sqrt(half), fill, opacity)

    def ground(self, line: Callable[[float], float], fill: Colour) -> None:
        """Everything below the curve `line`, which gives a height in pixels for each x."""
        red, green, blue = fill
        stride = self.width * 3
        for x in range(self.width):
            top = max(line(x), 0.0)
            first = math.ceil(top)
            if first > self.height:
                continue
            self._blend(x, first - 1, fill, first - top)
            start = (first * self.width + x) * 3
            count = self.height - first
            for channel, value in enumerate((red, green, blue)):
                self.pixels[start + channel :: stride] = bytes([value]) * count

    def polygon(self, points: Sequence[tuple[float, float]], fill: Colour) -> None:
        """A filled shape through `points`."""
        for y in range(math.floor(min(p[1] for p in points)), math.ceil(max(p[1] for p in points))):
            middle = y + 0.5
            crossings = sorted(
                x0 + (middle - y0) / (y1 - y0) * (x1 - x0)
                for (x0, y0), (x1, y1) in pairwise([*points, points[0]])
                if (y0 <= middle) != (y1 <= middle)
            )
            for left, right in zip(crossings[::2], crossings[1::2], strict=False):
                self.span(y, left, right, fill)

    def png(self) -> bytes:
        """The picture as a PNG file."""
        stride = self.width * 3
        rows = b"".join(b"\0" + self.pixels[y * stride : (y + 1) * stride] for y in range(self.height))
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            _chunk(kind, data) for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
        )

    def _blend(self, x: int, y: int, fill: Colour, share: float) -> None:
        if share <= 0 or not (0 <= x < self.width and 0 <= y < self.height):
            return
        at = (y * self.width + x) * 3
        old = self.pixels
        for channel in range(3):
            value = old[at + channel]
            old[at + channel] = round(value + (fill[channel] - value) * min(share, 1.0))


@cache
def harbour(width: int, height: int, *, dusk: bool = False, seed: int = 1) -> bytes:
    """Water, hills and a few boats; by day or at dusk."""
    dice = random.Random(seed)
    picture = Canvas(width, height)
    sky = ("#1d2b53", "#7b4b94", "#f28f6b", "#ffd9a0") if dusk else ("#8ec9ef", "#cfeaf8", "#fdf4e3")
    picture.sky([colour(code) for code in sky])
    horizon = height * 0.62
    picture.disc(width * 0.72, horizon - height * 0.14, height * 0.1, colour("#ffe9b8" if dusk else "#fffbe8"))
    far, near = ("#5b4a86", "#3d3566") if dusk else ("#9fc0cf", "#6f9db0")
    for shade, lift, wave in ((far, 0.24, 90.0), (near, 0.14, 60.0)):
        shift = dice.random() * 6
        picture.ground(_hills(horizon, height * lift, width / 420 * wave, shift), colour(shade))
    water = ("#f0a079", "#513c74", "#22204a") if dusk else ("#bfe0ea", "#5fa3bd", "#2f6f92")
    for y in range(int(horizon), height):
        depth = (y - horizon) / (height - horizon) * 2
        low = min(int(depth), 1)
        picture.span(y, 0, width, mix(colour(water[low]), colour(water[low + 1]), depth - low))
    for _ in range(int(width / 14)):
        y = int(horizon + 4 + dice.random() ** 1.6 * (height - horizon - 6))
        x, length = dice.random() * width, 8 + dice.random() * width / 14
        picture.span(y, x, x + length, colour("#ffe3bd" if dusk else "#f2fbff"), 0.45)
    for place, size in ((0.18, 1.0), (0.36, 0.7), (0.86, 0.85)):
        _boat(picture, width * place, horizon + height * 0.16 * size, height * 0.22 * size, dusk)
    return picture.png()


@cache
def bars(values: tuple[float, ...], width: int, height: int, *, ink: str, accent: str, paper: str = "#ffffff") -> bytes:
    """A bar chart without words; the highest bar has the accent colour."""
    picture = Canvas(width, height, colour(paper))
    for line in range(1, 5):
        y = round((height - 12) * line / 5)
        picture.box(0, y, width, 1, fill=mix(colour(paper), colour(ink), 0.12))
    step = width / len(values)
    top = max(values)
    for number, value in enumerate(values):
        tall = max(round(value / top * (height - 24)), 2)
        fill = colour(accent if value == top else ink)
        picture.box(
            number * step + step * 0.18, height - tall - 4, step * 0.64, tall + 4, fill=fill, radius=min(6, step * 0.16)
        )
    return picture.png()


@cache
def line_chart(series: tuple[tuple[float, ...], ...], width: int, height: int, inks: tuple[str, ...]) -> bytes:
    """Smooth lines over a faint area, one per series."""
    picture = Canvas(width, height)
    for line in range(1, 5):
        picture.box(0, round(height * line / 5), width, 1, fill=colour("#e6ebf2"))
    top = max(max(values) for values in series) * 1.1
    for values, ink in zip(series, inks, strict=True):
        for x in range(width):
            place = x / width * (len(values) - 1)
            low = min(int(place), len(values) - 2)
            ease = (1 - math.cos((place - low) * math.pi)) / 2
            value = values[low] + (values[low + 1] - values[low]) * ease
            picture.disc(x, height - 8 - value / top * (height - 20), 2.4, colour(ink))
    return picture.png()


@cache
def loaf(width: int, height: int) -> bytes:
    """A loaf of bread on a table, for those who write about bread."""
    picture = Canvas(width, height)
    picture.sky([colour("#f7ead3"), colour("#f0d7ad")])
    picture.box(0, int(height * 0.78), width, height, fill=colour("#c98f57"))
    picture.box(0, int(height * 0.78), width, 4, fill=colour("#b77b45"))
    middle, base, size = width / 2, height * 0.84, height * 0.62
    for shade, shrink in (("#8a4f1f", 1.0), ("#b36b2c", 0.95), ("#cf8a41", 0.84)):
        for row in range(int(size * shrink)):
            rise = row / (size * shrink)
            half = size * 1.15 * shrink * math.sqrt(max(1 - rise**2.4, 0.0))
            picture.span(int(base - row - (1 - shrink) * size * 0.3), middle - half, middle + half, colour(shade))
    for cut in (-0.62, -0.2, 0.22, 0.62):
        x = middle + cut * size
        picture.polygon(
            [
                (x - 10, base - size * 0.28),
                (x + 22, base - size * 0.74),
                (x + 36, base - size * 0.7),
                (x + 4, base - size * 0.26),
            ],
            colour("#f3d29b"),
        )
    for puff in range(3):
        picture.disc(middle + (puff - 1) * size * 0.5, height * 0.13 + puff % 2 * 8, 7 + puff, colour("#ffffff"), 0.4)
    return picture.png()


@cache
def badge(size: int, ground: str, ink: str, kind: str) -> bytes:
    """A small square mark: "waves", "leaf", "bolt" or "rings"."""
    picture = Canvas(size, size, colour(ground))
    fill, middle = colour(ink), size / 2
    if kind == "waves":
        for row in range(3):
            base = size * (0.34 + row * 0.17)
            for x2 in range(int(size * 0.2) * 2, int(size * 0.8) * 2):
                picture.disc(x2 / 2, base + math.sin(x2 / size * 5.2) * size * 0.045, size * 0.035, fill)
    elif kind == "leaf":
        picture.disc(middle, middle, size * 0.3, fill)
        picture.polygon([(middle, size * 0.2), (size * 0.8, size * 0.2), (size * 0.8, middle), (middle, middle)], fill)
        picture.box(middle - size * 0.02, int(middle), size * 0.04, int(size * 0.34), fill=colour(ground))
    elif kind == "bolt":
        shape = ((0.56, 0.14), (0.26, 0.56), (0.47, 0.56), (0.42, 0.86), (0.74, 0.42), (0.52, 0.42))
        picture.polygon([(x * size, y * size) for x, y in shape], fill)
    else:
        for radius, shade in ((0.36, fill), (0.28, colour(ground)), (0.19, fill), (0.1, colour(ground))):
            picture.disc(middle, middle, size * radius, shade)
    return picture.png()


def noise(size: int, seed: int) -> bytes:
    """`size` bytes that nothing can compress, the same for the same seed."""
    return random.Random(seed).randbytes(size)


def _hills(horizon: float, tall: float, wide: float, shift: float) -> Callable[[float], float]:
    def line(x: float) -> float:
        bump = math.sin(x / wide + shift) * 0.5 + math.sin(x / wide * 2.3 + shift * 2) * 0.28 + 0.4
        return horizon - max(bump, 0.0) * tall

    return line


def _boat(picture: Canvas, x: float, y: float, size: float, dusk: bool) -> None:
    hull = colour("#1b1a38" if dusk else "#8c3b2e")
    sail = colour("#f7d9b5" if dusk else "#ffffff")
    picture.polygon(
        [
            (x - size * 0.45, y),
            (x + size * 0.5, y),
            (x + size * 0.3, y + size * 0.18),
            (x - size * 0.3, y + size * 0.18),
        ],
        hull,
    )
    picture.polygon([(x, y - size), (x, y - size * 0.08), (x + size * 0.42, y - size * 0.08)], sail)
    picture.polygon(
        [(x - size * 0.05, y - size * 0.8), (x - size * 0.05, y - size * 0.08), (x - size * 0.34, y - size * 0.08)],
        mix(sail, hull, 0.25),
    )
    picture.box(x - size * 0.03, int(y - size), size * 0.03, int(size), fill=hull)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
