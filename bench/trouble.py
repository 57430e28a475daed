"""The whole product with a mail server behind a proxy that cuts, and what is done to them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.cutting import CuttingProxy
from bench.product import Product, product
from webmail.demo.imap_server import ImapServer, start_dovecot
from webmail.demo.layout import free_port


class Stage(NamedTuple):
    """A mail server, the proxy in front of it, and the product that reaches it through that."""

    server: ImapServer
    proxy: CuttingProxy
    running: Product


@contextlib.contextmanager
def stage(
    people: Mapping[str, str],
    runs: Sequence[str],
    *,
    seed: int = 1,
    most: int,
    hidden: tuple[bytes, ...] = (),
    max_connections: int = 10,
) -> Iterator[Stage]:
    """Dovecot, a proxy that cuts in front of it, and the whole product.

    Args:
        people: address → password; of demo.test. runs: the lines of the Procfile to start.
        seed, most, hidden: see `CuttingProxy`. max_connections: of one person to Dovecot.
    """
    with contextlib.ExitStack() as end:
        directory = Path(end.enter_context(tempfile.TemporaryDirectory(prefix="webmail-trouble-")))
        directory.chmod(0o711)
        for name in ("mail", "work"):
            (directory / name).mkdir()
        server = start_dovecot(directory / "mail", people, max_connections=max_connections)
        end.callback(server.stop)
        proxy = CuttingProxy(server.port, seed=seed, most=most, hidden=hidden)
        end.callback(proxy.close)
        work, port = directory / "work", free_port()
        running = end.enter_context(
            product(work, port=port, imap_port=proxy.port, domain="demo.test", login="address", runs=runs)
        )
        yield Stage(server, proxy, running)


def tell_redis(running: Product, command: str) -> None:
    """Give the product's Redis a command, by another client."""
    socket = running.redis.url.removeprefix("unix://")
    subprocess.run(["redis-cli", "-s", socket, command], check=True, stdout=subprocess.DEVNULL, timeout=20)


def kill_children(master: int) -> None:
    """SIGKILL for every process that serves a connection; Dovecot's master starts others."""
    for line in subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(master)], capture_output=True, text=True,
                               check=False).stdout.splitlines():  # fmt: skip
        pid, _, words = line.strip().partition(" ")
        if "imap" in words:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
