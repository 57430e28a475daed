"""Open hostile mail in the product as it is deployed: `python -m bench.hostile [--json] [--messages 2000] [--big]`.

The corpus of the tests, damaged at random but the same each time, and every bomb (tests/damage.py, tests/bombs.py) lie
in a real Dovecot; gunicorn, Celery, Redis and PostgreSQL run by the Procfile's commands. Each message is seen in the
list, then its page is opened and what that names: frame, source, cards, attachments …; and it is downloaded whole.

messages          how many were opened
errors_500        answers of 500 and more, and connections that ended without one (0)
dead_workers      processes of the web server or of Celery that are not there any more (0)
p95_ms, max_ms    what a page took, from the first octet sent to the last received (< 500, < 3,000)
rss_growth_mb     growth of all these processes together, from when a tenth was opened until the end (flat)
peak_mb           the most that one of them ever held
unexpected        other answers than the page expected (0); unread: pages that say that the text can't be read now (0)
downloads_wrong   downloads of another length than the server's message (0)
failed_tasks      tasks of Celery that raised (0)

--big opens nothing; it downloads one attachment of 500 MB instead:
big_mb, big_growth_mb   what came, and how much the web server's processes grew at most meanwhile (< 64)
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import itertools
import json
import random
import re
import signal
import statistics
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench import mail
from bench.measure import table
from bench.product import Product, product
from bench.stage import ADDRESS, PASSWORD, say
from tests.bombs import BOMBS
from tests.damage import damaged
from webmail.demo.imap_server import ImapServer, start_dovecot
from webmail.demo.layout import free_port

RIGHT = (200, 302, 404)  # of what a page names; the page itself is always there
MOST_FOLLOWED = 16  # addresses that one message's page names
BIG = 500_000_000
MAILBOX = "Hostile"
PATIENCE = 120.0
UNREAD = re.compile(rb'<div class="message-body">\s*<p class="notice" data-kind="wait"')
TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')
GOALS = {
    "errors_500": 0,
    "dead_workers": 0,
    "p95_ms": 500,
    "max_ms": 3000,
    "rss_growth_mb": 64,
    "unexpected": 0,
    "unread": 0,
    "downloads_wrong": 0,
    "failed_tasks": 0,
    "big_growth_mb": 64,
}


def main() -> None:
    """Print the numbers: as one JSON object, or as a table beside their goals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--messages", type=int, default=2000, help="how many are damaged")
    parser.add_argument("--bombs", type=int, default=len(BOMBS), help="how many of the bombs")
    parser.add_argument("--big", action="store_true", help="only the download of 500 MB")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all that was started is ended
    numbers = _big() if arguments.big else _hostile(arguments.messages, arguments.bombs)
    print(json.dumps(numbers) if arguments.json else table(numbers, GOALS))


@dataclass
class Seen:
    """What the answers were like."""

    times: list[float] = field(default_factory=list)
    errors: int = 0
    unexpected: int = 0
    unread: int = 0
    wrong: int = 0
    slowest: list[tuple[float, str]] = field(default_factory=list)

    def page(self, what: str, answer: Answer, right: tuple[int, ...]) -> None:
        """Count one page."""
        self.times.append(answer.seconds)
        self.slowest = sorted([*self.slowest, (answer.seconds, what)], reverse=True)[:8]
        self.judge(what, answer, right)

    def judge(self, what: str, answer: Answer, right: tuple[int, ...]) -> None:
        """Count an answer that is not one of the right ones."""
        if answer.status in right:
            return
        say(f"{answer.status}: {what}")
        if answer.status >= 500 or not answer.status:
            self.errors += 1
        else:
            self.unexpected += 1


@dataclass(frozen=True)
class Answer:
    """One answer: its status (0 where none came), body, and how long it took."""

    status: int
    body: bytes
    seconds: float
    location: str = ""
    kind: str = ""


