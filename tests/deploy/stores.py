"""The services whose images are not ours, PostgreSQL, Redis, Caddy and the demo's Dovecot, on this machine: its own
programs, started with the commands and configuration files that docker-compose.yml gives them.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

from tests.deploy.compose import ROOT
from tests.deploy.machine import PORTS, POSTGRES_PROGRAMS, PROXY_HEALTH, PROXY_HTTP, PROXY_HTTPS, Machine, program


def start_postgres(machine: Machine) -> None:
    """What PostgreSQL's image does at its first start, and then the service's own command."""
    assert POSTGRES_PROGRAMS, "PostgreSQL is not installed; on Debian or Ubuntu: apt-get install postgresql"
    service = machine.compose.services["postgres"]
    data = _directory(machine.directory / "postgres", "postgres")
    port = str(machine.ports[PORTS["postgres"]])
    user = _user("postgres")
    environment = machine.environment(service)
    _run_as(
        user,
        [
            *(str(POSTGRES_PROGRAMS[0] / "initdb"), "--pgdata", str(data), "--username=postgres"),
            f"--pwfile={environment['POSTGRES_PASSWORD_FILE']}",
            # As another user than postgres, peer would not let the start script in.
            *environment["POSTGRES_INITDB_ARGS"].replace("--auth-local=peer", "--auth-local=trust").split(),
        ],
    )
    command = [str(POSTGRES_PROGRAMS[0] / "postgres"), *service.command[1:], "-D", str(data), "-p", port]
    # No database of this machine needs 256 MB for a test.
    command = [word.replace("shared_buffers=256MB", "shared_buffers=16MB") for word in command]
    machine.start(
        "postgres", "-k", str(data), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", command=command, user=user
    )
    script = machine.config_file("postgres-init.sh")
    script.chmod(0o755)
    _run_as(user, ["/bin/sh", str(script)], PATH=environment["PATH"], PGHOST=str(data), PGPORT=port)


def start_redis(machine: Machine) -> None:
    """Redis with its own command, configuration and users; the append-only file in a directory of ours."""
    data = _directory(machine.directory / "redis", None)
    config = machine.config_file("redis.conf")
    config.write_text(config.read_text().replace("dir /data", f"dir {data}").replace("bind * -::*", "bind 127.0.0.1"))
    service = machine.compose.services["redis"]
    program("redis-server", "redis-server")
    machine.start("redis", command=[word.replace("/etc/redis/redis.conf", str(config)) for word in service.command])


def start_proxy(machine: Machine) -> None:
    """Caddy with its own command and Caddyfile. Its authority's certificate is then at `proxy_authority`."""
    program("caddy", "caddy")
    config = machine.config_file("Caddyfile")
    service = machine.compose.services["proxy"]
    machine.start(
        "proxy",
        command=[word.replace("/etc/caddy/Caddyfile", str(config)) for word in service.command],
        XDG_DATA_HOME=str(machine.directory / "proxy.data"),
        XDG_CONFIG_HOME=str(machine.directory / "proxy.config"),
    )
    assert {PROXY_HTTP, PROXY_HTTPS, PROXY_HEALTH} <= set(machine.ports)


def proxy_authority(machine: Machine) -> Path:
    """The certificate of the authority with which Caddy signs for localhost."""
    return machine.directory / "proxy.data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"


def start_dovecot(machine: Machine) -> Path:
    """The demo's Dovecot with its own command and configuration; returns the certificate to trust."""
    user = _user("dovecot")
    who = pwd.getpwnam(user) if user else pwd.getpwuid(os.getuid())
    group = subprocess.run(["id", "-gn", who.pw_name], capture_output=True, text=True, check=True).stdout.strip()
    base = _directory(machine.directory / "dovecot", user)
    mail = _directory(machine.directory / "mail", user)
    certificate, key = base / "demo.pem", base / "demo.key"
    _run_as(
        None,
        [
            *(program("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=dovecot", "-addext", "subjectAltName=DNS:dovecot,IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
    )
    key.chmod(0o644)
    config = machine.config_file("dovecot.conf")
    text = config.read_text()
    for here, there in {
        "/etc/dovecot/demo": str(base / "demo"),
        "/tmp/dovecot": str(base / "run"),
        "/mail/%u": f"{mail}/%u",
        "= /dev/stderr": f"= {base}/log",
        "= webmail": f"= {who.pw_name}",
        "10001": str(who.pw_uid),
        "listen = *": "listen = 127.0.0.1",
    }.items():
        text = text.replace(here, there)
    text = text.replace(f"default_internal_group = {who.pw_name}", f"default_internal_group = {group}")
    text = text.replace(f"gid={who.pw_uid}", f"gid={who.pw_gid}").replace(
        f"first_valid_gid = {who.pw_uid}", "first_valid_gid = 1"
    )
    config.write_text(text.replace(f"first_valid_uid = {who.pw_uid}", "first_valid_uid = 1"))
    service = machine.compose.services["dovecot"]
    dovecot = program("dovecot", "dovecot-imapd")
    command = [word.replace("/etc/dovecot/demo.conf", str(config)) for word in service.command]
    machine.start("dovecot", command=[dovecot, *command[1:]], user=user)
    return certificate


def _user(name: str) -> str | None:
    """Whom to become when we are root; None where we run as an ordinary user already."""
    return name if os.getuid() == 0 else None


def _directory(path: Path, user: str | None) -> Path:
    path.mkdir(mode=0o700, exist_ok=True)
    if user and os.getuid() == 0:
        os.chown(path, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    return path


def _run_as(user: str | None, words: list[str], **environment: str) -> None:
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=ROOT.anchor,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"} | environment,
        user=user,
        group=user,
        extra_groups=[] if user else None,
    )
    assert done.returncode == 0, f"{words[0]}: {done.stdout}{done.stderr}"
