"""From the delivery of a message to its row in a page that somebody looks at, with many people online.

All of the product runs as deployed, behind the front of `make run`; `bench.heard` has everybody listened for. One
person looks at their inbox in Chromium, the others are online without a browser. Messages are appended by another
client; the page itself notes when a row appeared. Dovecot tells of a change half a second after it happened: that is
part of it, and is measured beside it for the same deliveries, by an idle connection of the benchmark's own
(`server_tells_…`). It is opened before all others: Linux gives one user 128 watches of directories (inotify), and
Dovecot looks only every half minute for those who come too late for one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import statistics
import threading
import time
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench import heard
from bench.product import await_answer, manage
from bench.stage import say
from webmail.demo.imap_server import ImapServer
from webmail.demo.layout import free_port
from webmail.protocol.idle import What

PEOPLE = 200
DELIVERIES = 60
PAUSE = 0.7  # seconds between two
PATIENCE_MS = 30_000
# A session for the one in the browser.
SIGNED_IN = """
import json
from datetime import timedelta
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone
from webmail.models import Session, User
user = User.objects.get(username="u0@demo.test")
data = {{SESSION_KEY: str(user.pk), BACKEND_SESSION_KEY: "webmail.accounts.backends.MailBackend",
    HASH_SESSION_KEY: user.get_session_auth_hash()}}
Session.objects.create(session_key={key!r}, user=user, session_data=json.dumps(data),
    expire_date=timezone.now() + timedelta(hours=1))
"""
# Notes of each delivery when its row was first in the page, in milliseconds since 1970.
WATCH = """
window.seen = {};
new MutationObserver(() => {
  for (const row of document.querySelectorAll(".row .what > b")) window.seen[row.textContent] ??= Date.now();
}).observe(document, { subtree: true, childList: true, characterData: true });
"""


def measure(people: int = PEOPLE, deliveries: int = DELIVERIES) -> dict[str, Any]:
    """Deliver and wait for the page.

    Returns:
        `people`, `delivery_to_page_p50_ms`, `delivery_to_page_p95_ms`, `server_tells_p50_ms`, `server_tells_p95_ms`:
        Dovecot's part of them, and how many never came: `not_shown`.
    """
    with heard.stage(people) as (server, running), _listening(server) as told:
        front = free_port()
        running.environment |= {"FRONT_PORT": str(front)}
        heard.begin(running, server, people)
        manage(running.environment, "collectstatic", "--noinput", "--verbosity", "0")
        key = secrets.token_hex(16)
        manage(running.environment, "shell", "--verbosity", "0", "--command", SIGNED_IN.format(key=key))
        for line in ("web", "live", "front"):
            running.start(line)
        site = f"http://127.0.0.1:{front}"
        await_answer(f"{site}/healthz")
        with _looking(site, key) as page:
            delivered, seen = _deliver(server, page, deliveries)
    shown = sorted(max(0.0, seen[subject] - at) for subject, at in delivered.items() if subject in seen)
    tells = sorted(next((moment for moment in told if moment >= at), at) - at for at in delivered.values())
    return {
        "people": people,
        "delivery_to_page_p50_ms": round(statistics.median(shown)),
        "delivery_to_page_p95_ms": round(shown[int(len(shown) * 0.95) - 1]),
        "server_tells_p50_ms": round(statistics.median(tells)),
        "server_tells_p95_ms": round(tells[int(len(tells) * 0.95) - 1]),
        "not_shown": deliveries - len(shown),
    }


@contextlib.contextmanager
def _listening(server: ImapServer) -> Iterator[list[float]]:
    """When Dovecot told an idle connection of the person's that mail had come, in milliseconds since 1970."""
    told: list[float] = []
    ended = threading.Event()
    with heard.idling(server, 0) as idle:

        def listen() -> None:
            while not ended.is_set():
                if any(fact.what is What.NEW for fact in idle.wait(0.2)):
                    told.append(time.time() * 1000)

        thread = threading.Thread(target=listen)
        thread.start()
        yield told
        ended.set()
        thread.join()


@contextlib.contextmanager
def _looking(site: str, key: str) -> Iterator[Page]:
    """The inbox in a browser, its stream open."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "session", "value": key, "url": site}])
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.add_init_script(WATCH)
        page.goto(f"{site}/")
        page.wait_for_timeout(5000)  # the looks that follow the first
        say("somebody looks")
        yield page
        browser.close()


def _deliver(server: ImapServer, page: Page, deliveries: int) -> tuple[dict[str, float], dict[str, float]]:
    """When each delivery ended and when its row was in the page, by its subject, in milliseconds since 1970."""
    delivered = {}
    for number in range(deliveries):
        with heard.client(server, 0) as client:
            client.append("INBOX", "", "", heard.letter(number))
            delivered[f"Delivery {number}"] = time.time() * 1000
        page.wait_for_timeout(PAUSE * 1000)
    page.wait_for_timeout(5000)
    return delivered, page.evaluate("window.seen")
