"""Short, private directories for what can't live under a long path (unix sockets) or a closed one (another user's)."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

# sun_path holds 104 bytes on macOS and 108 on Linux, with the closing NUL.
LONGEST_SOCKET = 103


def fits_socket(directory: Path, longest_name: int) -> bool:
    """Whether a unix socket whose name has up to `longest_name` characters can be made in `directory`."""
    return len(os.fsencode(directory)) + 1 + longest_name <= LONGEST_SOCKET


def short_directory(parent: str, owner: Path, *, uids: tuple[int, ...] = ()) -> Path:
    """Return a directory below `parent`, closed to others, that is always the same for the same `owner`.

    Args:
        parent: a directory everyone may write to, such as /tmp.
        owner: the directory on whose behalf the short one exists; it gives the name.
        uids: users beside ourselves who may own it already.

    Raises:
        RuntimeError: someone else made a file of that name, which we must not trust.
    """
    path = short_path(parent, owner)
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (os.getuid(), *uids):
        raise RuntimeError(f"{path} belongs to somebody else; remove it and try again")
    return path


def short_path(parent: str, owner: Path) -> Path:
    """Return where `short_directory` would be, whether or not it is there."""
    name = hashlib.sha256(os.fsencode(owner.resolve())).hexdigest()[:12]
    return Path(parent) / f"webmail-{os.getuid()}-{name}"
