"""What `manage.py watch` costs while nothing happens: memory for each connection, and CPU, by their number.

The command itself runs, with a PostgreSQL and a Redis of its own and a row for every account; log-ins are not held
back. Up to 2,000 connections, with TLS and without, go to a server that knows just enough (`quiet_imap`), 250 to a real
Dovecot, where NOTIFY is said too. The CPU includes what is not idleness: asking every two seconds who is online, and
waking a worker for each account once a minute.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from bench.product import Product, manage
from bench.stage import PASSWORD, ROOT, say
from tools.postgres import private_cluster
from webmail.demo.certificates import ensure_certificates
from webmail.demo.imap_server import start_dovecot
from webmail.demo.layout import free_port
from webmail.demo.redis_server import start_redis

COUNTS = (250, 500, 1000, 2000)
WINDOW = 30.0  # seconds over which CPU is counted
SETTLE = 5.0  # seconds after the last connection
PATIENCE = 240.0
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
ACCOUNTS = """
from webmail.models import Account, Provider, User
from webmail.store import credentials
provider = Provider.objects.create(name="Bench", imap_host="127.0.0.1", imap_port={port}, imap_security={security!r},
    ca_pem={ca!r}, allow_private=True)
users = User.objects.bulk_create(User(username=f"u{{n}}@demo.test", password="!") for n in range({count}))
accounts = [Account(user=user, provider=provider, address=user.username) for user in users]
for account in accounts:
    account.credential = credentials.seal(account, {password!r})
Account.objects.bulk_create(accounts)
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """With so many connections: resident memory in octets, share of one core."""

    connections: int
    rss: int
    cpu: float


def measure(counts: Sequence[int] = COUNTS, real: int = 250) -> dict[str, Any]:
    """Let connections idle and look.

    Args:
        counts: how many, ascending. real: how many to Dovecot.

    Returns:
        `watch_kb_per_connection` and `watch_idle_cpu` at the largest of `counts`, over TLS; both for each number in
        `growth`, the same without TLS in `plain`, and with Dovecot in `dovecot`.
    """
    with tempfile.TemporaryDirectory(prefix="webmail-watch-") as name:
        directory = Path(name)
        directory.chmod(0o711)
        certificates = ensure_certificates(directory)
        with quiet_server(str(certificates.certificate), str(certificates.key)) as port:
            secure = list(_costs(port, "tls", certificates.ca.read_text(), counts))
        with quiet_server() as port:
            plain = list(_costs(port, "none", "", counts))
        server = start_dovecot(directory, {f"u{number}@demo.test": PASSWORD for number in range(real)})
        try:
            dovecot = list(_costs(server.tls_port, "tls", server.ca_pem, [real]))
        finally:
            server.stop()
    growth = _figures(secure)
    return {
        "watch_kb_per_connection": growth[-1]["kb"],
        "watch_idle_cpu": growth[-1]["cpu"],
        "nobody_online": {"mb": round(secure[0].rss / 2**20, 1), "cpu": round(secure[0].cpu, 4)},
        "growth": growth,
        "plain": _figures(plain),
        "dovecot": _figures(dovecot),
    }


@contextlib.contextmanager
def quiet_server(*shown: str) -> Iterator[int]:
    """Start `quiet_imap`, with TLS if it is given a certificate and a key; yields its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.quiet_imap", *shown],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(20)


def _figures(costs: Sequence[Cost]) -> list[dict[str, float]]:
    """For each number of connections: kB each, what begins with the first one (threads, libraries) shared out among
    them; kB for each of those that came since the smaller number; share of a core."""
    return [
        {
            "connections": cost.connections,
            "kb": round((cost.rss - costs[0].rss) / 1024 / cost.connections, 1),
            "kb_more": round((cost.rss - before.rss) / 1024 / (cost.connections - before.connections), 1),
            "cpu": round(cost.cpu, 4),
        }
        for before, cost in itertools.pairwise(costs)
    ]


def _costs(port: int, security: str, ca: str, counts: Sequence[int]) -> Iterator[Cost]:
    """What the command costs with nobody online, and then with each number of people."""
    with _command(port, security, ca, max(counts)) as (running, queue):
        process = running.processes["watch"].pid
        _await(lambda: queue.exists("watchers"))
        time.sleep(SETTLE)
        begin = _files(process)
        yield _look(process, 0)
        for count in counts:
            queue.zadd("presence", {str(number): 2**40 for number in range(1, count + 1)})
            _await(lambda count=count: _files(process) >= begin + count)  # type: ignore[misc]
            time.sleep(SETTLE)
            yield _look(process, count)


def _look(process: int, connections: int) -> Cost:
    began, used = time.monotonic(), _cpu_seconds(process)
    time.sleep(WINDOW)
    cpu = (_cpu_seconds(process) - used) / (time.monotonic() - began)
    rss = int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
    say(f"{connections:,} connections: {rss / 2**20:.1f} MB, {cpu:.2%} of a core")
    return Cost(connections, rss, cpu)


@contextlib.contextmanager
def _command(port: int, security: str, ca: str, count: int) -> Iterator[tuple[Product, redis.Redis]]:
    """`manage.py watch` with all it needs and `count` accounts."""
    with contextlib.ExitStack() as end:
        work = Path(end.enter_context(tempfile.TemporaryDirectory(prefix="webmail-watch-")))
        cluster = end.enter_context(private_cluster())
        running = Product(work, cluster, start_redis(work), free_port())
        end.callback(running.stop)
        running.environment |= {"LOGINS_PER_SECOND": "100000"}
        manage(running.environment, "migrate", "--verbosity", "0")
        made = ACCOUNTS.format(port=port, security=security, ca=ca, count=count, password=PASSWORD)
        manage(running.environment, "shell", "--verbosity", "0", "--command", made)
        running.start("watch")
        yield running, redis.Redis.from_url(running.redis.url)


def _cpu_seconds(process: int) -> float:
    """CPU that a process has used: fields 14 and 15 of its stat, behind its name in parentheses (proc(5))."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _files(process: int) -> int:
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


def _await(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {PATIENCE:.0f} s")
        time.sleep(0.2)
