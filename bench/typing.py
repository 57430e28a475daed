"""Nothing typed is lost (R7): browsers killed while somebody types, who is signed out now and then, with a server that
goes away in between.

    .venv/bin/python -m bench.typing --kills 200 --json

Chromium types into the editor by real keys and is killed by SIGKILL, all its processes, at a random moment. Then it
is opened again with the same profile, which lives through many such deaths, the words that it offers to bring back are
brought back, and what stands in the editor is compared with what was typed: `seconds_lost` is the age, at the moment of
the kill, of the oldest character that is not there. The whole product runs (web, worker, beat; PostgreSQL, Redis,
Dovecot); its web server is killed and started again all the while, and of every fifth writer the session is deleted and
a new one begun in another window. In the end the Drafts mailbox is counted by another client.
"""

from __future__ import annotations

import argparse
import contextlib
import imaplib
import json
import os
import random
import re
import secrets
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import takewhile
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from playwright.sync_api import Page, expect, sync_playwright

from bench.chrome import PATIENCE_MS, Chrome
from bench.product import Product, product
from bench.stage import ADDRESS, PASSWORD, say
from webmail.demo.imap_server import start_dovecot
from webmail.demo.layout import free_port

if TYPE_CHECKING:
    from webmail.models import User

AT_ONCE = 4  # browsers
LONGEST = 9.0  # seconds that one types
AWAY_EVERY = 25.0  # seconds, about, between two deaths of the web server
SETTLED_WITHIN = 60.0  # seconds in which the Drafts mailbox has to hold what was typed
WORDS = "the ferry leaves at nine from the old quay and we meet before it at the small cafe with blue chairs "
_SEED = 20_261_126


class World(Protocol):
    """The product that is typed into."""

    site: str

    def sign_in(self) -> str:
        """Begin a session; its key."""

    def sign_out(self, key: str) -> None:
        """End it behind the browser's back."""

    def drafts(self, subject: str) -> list[tuple[str, str]]:
        """Path and text of each draft of this subject."""


@dataclass
class Fate:
    """What became of one writer's words.

    Args:
        typed: characters. lost: seconds, with what the browser kept; on_server: without. drafts: of this subject.
        garbled: what is there is not what was typed.
    """

    typed: int
    lost: float
    on_server: float
    drafts: int
    garbled: bool = False
    signed_out: bool = False


@dataclass
class Database:
    """A world whose rows this process reaches."""

    site: str
    user: User
    keys: list[str] = field(default_factory=list)

    def sign_in(self) -> str:
        from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: PLC0415

        from webmail.models.session import SessionStore  # noqa: PLC0415

        session = SessionStore()
        session[SESSION_KEY] = str(self.user.pk)
        session[BACKEND_SESSION_KEY] = "webmail.accounts.backends.MailBackend"
        session[HASH_SESSION_KEY] = self.user.get_session_auth_hash()
        session.create()
        return str(session.session_key)

    def sign_out(self, key: str) -> None:
        from webmail.models import Session  # noqa: PLC0415

        Session.objects.filter(session_key=key).delete()

    def drafts(self, subject: str) -> list[tuple[str, str]]:
        from webmail.models import Draft  # noqa: PLC0415

        rows = Draft.objects.for_user(self.user).filter(subject=subject)
        return [(f"/write/{row.pk}/", row.text) for row in rows]


def write_and_die(world: World, numbers: Iterable[int], longest: float) -> Iterator[Fate]:
    """Type, be killed, come back; then in the same browser the next letter, and so on.

    Args:
        numbers: of the letters. longest: seconds of typing, each.
    """
    with tempfile.TemporaryDirectory(prefix="webmail-typing-") as directory, sync_playwright() as playwright:
        chrome = Chrome(playwright, Path(directory))
        try:
            for number in numbers:
                chance = random.Random(_SEED + number)
                subject = f"Letter {number}-{secrets.token_hex(3)}"
                typed, killed, signed_out = _type(chrome, world, subject, chance, longest)
                time.sleep(0.5)  # what was on its way arrives
                rows = world.drafts(subject)
                chrome = Chrome(playwright, Path(directory))
                found = _come_back(chrome, world, rows)
                text = "".join(letter for letter, _ in typed)
                yield Fate(
                    typed=len(text),
                    lost=_seconds(typed, found, killed),
                    on_server=_seconds(typed, rows[0][1] if rows else "", killed),
                    drafts=len(world.drafts(subject)),
                    garbled=not text.startswith(found.strip("\n")) and not found.startswith(text),
                    signed_out=signed_out,
                )
        finally:
            chrome.kill()


