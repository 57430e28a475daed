"""Measure the sync engine: `python -m bench.sync [--json] [--only PART]`. Starts what it needs.

first_page_round_trips     round trips until a mailbox nobody has read shows its first page (≤ 3)
drain_ratio                pace of indexing LARGE messages from Dovecot into PostgreSQL ÷ pace at which a bare socket
                           takes in the same FETCH; both with Dovecot's own cache empty, as for somebody new (≥ 0.25)
drain_ratio_sqlite         the same into SQLite (≥ 0.25)
drain_ratio_warm           as drain_ratio, both with Dovecot's cache full (no goal)
rss_mb                     memory of the process that indexes, at its peak (< 150)
foreground_slowdown        a page of somebody else while that goes on ÷ alone (≤ 1.2)
noop_delta_round_trips     round trips of a look at a mailbox where nothing happened (1)
noop_delta_cpu_ms          CPU of it (< 2)
thousand_flags_visible_ms  from the end of another client's STORE of 1,000 flags until the index has them
bytes_per_message          of the table with its indexes at ROWS rows, PostgreSQL (≤ 800); bytes_per_message_sqlite
page_growth                a warm page with ROWS rows ÷ with 1,000 (≤ 1.2); page_growth_sqlite
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import mail
from bench.measure import Wsgi, wall
from bench.proxy import CountingProxy
from bench.stage import ADDRESS, LARGE, PASSWORD, ROOT, SMALL, SMALL_SIZE, configure, mailbox, say, servers
from webmail.protocol.fetching import HEADER_FIELDS, HEADER_OCTETS

if TYPE_CHECKING:
    from webmail.models import Account

CHILD_SECONDS = 3600.0
PARTS = ("index", "foreground", "looks", "growth")
GOALS = {
    "first_page_round_trips": "≤ 3",
    "drain_ratio": "≥ 0.25",
    "drain_ratio_sqlite": "≥ 0.25",
    "rss_mb": "< 150",
    "foreground_slowdown": "≤ 1.2",
    "noop_delta_round_trips": "1",
    "noop_delta_cpu_ms": "< 2",
    "bytes_per_message": "≤ 800",
    "bytes_per_message_sqlite": "≤ 800",
    "page_growth": "≤ 1.2",
    "page_growth_sqlite": "≤ 1.2",
}


def main() -> None:
    """Print the numbers: as one JSON object, or beside their goals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--large", type=int, default=100_000, help="messages that are indexed")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the large index")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part alone; may be given several times")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all that was started is ended
    numbers = measure(arguments.large, arguments.rows, arguments.only or PARTS)
    if arguments.json:
        print(json.dumps(numbers))
        return
    for name, number in numbers.items():
        print(f"{name:26} {number:>10} {GOALS.get(name, '')}")


def measure(large: int, rows: int, parts: Collection[str]) -> dict[str, float]:
    """The numbers of this module's docstring that belong to `parts`."""
    numbers: dict[str, float] = {}
    with contextlib.ExitStack() as end:
        on = end.enter_context(servers({ADDRESS: PASSWORD}))
        directory, server = on.directory, on.mail
        proxy = CountingProxy(server.port)
        end.callback(proxy.close)
        configure(directory, on.database, on.redis_url)
        sqlite = {"DATABASE_URL": f"sqlite:///{directory / 'bench.sqlite3'}"}
        if set(parts) - {"growth"}:
            for name, count in ((SMALL, SMALL_SIZE), (LARGE, large)):
                say(f"filing {count:,} messages in {name}")
                mail.file_mail(server.port, ADDRESS, PASSWORD, name, mail.letters(count))
        if "index" in parts:
            numbers |= _index(directory, server.port, large, sqlite)
        if "foreground" in parts:
            numbers["foreground_slowdown"] = _foreground(_account("direct", server.port))
        if "looks" in parts:
            numbers |= _looks(_account("counted", proxy.port), proxy, server.port)
        if "growth" in parts:
            numbers |= _child("growth", str(rows))
            numbers |= {f"{name}_sqlite": value for name, value in _child("growth", str(rows), **sqlite).items()}
    return numbers


def _index(directory: Path, port: int, large: int, sqlite: dict[str, str]) -> dict[str, float]:
    """Indexing into both databases beside the bare socket, first with Dovecot's cache empty."""
    _chill(directory)
    cold = _drain(port, large)
    warm = _drain(port, large)
    _chill(directory)
    found = _child("index", str(_account("new", port).pk))
    again = _child("index", str(_account("again", port).pk))
    _chill(directory)
    light = _child("index-anew", str(port), **sqlite)
    return {
        "drain_ratio": round(cold / found["seconds"], 3),
        "drain_ratio_warm": round(warm / again["seconds"], 3),
        "drain_ratio_sqlite": round(cold / light["seconds"], 3),
        "drained_per_second": round(large / cold),
        "messages_per_second": round(large / found["seconds"]),
        "messages_per_second_sqlite": round(large / light["seconds"]),
        "rss_mb": found["rss_mb"],
    }


def _account(name: str, port: int) -> Account:
    from bench.sync_child import make_account  # noqa: PLC0415 - settings come first

    return make_account(name, port)


