"""Attachment names that are safe to offer for download and still say what they said (T15)."""

from __future__ import annotations

import mimetypes
import re
import unicodedata

from .words import one_line

MAX_CHARACTERS = 200
_MAX_OCTETS = 240  # file systems hold 255 octets; a browser adds " (1)"
_MAX_EXTENSION = 20

_TYPES = mimetypes.MimeTypes(filenames=())  # Python's own table, not the machine's
_PREFERRED = {"text/plain": ".txt", "text/html": ".html", "image/jpeg": ".jpg", "message/rfc822": ".eml",
              "text/calendar": ".ics", "text/vcard": ".vcf", "text/x-vcard": ".vcf", "application/ics": ".ics",
              "message/delivery-status": ".txt",
              "message/disposition-notification": ".txt", "message/feedback-report": ".txt",
              "text/rfc822-headers": ".txt", "image/webp": ".webp",
              "application/pgp-signature": ".asc", "application/pgp-encrypted": ".asc", "application/pgp-keys": ".asc",
              "application/pkcs7-signature": ".p7s", "application/x-pkcs7-signature": ".p7s",
              "application/pkcs7-mime": ".p7m", "application/x-pkcs7-mime": ".p7m",
              "application/octet-stream": "", "application/ms-tnef": ".dat"}  # fmt: skip
_RESERVED = re.compile(r"(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\.|$)", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*]')
_BLANKS = re.compile(r"\s+")


def clean_filename(name: str, type: str = "", fallback: str = "attachment") -> str:
    """A file name without path, controls, bidi tricks, reserved names and characters no file system takes.

    Args:
        name: as the message gives it, decoded; may be "".
        type: the part's media type, which supplies an extension where the name has none.
        fallback: the stem to use where nothing is left of the name.

    Returns:
        At most 200 characters and 240 octets of UTF-8, the extension kept; never empty.
    """
    name = unicodedata.normalize("NFC", one_line(name[: 8 * 1024]))
    name = re.split(r"[/\\]", name.rstrip("/\\ ."))[-1]
    name = _BLANKS.sub(" ", _FORBIDDEN.sub("_", name)).strip(" .")
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > _MAX_EXTENSION or not stem:
        stem, extension = name, ""
    if not stem.strip("_ "):
        stem = fallback
    suffix = f".{extension}" if extension else _extension_for(type)
    if _RESERVED.match(stem + suffix):
        stem = f"_{stem}"
    return _shortened(stem, suffix) + suffix


def _extension_for(type: str) -> str:
    type = type.lower()
    return _PREFERRED[type] if type in _PREFERRED else _TYPES.guess_extension(type) or ""


def _shortened(stem: str, suffix: str) -> str:
    stem = stem[: MAX_CHARACTERS - len(suffix)]
    room = _MAX_OCTETS - len(suffix.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(" .")
