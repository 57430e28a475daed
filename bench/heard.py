"""From the delivery of a message to its row in the index, with many people online.

The commands `watch`, `worker` and `beat` run as deployed, on a PostgreSQL and a Redis of their own; every account has
an idle connection to Dovecot and one of the worker's. Messages are appended by another client, one after the other,
each to somebody else. Dovecot itself waits half a second before it tells of a change, so the same is measured for an
idle connection of the benchmark's own: what is ours is the difference.
"""

from __future__ import annotations

import contextlib
import imaplib
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import redis

from bench.product import Product, manage
from bench.stage import PASSWORD, say
from bench.watch import ACCOUNTS
from tools.postgres import private_cluster
from webmail.demo.imap_server import ImapServer, start_dovecot
from webmail.demo.layout import free_port
from webmail.demo.redis_server import start_redis
from webmail.protocol.connection import connect
from webmail.protocol.idle import Idling, What
from webmail.protocol.types import Login, Security, Server

PEOPLE = 200
DELIVERIES = 200
PAUSE = 0.15  # seconds between two deliveries, on average
PATIENCE = 300.0
READ = "SELECT count(*) FROM webmail_mailbox WHERE role = 'inbox' AND checked_at IS NOT NULL"
ARRIVED = "SELECT count(*) FROM webmail_message WHERE subject = %s"


def measure(people: int = PEOPLE, deliveries: int = DELIVERIES) -> dict[str, Any]:
    """Deliver and wait for the row.

    Returns:
        `people`, `delivery_to_index_p50_ms`, `delivery_to_index_p95_ms`, `server_tells_p50_ms`: Dovecot's own part.
    """
    with stage(people) as (server, running):
        tells = [_told(server, people) for _ in range(10)]
        begin(running, server, people)
        took = _deliver(server, running.database, people, deliveries)
    took.sort()
    return {
        "people": people,
        "delivery_to_index_p50_ms": round(statistics.median(took) * 1000),
        "delivery_to_index_p95_ms": round(took[int(len(took) * 0.95) - 1] * 1000),
        "server_tells_p50_ms": round(statistics.median(tells) * 1000),
    }


@contextlib.contextmanager
def stage(people: int) -> Iterator[tuple[ImapServer, Product]]:
    """Dovecot with `people` and one more, and a product of which nothing runs yet; both are ended."""
    with contextlib.ExitStack() as end:
        directory = Path(end.enter_context(tempfile.TemporaryDirectory(prefix="webmail-heard-")))
        cluster = end.enter_context(private_cluster())
        directory.chmod(0o711)
        for part in ("mail", "work"):
            (directory / part).mkdir()
        server = start_dovecot(directory / "mail", {f"u{number}@demo.test": PASSWORD for number in range(people + 1)})
        end.callback(server.stop)
        running = Product(directory / "work", cluster, start_redis(directory / "work"), free_port())
        end.callback(running.stop)
        running.environment |= {"LOGINS_PER_SECOND": "1000"}
        yield server, running


def begin(running: Product, server: ImapServer, people: int) -> None:
    """Start what listens, and wait until everybody is listened for and indexed."""
    manage(running.environment, "migrate", "--verbosity", "0")
    made = ACCOUNTS.format(port=server.tls_port, security="tls", ca=server.ca_pem, count=people, password=PASSWORD)
    manage(running.environment, "shell", "--verbosity", "0", "--command", made)
    queue = redis.Redis.from_url(running.redis.url)
    queue.zadd("presence", {str(number): 2**40 for number in range(1, people + 1)})
    for name in ("worker", "beat", "watch"):
        running.start(name)
    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(running.database, autocommit=True) as database:
        while _count(database, READ) < people or int(queue.hlen("watched")) < people:  # type: ignore[arg-type]
            if time.monotonic() > deadline:
                raise TimeoutError("not everybody was indexed in time")
            time.sleep(0.5)
    say(f"{people} people are listened for")
    time.sleep(10)  # the looks that follow each opening


def _deliver(server: ImapServer, database: str, people: int, deliveries: int) -> list[float]:
    """How long each of the deliveries took, in seconds."""
    rng = random.Random(1)
    took = []
    with psycopg.connect(database, autocommit=True) as connection:
        for number in range(deliveries):
            time.sleep(rng.uniform(0, 2 * PAUSE))
            with client(server, number % people) as other:
                other.append("INBOX", "", "", letter(number))
                delivered = time.monotonic()
            while not _count(connection, ARRIVED, f"Delivery {number}"):
                if time.monotonic() - delivered > PATIENCE:
                    raise TimeoutError("a message was never indexed")
                time.sleep(0.002)
            took.append(time.monotonic() - delivered)
    return took


def _told(server: ImapServer, number: int) -> float:
    """Seconds from a delivery until Dovecot tells an idle connection of it."""
    with idling(server, number) as idle:
        with client(server, number) as other:
            other.append("INBOX", "", "", letter(0))
            delivered = time.monotonic()
        while not any(fact.what is What.NEW for fact in idle.wait(0.1)):
            pass
        return time.monotonic() - delivered


@contextlib.contextmanager
def idling(server: ImapServer, number: int) -> Iterator[Idling]:
    """A connection of one of the people that idles in the inbox, as the product's do."""
    where = Server("127.0.0.1", server.port, Security.NONE, allow_private=True)
    connection = connect(where, Login(f"u{number}@demo.test", PASSWORD))
    connection.select("INBOX")
    idle = Idling()
    idle.add(1, connection.hand_over())
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        idle.wait(0.1)
    yield idle
    idle.close()


def _count(database: psycopg.Connection[Any], query: str, *values: str) -> int:
    row = database.execute(query, values).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return int(row[0])


def client(server: ImapServer, number: int) -> imaplib.IMAP4:
    """Another mail program of one of the people."""
    made = imaplib.IMAP4(server.host, server.port, timeout=30)
    made.login(f"u{number}@demo.test", PASSWORD)
    return made


def letter(number: int) -> bytes:
    """A message called "Delivery" and its number."""
    return (
        f"From: Bob <bob@demo.test>\r\nTo: alice@demo.test\r\nSubject: Delivery {number}\r\n"
        f"Message-ID: <delivery-{number}@demo.test>\r\nDate: Thu, 26 Nov 2026 12:00:00 +0000\r\n\r\nHello.\r\n"
    ).encode()
