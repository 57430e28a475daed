"""Jobs of all kinds while everything is killed, and afterwards every message is where it should be, once.

    python -m bench.kills --jobs 1000 --kills 50 --json
    python -m bench.kills --jobs 100 --kills 10 --only neither

For each set of capabilities that a server may have, the whole product runs against Dovecot behind a proxy, which hides
what the set lacks and cuts a tenth of all connections at random bytes. Somebody acts at random (`bench.asking`), and
--kills times a worker, Dovecot's children or all connections die, Redis is flushed or killed, PostgreSQL is restarted.

`lost`, `doubled` and `wrong_message` compare the server with the model by the octets of each message, `wrong_flags` by
their flags. `foreign_expunged`: messages that another client had marked as deleted and that are gone. `shown_twice`:
how often whoever acted found one message twice in a list. `not_done`: jobs that ended otherwise. `settled_s`: from the
last fault until the last job was done; `waited_s`: what for.
"""

from __future__ import annotations

import argparse
import contextlib
import imaplib
import json
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from bench.cutting import CuttingProxy
from bench.online import Person
from bench.product import Product
from bench.stage import say
from bench.trouble import kill_children, stage, tell_redis
from webmail.demo.imap_server import ImapServer

ADDRESS, PASSWORD = "alice@demo.test", "demo"
RUNS = ("web", "worker", "beat")
SETS: dict[str, tuple[bytes, ...]] = {"move+uidplus": (), "uidplus": (b"MOVE",), "neither": (b"MOVE", b"UIDPLUS")}
LETTERS = {"INBOX": 400, "Archive": 150, "Letters": 150}
FOREIGN = 10
CUT_AFTER = 40_000  # octets at most, where a connection is cut
CUT_SHARE = 10  # of 100 connections
BACKLOG = 300  # jobs that wait, at most
PATIENCE_SECONDS = 240.0  # for what isn't done after the last fault


def main() -> None:
    """Run what is asked for and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=SETS, action="append")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result: dict[str, Any] = {}
    for name in arguments.only or SETS:
        result[name] = _in_a_child(name, arguments.jobs, arguments.kills, arguments.seed)
    print(json.dumps(result, indent=None if arguments.json else 2))


def kills(name: str, jobs: int, number: int, seed: int) -> dict[str, Any]:
    """`jobs` jobs and `number` faults on a server with one set of capabilities."""
    with stage({ADDRESS: PASSWORD}, RUNS, seed=seed, most=CUT_AFTER, hidden=SETS[name], max_connections=20) as (
        server,
        proxy,
        running,
    ):
        os.environ.update(running.environment)
        os.environ["DJANGO_SETTINGS_MODULE"] = "webmail.settings"
        import django  # noqa: PLC0415  the environment comes first

        django.setup()
        from bench import asking  # noqa: PLC0415

        with _imap(server.port) as client:
            model = asking.prepare(client, LETTERS)
            for foreign in range(FOREIGN):
                raw = f"Subject: Foreign {foreign}\r\n\r\nNot ours.\r\n".encode()
                client.append("INBOX", "(\\Deleted foreign)", "", raw)
        account = _sign_in(running)
        asker = asking.Asker(account, model, seed)
        proxy.share = CUT_SHARE
        say(f"{name}: {jobs:,} jobs, {number} faults")
        happened: Counter[str] = Counter()
        pace = number / jobs

        def be_trouble() -> None:
            happened.update(_trouble(running, server, proxy, number, seed, lambda: len(asker.asked) * pace))

        trouble = threading.Thread(target=be_trouble)
        trouble.start()
        _ask(asker, jobs, trouble)
        trouble.join()
        proxy.share = 0
        last = time.monotonic()
        say(f"  {dict(happened)}, {proxy.cuts} cut, {dict(asker.kinds)}")
        states, waited = _await_end(asker, running)
        settled = time.monotonic() - last
        with _imap(server.port) as client:
            verdict = asking.judge(client, model, marked_are_gone=b"UIDPLUS" in SETS[name])
            foreign_left = sum("foreign" in words for _, words in asking.messages(client, "INBOX"))
        for number_ in verdict.numbers[:3]:
            for line in asking.history(asker.asked, number_):
                say(f"    {line[:300]}")
    return {
        "jobs": len(asker.asked),
        "faults": happened,
        "cut": proxy.cuts,
        "lost": verdict.lost,
        "doubled": verdict.doubled,
        "wrong_message": verdict.wrong_message,
        "wrong_flags": verdict.wrong_flags,
        "foreign_expunged": FOREIGN - foreign_left,
        "shown_twice": asker.shown_twice,
        "not_done": {state: many for state, many in states.items() if state not in ("done", "cancelled")},
        "settled_s": round(settled, 1),
        "waited_s": {what: tenths / 10 for what, tenths in waited.items()},
        "examples": verdict.examples,
    }


def _in_a_child(name: str, jobs: int, number: int, seed: int) -> dict[str, Any]:
    """Each set in a process of its own: Django's settings are for one product."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with os.fdopen(writing, "w") as out:
                json.dump(kills(name, jobs, number, seed), out)
            status = 0
        except BaseException as error:
            say(f"  {name}: {error!r}")
            status = 1
        os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as said:
        words = said.read()
    os.waitpid(child, 0)
    return dict(json.loads(words)) if words else {"error": "it did not end"}


