"""Raster images by their own first octets: what a part says of itself is not believed (T15)."""

from __future__ import annotations

RASTER_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")


def raster_type(data: bytes) -> str:
    """The type of a PNG, JPEG, GIF or WebP image by its signature; "" for anything else, SVG among it."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return ""
