"""Measure the product's pages: `python -m bench.pages [--json] [--large 100000]`. Starts everything it needs.

warm_cpu_ratio         CPU of a warm mailbox page ÷ a bare Django view rendering the same page from memory (≤ 1.5)
warm_first_cpu_ratio   the same where the page's rows were never drawn by this process before (no goal)
warm_queries           database queries of a warm mailbox page (≤ 6)
warm_growth            its time with LARGE messages ÷ with 1,000 (≤ 1.1)
warm_imap_commands     IMAP commands of a warm mailbox page (0)
cold_round_trips       round trips of a mailbox page whose index is empty (≤ 3)
cold_growth            its time with LARGE messages ÷ with 1,000 (≤ 1.3)
open_round_trips       round trips of a message never opened before, page and frame together (≤ 1)
open_cached_round_trips  the same message again (0)
sanitise_100k_cpu_ms   CPU of washing a newsletter of 100 kB (≤ 10)
download_25mb_growth_mb  growth of memory while 25 MB are downloaded (≤ 16)
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import mail
from bench.measure import Wsgi, cpu, median_seconds, table, wall
from bench.stage import LARGE, LETTERS, SMALL, Stage, mailbox, say, stage

GOALS = {
    "warm_cpu_ratio": 1.5,
    "warm_queries": 6,
    "warm_growth": 1.1,
    "warm_imap_commands": 0,
    "cold_round_trips": 3,
    "cold_growth": 1.3,
    "open_round_trips": 1,
    "open_cached_round_trips": 0,
    "sanitise_100k_cpu_ms": 10,
    "download_25mb_growth_mb": 16,
}
IFRAME = re.compile(rb'<iframe class="message-frame" src="([^"]+)"')


def main() -> None:
    """Print the numbers: as one JSON object, or as a table beside their goals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--large", type=int, default=100_000, help="messages in the large mailbox")
    parser.add_argument("--rounds", type=int, default=200, help="how often each page is timed")
    arguments = parser.parse_args()
    with stage(arguments.large) as here:
        numbers = measure(here, arguments.rounds)
    print(json.dumps(numbers) if arguments.json else table(numbers, GOALS))


def measure(here: Stage, rounds: int) -> dict[str, float]:
    """Every number of this module's docstring."""
    from webmail.wsgi import application  # noqa: PLC0415 - settings come first

    client = Wsgi(application, here.cookie)
    numbers: dict[str, float] = {}
    for part in (_warm, _cold, _open, _sanitise, _download):
        say(f"measuring {part.__name__.strip('_')}")
        numbers |= part(here, client, rounds)
    return numbers


def _warm(here: Stage, client: Wsgi, rounds: int) -> dict[str, float]:
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    from bench.bare import bare_application, page_context  # noqa: PLC0415
    from webmail.templatetags import lists  # noqa: PLC0415

    small, large = (f"/mailbox/{mailbox(here.warm, name).pk}/" for name in (SMALL, LARGE))
    _checked_just_now(here)
    bare = Wsgi(bare_application(page_context(here.warm.user, mailbox(here.warm, LARGE))))
    assert _rows(client.get(large)) == _rows(bare.get("/")) == 50

    here.proxy.take()
    with CaptureQueriesContext(connection) as queries:
        client.get(large)
        count = len(connection.queries_log) - queries.initial_queries
    commands = here.proxy.take().commands

    def drawn(path: str) -> None:
        client.get(path)
        _checked_just_now(here)

    def never_drawn() -> None:
        lists.forget()
        _checked_just_now(here)

    # The bare view always draws all of its page; the product keeps what it drew before.
    fresh = {
        "bare": lists.forget,
        "small": partial(drawn, small),
        "large": partial(drawn, large),
        "first": never_drawn,
    }
    pages: dict[str, Callable[[], object]] = {
        "bare": lambda: bare.get("/"),
        "small": lambda: client.get(small),
        "large": lambda: client.get(large),
        "first": lambda: client.get(large),
    }
    spent = median_seconds(pages, rounds=rounds, clock=cpu, before=fresh)
    waited = median_seconds(pages, rounds=rounds, clock=wall, before=fresh)
    return {
        "warm_cpu_ratio": round(spent["large"] / spent["bare"], 2),
        "warm_first_cpu_ratio": round(spent["first"] / spent["bare"], 2),
        "warm_cpu_ms": round(spent["large"] * 1000, 2),
        "bare_cpu_ms": round(spent["bare"] * 1000, 2),
        "warm_queries": count,
        "warm_growth": round(waited["large"] / waited["small"], 2),
        "warm_imap_commands": len(commands),
    }


