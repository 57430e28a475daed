"""The files that come from npm, each named here: nothing else of a package is served, nothing of one is committed.

`npm ci --ignore-scripts` puts the packages of package-lock.json into node_modules; `collectstatic` asks this finder for
the list below. A file that is missing is an error, never a page without its script.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage

_INTER = "@fontsource-variable/inter/files/inter-{}-wght-normal.woff2"

# Where a page finds it → where npm put it.
FILES: dict[str, str] = {
    "npm/htmx.js": "htmx.org/dist/htmx.esm.min.js",
    # The editor of messages with formatting, and what washes what is pasted into it.
    "npm/squire.js": "squire-rte/dist/squire.mjs",
    "npm/squire.mjs.map": "squire-rte/dist/squire.mjs.map",
    "npm/purify.js": "dompurify/dist/purify.min.js",
    "npm/purify.min.js.map": "dompurify/dist/purify.min.js.map",
    **{
        f"npm/inter-{script}.woff2": _INTER.format(script)
        for script in ("latin", "latin-ext", "cyrillic", "cyrillic-ext", "greek", "greek-ext", "vietnamese")
    },
}


class NpmStorage(FileSystemStorage):
    """node_modules seen through `FILES`: a static path opens the package's file, any other path does not exist."""

    def __init__(self) -> None:
        super().__init__(location=str(Path(settings.BASE_DIR) / "node_modules"))

    def path(self, name: str) -> str:
        """Return where npm put the file that pages know as `name`; KeyError when it is not in the list."""
        return super().path(FILES[name])


class NpmFinder(BaseFinder):
    """Finds exactly `FILES`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.storage = NpmStorage()
        super().__init__(*args, **kwargs)

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, NpmStorage]]:
        """Yield every static path with its storage; FileNotFoundError names the first one npm did not install."""
        for name, package_path in FILES.items():
            if not Path(self.storage.path(name)).is_file():
                raise FileNotFoundError(f"node_modules/{package_path} is missing: run `make setup` (npm ci) first.")
            yield name, self.storage

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Return the file behind a static path, or an empty list; `all` is Django's old name for `find_all`."""
        if path not in FILES or not Path(self.storage.path(path)).is_file():
            return []
        found = self.storage.path(path)
        return [found] if find_all or kwargs.get("all") else found