def _type(
    chrome: Chrome, world: World, subject: str, chance: random.Random, longest: float
) -> tuple[list[tuple[str, float]], float, bool]:
    """Each character with the moment of its key, the moment of the kill, and whether the session ended."""
    key = world.sign_in()
    chrome.sign_in(world, key)
    page = chrome.open(f"{world.site}/write/")
    page.get_by_label("Subject").fill(subject)
    page.get_by_label("Message", exact=True).click()
    began = time.monotonic()
    until = began + chance.uniform(0.2, longest)
    leaves = began + chance.uniform(0.5, longest) if chance.random() < 0.2 else None
    comes_back, was_out = None, False
    typed: list[tuple[str, float]] = []
    while time.monotonic() < until:
        now = time.monotonic()
        if leaves is not None and now > leaves:
            world.sign_out(key)
            leaves, comes_back, was_out = None, now + 1.0, True
        if comes_back is not None and now > comes_back:
            chrome.sign_in(world, world.sign_in())
            comes_back = None
        letter = WORDS[len(typed) % len(WORDS)]
        typed.append((letter, time.monotonic()))
        page.keyboard.type(letter)
        time.sleep(chance.choice((0.8, 2.6)) if chance.random() < 0.02 else chance.uniform(0.01, 0.06))
    killed = time.monotonic()
    chrome.kill()
    return typed, killed, was_out


def _come_back(chrome: Chrome, world: World, rows: list[tuple[str, str]]) -> str:
    """Open the editor as somebody does after a crash, and the draft; bring back what is offered; what stands there."""
    chrome.sign_in(world, world.sign_in())
    page = chrome.open(f"{world.site}/write/")
    brought = _bring_back(page)
    if rows and not (brought and rows[0][0] in page.url):
        page = chrome.open(world.site + rows[0][0])
        _bring_back(page)
    return page.get_by_label("Message", exact=True).input_value()


def _bring_back(page: Page) -> bool:
    button = page.get_by_role("button", name="Bring them back")
    page.wait_for_timeout(150)
    if not button.count():
        return False
    button.click()
    expect(page.locator(".state")).to_have_text(re.compile(r"^Saved \d\d:\d\d$"), timeout=PATIENCE_MS)
    return True


def _seconds(typed: list[tuple[str, float]], found: str, killed: float) -> float:
    """How long before the kill the first character was typed that isn't found."""
    kept = len(found)
    return killed - typed[kept][1] if kept < len(typed) else 0.0


def write_all(
    world: World, kills: int, *, first: int = 0, longest: float = LONGEST, at_once: int = AT_ONCE, within: float = inf
) -> list[Fate]:
    """Let so many writers be killed, some at once, and no more begin once `within` seconds are over.

    Args:
        first: number of the first one; what its chances are hangs on that.
    """
    until = time.monotonic() + within
    from django.db import connections  # noqa: PLC0415 - Django is set up by now

    fates: list[Fate] = []

    def write(numbers: Sequence[int]) -> None:
        try:
            for fate in write_and_die(world, takewhile(lambda _: time.monotonic() < until, numbers), longest):
                fates.append(fate)
                say(f"{len(fates)} of {kills}: lost {fate.lost:.2f} s of {fate.typed} characters")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(write, [range(first + writer, first + kills, at_once) for writer in range(at_once)]))
    return fates


