"""A private PostgreSQL for the tests: a cluster in a temporary directory, on 127.0.0.1, gone when they are done."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
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


@contextlib.contextmanager
def private_postgres() -> Iterator[str]:
    """Start a cluster and yield the URL of an empty database in it.

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
    data, log = directory / "data", directory / "log"
    port = free_port()
    try:
        _run(
            (
                *(str(programs / "initdb"), "--pgdata", str(data), "--username=webmail", f"--pwfile={secret}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"),
            ),
            user,
        )
        haste = [word for setting in _HASTE for word in ("-c", setting)]
        with log.open("wb") as output:
            server = subprocess.Popen(
                (
                    *(str(programs / "postgres"), "-D", str(data), "-p", str(port), "-h", HOST, "-k", str(directory)),
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
            _await_ready(programs, port, server, log)
            yield f"postgres://webmail:{password}@{HOST}:{port}/postgres"
        finally:
            # SIGINT is a fast shutdown: connections are cut, nothing is waited for.
            server.send_signal(2)
            server.wait(START_SECONDS)
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
