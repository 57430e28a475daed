"""Memory that is free again is given back to the machine.

glibc keeps what was freed, in an arena for each few threads, and gives back only what lies at an arena's end: after
large messages a process held 100 MB more for good, of which it used 5. Other C libraries don't, or have no such call;
then this does nothing.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

STEP = 16 * 2**20  # octets more than it once could do with, from which on it is worth it
PAUSE = 1.0  # seconds between two times; each takes a millisecond or two

_STATM = Path("/proc/self/statm")
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
_turn = threading.Lock()
_least = 0  # octets this process was seen to do with
_next = 0.0


def give_back(*_: Any, **__: Any) -> None:
    """Give back what is free, if the process has grown. For after a piece of work."""
    global _least, _next  # noqa: PLW0603  the process's own
    if _trim is None or time.monotonic() < _next or not _turn.acquire(blocking=False):
        return
    try:
        held = _resident()
        if _least and held > _least + STEP:
            _trim(0)
            _next = time.monotonic() + PAUSE
            held = _resident()
        _least = min(_least or held, held)
    finally:
        _turn.release()


def _resident() -> int:
    """Octets that this process holds."""
    return int(_STATM.read_bytes().split()[1]) * os.sysconf("SC_PAGESIZE")
