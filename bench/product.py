"""The whole product as it is deployed: web server, workers and clock by the Procfile's own commands, on a PostgreSQL
and a Redis of their own. For what has to be measured from outside.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet
from honcho.environ import parse_procfile

from bench.stage import ROOT
from tools.postgres import private_postgres
from webmail.demo.redis_server import start_redis

RUNS = ("web", "worker", "beat")
START_SECONDS = 60.0
PROVIDER = """
from webmail.models import Provider, ProviderDomain
provider = Provider.objects.create(name="Bench", imap_host="127.0.0.1", imap_port={port}, imap_security="none",
    login_format={login!r}, allow_private=True)
ProviderDomain.objects.create(provider=provider, domain={domain!r})
"""


@dataclass(frozen=True)
class Product:
    """A product that runs.

    Attributes:
        base: its address. database: the URL of its rows. work: the directory with its logs, one a process.
        processes: the first process of each line of the Procfile that was started.
    """

    base: str
    database: str
    work: Path
    processes: Mapping[str, subprocess.Popen[bytes]]


@contextlib.contextmanager
def product(work: Path, *, port: int, imap_port: int, domain: str, login: str = "local") -> Iterator[Product]:
    """Start everything but the mail server, and end everything.

    Args:
        work: an empty directory. port: where it listens on 127.0.0.1.
        imap_port: of the mail server for the people of `domain`. login: the provider's form of their user names.
    """
    with contextlib.ExitStack() as end:
        database = end.enter_context(private_postgres())
        redis = start_redis(work)
        end.callback(redis.stop)
        environment = _environment(work, database, redis.url, port)
        _manage(environment, "migrate", "--verbosity", "0")
        _manage(environment, "collectstatic", "--noinput", "--verbosity", "0")
        made = PROVIDER.format(port=imap_port, login=login, domain=domain)
        _manage(environment, "shell", "--verbosity", "0", "--command", made)
        commands = parse_procfile((ROOT / "Procfile").read_text()).processes
        processes = {}
        for name in RUNS:
            processes[name] = _start(commands[name], environment, work / f"{name}.log")
            end.callback(_stop, processes[name])
        base = f"http://127.0.0.1:{port}"
        _await_answer(f"{base}/healthz")
        yield Product(base, database, work, processes)


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