def _sign_in(running: Product) -> Any:
    """Sign in as a person does, and index all mailboxes."""
    from bench import asking  # noqa: PLC0415
    from webmail.models import Account  # noqa: PLC0415
    from webmail.store import sync  # noqa: PLC0415

    Person(running.base, running.live, ADDRESS, PASSWORD)
    account = Account.objects.select_related("provider").get()
    sync.list_mailboxes(account)
    for name in asking.BOXES:
        mailbox = account.mailboxes.get(name=name)
        mailbox.account = account
        sync.refresh(mailbox)
        while sync.backfill(mailbox):
            pass
    return account


def _ask(asker: Any, jobs: int, trouble: threading.Thread) -> None:
    """Record the jobs, spread over the time of the faults. Nobody goes on clicking while BACKLOG of them wait."""
    from django.db import DatabaseError, connection  # noqa: PLC0415

    from bench.asking import patiently  # noqa: PLC0415
    from webmail import tasks  # noqa: PLC0415
    from webmail.models import Job  # noqa: PLC0415

    def wake(account_id: int) -> None:
        with contextlib.suppress(DatabaseError):
            tasks.enqueue(tasks.work, account_id)

    rng = random.Random(jobs)
    for number in range(jobs):
        job = patiently(asker.ask)
        wake(job.account_id)
        if number % 5 == 4:
            time.sleep(rng.uniform(0.0, 0.8) if trouble.is_alive() else 0.0)
            while patiently(lambda: Job.objects.pending().count()) > BACKLOG:
                time.sleep(0.5)
    connection.close()


def _await_end(asker: Any, running: Product) -> tuple[Counter[str], Counter[str]]:
    """Wait until every job has ended; return how many did how, and what was waited for, in tenths of a second."""
    from django.utils import timezone  # noqa: PLC0415

    from bench.asking import patiently  # noqa: PLC0415
    from webmail.models import Account, Job  # noqa: PLC0415
    from webmail.store import leases  # noqa: PLC0415

    def waits_for() -> str:
        pending = list(Job.objects.pending().values_list("state", "not_before"))
        if not pending:
            return ""
        now, until = timezone.now(), Account.objects.values_list("lease_until", flat=True).get()
        if until is not None and until > now:
            renewed = until - leases.LEASE
            return "work" if (now - renewed).total_seconds() < leases.RENEW_SECONDS + 1 else "lease of the dead"
        return "worker" if any(due <= now for _, due in pending) else "next try"

    waited: Counter[str] = Counter()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and (what := patiently(waits_for)):
        began = time.monotonic()
        time.sleep(0.1)
        for words in running.revive():
            say(f"  by itself {words}")
        waited[what] += round(10 * (time.monotonic() - began))
    keys = [job.pk for job in asker.asked]
    found = patiently(lambda: list(Job.objects.filter(pk__in=keys)))
    for job in found:
        if job.state not in ("done", "cancelled"):
            say(f"  {job.state}: {job.sequence} {job.kind} {job.act} early={job.early} {job.error}")
    return Counter(str(job.state) for job in found), waited


def _trouble(
    running: Product, server: ImapServer, proxy: CuttingProxy, number: int, seed: int, due: Callable[[], float]
) -> Counter[str]:
    """Let faults happen, one after the other: workers and Dovecot's sessions most often.

    Args:
        due: how many of them the jobs asked for so far are worth; they keep step.
    """
    rng = random.Random(seed)
    kinds: dict[str, tuple[int, Callable[[], object]]] = {
        "worker killed": (5, lambda: running.kill("worker")),
        "dovecot's children killed": (5, lambda: kill_children(server.pid)),
        "all connections cut": (3, proxy.cut_all),
        "redis flushed": (1, lambda: tell_redis(running, "FLUSHALL")),
        "redis killed": (1, running.kill_redis),
        "postgresql restarted": (1, running.cluster.restart),
    }
    names, weights = list(kinds), [weight for weight, _ in kinds.values()]
    happened: Counter[str] = Counter()
    for turn in range(number):
        time.sleep(rng.uniform(0.5, 2.5))
        while turn > due() + 1:
            time.sleep(0.1)
        for words in running.revive():
            say(f"  by itself {words}")
            happened["ended by itself"] += 1
        name = names[turn] if turn < len(names) else rng.choices(names, weights)[0]
        kinds[name][1]()
        happened[name] += 1
    return happened


def _imap(port: int) -> imaplib.IMAP4:
    imap = imaplib.IMAP4("127.0.0.1", port, timeout=60)
    imap.login(ADDRESS, PASSWORD)
    return imap


if __name__ == "__main__":
    sys.exit(main())
