"""The icons: one sprite and a few masks, cut from the drawings that the PyPI package `lucide` carries (ISC licence).

Pages name an icon with the `icon` template tag, which points into `icons/sprite.svg`; the rows of a message list, which
are printed by the hundred, use CSS masks instead so that a row costs no markup. Only the names below exist.
"""

from __future__ import annotations

import functools
import importlib.resources
import zipfile
from xml.etree import ElementTree

from webmail.staticfiles import MadeFinder

SPRITE = "icons/sprite.svg"
ICONS = (
    "a-large-small", "archive", "arrow-down-wide-narrow", "arrow-left", "calendar", "check", "chevron-down",
    "chevron-last", "chevron-left", "chevron-right", "chevron-up", "circle-check", "circle-question-mark",
    "circle-x", "clock", "cloud-off", "code", "contact", "copy", "download", "ellipsis", "eye", "file", "file-pen",
    "file-spreadsheet", "file-text", "file-type", "film", "folder", "folder-archive", "image", "image-off",
    "bold", "book-user", "folder-input", "folder-plus", "forward", "history", "inbox", "info", "italic",
    "key-round", "keyboard", "layout-template", "link", "list", "list-checks", "list-ordered", "log-out", "mail",
    "mail-open", "mails", "map-pin", "maximize-2", "menu", "minus", "monitor", "monitor-smartphone", "moon", "music",
    "octagon-alert", "package-open", "palette", "paperclip", "pencil", "plus", "presentation", "printer",
    "refresh-cw", "remove-formatting", "reply", "reply-all", "send", "server", "settings", "sheet", "shield",
    "shield-alert", "shield-check", "square-pen", "star", "star-off", "stethoscope", "sun", "tag",
    "text-quote", "trash-2", "triangle-alert", "type", "underline", "undo-2", "unlink", "upload", "user-round",
    "user-round-plus", "user-round-search", "users", "x",
)  # fmt: skip
MASKS = ("chevron-down", "forward", "paperclip", "reply", "star")

_SVG = "{http://www.w3.org/2000/svg}"


def sprite() -> str:
    """Return every icon as a `<symbol>` of one SVG; colour and stroke come from the `.icon` that uses it."""
    symbols = "".join(f'<symbol id="{name}" viewBox="0 0 24 24">{_shapes(name)}</symbol>' for name in ICONS)
    return f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}</svg>'


def mask(name: str) -> str:
    """Return one filled and stroked icon as its own SVG, for `mask-image`: what is painted is what shows."""
    fill = "#000" if name == "star" else "none"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" stroke="#000" stroke-width="2" '
        f'stroke-linecap="round" stroke-linejoin="round" fill="{fill}">{_shapes(name)}</svg>'
    )


class IconFinder(MadeFinder):
    """Finds the sprite and the masks."""

    def made(self) -> dict[str, str]:
        """Return both kinds of drawing by their static paths."""
        return {SPRITE: sprite(), **{f"icons/{name}.svg": mask(name) for name in MASKS}}


def _shapes(name: str) -> str:
    """The paths, lines and circles of one drawing, without the `<svg>` around them."""
    drawing = ElementTree.fromstring(_drawings()[name])  # noqa: S314 - a file of an installed, locked package
    for shape in drawing.iter():
        shape.tag = shape.tag.removeprefix(_SVG)
        shape.tail = None
    return "".join(ElementTree.tostring(shape, encoding="unicode") for shape in drawing)


@functools.cache
def _drawings() -> dict[str, bytes]:
    with (
        importlib.resources.files("lucide").joinpath("lucide.zip").open("rb") as file,
        zipfile.ZipFile(file) as drawings,
    ):
        return {name: drawings.read(f"{name}.svg") for name in {*ICONS, *MASKS}}
