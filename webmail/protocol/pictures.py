"""Pictures drawn anew: whatever came in, what leaves is a small WebP without metadata. Runs in `bounded` alone.

The room's one law: no octet of the original is passed on; all that leaves are pixels.
"""

from __future__ import annotations

import io

from PIL import Image, ImageCms, ImageFile, ImageOps, UnidentifiedImageError

from .errors import GiveUp, TooMuch

MOST_PIXELS = 40_000_000
THUMBNAIL = 320  # pixels of the longer side
LARGE = 1600

# Decoders that may be tried; others of Pillow's start programs (EPS) or are hardly ever sent.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "ICO")
_QUALITY = 82


def thumbnail(data: bytes) -> bytes:
    """A picture for a card.

    Raises:
        GiveUp: it is none that can be drawn. TooMuch: more than 40 million pixels.
    """
    return _drawn(data, THUMBNAIL)


def large(data: bytes) -> bytes:
    """A picture to look at. Raises as `thumbnail` does."""
    return _drawn(data, LARGE)


def encode(image: Image.Image) -> bytes:
    """An image as WebP, with nothing but its pixels."""
    out = io.BytesIO()
    image.save(out, "WEBP", quality=_QUALITY, method=4, exif=b"", icc_profile=None, xmp=b"")
    return out.getvalue()


def _drawn(data: bytes, side: int) -> bytes:
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS  # Pillow itself raises at twice this
    ImageFile.LOAD_TRUNCATED_IMAGES = True  # half a picture is better than none, as browsers see it
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise TooMuch("This picture has more than 40 million pixels. It can be downloaded.")
            return encode(_upright(image, side))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooMuch("This picture has more than 40 million pixels. It can be downloaded.") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise GiveUp("This picture is damaged or of a kind that can't be drawn here.") from error


def _upright(image: Image.Image, side: int) -> Image.Image:
    """The first frame, made small first (a phone's picture has twelve million pixels), then turned and coloured."""
    image.draft("RGB", (side, side))  # JPEG decodes straight to a half, a quarter or an eighth
    profile = image.info.get("icc_profile")
    if image.mode in ("I;16", "I", "F"):
        image = image.point(lambda value: value / 256).convert("L")
    elif image.mode in ("P", "PA", "LA", "La", "RGBa"):
        image = image.convert("RGBA")
    image.thumbnail((side, side), reducing_gap=2.0)
    image = ImageOps.exif_transpose(image)
    return _in_srgb(image, profile)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as a browser shows them without a profile."""
    wanted = "RGBA" if "A" in image.getbands() else "RGB"
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            turned = ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            turned = None
        if turned is not None:
            return turned
    return image if image.mode == wanted else image.convert(wanted)
