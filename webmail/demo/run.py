"""`make run`: the whole product on one machine, with a mail server and mail to read. Ctrl-C ends all of it.

Every line of the Procfile is kept running (see supervisor.py): a process that dies comes back after a second. What is
to stay from one run to the next lies in `var/`; remove it to begin anew.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import IO

from webmail.demo import layout
from webmail.demo.dovecot import find_dovecot
from webmail.demo.supervisor import Supervisor

START_SECONDS = 120.0

# The mail could not be put in place, or the pages don't answer.
_failed = threading.Event()


def main() -> None:
    """Start everything, say where it is, and stay until a signal ends it."""
    started = time.monotonic()
    port = _port()
    os.chdir(layout.ROOT)
    environment = _environment()
    lock = _lock()
    if not layout.is_free(port):
        sys.exit(f"Port {port} of {layout.HOST} is taken by another program; choose another: make run PORT={port + 1}")
    places = layout.prepare(port)
    environment |= {"PORT": str(places.web_port), "UVICORN_PORT": str(places.live_port), "FRONT_PORT": str(port)}
    _manage(environment, "migrate", "--verbosity", "0")
    _collect_static(environment)

    supervisor = Supervisor(Path("Procfile"), environment)
    # A closed terminal ends everything just as Ctrl-C does.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: supervisor.end())
    threading.Thread(target=_welcome, args=(environment, port, started, supervisor), daemon=True).start()
    supervisor.run()
    lock.close()
    sys.exit(1 if _failed.is_set() else 0)


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not (text.isdigit() and 0 < int(text) < 65536):
        sys.exit(f"PORT={text} is no port number")
    return int(text)


def _environment() -> dict[str, str]:
    """What every process of the demo gets, beside `var/env`."""
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOST": layout.HOST,
        "UVICORN_HOST": layout.HOST,
        "UVICORN_LIFESPAN": "off",
        # Streams never end by themselves: shorter than the supervisor waits.
        "UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN": "2",
        "PYTHONUNBUFFERED": "1",
    }


def _lock() -> IO[str]:
    """Hold `var/lock` as long as we live, so that two runs never share one `var/`."""
    var = layout.variable_directory()
    var.mkdir(mode=0o700, exist_ok=True)
    lock = (var / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"`make run` is running already with {var}; end it first")
    return lock


def _manage(environment: dict[str, str], *arguments: str) -> None:
    status = subprocess.run([sys.executable, "manage.py", *arguments], env=environment, check=False).returncode
    if status:
        sys.exit(f"`manage.py {shlex.join(arguments)}` failed, see above")


def _collect_static(environment: dict[str, str]) -> None:
    """Collect static files when one of their sources is newer than the last time."""
    collected = layout.variable_directory() / "static"
    stamp = layout.variable_directory() / "collected"
    sources = [Path("package-lock.json"), Path("requirements.txt"), Path("webmail/npm.py"), *Path("static").rglob("*")]
    newest = max(source.stat().st_mtime for source in sources)
    if not stamp.exists() or stamp.stat().st_mtime < newest or not collected.is_dir():
        _manage(environment, "collectstatic", "--noinput", "--clear", "--verbosity", "0")
        stamp.touch()


def _welcome(environment: dict[str, str], port: int, started: float, supervisor: Supervisor) -> None:
    """Put the demo's mail in place, wait until the pages answer, then say where they are."""
    seeding = subprocess.run([sys.executable, "manage.py", "demo"], env=environment, check=False)
    if seeding.returncode or not _answers(f"http://{layout.HOST}:{port}/healthz"):
        print("The demo did not come up, see above. Ending it.", flush=True)
        _failed.set()
        supervisor.end()
        return
    people = "\n".join(f"    {address:24} password {password}" for address, password in layout.PEOPLE.items())
    server = "Dovecot" if find_dovecot() else "pymap (no Dovecot here)"
    print(
        f"\n  Ready after {time.monotonic() - started:.0f} s.\n\n"
        f"  Open http://{layout.HOST}:{port} and sign in:\n\n{people}\n"
        f"    {'admin':24} password demo   at /admin/\n\n"
        f"  Mail server: {server}. Ctrl-C ends everything; what was changed stays in {layout.variable_directory()}\n",
        flush=True,
    )


def _answers(url: str) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return True
        except OSError:
            time.sleep(0.1)
    return False


if __name__ == "__main__":
    main()
