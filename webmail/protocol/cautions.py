"""What a person should know of a file before opening it: one quiet sentence, or none (T15)."""

from __future__ import annotations

import re

from .sniffing import EXCEL, POWERPOINT, PROGRAM, WORD

# What Windows, macOS or a desktop runs when it is opened, or what mounts as a disk and carries such files.
_PROGRAMS = re.compile(
    "exe|com|scr|pif|bat|cmd|cpl|msi|msp|mst|vbs|vbe|js|jse|mjs|wsf|wsh|wsc|hta|lnk|url|reg|inf|ps1|psm1|psc1|jar|jnlp|"
    "app|command|dmg|pkg|sh|bash|csh|run|appimage|deb|rpm|apk|ipa|iso|img|vhd|vhdx|application|gadget|msc|scf|chm|xll|"
    "appref-ms|settingcontent-ms|library-ms|diagcab|one|ade|adp"
)
_MACROS = re.compile("docm|dotm|xlsm|xltm|xlam|pptm|potm|ppam|ppsm|sldm")
_HIDING = re.compile("pdf|docx?|xlsx?|pptx?|txt|csv|rtf|jpe?g|png|gif|webp|zip|mp3|mp4|html?|eml")

# What an ending promises: the types that keep the promise, and what to call it.
_PROMISES: dict[str, tuple[str, frozenset[str]]] = {
    "pdf": ("a PDF", frozenset({"application/pdf"})),
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp", "bmp"), ("a picture", frozenset({"image/*"}))),
    **dict.fromkeys(("docx", "xlsx", "pptx"), ("an Office document", frozenset({WORD, EXCEL, POWERPOINT,
        "application/zip", "application/x-ole-storage"}))),  # OLE: one that is encrypted
    **dict.fromkeys(("doc", "xls", "ppt"), ("an Office document", frozenset({"application/x-ole-storage",
        "application/rtf", WORD, EXCEL, POWERPOINT, "application/zip", "text/*", "application/xml"}))),
    **dict.fromkeys(("mp3", "wav", "m4a", "ogg", "flac"), ("sound", frozenset({"audio/*", "video/mp4"}))),
    **dict.fromkeys(("mp4", "mov", "webm"), ("a film", frozenset({"video/*", "audio/mp4"}))),
    **dict.fromkeys(("txt", "csv", "md", "log"), ("text", frozenset({"text/*", "application/xml"}))),
}  # fmt: skip
_NAMED = {
    PROGRAM: "a program",
    "text/html": "a web page",
    "image/svg+xml": "a drawing that can hold scripts",
    "application/pdf": "a PDF",
    "application/zip": "an archive",
    "application/gzip": "an archive",
    "application/vnd.rar": "an archive",
    "application/x-7z-compressed": "an archive",
    "application/x-ole-storage": "an Office document",
    "application/rtf": "a text document",
    WORD: "a Word document",
    EXCEL: "a spreadsheet",
    POWERPOINT: "a presentation",
}
_FAMILIES = {"image": "a picture", "audio": "sound", "video": "a film", "text": "text"}


def caution(name: str, found: str) -> str:
    """What to say about a file beside its name, at most one sentence; "" for the ordinary.

    Args:
        name: as it is shown.
        found: its type by content (`sniffing.media_type`); "" where that is not known (yet).
    """
    stems = name.lower().split(".")
    ending = stems[-1].strip() if len(stems) > 1 else ""
    before = stems[-2].strip() if len(stems) > 2 else ""
    if _PROGRAMS.fullmatch(ending) and _HIDING.fullmatch(before):
        return f"This is a program whose name pretends to be a {before} file."
    if _PROGRAMS.fullmatch(ending):
        return "This is a program. Open it only if you expected one."
    if found == PROGRAM and ending in _PROMISES:
        return f"Its name says {_PROMISES[ending][0]}, but inside is a program."
    if found == PROGRAM and ending not in ("py", "pl", "rb", "php"):
        return "This is a program. Open it only if you expected one."
    if _MACROS.fullmatch(ending):
        return "This document can run macros. Open it only if you expected one."
    if found and ending in _PROMISES:
        promise, kept_by = _PROMISES[ending]
        if found == "image/svg+xml" or not kept_by & {found, f"{found.partition('/')[0]}/*"}:
            inside = _NAMED.get(found) or _FAMILIES.get(found.partition("/")[0], "something else")
            return f"Its name says {promise}, but inside is {inside}."
    if ending in ("html", "htm", "xhtml", "shtml", "svg", "mht"):
        return "This is a web page: opened outside of here it can run scripts and pretend to be a sign-in page."
    return ""
