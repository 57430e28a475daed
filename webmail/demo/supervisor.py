"""Keeps a handful of commands running: starts them, shows what they say, starts again what dies, ends all of it.

Each command leads a process group of its own. When the leader ends, however it ends, what is left of its group is
ended too before the command starts again, so that no orphan keeps its port. honcho reads the Procfile and prints; its
own manager ends everything as soon as one process dies, which is the opposite of what is wanted here.
"""

from __future__ import annotations

import datetime
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from honcho.colour import get_colours
from honcho.environ import parse_procfile
from honcho.printer import Message, Printer

# Between a death and the next life, so that what can't start doesn't eat the machine.
PAUSE_SECONDS = 1.0
# How long one that is told to end may take before it is killed. Celery finishes the task at hand.
END_SECONDS = 6.0


class Supervisor:
    """Runs the commands of a Procfile until it is told to end.

    Args:
        procfile: the file; its commands are run without a shell.
        environment: what the commands get, and only that.
    """

    def __init__(self, procfile: Path, environment: Mapping[str, str]) -> None:
        self._commands = parse_procfile(procfile.read_text()).processes
        self._environment = dict(environment)
        self._ending = threading.Event()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._printer = Printer(sys.stdout, width=max(map(len, self._commands)))
        colours = get_colours()
        self._colours = {name: next(colours) for name in self._commands}

    def run(self) -> None:
        """Start everything; return when `end` was called and nothing is left running."""
        keepers = [threading.Thread(target=self._keep, args=(name,), name=name) for name in self._commands]
        for keeper in keepers:
            keeper.start()
        self._ending.wait()
        for keeper in keepers:
            keeper.join()

    def end(self) -> None:
        """Ask everything to end. Safe in a signal handler, and any number of times."""
        self._ending.set()

    def say(self, name: str, line: str | bytes) -> None:
        """Print one line under a process's name."""
        with self._lock:
            self._printer.write(Message("line", line, datetime.datetime.now(), name, self._colours.get(name)))

    def _keep(self, name: str) -> None:
        """Run one command again and again."""
        while not self._ending.is_set():
            try:
                process = self._start(name)
            except OSError as error:
                self.say(name, f"can't start: {error}\n")
            else:
                self._await(process)
                _end_group(process)
                if not self._ending.is_set():
                    self.say(name, f"ended with status {process.returncode}, starting again\n")
            self._ending.wait(PAUSE_SECONDS)

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            shlex.split(self._commands[name]),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        threading.Thread(target=self._relay, args=(name, process.stdout), daemon=True).start()
        return process

    def _relay(self, name: str, output: IO[bytes]) -> None:
        with output:
            for line in output:
                self.say(name, line)

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        """Return when the process has ended, telling it to once we are ending."""
        while process.poll() is None:
            if self._ending.wait(0.1):
                return


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process, if it runs, and what is left of its group: politely, then for good."""
    for number, patience in ((signal.SIGTERM, END_SECONDS), (signal.SIGKILL, PAUSE_SECONDS)):
        if not _signal_group(process.pid, number):
            break
        deadline = time.monotonic() + patience
        # The leader has to be waited for, or it stays in its group as a zombie.
        while process.poll() is None or _signal_group(process.pid, 0):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)


def _signal_group(leader: int, number: int) -> bool:
    """Send a signal to a process group, 0 only to ask; False when the group is gone (macOS: holds only zombies)."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