class Browser:
    """A browser that takes a new connection when told to, so that each process of the server has its turn."""

    def __init__(self, base: str) -> None:
        self._host = base.removeprefix("http://")
        self._base = base
        self._cookies: dict[str, str] = {}
        self.connect()

    def connect(self) -> None:
        """Open another connection."""
        self.connection = http.client.HTTPConnection(self._host, timeout=PATIENCE)

    def sign_in(self, address: str, password: str) -> str:
        """Sign in, and return where that leads."""
        form = {"username": address, "password": password}
        answer = self.post("/sign-in/", **form)
        assert answer.status == 302, answer.body.decode()
        return answer.location

    def post(self, path: str, **fields: str) -> Answer:
        """Submit a form with the token of the page before it."""
        token = TOKEN.search(self.get("/sign-in/" if not self._cookies else "/settings/").body)
        assert token is not None
        form = urllib.parse.urlencode(fields | {"csrfmiddlewaretoken": token[1].decode()})
        return self._ask(
            "POST", path, form, {"Content-Type": "application/x-www-form-urlencoded", "Origin": self._base}
        )

    def get(self, path: str, **headers: str) -> Answer:
        """Ask for a page."""
        return self._ask("GET", path, None, headers)

    def stream(self, path: str) -> Iterator[bytes]:
        """The body of a 200 answer in pieces."""
        self.connection.request("GET", path, headers={"Cookie": self._cookie()})
        answer = self.connection.getresponse()
        assert answer.status == 200, answer.status
        while piece := answer.read(65_536):
            yield piece

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Answer:
        start = time.perf_counter()
        try:
            self.connection.request(method, path, body, headers | {"Cookie": self._cookie()})
            answer = self.connection.getresponse()
            octets = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.connect()
            return Answer(0, repr(error).encode(), time.perf_counter() - start)
        spent = time.perf_counter() - start
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        return Answer(
            answer.status, octets, spent, answer.getheader("Location", ""), answer.getheader("Content-Disposition", "")
        )

    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())


def _hostile(messages: int, bombs: int) -> dict[str, float]:
    with _stage() as (running, server):
        names = _file(server, messages, bombs)
        browser, mailbox, rows = _read(running, len(names))
        before = _workers(running)
        seen = Seen()
        warm = 0
        for number, (pk, uid, size) in enumerate(rows):
            if number == len(rows) // 10:
                warm = _memory(running)
            _open(browser, seen, pk, size, names[uid - 1])
            if number % 50 == 0:
                listed = browser.get(f"/mailbox/{mailbox}/?page={number // 50 + 1}")
                seen.page(f"list, page {number // 50 + 1}", listed, (200,))
                say(f"{number} of {len(rows)}, {_memory(running) // 1024} MB")
        for spent, what in seen.slowest:
            say(f"{spent * 1000:6.0f} ms  {what}")
        logged = "".join((running.work / f"{name}.log").read_text(errors="replace") for name in running.processes)
        return {
            "messages": len(rows),
            "errors_500": seen.errors,
            "dead_workers": len(before - _workers(running)) + logged.count("WORKER TIMEOUT"),
            "p95_ms": round(statistics.quantiles(seen.times, n=20)[-1] * 1000, 1),
            "max_ms": round(max(seen.times) * 1000),
            "rss_growth_mb": round((_memory(running) - warm) / 1024, 1),
            "peak_mb": round(max(_status(pid, "VmHWM") for pid in _workers(running)) / 1024, 1),
            "pages": len(seen.times),
            "unexpected": seen.unexpected,
            "unread": seen.unread,
            "downloads_wrong": seen.wrong,
            "failed_tasks": logged.count("raised unexpected"),
        }


def _big() -> dict[str, float]:
    with _stage() as (running, server):
        say(f"filing {BIG:,} octets")
        mail.file_large(server.port, ADDRESS, PASSWORD, MAILBOX, *_large_mail())
        browser, _, rows = _read(running, 1)
        ((pk, _, _),) = rows
        assert browser.get(f"/message/{pk}/").status == 200
        assert browser.get(f"/message/{pk}/part/3/").status == 200  # so that what any download needs is there
        pids = _children(running.processes["web"].pid)
        before = {pid: _status(pid, "VmRSS") for pid in pids}
        for pid in pids:
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is counted anew: proc(5)
        came = sum(map(len, browser.stream(f"/message/{pk}/part/2/")))
        growth = max(_status(pid, "VmHWM") - before[pid] for pid in pids)
        return {"big_mb": round(came / 1e6, 1), "big_growth_mb": round(growth / 1024, 1)}


@contextlib.contextmanager
def _stage() -> Iterator[tuple[Product, ImapServer]]:
    """The product and its mail server, in a directory that goes with them."""
    with contextlib.ExitStack() as end:
        work = Path(end.enter_context(tempfile.TemporaryDirectory(prefix="webmail-hostile-")))
        work.chmod(0o711)
        (work / "mail").mkdir()
        server = start_dovecot(work / "mail", {ADDRESS: PASSWORD}, max_connections=20)
        end.callback(server.stop)
        running = end.enter_context(
            product(work, port=free_port(), imap_port=server.port, domain="demo.test", login="address")
        )
        yield running, server


