"""Start the product for the shared rig: `python -m bench.serve --port 8200 --imap-port 1143 --index u1k,u20k,u100k`.

Web server, workers and clock run with the Procfile's own commands on a private PostgreSQL and Redis; people of
bench.example sign in with their name on the rig's Dovecot. With --index these people sign in once and visit each of
their mailboxes, and the pace at which the workers index is printed. Ends with Ctrl-C or SIGTERM.

State and pid file: WORK/ours-PORT (WORK is BENCH_DIR, else /tmp/bench).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import psycopg

from bench.product import product
from bench.stage import ROOT, say

INDEX_SECONDS = 1800.0
WAITING = "SELECT count(*) FROM webmail_mailbox WHERE selectable AND lowest_uid <> 1"


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8200)
    parser.add_argument("--imap-port", type=int, default=1143)
    parser.add_argument("--index", default="", help="people to sign in beforehand, separated by commas")
    parser.add_argument("--rig", type=Path, default=ROOT.parent / "shared" / "bench", help="where drive.py is")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    work = Path(os.environ.get("BENCH_DIR", "/tmp/bench")) / f"ours-{arguments.port}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    (work / "ours.pid").write_text(str(os.getpid()))
    with product(work, port=arguments.port, imap_port=arguments.imap_port, domain="bench.example") as running:
        (work / "database").write_text(running.database)
        say(f"serving on {running.base}, IMAP port {arguments.imap_port}")
        people = [name for name in arguments.index.split(",") if name]
        if people:
            _index(arguments.rig, running.base, people, running.database)
        say("ready")
        signal.pause()


def _index(rig: Path, base: str, people: Sequence[str], database: str) -> None:
    """Let each person sign in and visit every mailbox; wait until the workers have indexed all of them."""
    ours = _adapter(rig)
    with psycopg.connect(database, autocommit=True) as rows:
        for person in people:
            browser = ours.Ours(base)
            browser.prepare()
            start = time.monotonic()
            browser.sign_in(person, "secret")
            visited = time.monotonic() + INDEX_SECONDS
            _await_none(rows, f"{WAITING} AND name = 'INBOX'", visited)
            spent = time.monotonic() - start
            (count,) = rows.execute("SELECT max(exists) FROM webmail_mailbox").fetchone() or (0,)
            say(f"{person}: INBOX of {count:,} indexed in {spent:.1f} s, {count / spent:,.0f} messages/s")
            for name in browser.mailboxes:
                browser.list(name)
            _await_none(rows, WAITING, visited)


def _await_none(rows: psycopg.Connection[tuple[int]], query: str, deadline: float) -> None:
    while (rows.execute(query).fetchone() or (0,))[0]:
        if time.monotonic() > deadline:
            raise TimeoutError("the workers did not index everything")
        time.sleep(0.1)


def _adapter(rig: Path) -> ModuleType:
    """Our adapter, which the rig's driver would load."""
    sys.path.insert(0, str(rig))
    spec = importlib.util.spec_from_file_location("ours_adapter", ROOT / "bench" / "ours.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