def _cold(here: Stage, client: Wsgi, rounds: int) -> dict[str, float]:
    from webmail.store import sync  # noqa: PLC0415

    del client
    sync.list_mailboxes(here.cold)
    boxes = {name: mailbox(here.cold, name) for name in (SMALL, LARGE)}
    other = Wsgi(_application(), here.cold_cookie)
    pages = {name: f"/mailbox/{box.pk}/" for name, box in boxes.items()}

    def chill(name: str) -> None:
        # The connection is there, with another mailbox selected: the person comes from somewhere else.
        _forget(boxes[name].pk)
        _forget(elsewhere.pk)
        assert _rows(other.get(f"/mailbox/{elsewhere.pk}/")) == 50
        _checked_just_now(here)

    elsewhere = mailbox(here.cold, LETTERS)
    trips = []
    for name in (SMALL, LARGE):
        chill(name)
        here.proxy.take()
        assert _rows(other.get(pages[name])) == 50
        trips.append(here.proxy.take().round_trips)
    waited = median_seconds(
        {name: partial(other.get, path) for name, path in pages.items()},
        rounds=max(10, rounds // 8),
        clock=wall,
        before={name: partial(chill, name) for name in pages},
    )
    return {"cold_round_trips": max(trips), "cold_growth": round(waited[LARGE] / waited[SMALL], 2)}


def _open(here: Stage, client: Wsgi, rounds: int) -> dict[str, float]:
    del rounds
    letters = mailbox(here.warm, LETTERS).messages.order_by("uid")
    plain, html = letters.filter(size__lt=50_000)[:20], letters.filter(size__range=(100_000, 1_000_000))[:20]
    first: list[int] = []
    again: list[int] = []
    for message in itertools.chain(plain, html):
        for trips in (first, again):
            here.proxy.take()
            page = client.get(f"/message/{message.pk}/")
            frame = IFRAME.search(page)
            shown = client.get(frame[1].decode(), HTTP_SEC_FETCH_DEST="iframe") if frame else page
            assert b"letter" in shown or b"img" in shown or b"<table" in shown, shown[:300]
            trips.append(here.proxy.take().round_trips)
    return {"open_round_trips": max(first), "open_cached_round_trips": max(again)}


def _sanitise(here: Stage, client: Wsgi, rounds: int) -> dict[str, float]:
    from webmail.protocol import html  # noqa: PLC0415

    del here, client
    # Each is washed once, as in life: nothing but the caches of single style values may help.
    letters = (mail.newsletter(100_000, seed=1000 + number) for number in itertools.count())

    def prepare() -> None:
        upcoming[:] = [next(letters)]

    upcoming: list[str] = []
    spent = median_seconds(
        {"wash": lambda: html.document(html.wash(upcoming[0], images={}))},
        rounds=max(20, rounds // 4),
        clock=cpu,
        before={"wash": prepare},
    )
    return {"sanitise_100k_cpu_ms": round(spent["wash"] * 1000, 2)}


def _download(here: Stage, client: Wsgi, rounds: int) -> dict[str, float]:
    del rounds
    message = mailbox(here.warm, LETTERS).messages.get(size__gt=25_000_000)
    path = f"/message/{message.pk}/part/2/"
    # Once before, so that what any download needs is there; then the peak is counted anew (proc(5), clear_refs).
    assert sum(map(len, client.stream(path))) == 25_000_000
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmRSS")
    assert sum(map(len, client.stream(path))) == 25_000_000
    return {"download_25mb_growth_mb": round(max(0, _memory("VmHWM") - before) / 1024, 1)}


def _application() -> Callable[..., object]:
    from webmail.wsgi import application  # noqa: PLC0415

    return application


def _checked_just_now(here: Stage) -> None:
    """As a moment after a worker looked: a page then only reads."""
    from django.utils import timezone  # noqa: PLC0415

    from webmail.models import Account, Mailbox  # noqa: PLC0415

    del here
    Mailbox.objects.update(checked_at=timezone.now())
    Account.objects.update(listed_at=timezone.now())


def _forget(pk: int) -> None:
    """Make a mailbox's index cold."""
    from webmail.models import Mailbox, Message  # noqa: PLC0415

    Message.objects.filter(mailbox=pk).delete()
    Mailbox.objects.filter(pk=pk).update(uidvalidity=0, uidnext=0, lowest_uid=0, highestmodseq=0)


def _rows(page: bytes) -> int:
    return page.count(b'<li class="row')


def _memory(name: str) -> int:
    """A line of this process's memory figures, in kB."""
    found = re.search(rf"^{name}:\s+(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


if __name__ == "__main__":
    main()
