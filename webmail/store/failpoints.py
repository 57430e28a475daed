"""Named places where a test can kill the process. Off unless the environment variable FAILPOINT names one."""

from __future__ import annotations

import os
import signal

_ARMED = os.environ.get("FAILPOINT", "")


def reach(name: str) -> None:
    """Die by SIGKILL here if the test armed this place; otherwise do nothing."""
    if name == _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)
