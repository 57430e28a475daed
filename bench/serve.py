"""Start the product for the shared rig: `python -m bench.serve --port 8200 --imap-port 1143 --index u1k,u20k,u100k`.

Web server, workers and clock run with the Procfile's own commands on a private PostgreSQL and Redis; people of
bench.example sign in with their name on the rig's Dovecot. With --index these people sign in once and visit each of
their mailboxes, and the pace at which the workers index is printed. Ends with Ctrl-C or SIGTERM.

State and pid file: WORK/ours-PORT (WORK is BENCH_DIR, else /tmp/bench).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import psycopg
from cryptography.fernet import Fernet
from honcho.environ import parse_procfile

from bench.stage import ROOT, say
from tools.postgres import private_postgres
from webmail.demo.redis_server import start_redis

RUNS = ("web", "worker", "beat")
START_SECONDS = 60.0
INDEX_SECONDS = 1800.0
PROVIDER = """
from webmail.models import Provider, ProviderDomain
provider = Provider.objects.create(name="Bench", imap_host="127.0.0.1", imap_port={port}, imap_security="none",
    login_format="local", allow_private=True)
ProviderDomain.objects.create(provider=provider, domain="bench.example")
"""
WAITING = "SELECT count(*) FROM webmail_mailbox WHERE selectable AND lowest_uid <> 1"


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8200)
    parser.add_argument("--imap-port", type=int, default=1143)
    parser.add_argument("--index", default="", help="people to sign in beforehand, separated by commas")
    parser.add_argument("--rig", type=Path, default=ROOT.parent / "shared" / "bench", help="where drive.py is")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    work = Path(os.environ.get("BENCH_DIR", "/tmp/bench")) / f"ours-{arguments.port}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    (work / "ours.pid").write_text(str(os.getpid()))
    with contextlib.ExitStack() as end:
        database = end.enter_context(private_postgres())
        (work / "database").write_text(database)
        redis = start_redis(work)
        end.callback(redis.stop)
        environment = _environment(work, database, redis.url, arguments.port)
        _manage(environment, "migrate", "--verbosity", "0")
        _manage(environment, "collectstatic", "--noinput", "--verbosity", "0")
        _manage(environment, "shell", "--verbosity", "0", "--command", PROVIDER.format(port=arguments.imap_port))
        processes = parse_procfile((ROOT / "Procfile").read_text()).processes
        for name in RUNS:
            end.callback(_stop, _start(processes[name], environment, work / f"{name}.log"))
        base = f"http://127.0.0.1:{arguments.port}"
        _await_answer(f"{base}/healthz")
        say(f"serving on {base}, IMAP port {arguments.imap_port}")
        people = [name for name in arguments.index.split(",") if name]
        if people:
            _index(arguments.rig, base, people, database)
        say("ready")
        signal.pause()


def _environment(work: Path, database: str, redis_url: str, port: int) -> dict[str, str]:
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "VAR_DIR": str(work),
        "STATIC_ROOT": str(work / "static"),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": database,
        "REDIS_URL": redis_url,
        "INSECURE_HTTP": "1",
        "PORT": str(port),
        "LOG_LEVEL": "WARNING",
    }


def _manage(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)


def _start(command: str, environment: dict[str, str], log_path: Path) -> subprocess.Popen[bytes]:
    priority = shlex.split(os.environ.get("BENCH_PRIO", ""))  # as the rig's other servers
    with log_path.open("wb") as log:
        return subprocess.Popen(
            [*priority, *shlex.split(command)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(START_SECONDS)


def _await_answer(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _index(rig: Path, base: str, people: Sequence[str], database: str) -> None:
    """Let each person sign in and visit every mailbox; wait until the workers have indexed all of them."""
    ours = _adapter(rig)
    with psycopg.connect(database, autocommit=True) as rows:
        for person in people:
            browser = ours.Ours(base)
            browser.prepare()
            start = time.monotonic()
            browser.sign_in(person, "secret")
            visited = time.monotonic() + INDEX_SECONDS
            _await_none(rows, f"{WAITING} AND name = 'INBOX'", visited)
            spent = time.monotonic() - start
            (count,) = rows.execute("SELECT max(exists) FROM webmail_mailbox").fetchone() or (0,)
            say(f"{person}: INBOX of {count:,} indexed in {spent:.1f} s, {count / spent:,.0f} messages/s")
            for name in browser.mailboxes:
                browser.list(name)
            _await_none(rows, WAITING, visited)


def _await_none(rows: psycopg.Connection[tuple[int]], query: str, deadline: float) -> None:
    while (rows.execute(query).fetchone() or (0,))[0]:
        if time.monotonic() > deadline:
            raise TimeoutError("the workers did not index everything")
        time.sleep(0.1)


def _adapter(rig: Path) -> ModuleType:
    """Our adapter, which the rig's driver would load."""
    sys.path.insert(0, str(rig))
    spec = importlib.util.spec_from_file_location("ours_adapter", ROOT / "bench" / "ours.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
