"""Run the services of docker-compose.yml on this machine, without an engine: each one's own command, environment and
health check. Only what the containers' networks and mounts would give is put in by hand: host names become ports of
127.0.0.1, mounted paths become paths in a temporary directory.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.deploy.compose import ROOT, SECRETS, Compose, Service, read_compose
from webmail.demo.imap_server import log_tail
from webmail.demo.layout import free_port

# What each service listens on inside its container; here each gets a free port instead.
PORTS = {"web": 8000, "live": 8001, "postgres": 5432, "redis": 6379, "dovecot": 9993}
PROXY_HTTP, PROXY_HTTPS, PROXY_HEALTH = 8080, 8443, 8082
START_SECONDS = 60.0
STOP_SECONDS = 30.0
POSTGRES_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


@dataclass
class Machine:
    """Stands where the container engine would. `directory` must be reachable for other users when run by root."""

    directory: Path
    compose: Compose = field(default_factory=lambda: read_compose(SITE_HOST="localhost"))
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ports = {number: free_port() for number in (*PORTS.values(), PROXY_HTTP, PROXY_HTTPS, PROXY_HEALTH)}
        self.secrets = self.directory / "secrets"
        subprocess.run([ROOT / "deploy" / "make-secrets", self.secrets], check=True, capture_output=True, timeout=30)
        # Without an engine each file is reached through its directory.
        self.secrets.chmod(0o711)
        for name in ("database_url", "redis_url"):
            secret = self.secrets / name
            value = secret.read_text()
            for host in ("postgres", "redis"):
                value = value.replace(f"@{host}:{PORTS[host]}", f"@127.0.0.1:{self.ports[PORTS[host]]}")
            secret.unlink()
            secret.write_text(value)

    # ---- What the networks and mounts would give

    def localised(self, text: str) -> str:
        """Return `text` with the containers' host names, ports and mounted paths turned into this machine's."""
        text = text.replace(SECRETS, str(self.secrets))
        for host, number in PORTS.items():
            text = text.replace(f"{host}:{number}", f"127.0.0.1:{self.ports[number]}")
        for number, port in self.ports.items():
            text = re.sub(rf"(?<!\d){number}(?!\d)", str(port), text)
        return text

    def config_file(self, source: str) -> Path:
        """Return a copy of a file of `deploy/` for this machine."""
        target = self.directory / source
        target.write_text(self.localised((ROOT / "deploy" / source).read_text()))
        return target

    def environment(self, service: Service) -> dict[str, str]:
        """The service's own environment, and what its image and engine would set."""
        scratch = self.directory / f"{service.name}.tmp"
        scratch.mkdir(exist_ok=True)
        given = {name: self.localised(value) for name, value in service.environment.items()}
        given = {name: "127.0.0.1" if value == "0.0.0.0" else value for name, value in given.items()}
        if given.get("VAR_DIR") == "/tmp":
            given["VAR_DIR"] = str(scratch)
        return {
            "PATH": os.pathsep.join(
                (str(Path(sys.executable).parent), *map(str, POSTGRES_PROGRAMS[:1]), "/usr/sbin:/usr/bin:/sbin:/bin")
            ),
            "HOME": "/nonexistent",
            "HOSTNAME": socket.gethostname(),
            "STATIC_ROOT": str(self.directory / "static"),
            "TMPDIR": str(scratch),
        } | given

    # ---- What an engine does

    def start(
        self, name: str, *more: str, command: list[str] | None = None, user: str | None = None, **extra: str
    ) -> None:
        """Start a service and wait until its health check passes.

        Args:
            more: words to add to its command.
            command: the command itself, where a path in it had to be changed.
            user: the user of this machine to run as.
            extra: environment beside the service's own.
        """
        service = self.compose.services[name]
        words = [*(command or service.command), *more]
        log_path = self.directory / f"{name}.log"
        with log_path.open("ab") as log:
            self.running[name] = subprocess.Popen(
                words,
                cwd=ROOT,
                env=self.environment(service) | extra,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=[] if user else None,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.healthy(name):
            ended = self.running[name].poll()
            assert ended is None, f"{name} ended with status {ended}:\n{log_tail(log_path, 40)}"
            assert time.monotonic() < deadline, f"{name} is not healthy:\n{log_tail(log_path, 40)}"
            time.sleep(0.2)

    def healthy(self, name: str) -> bool:
        """Run the service's own health check once."""
        service = self.compose.services[name]
        check = [self.localised(word) for word in service.health_check]
        assert check, f"{name} has no health check"
        return self._run(check, service, timeout=60).returncode == 0

    def run(self, name: str, *more: str, command: list[str] | None = None, **extra: str) -> str:
        """Run a one-shot service, or another command in its place, to its end and return what it printed."""
        service = self.compose.services[name]
        done = self._run([*(command or service.command), *more], service, timeout=120, **extra)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        return done.stdout

    def collect_static(self) -> None:
        """What the Dockerfile does once, at build."""
        self.run("migrate", command=["python", "manage.py", "collectstatic", "--noinput", "--verbosity", "0"])

    def stop(self, name: str, number: int = signal.SIGTERM) -> int:
        """Signal a service as `docker compose stop` does, wait for it, and return its exit status."""
        process = self.running.pop(name)
        if number == signal.SIGKILL:
            # With a container's first process all of them die.
            os.killpg(process.pid, number)
        elif process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise

    def stop_all(self) -> None:
        """End whatever still runs, newest first; nothing may be left behind."""
        for name in reversed(list(self.running)):
            process = self.running.pop(name)
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(STOP_SECONDS)

    def _run(
        self, words: list[str], service: Service, *, timeout: float, **extra: str
    ) -> subprocess.CompletedProcess[str]:
        environment: Mapping[str, str] = self.environment(service) | extra
        return subprocess.run(
            words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )


def program(name: str, package: str) -> str:
    """Return the path of a program.

    Raises:
        AssertionError: it is missing; with the package that has it.
    """
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    assert found, f"{name} is not installed; on Debian or Ubuntu: apt-get install {package}"
    return found
