"""Everything is killed while everything changes, and afterwards the index is what the server has.

    python -m bench.faults --json                 all of it
    python -m bench.faults --only changes --messages 20000 --changes 5000 --faults 20

`changes`: during the first sync of a mailbox of --messages another client makes --changes changes while --faults faults
happen: workers, watch and the event stream's process killed, Redis flushed and killed, PostgreSQL restarted, Dovecot's
children killed, Dovecot stopped for a while, connections cut at random bytes and all at once. When all of that is over,
index and server are compared row by row until they agree: `differing_rows` is how many did not after 30 s,
`settled_s` when the last one did.

`streams`: --drops times the event stream of a page is cut just when mail comes; `missed_changes` is how often the page,
which only fetches anew when the stream says so, did not have it soon after.

`outage`: --accounts people are online when their server goes away, mail comes to all of them, and it returns.
`logins_per_second_max` is over any second from then on, `synced_s` when the last index has its mail. The issue's ten
minutes are --outage seconds here: what is measured comes after.

`tabs`: 50 pages of one person at once, each opening mail that only the server has, while its mailboxes are synced and
flags are set; Dovecot lets ten connections in. `limit_errors` is how many more were tried, `peak` how many there were.
"""

from __future__ import annotations

import argparse
import bisect
import imaplib
import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import Any

import psycopg

from bench import mail, truth
from bench.cutting import CuttingProxy
from bench.noise import Noise
from bench.online import Person
from bench.product import Product
from bench.stage import say
from bench.trouble import Stage, kill_children, stage, tell_redis
from webmail.demo.imap_server import ImapServer

ADDRESS, PASSWORD = "alice@demo.test", "demo"
RUNS = ("web", "live", "worker", "beat", "watch")
BOXES = ["INBOX", "Large", "Archive", "Trash"]
QUIET_SECONDS = 30.0
PATIENCE_SECONDS = 180.0  # for what differs after that
SOON_SECONDS = 5.0  # after a stream is back, until the page has what it missed (security R13)
CUT_AFTER = 400_000  # octets at most, where a connection is cut
SIGN_INS = 8  # at a time
CUT_SHARE = 15  # of 100 connections


