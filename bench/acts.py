"""What acts on mail cost whoever clicks, and how fast the server has them.

    python -m bench.acts --messages 100000 --json

`record_50_cpu_ms`: CPU of recording a flag on 50 messages with its effect on the index (goal < 25; no IMAP in it).
`mark_all_answer_ms`: recording that a whole mailbox is read (goal < 300 for 100,000). `mark_all_ratio`: how fast the
server had all of it, the raw STORE of another client being 1 (goal >= 0.5). On a private PostgreSQL and Dovecot.
"""

from __future__ import annotations

import argparse
import imaplib
import json
import os
import statistics
import sys
import threading
import time
from typing import Any

from bench.stage import ADDRESS, LARGE, PASSWORD, Stage, mailbox, say, stage

ROUNDS = 20


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with stage(arguments.messages) as prepared:
        result = {"messages": arguments.messages, **_record_50(prepared), **_mark_all(prepared)}
    print(json.dumps(result, indent=None if arguments.json else 2))


def _record_50(prepared: Stage) -> dict[str, float]:
    from webmail.protocol.types import Flag  # noqa: PLC0415
    from webmail.store import jobs  # noqa: PLC0415

    rows = list(mailbox(prepared.warm, LARGE).messages.select_related("mailbox").order_by("-uid")[:50])
    times = []
    for turn in range(ROUNDS):
        add, remove = ([Flag.FLAGGED], []) if turn % 2 else ([], [Flag.FLAGGED])
        begun = time.thread_time()
        jobs.record_flags(rows, add=add, remove=remove, idem_key=os.urandom(8).hex())
        times.append((time.thread_time() - begun) * 1000)
    return {"record_50_cpu_ms": round(statistics.median(times), 1)}


def _mark_all(prepared: Stage) -> dict[str, Any]:
    from webmail.models import Job  # noqa: PLC0415
    from webmail.store import jobs, sync, working  # noqa: PLC0415
    from webmail.store.selecting import Selection  # noqa: PLC0415

    while working.work(prepared.warm.pk):
        pass
    client = imaplib.IMAP4("127.0.0.1", prepared.server.port, timeout=600)
    client.login(ADDRESS, PASSWORD)
    client.select(LARGE)
    client.uid("STORE", "1:*", "-FLAGS.SILENT", "(\\Seen)")
    begun = time.monotonic()
    client.uid("STORE", "1:*", "+FLAGS.SILENT", "(\\Seen)")
    raw = time.monotonic() - begun
    client.uid("STORE", "1:*", "-FLAGS.SILENT", "(\\Seen)")
    client.logout()
    say(f"the raw STORE took {raw:.2f} s")
    box = mailbox(prepared.warm, LARGE)
    sync.refresh(box)
    begun = time.monotonic()
    job = jobs.record_mark_read(Selection(box), idem_key="all")
    answer = time.monotonic() - begun
    worker = threading.Thread(target=working.work, args=(prepared.warm.pk,))
    begun = time.monotonic()
    worker.start()
    while Job.objects.values_list("done", flat=True).get(pk=job.pk) < job.count:
        time.sleep(0.01)
    ours = time.monotonic() - begun
    worker.join()
    return {
        "marked": job.count,
        "mark_all_answer_ms": round(answer * 1000),
        "raw_store_s": round(raw, 2),
        "server_has_it_s": round(ours, 2),
        "mark_all_ratio": round(raw / ours, 2),
    }


if __name__ == "__main__":
    sys.exit(main())
