"""Where the parts of `make run` are: its directory, ports, secrets, and who has a mailbox.

All of it is in one file, `var/env`, which the product's settings read as well: so `manage.py` in another terminal
talks to the same database, Redis and mail servers. The file is written by `python -m webmail.demo.run`.
"""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet

from webmail.demo.certificates import Certificates, ensure_certificates
from webmail.demo.places import fits_socket, short_directory

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[2]

# Who has a mailbox on the demo's mail server; address → password.
PEOPLE = {"alice@demo.test": "demo", "bob@demo.test": "demo"}

_PORTS = ("DEMO_IMAP_PORT", "DEMO_IMAPS_PORT", "DEMO_SUBMISSION_PORT", "DEMO_SUBMISSIONS_PORT", "WEB_PORT", "LIVE_PORT")


@dataclass(frozen=True, slots=True)
class Layout:
    """The demo as it stands on this machine.

    Attributes:
        var: the directory of everything that changes, closed to other users.
        imap_port: plain text IMAP.
        imaps_port: IMAP over implicit TLS.
        submission_port: SMTP submission with STARTTLS.
        submissions_port: SMTP submission over implicit TLS.
        web_port: gunicorn, HTTP.
        live_port: uvicorn, HTTP.
        redis_socket: the unix socket of Redis.
    """

    var: Path
    imap_port: int
    imaps_port: int
    submission_port: int
    submissions_port: int
    web_port: int
    live_port: int
    redis_socket: Path

    @property
    def mail(self) -> Path:
        """The directory of the demo's IMAP server."""
        return self.var / "mail"

    @property
    def certificates(self) -> Certificates:
        """What both mail servers show, and the authority (`.ca`) that a client pins."""
        return ensure_certificates(self.var / "certificates")


def current() -> Layout:
    """Return the layout that `make run` wrote down.

    Raises:
        RuntimeError: it never ran here.
    """
    var = variable_directory()
    values = read_env(var / "env") | os.environ
    try:
        return Layout(
            var=var,
            imap_port=int(values["DEMO_IMAP_PORT"]),
            imaps_port=int(values["DEMO_IMAPS_PORT"]),
            submission_port=int(values["DEMO_SUBMISSION_PORT"]),
            submissions_port=int(values["DEMO_SUBMISSIONS_PORT"]),
            web_port=int(values["WEB_PORT"]),
            live_port=int(values["LIVE_PORT"]),
            redis_socket=Path(values["REDIS_URL"].removeprefix("unix://")),
        )
    except KeyError as missing:
        raise RuntimeError(f"{missing} is not set: start the demo with `make run` first") from None


def prepare(*reserved: int) -> Layout:
    """Make `var/` with its secrets the first time, choose free ports, and write it all to `var/env` (mode 0600).

    Args:
        reserved: ports that are not to be chosen, though they are free.

    Ports stay the same from one run to the next as long as nobody else took them, so that another mail program can be
    pointed at the demo.
    """
    var = variable_directory()
    var.mkdir(mode=0o700, exist_ok=True)
    for name in ("mail", "certificates"):
        (var / name).mkdir(mode=0o700, exist_ok=True)
    path = var / "env"
    values = read_env(path)
    values.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
    values.setdefault("CREDENTIAL_KEYS", Fernet.generate_key().decode())
    # Only this machine can reach the demo, over plain HTTP.
    values["INSECURE_HTTP"] = "1"
    values["STATIC_ROOT"] = str(var / "static")
    sockets = var if fits_socket(var, len("redis.sock")) else short_directory("/tmp", var)
    values["REDIS_URL"] = f"unix://{sockets / 'redis.sock'}"
    taken = set(reserved)
    for name in _PORTS:
        port = int(values.get(name, "0"))
        if not port or port in taken or not is_free(port):
            port = free_port()
        taken.add(port)
        values[name] = str(port)
    # Here and now: the servers and the seeding start side by side, and each would make its own.
    ensure_certificates(var / "certificates")
    _write_env(path, values)
    return current()


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of 127.0.0.1 now."""
    with socket.socket() as probe:
        # As servers do: connections of a run before that are only fading away don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def read_env(path: Path) -> dict[str, str]:
    """Return the NAME=value lines of a file, nothing if there is no file."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def _write_env(path: Path, values: dict[str, str]) -> None:
    lines = ["# Written by `make run`. The two keys are secrets: who has them reads the stored mail passwords."]
    lines += [f"{name}={value}" for name, value in values.items()]
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("\n".join(lines) + "\n")
    # All or nothing: half a file would be the loss of the keys.
    draft.replace(path)


def variable_directory() -> Path:
    """Return the directory of everything that changes: VAR_DIR, else `var` in this checkout."""
    return Path(os.environ.get("VAR_DIR") or ROOT / "var").resolve()