def main() -> None:
    """Run what is asked for and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--changes", type=int, default=5_000)
    parser.add_argument("--faults", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--drops", type=int, default=50)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--outage", type=float, default=60.0)
    parser.add_argument("--only", choices=("changes", "streams", "outage", "tabs"), action="append")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    seed, people = arguments.seed, [f"u{number}@demo.test" for number in range(arguments.accounts)]
    parts: dict[str, Callable[[Stage], dict[str, Any]]] = {
        "changes": lambda on: changes(on, arguments.messages, arguments.changes, arguments.faults, seed=seed),
        "streams": lambda on: streams(on, arguments.drops, seed=seed),
        "outage": lambda on: outage(on, people, arguments.outage),
        "tabs": lambda on: tabs(on, 50),
    }
    result = {}
    for name, run in parts.items():
        if not arguments.only or name in arguments.only:
            with stage(dict.fromkeys([ADDRESS, *people], PASSWORD), RUNS, seed=seed, most=CUT_AFTER) as on:
                result[name] = run(on)
    print(json.dumps(result, indent=None if arguments.json else 2))


def changes(on: Stage, messages: int, number: int, faults: int, *, seed: int) -> dict[str, Any]:
    """`number` foreign changes and `faults` faults during the first sync of `messages`.

    Returns:
        `changes`, `faults` by kind, `differing_rows` after 30 s of quiet, `settled_s`, `rows`, `examples` of rows that
        differed.
    """
    server, proxy, running = on
    mail.file_mail(server.port, ADDRESS, PASSWORD, "Large", mail.letters(messages))
    person = Person(running.base, running.live, ADDRESS, PASSWORD)
    person.listen()
    say(f"{number:,} changes and {faults} faults beside the first sync of {messages:,}")
    proxy.share = CUT_SHARE
    noise = Noise(server.port, ADDRESS, PASSWORD, BOXES, seed=seed)
    failed: list[BaseException] = []
    maker = threading.Thread(target=_guarded, args=(lambda: noise.make(number, pause=0.02), failed))
    maker.start()
    happened = _trouble(running, server, proxy, faults, seed)
    maker.join()
    if failed:
        raise failed[0]
    proxy.share = 0
    say(f"quiet after {noise.changes:,} changes ({dict(noise.kinds)}), {dict(happened)}, {proxy.cuts} cut")
    result = _settle(server.port, running.database)
    person.leave()
    return {"changes": noise.changes, "faults": happened, "cut": proxy.cuts, **result}


def streams(on: Stage, drops: int, *, seed: int) -> dict[str, Any]:
    """Drop the event stream `drops` times while mail comes.

    Returns:
        `drops`, `missed_changes`, and `seen_after_reconnect_p95_s`: how long after the stream was back the page had it.
    """
    rng = random.Random(seed)
    server, _, running = on
    person = Person(running.base, running.live, ADDRESS, PASSWORD)
    person.listen()
    _await(lambda: person.streams, "the stream")
    watcher = _imap(server.port)
    missed, took = 0, []
    for number in range(drops):
        before = person.streams
        person.drop()
        time.sleep(rng.uniform(0.0, 1.0))
        watcher.append("INBOX", "", "", _letter(number))
        _await(lambda before=before: person.streams > before, "the stream")
        back = time.monotonic()
        if _appears(person, f"Change {number}<"):
            took.append(time.monotonic() - back)
        else:
            missed += 1
    watcher.logout()
    person.leave()
    return {"drops": drops, "missed_changes": missed, "seen_after_reconnect_p95_s": round(_p95(took), 2)}


def outage(on: Stage, people: Sequence[str], seconds: float) -> dict[str, Any]:
    """`people` online, their server away for `seconds`, and back.

    Returns:
        `accounts`, `online_s` until they were, `outage_s`, `logins_per_second_max`, `synced_s`, `pages` looked at
        meanwhile and how many of them failed.
    """
    server, proxy, running = on
    accounts, began = len(people), time.monotonic()
    say(f"{accounts} people come online")
    with ThreadPoolExecutor(SIGN_INS) as several:
        online = list(several.map(lambda address: Person(running.base, running.live, address, PASSWORD), people))
    for person in online:
        person.listen()
    _await(lambda: all(person.streams for person in online), "the streams")
    _await_rows(running.database, people, 0)
    came = time.monotonic() - began
    say(f"after {came:.0f} s the server goes away for {seconds:.0f} s; {len(proxy.log_ins)} log-ins so far")
    proxy.away = True
    proxy.cut_all()
    for number, address in enumerate(people):
        with _imap(server.port, address) as other:
            other.append("INBOX", "", "", _letter(number))
    until, failed, looked = time.monotonic() + seconds, 0, 0
    while time.monotonic() < until:
        person = online[looked % accounts]
        try:
            person.get(person.path)
        except OSError:
            failed += 1
        looked += 1
        time.sleep(0.2)
    proxy.log_ins.clear()
    proxy.away = False
    back = time.monotonic()
    say(f"{looked} pages looked at meanwhile, {failed} failed; it is back")
    _await_rows(running.database, people, 1, patience=600)
    synced = time.monotonic() - back
    for person in online:
        person.leave()
    return {
        "accounts": accounts,
        "online_s": round(came, 1),
        "outage_s": seconds,
        "logins_per_second_max": _most_in_a_second(proxy.log_ins),
        "log_ins": len(proxy.log_ins),
        "synced_s": round(synced, 1),
        "pages": looked,
        "pages_failed": failed,
    }


def tabs(on: Stage, number: int, *, messages: int = 20_000, looks: int = 50) -> dict[str, Any]:
    """`number` pages of one person, each looking at `looks` messages, under Dovecot's limit of ten connections.

    Returns:
        `limit_errors`, `peak` connections at once, `pages`, `pages_failed`.
    """
    server, proxy, running = on
    mail.file_mail(server.port, ADDRESS, PASSWORD, "Large", mail.letters(messages))
    mail.file_mail(server.port, ADDRESS, PASSWORD, "INBOX", mail.letters(500))
    person = Person(running.base, running.live, ADDRESS, PASSWORD)
    person.listen()
    _await(lambda: len(person.rows(person.path)) >= looks, "a page of messages")
    first = person.rows(person.path)
    proxy.peak = 0
    answers: Counter[bool] = Counter()

    def look(tab: int) -> None:
        for key in (first[tab % len(first) :] + first[: tab % len(first)])[:looks]:
            try:
                person.get(f"/message/{key}/", **{"HX-Request": "true"})
                person.get(person.path, **{"HX-Request": "true"})
                answers[True] += 2
            except OSError:
                answers[False] += 1

    threads = [threading.Thread(target=look, args=(tab,)) for tab in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    person.leave()
    refused = server.log.read_text(errors="replace").count("Maximum number of connections")
    return {
        "tabs": number,
        "limit_errors": refused,
        "peak": proxy.peak,
        "pages": answers[True],
        "pages_failed": answers[False],
    }


def _letter(number: int) -> bytes:
    return (
        f"From: Bob <bob@demo.test>\r\nTo: alice@demo.test\r\nSubject: Change {number}\r\n"
        f"Message-ID: <change-{number}@demo.test>\r\nDate: {formatdate()}\r\n\r\nHello.\r\n"
    ).encode()


def _imap(port: int, address: str = ADDRESS) -> imaplib.IMAP4:
    imap = imaplib.IMAP4("127.0.0.1", port, timeout=30)
    imap.login(address, PASSWORD)
    return imap


def _appears(person: Person, words: str) -> bool:
    """Whether the page shows `words` within SOON_SECONDS, fetching it only when its stream says something."""
    until, heard = time.monotonic() + SOON_SECONDS, -1
    while time.monotonic() < until:
        if len(person.facts) > heard:
            heard = len(person.facts)
            if words in person.get(person.path, **{"HX-Request": "true"}):
                return True
        time.sleep(0.02)
    return False


def _await(condition: Callable[[], object], what: str, seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come in {seconds:.0f} s")
        time.sleep(0.05)


def _await_rows(database: str, people: Sequence[str], rows: int, *, patience: float = 300.0) -> None:
    """Wait until the inbox of each has been indexed with so many messages."""
    query = (
        "SELECT count(*) FROM webmail_mailbox b JOIN webmail_account a ON a.id = b.account_id "
        "WHERE a.address = ANY(%s) AND b.role = 'inbox' AND b.lowest_uid = 1 AND "
        "(SELECT count(*) FROM webmail_message m WHERE m.mailbox_id = b.id) >= %s"
    )
    with psycopg.connect(database, autocommit=True) as connection:

        def enough() -> bool:
            found = connection.execute(query, [list(people), rows]).fetchone()
            return found is not None and found[0] >= len(people)

        _await(enough, f"{rows} rows in {len(people)} accounts", patience)


def _most_in_a_second(moments: Sequence[float]) -> int:
    """The largest number of moments in any second."""
    ordered = sorted(moments)
    return max((bisect.bisect_left(ordered, moment + 1.0) - at for at, moment in enumerate(ordered)), default=0)


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[max(0, int(len(values) * 0.95) - 1)] if values else 0.0


def _settle(port: int, database: str) -> dict[str, Any]:
    """Compare until both agree."""
    began = time.monotonic()
    differing_rows, examples = 0, []
    while True:
        server = truth.on_server(port, ADDRESS, PASSWORD)
        lines = truth.differing(server, truth.in_index(database, ADDRESS))
        seconds = time.monotonic() - began
        if seconds <= QUIET_SECONDS:
            differing_rows, examples = len(lines), lines[:5]
        if not lines or seconds > PATIENCE_SECONDS:
            break
        time.sleep(1)
    return {
        "differing_rows": differing_rows,
        "settled_s": round(seconds, 1) if not lines else None,
        "rows": len(server),
        "examples": examples,
    }


def _trouble(running: Product, server: ImapServer, proxy: CuttingProxy, faults: int, seed: int) -> Counter[str]:
    """Let `faults` faults happen, one after the other, each kind as often as the others."""
    rng = random.Random(seed)
    kinds: dict[str, Callable[[], object]] = {
        "worker killed": lambda: running.kill("worker"),
        "watch killed": lambda: running.kill("watch"),
        "live killed": lambda: running.kill("live"),
        "redis flushed": lambda: tell_redis(running, "FLUSHALL"),
        "redis killed": running.kill_redis,
        "postgresql restarted": running.cluster.restart,
        "dovecot's children killed": lambda: kill_children(server.pid),
        "dovecot stopped for 3 s": lambda: _pause(server.pid, 3.0),
        "all connections cut": proxy.cut_all,
    }
    happened: Counter[str] = Counter()
    order = [name for _ in range(-(-faults // len(kinds))) for name in rng.sample(sorted(kinds), len(kinds))]
    for name in order[:faults]:
        time.sleep(rng.uniform(1.0, 4.0))
        say(f"  {name}")
        kinds[name]()
        happened[name] += 1
    return happened


def _pause(master: int, seconds: float) -> None:
    """Nothing answers for a while: connections hang, as behind a network that loses everything."""
    os.killpg(master, signal.SIGSTOP)
    time.sleep(seconds)
    os.killpg(master, signal.SIGCONT)


def _guarded(run: Callable[[], object], failed: list[BaseException]) -> None:
    try:
        run()
    except BaseException as error:  # it is raised again in the thread that waits
        failed.append(error)


if __name__ == "__main__":
    sys.exit(main())
