"""Whatever dies comes back, and the end leaves nothing behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from webmail.demo.supervisor import Supervisor

# Writes its own process id and that of a child to a file, then waits; the child ignores a polite request to end.
PARENT = """
import os, pathlib, signal, sys, time
child = os.fork()
if not child:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)
pathlib.Path(sys.argv[1]).write_text(f"{os.getpid()} {child}")
print("hello from", os.environ["WHO"], flush=True)
time.sleep(600)
"""


def wait_for(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # A zombie whose parent is gone waits for init and runs no more.
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text() if Path("/proc/self").exists() else True
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_the_dead_come_back_and_nothing_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    pids = tmp_path / "pids"
    procfile = tmp_path / "Procfile"
    procfile.write_text(f"one: {sys.executable} {script} {pids}\ntwo: /no/such/program\n")
    supervisor = Supervisor(procfile, {"WHO": "alice"})
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    try:
        wait_for(pids.exists)
        wait_for(lambda: bool(pids.read_text()))
        first = [int(pid) for pid in pids.read_text().split()]
        pids.unlink()
        os.kill(first[0], signal.SIGKILL)
        wait_for(pids.exists, 30)
        wait_for(lambda: bool(pids.read_text()))
        second = [int(pid) for pid in pids.read_text().split()]
        assert not runs(first[1]), "the dead one's child was left behind"
        assert all(runs(pid) for pid in second)
    finally:
        supervisor.end()
        thread.join(30)
    assert not thread.is_alive()
    assert not any(runs(pid) for pid in second)
    output = capsys.readouterr().out
    assert "hello from alice" in output
    assert "ended with status -9, starting again" in output
    assert "can't start" in output
