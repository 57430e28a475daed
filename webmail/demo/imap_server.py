"""Real IMAP servers on loopback, for the demo and for the tests: Dovecot as the rich one, pymap as the poorest.

`python -m webmail.demo.imap_server` is the `imap` line of the Procfile: it becomes the server (Dovecot where it is
installed, else pymap), so that whoever kills the line kills the server and no orphan keeps its ports.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from webmail.demo import pymap_server
from webmail.demo.dovecot import find_dovecot, plan_dovecot
from webmail.demo.layout import HOST, PEOPLE, current, free_port, is_free

START_SECONDS = 20.0
STOP_SECONDS = 10.0

# Where `python -m webmail…` finds us.
_ROOT = Path(__file__).resolve().parents[2]


@dataclass
class ImapServer:
    """A running server and how to reach it.

    Attributes:
        host: always 127.0.0.1, which the certificate names, as it does localhost.
        port: plain text, without STARTTLS on pymap.
        tls_port: implicit TLS.
        ca_pem: PEM text of the only authority that signed its certificate.
        pid: the server's first process; killing it ends its children too.
        log: what the server wrote.
        kind: "dovecot" or "pymap".
    """

    host: str
    port: int
    tls_port: int
    ca_pem: str
    pid: int
    log: Path
    kind: str
    _process: subprocess.Popen[bytes] = field(repr=False)

    def stop(self) -> None:
        """End the server and wait for it; mail stays on disk. May be called twice."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(STOP_SECONDS)
        # Children of a master that was killed live on for a moment, and hold its sockets.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def start_dovecot(
    directory: Path,
    users: Mapping[str, str],
    *,
    max_connections: int = 10,
    port: int = 0,
    tls_port: int = 0,
    auth_port: int = 0,
    introspection_url: str = "",
) -> ImapServer:
    """Start a private Dovecot and wait until it greets.

    Args:
        directory: existing directory for this server alone. As root it must be reachable for others (see dovecot.py).
        users: address → password.
        max_connections: connections one user may hold; the next log-in is refused with `[LIMIT]`.
        port: plain-text port, 0 for any free one.
        tls_port: implicit TLS port, 0 for any free one.
        auth_port: where it checks log-ins for a mail server; 0 for nowhere.
        introspection_url: where it asks whose an access token is; "" for a server that takes none.

    Raises:
        RuntimeError: Dovecot is missing or did not come up; the message ends with its log's last lines.
    """

    def launch(port: int, tls_port: int) -> _Launched:
        plan = plan_dovecot(
            directory,
            users,
            port=port,
            tls_port=tls_port,
            max_connections=max_connections,
            auth_port=auth_port,
            introspection_url=introspection_url,
        )
        with plan.log.open("ab") as log:
            process = _spawn(plan.command, log, plan.user)
        return _Launched(process, plan.log, plan.ca)

    return _start("dovecot", launch, port, tls_port)


def start_pymap(directory: Path, users: Mapping[str, str], *, port: int = 0, tls_port: int = 0) -> ImapServer:
    """Start a pymap and wait until it greets: no SPECIAL-USE, LIST-STATUS, CONDSTORE or QUOTA.

    Args:
        directory: existing directory for this server alone.
        users: address → password.
        port: plain-text port, 0 for any free one.
        tls_port: implicit TLS port, 0 for any free one.

    Raises:
        RuntimeError: it did not come up; the message ends with its log's last lines.
    """

    def launch(port: int, tls_port: int) -> _Launched:
        plan = pymap_server.plan_pymap(directory, users)
        log_path = directory / "pymap.log"
        with log_path.open("ab") as log:
            process = _spawn((*plan.command, str(port), str(tls_port)), log)
        return _Launched(process, log_path, plan.ca)

    return _start("pymap", launch, port, tls_port)


def log_tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log file, or a word that there are none."""
    try:
        text = log.read_text(errors="replace")
    except FileNotFoundError:
        text = ""
    return "\n".join(text.splitlines()[-lines:]) or "(its log is empty)"


@dataclass(frozen=True)
class _Launched:
    process: subprocess.Popen[bytes]
    log: Path
    ca: Path


def _spawn(command: tuple[str, ...], log: IO[bytes], user: pwd.struct_passwd | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=_ROOT,
        # A session of its own: Ctrl-C in a terminal is for the one who started us, who then calls stop().
        start_new_session=True,
        user=user and user.pw_uid,
        group=user and user.pw_gid,
        extra_groups=[] if user else None,
    )


def _start(kind: str, launch: Callable[[int, int], _Launched], port: int, tls_port: int) -> ImapServer:
    ports = port or free_port(), tls_port or free_port()
    for each in ports:
        # Else we would greet whoever listens there and take them for our own server.
        if not is_free(each):
            raise RuntimeError(f"port {each} of {HOST} is already in use")
    launched = launch(*ports)
    server = ImapServer(
        HOST, *ports, launched.ca.read_text(), launched.process.pid, launched.log, kind, launched.process
    )
    try:
        for each in ports:
            _await_listening(server, each)
        _await_greeting(server)
    except RuntimeError:
        server.stop()
        raise
    return server


def _await_greeting(server: ImapServer) -> None:
    with socket.create_connection((server.host, server.port), START_SECONDS) as client:
        client.settimeout(START_SECONDS)
        try:
            greeting = client.recv(1024)
        except OSError as error:
            greeting = str(error).encode()
    if not greeting.startswith(b"* OK"):
        raise RuntimeError(f"{server.kind} greeted with {greeting!r}:\n{log_tail(server.log)}")


def _await_listening(server: ImapServer, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server._process.poll() is not None:
            raise RuntimeError(f"{server.kind} ended with status {server._process.returncode}:\n{log_tail(server.log)}")
        try:
            socket.create_connection((server.host, port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"{server.kind} did not listen on port {port} in {START_SECONDS:.0f} s:\n{log_tail(server.log)}")


def main() -> None:
    """Become the demo's IMAP server, as `make run` laid it out. A missing layout is one line and status 1."""
    layout = current()
    ports = layout.imap_port, layout.imaps_port
    if find_dovecot() is None:
        command = pymap_server.plan_pymap(layout.mail, PEOPLE, layout.certificates).command
        os.execv(command[0], (*command, *map(str, ports)))
    plan = plan_dovecot(layout.mail, PEOPLE, port=ports[0], tls_port=ports[1], certificates=layout.certificates)
    if plan.user is not None:
        os.setgroups([])
        os.setgid(plan.user.pw_gid)
        os.setuid(plan.user.pw_uid)
    os.execv(plan.command[0], plan.command)


if __name__ == "__main__":
    main()
