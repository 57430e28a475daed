"""A private PostgreSQL for the tests: a cluster in a temporary directory, on 127.0.0.1, gone when they are done."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from webmail.demo.imap_server import log_tail
from webmail.demo.layout import HOST, free_port

START_SECONDS = 60.0

# Nothing in it outlives the tests, so it need not survive a power cut.
_HASTE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


class Cluster:
    """A PostgreSQL that runs; `url` names an empty database in it."""

    def __init__(self, programs: Path, directory: Path, user: pwd.struct_passwd | None, password: str) -> None:
        self._programs, self._directory, self._user = programs, directory, user
        self._port = free_port()
        self.url = f"postgres://webmail:{password}@{HOST}:{self._port}/postgres"
        self._start()

    def stop(self) -> None:
        """End it as an administrator in a hurry would: connections are cut, nothing is waited for."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait(START_SECONDS)

    def restart(self) -> None:
        """Stop it and start it again at the same address, with what was committed."""
        self.stop()
        self._start()

    def _start(self) -> None:
        programs, directory, user, log = self._programs, self._directory, self._user, self._directory / "log"
        haste = [word for setting in _HASTE for word in ("-c", setting)]
        with log.open("ab") as output:
            self._server = subprocess.Popen(
                (
                    *(str(programs / "postgres"), "-D", str(directory / "data"), "-p", str(self._port)),
                    *("-h", HOST, "-k", str(directory)),
                    *haste,
                ),
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                user=user and user.pw_uid,
                group=user and user.pw_gid,
                extra_groups=[] if user else None,
            )
        try:
            _await_ready(programs, self._port, self._server, log)
        except BaseException:
            self.stop()
            raise


@contextlib.contextmanager
def private_postgres() -> Iterator[str]:
    """Start a cluster and yield the URL of an empty database in it. Raises as `private_cluster` does."""
    with private_cluster() as cluster:
        yield cluster.url


@contextlib.contextmanager
def private_cluster() -> Iterator[Cluster]:
    """Start a cluster, end and remove it afterwards.

    PostgreSQL refuses to run as root; there it runs as Debian's own user `postgres`.

    Raises:
        RuntimeError: PostgreSQL is missing or did not come up; the message ends with its log's last lines.
    """
    programs = _programs()
    user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
    directory = Path(tempfile.mkdtemp(prefix="webmail-postgres-"))
    password = secrets.token_hex(16)
    secret = directory / "password"
    secret.write_text(password)
    for path in (directory, secret):
        path.chmod(0o700)
        if user is not None:
            os.chown(path, user.pw_uid, user.pw_gid)
    try:
        _run(
            (
                *(str(programs / "initdb"), "--pgdata", str(directory / "data"), "--username=webmail"),
                *(f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"),
            ),
            user,
        )
        cluster = Cluster(programs, directory, user, password)
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _programs() -> Path:
    """The directory of PostgreSQL's programs: Debian's newest, else wherever `initdb` is on the PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if debian:
        return debian[-1].parent
    found = shutil.which("initdb")
    if found is None:
        raise RuntimeError("PostgreSQL is not installed; on Debian or Ubuntu: apt-get install postgresql")
    return Path(found).parent


def _run(command: Sequence[str], user: pwd.struct_passwd | None) -> None:
    done = subprocess.run(
        command,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        user=user and user.pw_uid,
        group=user and user.pw_gid,
        extra_groups=[] if user else None,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


def _await_ready(programs: Path, port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    ready = (str(programs / "pg_isready"), "--quiet", "--host", HOST, "--port", str(port))
    while subprocess.run(ready, check=False).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not come up:\n{log_tail(log)}")
        time.sleep(0.05)
