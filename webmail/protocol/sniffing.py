"""What a file is by its own first octets: what a part says of itself is not believed (T15).

Only signatures are compared here; nothing is parsed, so there is nothing to attack.
"""

from __future__ import annotations

import re

from .raster import raster_type

HEAD = 4096  # decoded octets that are looked at

PROGRAM = "application/x-executable"  # of any system, and what a system runs like one
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
POWERPOINT = "application/vnd.openxmlformats-officedocument.presentationml.presentation"

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"MZ", PROGRAM),
    (b"\x7fELF", PROGRAM),
    (b"\xfe\xed\xfa\xce", PROGRAM),  # Mach-O in its four spellings
    (b"\xfe\xed\xfa\xcf", PROGRAM),
    (b"\xce\xfa\xed\xfe", PROGRAM),
    (b"\xcf\xfa\xed\xfe", PROGRAM),
    (b"\xca\xfe\xba\xbe", PROGRAM),  # Java, or Mach-O for several machines
    (b"\x4c\x00\x00\x00\x01\x14\x02\x00", PROGRAM),  # a Windows shortcut
    (b"#!", PROGRAM),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"BZh", "application/x-bzip2"),
    (b"(\xb5/\xfd", "application/zstd"),
    (b"MSCF", "application/vnd.ms-cab-compressed"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"BM", "image/bmp"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"8BPS", "image/vnd.adobe.photoshop"),
    (b"{\\rtf", "application/rtf"),
    (b"%!PS", "application/postscript"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"OTTO", "font/otf"),
    (b"\x78\x9f\x3e\x22", "application/ms-tnef"),
)
_BRANDS = {  # ISO 14496-12 §4.3: the major brand after "ftyp"
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"M4A ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
_RIFFS = {b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_OFFICE = ((b"word/", WORD), (b"xl/", EXCEL), (b"ppt/", POWERPOINT))
_ODF = re.compile(rb"mimetype(application/vnd\.oasis\.opendocument\.[a-z-]{1,40})")
_MARKUP = re.compile(rb"<(?:!doctype\s+html|html|head|body|script|iframe|meta|title)\b")
_LEADING = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,400}>\s*|<!--.{0,2000}?-->\s*)*", re.DOTALL)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"


def media_type(head: bytes) -> str:
    """The media type that the first octets of a file show.

    Args:
        head: up to HEAD octets, decoded.

    Returns:
        a type; "text/plain" for anything that can only be text; "" where nothing can be said.
    """
    head = head[:HEAD]
    if kind := raster_type(head):
        return kind
    if head[:2] == b"PK" and head[2:4] in (b"\x03\x04", b"\x05\x06", b"\x07\x08"):
        return _in_zip(head)
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head.startswith(b"RIFF"):
        return _RIFFS.get(head[8:12], "")
    if head[257:262] == b"ustar":
        return "application/x-tar"
    if b"%PDF-" in head[:1024]:  # readers forgive what stands before it, so do we
        return "application/pdf"
    return _in_text(head)


def _in_zip(head: bytes) -> str:
    if match := _ODF.search(head[:256]):
        return match[1].decode("ascii")
    for folder, kind in _OFFICE:
        if folder in head:
            return kind
    return "application/zip"


def _in_text(head: bytes) -> str:
    """Web pages and drawings by their first tag, other text by the absence of controls."""
    rest = head[_LEADING.match(head).end() :][:512].lower()  # type: ignore[union-attr]  # it matches nothing as well
    if rest.startswith(b"<svg"):
        return "image/svg+xml"
    if _MARKUP.match(rest):
        return "text/html"
    if not head.strip():
        return ""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):  # UTF-16 with its mark
        return "text/plain"
    if head.translate(None, _CONTROLS) != head:
        return ""
    if head.lstrip().startswith(b"BEGIN:VCARD"):
        return "text/vcard"
    if head.lstrip().startswith(b"BEGIN:VCALENDAR"):
        return "text/calendar"
    if re.match(rb"\xef?\xbb?\xbf?\s*<\?xml", head):
        return "application/xml"
    return "text/plain"
