"""The whole product as it is deployed: web server, workers and clock by the Procfile's own commands, on a PostgreSQL
and a Redis of their own. For what has to be measured from outside.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.fernet import Fernet
from honcho.environ import parse_procfile

from bench.stage import ROOT
from tools.postgres import Cluster, private_cluster
from webmail.demo.layout import HOST, free_port
from webmail.demo.redis_server import RedisServer, start_redis

RUNS = ("web", "worker", "beat")
START_SECONDS = 60.0
PAUSE_SECONDS = 1.0  # between a death and the next life, as the supervisor of `make run` has it
PROVIDER = """
from webmail.models import Provider, ProviderDomain
provider = Provider.objects.create(name="Bench", imap_host="127.0.0.1", imap_port={port}, imap_security="none",
    login_format={login!r}, allow_private=True)
ProviderDomain.objects.create(provider=provider, domain={domain!r})
"""


class Product:
    """A product that runs.

    Attributes:
        base: its address. live: the port of its event stream, where that is started.
        work: the directory with its logs, one a process.
        cluster, redis: its database and its Redis. environment: what its processes get.
        processes: the first process of each line of the Procfile that was started.
    """

    def __init__(self, work: Path, cluster: Cluster, redis: RedisServer, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.live = free_port()
        self.work, self.cluster, self.redis = work, cluster, redis
        self.environment = _environment(work, cluster.url, redis.url, port) | _uvicorn(self.live)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._commands = parse_procfile((ROOT / "Procfile").read_text()).processes

    @property
    def database(self) -> str:
        """The URL of its rows."""
        return self.cluster.url

    def start(self, name: str) -> None:
        """Start one line of the Procfile, in a process group of its own."""
        priority = shlex.split(os.environ.get("BENCH_PRIO", ""))  # as the rig's other servers
        with (self.work / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*priority, *shlex.split(self._commands[name])],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """Kill one line of the Procfile with all its children (SIGKILL), and start it again as a supervisor does."""
        process = self.processes[name]
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(START_SECONDS)
        time.sleep(PAUSE_SECONDS)
        self.start(name)

    def revive(self) -> list[str]:
        """Start again what has ended by itself, as a supervisor does; return what that was, and its last words."""
        ended = [name for name, process in self.processes.items() if process.poll() is not None]
        words = []
        for name in ended:
            log = (self.work / f"{name}.log").read_text(errors="replace").splitlines()
            words.append("\n".join([f"{name} ended with {self.processes[name].returncode}:", *log[-15:]]))
            self.start(name)
        return words

    def kill_redis(self) -> None:
        """Kill Redis, with all that it holds, and start it again."""
        self.redis.kill()
        time.sleep(PAUSE_SECONDS)
        self.redis = start_redis(self.work)

    def stop(self) -> None:
        """End what was started, Redis last."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(START_SECONDS)
        self.redis.stop()


@contextlib.contextmanager
def product(
    work: Path, *, port: int, imap_port: int, domain: str, login: str = "local", runs: Sequence[str] = RUNS
) -> Iterator[Product]:
    """Start everything but the mail server, and end everything.

    Args:
        work: an empty directory. port: where it listens on 127.0.0.1.
        imap_port: of the mail server for the people of `domain`. login: the provider's form of their user names.
        runs: the lines of the Procfile to start, "web" among them.
    """
    with contextlib.ExitStack() as end:
        cluster = end.enter_context(private_cluster())
        running = Product(work, cluster, start_redis(work), port)
        end.callback(running.stop)
        with ThreadPoolExecutor(1) as beside:
            collected = beside.submit(manage, running.environment, "collectstatic", "--noinput", "--verbosity", "0")
            manage(running.environment, "migrate", "--verbosity", "0")
            made = PROVIDER.format(port=imap_port, login=login, domain=domain)
            manage(running.environment, "shell", "--verbosity", "0", "--command", made)
            collected.result()
        for name in runs:
            running.start(name)
        await_answer(f"{running.base}/healthz")
        yield running


def _environment(work: Path, database: str, redis_url: str, port: int) -> dict[str, str]:
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "VAR_DIR": str(work),
        "STATIC_ROOT": str(work / "static"),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": database,
        "REDIS_URL": redis_url,
        "DJANGO_SETTINGS_MODULE": "webmail.settings",
        "INSECURE_HTTP": "1",
        "PORT": str(port),
        "LOG_LEVEL": "WARNING",
    }


def _uvicorn(port: int) -> dict[str, str]:
    return {
        "UVICORN_HOST": HOST,
        "UVICORN_PORT": str(port),
        "UVICORN_LIFESPAN": "off",
        "UVICORN_LOG_LEVEL": "warning",
        "UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN": "2",
    }


def manage(environment: dict[str, str], *arguments: str) -> None:
    """Run a command of `manage.py` for a product."""
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)


def await_answer(url: str) -> None:
    """Wait until a page answers.

    Raises:
        OSError: it doesn't.
    """
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
