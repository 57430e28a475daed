"""What acts on mail cost whoever clicks, and how fast the server has them.

    python -m bench.acts --messages 100000 --json

`record_50_cpu_ms`: CPU of recording a flag on 50 messages with its effect on the index (goal < 25); `record_50_imap`:
IMAP commands meanwhile (0). `mark_all_answer_ms`: recording that a mailbox is read of which all is unread (goal < 300
for 100,000). `mark_all_ratio`: how fast the server had all of it, the raw STORE being 1 (goal >= 0.5): the same command
on an open connection with CONDSTORE, its answers read and thrown away; both without the proxy, medians of ROUNDS_ALL.
`all_laid_s`: until every row shows it.
`undo_wrong`: messages that Undo left otherwise than they were, a third having been read before (0).
`poison_*_s`: 100 flags on 100 messages, one of which is refused, cuts the connection or kills its worker each time: how
much longer the other 99 took than without it (goal < 10). On a private PostgreSQL and Dovecot.
"""

from __future__ import annotations

import argparse
import imaplib
import json
import os
import socket
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.poison import poison
from bench.stage import ADDRESS, LARGE, PASSWORD, Stage, mailbox, say, stage

ROUNDS = 20
ROUNDS_ALL = 3


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result: dict[str, Any] = {"messages": arguments.messages}
    with stage(arguments.messages) as prepared:
        for part in (_record_50, _mark_all, poison):
            found: dict[str, Any] = part(prepared)  # type: ignore[operator]
            say(str(found))
            result |= found
    print(json.dumps(result, indent=None if arguments.json else 2))


def _record_50(prepared: Stage) -> dict[str, float]:
    from webmail.protocol.types import Flag  # noqa: PLC0415
    from webmail.store import jobs  # noqa: PLC0415

    rows = list(mailbox(prepared.warm, LARGE).messages.select_related("mailbox").order_by("-uid")[:50])
    times = []
    prepared.proxy.take()
    for turn in range(ROUNDS):
        add, remove = ([Flag.FLAGGED], []) if turn % 2 else ([], [Flag.FLAGGED])
        begun = time.thread_time()
        jobs.record_flags(rows, add=add, remove=remove, idem_key=os.urandom(8).hex())
        times.append((time.thread_time() - begun) * 1000)
    commands = len(prepared.proxy.take().commands)
    return {"record_50_cpu_ms": round(statistics.median(times), 1), "record_50_imap": commands}


def _mark_all(prepared: Stage) -> dict[str, Any]:
    """All unread: the raw STORE, then ours. Then a third read, all marked, and undone."""
    from webmail.models import Provider  # noqa: PLC0415
    from webmail.store import jobs, pools, sync, undoing  # noqa: PLC0415
    from webmail.store.selecting import Selection  # noqa: PLC0415

    _work_all(prepared.warm.pk)
    Provider.objects.update(imap_port=prepared.server.port)
    pools.forget(prepared.warm)
    client = imaplib.IMAP4("127.0.0.1", prepared.server.port, timeout=600)
    client.login(ADDRESS, PASSWORD)
    client.select(LARGE)

    def unread(sequence: str = "1:*") -> None:
        client.uid("STORE", sequence, "-FLAGS.SILENT", "(\\Seen)")

    raw, rounds = [], []
    with ThreadPoolExecutor(1) as worker:
        for _ in range(ROUNDS_ALL):
            unread()
            box = mailbox(prepared.warm, LARGE)
            raw.append(_raw_store(prepared.server.port, box.uidnext - 1))
            unread()
            worker.submit(sync.refresh, box).result()  # as a worker's thread, it has its connections already
            rounds.append(_mark(prepared, worker))
            say(f"the raw STORE took {raw[-1]:.2f} s; answer, server, rows: {rounds[-1]}")
    answer, ours, laid = (statistics.median(each) for each in zip(*rounds, strict=True))

    box = mailbox(prepared.warm, LARGE)
    unread(",".join(str(uid) for uid in range(1, 300, 3)) + f",300:{box.uidnext * 2 // 3}")
    before = _unread(client)
    sync.refresh(mailbox(prepared.warm, LARGE))
    job = jobs.record_mark_read(Selection(mailbox(prepared.warm, LARGE)), idem_key="again")
    _work_all(prepared.warm.pk)
    assert not _unread(client)
    job.refresh_from_db()
    undoing.undo(job, "back")
    _work_all(prepared.warm.pk)
    wrong = len(before ^ _unread(client))
    client.logout()
    median = statistics.median(raw)
    return {
        "mark_all_answer_ms": round(answer * 1000),
        "raw_store_s": round(median, 2),
        "server_has_it_s": round(ours, 2),
        "mark_all_ratio": round(median / ours, 2),
        "all_laid_s": round(laid, 2),
        "undone": len(before),
        "undo_wrong": wrong,
    }


def _mark(prepared: Stage, worker: ThreadPoolExecutor) -> tuple[float, float, float]:
    """Seconds until it is recorded that all is read; from then until the server has it, and until all rows show it."""
    from webmail.models import Job  # noqa: PLC0415
    from webmail.store import jobs  # noqa: PLC0415
    from webmail.store.selecting import Selection  # noqa: PLC0415

    begun = time.monotonic()
    job = jobs.record_mark_read(Selection(mailbox(prepared.warm, LARGE)), idem_key=os.urandom(8).hex())
    recorded = time.monotonic()
    work = worker.submit(_work_all, prepared.warm.pk)
    while Job.objects.values_list("done", flat=True).get(pk=job.pk) < job.count:
        time.sleep(0.01)
    done = time.monotonic()
    work.result()
    return recorded - begun, done - recorded, time.monotonic() - recorded


def _work_all(account_id: int) -> None:
    from webmail.store import working  # noqa: PLC0415

    while working.work(account_id):
        pass


def _raw_store(port: int, last: int) -> float:
    """Seconds of the STORE alone, its answers only looked through for the end."""
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.settimeout(600)

        def run(tag: bytes, line: bytes) -> None:
            raw.sendall(b"%b %b\r\n" % (tag, line))
            rest = b""
            while b"\r\n%b " % tag not in b"\r\n" + rest:
                data = raw.recv(1 << 18)
                assert data
                rest = rest[-200:] + data

        run(b"a", f"LOGIN {ADDRESS} {PASSWORD}".encode())
        run(b"b", f"SELECT {LARGE} (CONDSTORE)".encode())
        begun = time.monotonic()
        run(b"c", b"UID STORE 1:%d +FLAGS.SILENT (\\Seen)" % last)
        return time.monotonic() - begun


def _unread(client: imaplib.IMAP4) -> set[int]:
    """The UIDs of unread messages, as another client sees them now."""
    client.noop()
    return {int(uid) for uid in client.uid("SEARCH", "UNSEEN")[1][0].split()}


if __name__ == "__main__":
    sys.exit(main())
