"""How static files come to be and are stored: some are made here, all are stripped, hashed and compressed.

Nothing is bundled or rewritten: a module stays the module that was written, without its comments and indentation, and
names the others by relative paths (an import map would be an inline script, which the pages' content security policy
refuses).
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Ours alone: what comes from npm is served byte for byte.
_OURS = re.compile(r"(css|js)/[^/]+\.(css|js)")
# A comment on lines of its own, and the indentation of the lines that stay. No string of ours holds a line end.
_COMMENTS = re.compile(rb"^[ \t]*(/\*([^*]|\*(?!/))*\*/|//[^\n]*)[ \t]*\n", re.MULTILINE)
_INDENTATION = re.compile(rb"^[ \t]+|\n(?=\s*\n)", re.MULTILINE)
# In a style sheet any line end is a blank, and none is needed beside these; nor is the last semicolon of a block.
_STYLE_BLANKS = re.compile(rb"\s*;\s*(?=\})|\s*([{};,])\s*|(?<=:)[ \t]+(?=[^\n]*;)|\n")


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # WhiteNoise carries no types
    """WhiteNoise's storage: hashed names, also in `import … from "./x.js";`, and gzip and Brotli beside each file."""

    support_js_module_import_aggregation = True
    max_post_process_passes = 12  # how long a chain of modules may be that import one another; Django allows 5

    def _save(self, name: str, content: File[bytes]) -> str:
        if _OURS.fullmatch(name):
            content.seek(0)
            content = ContentFile(strip(name, content.read()))
        saved: str = super()._save(name, content)
        return saved


class MadeFinder(BaseFinder):
    """Finds files that exist nowhere until somebody looks: `made()` says what is in them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.storage = FileSystemStorage(location=str(Path(settings.VAR_DIR) / "made"))
        super().__init__(*args, **kwargs)

    @abstractmethod
    def made(self) -> dict[str, str]:
        """Return the text of every file by its static path."""

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        """Make every file and yield it with its storage."""
        for path, text in self.made().items():
            file = Path(self.storage.path(path))
            # Left alone when nothing changed: collectstatic compares times.
            if not file.is_file() or file.read_text() != text:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            yield path, self.storage

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Return the file behind a static path, made anew, or an empty list; `all` is Django's old `find_all`."""
        found = next((self.storage.path(made) for made, _ in self.list([]) if made == path), None)
        if found is None:
            return []
        return [found] if find_all or kwargs.get("all") else found


def strip(name: str, source: bytes) -> bytes:
    """Return `source` without comments on lines of their own and without indentation; style sheets on one line."""
    source = _INDENTATION.sub(b"", _COMMENTS.sub(b"", source))
    return _STYLE_BLANKS.sub(_keep, source) if name.endswith(".css") else source


def _keep(blank: re.Match[bytes]) -> bytes:
    return blank[1] or (b" " if blank[0] == b"\n" else b"")