def _file(server: ImapServer, messages: int, bombs: int) -> list[str]:
    """File the mail, the bombs spread among it, and return the messages' names in the order of their UIDs."""
    names = []

    def mails() -> Iterator[mail.Mail]:
        dates = itertools.count(mail.NEWEST, 60)
        waiting = list(BOMBS.items())[:bombs]
        every = max(1, messages // max(1, len(waiting)))
        for number, (name, raw) in enumerate(damaged(messages)):
            if number % every == 0 and waiting:
                bomb, make = waiting.pop(0)
                names.append(bomb)
                yield mail.Mail(make(), next(dates), False)
            names.append(name)
            yield mail.Mail(raw, next(dates), False)
        for bomb, make in waiting:
            names.append(bomb)
            yield mail.Mail(make(), next(dates), False)

    say(f"filing {messages:,} damaged messages and {bombs} bombs")
    mail.file_mail(server.port, ADDRESS, PASSWORD, MAILBOX, mails(), batch=20)
    return names


def _read(running: Product, count: int) -> tuple[Browser, int, list[tuple[int, int, int]]]:
    """Sign alice in and wait until all is indexed: her browser, the mailbox, and key, UID and size of each message."""
    browser = Browser(running.base)
    start = time.monotonic()
    browser.get(browser.sign_in(ADDRESS, PASSWORD))
    with psycopg.connect(running.database, autocommit=True) as database:
        found = database.execute("SELECT id FROM webmail_mailbox WHERE name = %s", [MAILBOX]).fetchone()
        assert found is not None
        mailbox = int(found[0])
        answer = browser.get(f"/mailbox/{mailbox}/")
        assert answer.status == 200, answer
        query = "SELECT id, uid, size FROM webmail_message WHERE mailbox_id = %s ORDER BY uid"
        while len(rows := database.execute(query, [mailbox]).fetchall()) < count:
            if time.monotonic() > start + 600:
                raise TimeoutError(f"the workers indexed {len(rows)} of {count}")
            time.sleep(0.2)
    say(f"{count:,} indexed after {time.monotonic() - start:.1f} s")
    return browser, mailbox, rows


def _open(browser: Browser, seen: Seen, pk: int, size: int, name: str) -> None:
    """Open one message and what its page names, then download it."""
    browser.connection.close()
    browser.connect()
    begin = f"/message/{pk}/"
    page = browser.get(begin)
    seen.page(f"page of {name}", page, (200,))
    if UNREAD.search(page.body):
        say(f"not read: {name}")
        seen.unread += 1
    # What is over the limits is shown as text; its design is looked at all the same.
    designed = [f"{begin}frame/", f"{begin}?plain=0"] if b'?plain=0"' in page.body else []
    named = dict.fromkeys([*designed, *re.findall(rf'(?:href|src)="({begin}[^"?#]+)', page.body.decode())])
    for address in itertools.islice(named, MOST_FOLLOWED):
        answer = browser.get(address, **{"Sec-Fetch-Dest": "iframe"})
        what = f"{address.removeprefix(begin)} of {name}"
        if answer.kind.startswith("attachment"):
            seen.judge(what, answer, RIGHT)
        else:
            seen.page(what, answer, RIGHT)
    raw = browser.get(f"{begin}raw/")
    seen.judge(f"download of {name}", raw, (200,))
    if raw.status == 200 and len(raw.body) != size:
        say(f"{len(raw.body)} octets instead of {size}: {name}")
        seen.wrong += 1


def _workers(running: Product) -> set[int]:
    """The processes that live now: the web server's and Celery's, with their children."""
    alive = [process.pid for process in running.processes.values() if process.poll() is None]
    return {*alive, *(child for pid in alive for child in _children(pid))}


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _memory(running: Product) -> int:
    """What the product's processes hold together, in kB."""
    return sum(_status(pid, "VmRSS") for pid in _workers(running))


def _status(pid: int, name: str) -> int:
    """A line of a process's memory figures, in kB."""
    found = re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def _large_mail() -> tuple[int, Iterator[bytes]]:
    """A message with an attachment of BIG octets as part 2 and a small one as part 3: its length, and its pieces."""
    block = base64.encodebytes(random.Random(1).randbytes(57 * 1000)).replace(b"\n", b"\r\n")
    whole, rest = divmod(BIG, 57 * 1000)
    last = base64.encodebytes(bytes(rest)).replace(b"\n", b"\r\n")
    head = (
        b"From: bob@demo.test\r\nTo: alice@demo.test\r\nSubject: Large\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nAttached.\r\n--b\r\n"
        b"Content-Type: application/octet-stream; name=large.bin\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    tail = b"\r\n--b\r\nContent-Type: application/octet-stream; name=small.bin\r\n\r\nsmall\r\n--b--\r\n"
    size = len(head) + whole * len(block) + len(last) + len(tail)
    return size, itertools.chain([head], itertools.repeat(block, whole), [last, tail])


if __name__ == "__main__":
    main()