def _child(*arguments: str, **environment: str) -> dict[str, float]:
    """Run a part in a process of its own, with what `configure` put into the environment, and read its numbers."""
    say(f"running {' '.join(arguments)} {environment}")
    done = subprocess.run(
        [sys.executable, "-m", "bench.sync_child", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        check=True,
        timeout=CHILD_SECONDS,
    )
    numbers: dict[str, float] = json.loads(done.stdout)
    return numbers


def _chill(directory: Path) -> None:
    """Take Dovecot its cache of what was fetched before."""
    for cache in (directory / "mail").rglob("dovecot.index.cache*"):
        cache.unlink(missing_ok=True)


def _drain(port: int, count: int) -> float:
    """How long a bare socket takes to take in the index data of all messages in one FETCH, in seconds."""
    with socket.create_connection(("127.0.0.1", port), timeout=300) as client, client.makefile("rb") as answers:
        answers.readline()
        for command in (f"LOGIN {ADDRESS} {PASSWORD}", f"EXAMINE {LARGE}"):
            client.sendall(f"a {command}\r\n".encode())
            while not answers.readline().startswith(b"a OK"):
                pass
        items = f"UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS ({HEADER_FIELDS})]"
        start = wall()
        client.sendall(f"b FETCH 1:{count} ({items}<0.{HEADER_OCTETS}>)\r\n".encode())
        tail = b""
        while b"\r\nb OK" not in tail:
            data = client.recv(1 << 18)
            if not data:
                raise ConnectionError("the mail server hung up")
            tail = (tail + data)[-500:]
        return wall() - start


def _foreground(account: Account) -> float:
    """How much longer somebody else's page takes while another process indexes the large mailbox."""
    from bench.sync_child import index  # noqa: PLC0415
    from webmail.wsgi import application  # noqa: PLC0415

    index(account, SMALL)
    client = Wsgi(application, _cookie(account))
    path = f"/mailbox/{mailbox(account, SMALL).pk}/"
    alone = statistics.median(_page_times(client, path, seconds=10))
    busy = _account("busy", account.provider.imap_port)
    with subprocess.Popen(
        [sys.executable, "-m", "bench.sync_child", "index", str(busy.pk)], cwd=ROOT, stdout=subprocess.DEVNULL
    ) as child:
        meanwhile: list[float] = []
        while child.poll() is None:
            meanwhile += _page_times(client, path, seconds=0.2)
    assert child.returncode == 0
    return round(statistics.median(meanwhile) / alone, 2)


def _page_times(client: Wsgi, path: str, seconds: float) -> Iterator[float]:
    until = wall() + seconds
    while wall() < until:
        _checked_just_now()
        start = wall()
        client.get(path)
        yield wall() - start
        time.sleep(0.1)  # one person who pages, not a load of its own


def _looks(account: Account, proxy: CountingProxy, port: int) -> dict[str, float]:
    """The first page of a cold mailbox; looks at one that is indexed, where nothing and where much happened."""
    from bench.sync_child import index  # noqa: PLC0415
    from webmail.store import sync  # noqa: PLC0415

    sync.list_mailboxes(account)
    box = mailbox(account, LARGE)
    proxy.take()
    sync.first_page(box, 50)
    first = proxy.take().round_trips
    index(account, LARGE)
    box = mailbox(account, LARGE)
    sync.refresh(box)
    proxy.take()
    sync.refresh(box)
    trips = proxy.take().round_trips
    spent = []
    for _ in range(200):
        start = time.thread_time()
        sync.refresh(box)
        spent.append(time.thread_time() - start)
    visible = [_flags_until_visible(port, box, sign) for sign in "+-+-+"]
    return {
        "first_page_round_trips": first,
        "noop_delta_round_trips": trips,
        "noop_delta_cpu_ms": round(statistics.median(spent) * 1000, 2),
        "thousand_flags_visible_ms": round(statistics.median(visible) * 1000),
    }


def _flags_until_visible(port: int, box: Any, sign: str) -> float:
    import imaplib  # noqa: PLC0415

    from webmail.store import sync  # noqa: PLC0415

    with imaplib.IMAP4("127.0.0.1", port, timeout=60) as other:
        other.login(ADDRESS, PASSWORD)
        other.select(LARGE)
        other.store("1:1000", f"{sign}FLAGS.SILENT", "(\\Flagged)")
        start = wall()
        sync.refresh(box)
        spent = wall() - start
    assert box.messages.filter(flagged=True).count() == (1000 if sign == "+" else 0)
    return spent


def _checked_just_now() -> None:
    """As a moment after a worker looked: a page then only reads."""
    from django.utils import timezone  # noqa: PLC0415

    from webmail.models import Account, Mailbox  # noqa: PLC0415

    Mailbox.objects.filter(name=SMALL).update(checked_at=timezone.now())
    Account.objects.update(listed_at=timezone.now())


def _cookie(account: Account) -> str:
    from django.test import Client  # noqa: PLC0415

    client = Client()
    client.force_login(account.user, "django.contrib.auth.backends.ModelBackend")
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


if __name__ == "__main__":
    main()