def summary(fates: list[Fate]) -> dict[str, Any]:
    """What the goals are about."""
    return {
        "kills": len(fates),
        "characters": sum(fate.typed for fate in fates),
        "signed_out": sum(fate.signed_out for fate in fates),
        "seconds_lost": round(max(fate.lost for fate in fates), 2),
        "seconds_lost_p50": round(sorted(fate.lost for fate in fates)[len(fates) // 2], 2),
        "seconds_behind_on_server": round(max(fate.on_server for fate in fates), 2),
        "drafts_lost": sum(not fate.drafts and fate.lost > 5 for fate in fates),
        "draft_doubles": sum(max(0, fate.drafts - 1) for fate in fates),
        "garbled": sum(fate.garbled for fate in fates),
    }


def is_good(found: dict[str, Any]) -> bool:
    """Whether the goals of issue 6 are met."""
    return found["seconds_lost"] <= 5 and not any(
        found.get(name, 0) for name in ("draft_doubles", "drafts_lost", "garbled", "copies_doubled", "copies_missing")
    )


def measure(kills: int, first: int, at_once: int, within: float = inf) -> dict[str, Any]:
    """Everything, on a stage of its own."""
    with contextlib.ExitStack() as end:
        directory = Path(end.enter_context(tempfile.TemporaryDirectory(prefix="webmail-typed-")))
        directory.chmod(0o711)
        for part in ("mail", "work"):
            (directory / part).mkdir()
        server = start_dovecot(directory / "mail", {ADDRESS: PASSWORD}, max_connections=20)
        end.callback(server.stop)
        running = end.enter_context(
            product(directory / "work", port=free_port(), imap_port=server.port, domain="demo.test", login="address")
        )
        world = _world(running)
        deaths = end.enter_context(_dying(running)) if kills > 1 else Counter[str]()
        fates = write_all(world, kills, first=first, at_once=at_once, within=within)
        found = summary(fates) | {"web_server_killed": deaths["web"]}
        say("typed; waiting for the Drafts mailbox")
        return found | _copies(server.port, found)


def _world(running: Product) -> Database:
    os.environ |= running.environment | {
        "DJANGO_SETTINGS_MODULE": "webmail.settings",
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",  # Playwright keeps an event loop running in each thread
    }
    import django  # noqa: PLC0415 - the environment comes first

    django.setup()
    from webmail.models import Account, Provider, User  # noqa: PLC0415
    from webmail.store import credentials, sync  # noqa: PLC0415

    user = User.objects.create_user(ADDRESS, password=None)
    account = Account(user=user, provider=Provider.objects.get(), address=ADDRESS)
    account.credential = credentials.seal(account, PASSWORD)
    account.save()
    sync.list_mailboxes(account)
    return Database(running.base, user)


@contextlib.contextmanager
def _dying(running: Product) -> Iterator[Counter[str]]:
    """The web server is killed now and then."""
    over = threading.Event()
    deaths: Counter[str] = Counter()
    chance = random.Random(_SEED)

    def die() -> None:
        while not over.wait(chance.uniform(AWAY_EVERY / 2, AWAY_EVERY * 1.5)):
            running.kill("web")
            deaths["web"] += 1

    killer = threading.Thread(target=die, daemon=True)
    killer.start()
    try:
        yield deaths
    finally:
        over.set()
        killer.join()


def _copies(port: int, found: dict[str, Any]) -> dict[str, Any]:
    """The messages in the Drafts mailbox, once all are there."""
    from webmail.models import Draft  # noqa: PLC0415

    deadline = time.monotonic() + SETTLED_WITHIN
    while Draft.objects.exclude(copy_at=None).exists() and time.monotonic() < deadline:
        time.sleep(0.5)
    time.sleep(2)
    subjects: Counter[str] = Counter()
    with imaplib.IMAP4("127.0.0.1", port, timeout=30) as client:
        client.login(ADDRESS, PASSWORD)
        client.select("Drafts", readonly=True)
        _, answer = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        subjects.update(item[1].decode().partition(":")[2].strip() for item in answer if isinstance(item, tuple))
    wanted = Draft.objects.count()
    return {
        "copies": sum(subjects.values()),
        "copies_doubled": sum(times - 1 for times in subjects.values()),
        "copies_missing": wanted - len(subjects),
    }


def main() -> int:
    """Measure, print, and say whether the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="browsers killed")
    parser.add_argument("--first", type=int, default=0, help="number of the first: others are killed at other moments")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="browsers that run side by side")
    parser.add_argument("--within", type=float, default=inf, help="seconds after which nobody begins to type any more")
    parser.add_argument("--json", action="store_true", help="print nothing but JSON")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all that was started is ended
    found = measure(arguments.kills, arguments.first, arguments.at_once, arguments.within)
    print(json.dumps(found, indent=2))
    return int(not is_good(found))


if __name__ == "__main__":
    sys.exit(main())
