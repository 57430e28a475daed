"""`make run`: the whole product on one machine, with a mail server and mail to read. Ctrl-C ends all of it.

Every line of the Procfile runs in a process group of its own under honcho, inside a small restart loop: a process that
dies comes back after a second, and the others don't notice. What `make run` keeps lies in `var/`; remove it to begin
anew.
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

from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.printer import Printer

from webmail.demo import layout
from webmail.demo.dovecot import find_dovecot

START_SECONDS = 120.0


def main() -> None:
    """Start everything, say where it is, and stay until a signal ends it."""
    started = time.monotonic()
    port = _port()
    os.chdir(layout.ROOT)
    environment = _environment(port)
    lock = _lock()
    if not layout.is_free(port):
        sys.exit(f"Port {port} of {layout.HOST} is taken by another program; choose another: make run PORT={port + 1}")
    environment["UVICORN_PORT"] = str(layout.prepare().live_port)
    _manage(environment, "migrate", "--verbosity", "0")
    _collect_static(environment)

    manager = Manager(Printer(sys.stdout, prefix=True))
    for name, command in parse_procfile(Path("Procfile").read_text()).processes.items():
        manager.add_process(name, _restarting(command), env=environment)
    # A closed terminal ends everything just as Ctrl-C does.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    threading.Thread(target=_welcome, args=(environment, port, started), daemon=True).start()
    manager.loop()
    lock.close()
    # 128 + signal is how it should end; anything else went wrong.
    sys.exit(0 if manager.returncode in (130, 143) else 1)


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not (text.isdigit() and 0 < int(text) < 65536):
        sys.exit(f"PORT={text} is no port number")
    return int(text)


def _environment(port: int) -> dict[str, str]:
    """What every process of the demo gets, beside `var/env`."""
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PORT": str(port),
        "HOST": layout.HOST,
        "UVICORN_HOST": layout.HOST,
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
    stamp = layout.variable_directory() / "collected"
    sources = [Path("package-lock.json"), Path("requirements.txt"), Path("webmail/npm.py"), *Path("static").rglob("*")]
    newest = max(source.stat().st_mtime for source in sources)
    if not stamp.exists() or stamp.stat().st_mtime < newest or not Path("staticfiles").is_dir():
        _manage(environment, "collectstatic", "--noinput", "--clear", "--verbosity", "0")
        stamp.touch()


def _restarting(command: str) -> str:
    # One second between a death and the next life, so that what can't start doesn't eat the machine.
    return f'while :; do {command}; echo "ended with status $?, starting again"; sleep 1; done'


def _welcome(environment: dict[str, str], port: int, started: float) -> None:
    """Put the demo's mail in place, wait until the pages answer, then say where they are."""
    seeding = subprocess.run([sys.executable, "manage.py", "demo"], env=environment, check=False)
    answered = _answers(f"http://{layout.HOST}:{port}/healthz")
    if seeding.returncode or not answered:
        print("The demo did not come up, see above. Ending it.", flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
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
