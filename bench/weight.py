"""What a page loads of its own: its modules, all that they import, and its sheet, compressed as they are sent."""

from __future__ import annotations

import re
from pathlib import Path

import brotli

_IMPORT = re.compile(r"""^import\b[^"']*["']([^"']+)["'];""", re.MULTILINE)
_WANTED = re.compile(r"""\bimport\("([^"]+)"\)""")  # when it is first wanted


def loaded(modules: list[str], sheet: str, *, wanted_too: bool = False) -> int:
    """Octets of these static files and of what they import, each compressed by Brotli.

    Args:
        wanted_too: count what is loaded only when it is first wanted as well.
    """
    from webmail.staticfiles import strip  # noqa: PLC0415 - Django is set up by now

    names, texts = [*modules], [strip(sheet, _file(sheet).read_bytes())]
    for name in names:
        text = _file(name).read_text()
        texts.append(strip(name, text.encode()) if name.startswith("js/") else text.encode())
        imported = [*_IMPORT.findall(text), *(_WANTED.findall(text) if wanted_too else [])]
        paths = [re.sub(r"[^/]+/\.\./", "", (Path(name).parent / path).as_posix()) for path in imported]
        names += [path for path in dict.fromkeys(paths) if path not in names]
    assert any(name.startswith("npm/") for name in names)
    return sum(len(brotli.compress(text)) for text in texts)


def mailbox() -> int:
    """Octets of a mailbox page."""
    return loaded(["js/mail.js", "js/pane-seam.js"], "css/mail.css")


def editor() -> int:
    """Octets of the editor's page, its formatting included."""
    return loaded(["js/write.js"], "css/write.css", wanted_too=True)


def _file(path: str) -> Path:
    from django.contrib.staticfiles import finders  # noqa: PLC0415

    file = finders.find(path)
    assert isinstance(file, str), f"{path} is not found"
    return Path(file)
