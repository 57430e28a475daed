"""Put hostile payloads everywhere in mail and read it in Chromium: `python -m bench.payloads [--json] [--every 1]`.

The payloads are those of the tests (tests/protocol/html_payloads.py, tests/browser/payloads.py). Each is the HTML
body, the subject, a name and a file's name of a mail of its own, and stands in every other field of a mail that it
shares with a few: plain text, addresses, types, calendars, contacts, winmail.dat, delivery reports, messages inside,
any header field; and in names of mailboxes. Looked at: the list, the message, its frame by itself and with everything
in it pressed, its source, headers and print, what its page leads to; then all frames again with remote images allowed.
Chromium resolves no name: whatever it asks for elsewhere ends in a sinkhole. Three runs: with all walls, without the
sanitiser, without the frame's policy and sandbox. Walls are taken away inside this process alone, which serves the
pages; the product has no switch for it.

payloads    how many        views       pages and frames that were looked at
executed    times that a payload ran (0)
requests    requests to elsewhere that nobody pressed for (0); with the sanitiser connections too, and look-ups by us
escapes     pages that went elsewhere, windows, dialogs, markup in our pages, elements that no frame may have (0)
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import signal
import socket
import socketserver
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import mock

from playwright.sync_api import Browser, Page

from bench.stage import PASSWORD, configure, say, servers
from tests.browser import carriers
from tests.browser.frames import BATCH, FRAMES, LEFT_OVER, MARKED_UP, PRESSABLE, SETTLED_MS, Ran, press_everything
from tests.browser.payloads import FIELDS, FRAMED, TEXTS
from tests.chromium import Sinkhole, chromium
from webmail.demo.imap_server import ImapServer

if TYPE_CHECKING:
    from tests.browser.mail import Mail

RUNS = ("all walls", "sanitiser off", "frame off")
TOGETHER = 10  # payloads in a mail that has them in every field
MOST_FOLLOWED = 14  # addresses that one message's page names
MAILBOXES = 30
SANDBOX = b' sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"'
VIEWS = ("", "source/", "headers/", "print/")
NAMED = "(begin) => [...document.querySelectorAll(`a[href^='${begin}']:not([download])`)].map((a) => a.pathname)"
FRAMES_OF = "() => [...document.querySelectorAll('iframe')].map((frame) => new URL(frame.src).pathname)"
NO_PAGE = re.compile(r"/(part|raw|zip|inline|preview|archive|remote|thumbnail)(/|$)")


@dataclass
class Counts:
    """What one run saw. `found` says it in words."""

    views: int = 0
    executed: int = 0
    requests: int = 0
    escapes: int = 0
    found: list[str] = field(default_factory=list)

    def numbers(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("views", "executed", "requests", "escapes")}


def main() -> None:
    """Print the numbers: as one JSON object, or a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--every", type=int, default=1, help="take only every so many payloads")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all that was started is ended
    payloads = list(dict.fromkeys((*FRAMED, *TEXTS, *FIELDS)))[:: arguments.every]
    with _theatre() as (server, site, walls):
        mails = _file(server, payloads)
        runs = {run: _run(run, site, walls, mails, payloads) for run in RUNS}
    total = {name: sum(counts.numbers()[name] for counts in runs.values()) for name in Counts().numbers()}
    if arguments.json:
        by_run = {run: counts.numbers() for run, counts in runs.items()}
        print(json.dumps({"payloads": len(payloads), **total, "runs": by_run}))
        return
    print(f"{len(payloads)} payloads")
    for run, counts in {**runs, "together": Counts(**total)}.items():
        print(f"{run:14} " + " ".join(f"{name} {number:>6}" for name, number in counts.numbers().items()))


class Walls:
    """The product's application; without the frame, `sandbox` is taken out of its pages on their way."""

    def __init__(self) -> None:
        self.sandboxed = True

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        from webmail.wsgi import application  # noqa: PLC0415 - settings come first

        if self.sandboxed:
            return application(environ, start)
        head: list[Any] = []
        answer = application(environ, lambda *given: head.extend(given))
        body = b"".join(answer).replace(SANDBOX, b"")
        answer.close()
        fields = [(name, value) for name, value in head[1] if name.lower() != "content-length"]
        start(head[0], [*fields, ("Content-Length", str(len(body)))])
        return [body]


@contextlib.contextmanager
def _theatre() -> Iterator[tuple[ImapServer, str, Walls]]:
    """The product, served by this process, and its servers."""
    with contextlib.ExitStack() as end:
        on = end.enter_context(servers({f"{name}@demo.test": PASSWORD for name in ("alice", "carol")}))
        configure(on.directory, on.database, on.redis_url, hosts="127.0.0.1,testserver")
        walls = Walls()
        end.enter_context(mock.patch("socket.getaddrinfo", _nobody_is_asked))
        yield on.mail, end.enter_context(_served(walls)), walls


@contextlib.contextmanager
def _served(walls: Walls) -> Iterator[str]:
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler  # noqa: PLC0415

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def handle_error(self, *_: object) -> None:
            pass

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.handle_error = lambda *_: None  # browsers hang up
    socketserver.ThreadingMixIn.daemon_threads = True
    server.set_app(walls)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


_resolve = socket.getaddrinfo
_looked_up: list[str] = []


def _nobody_is_asked(host: Any, *arguments: Any, **more: Any) -> Any:
    """Addresses only: a name that the product looks up is noted, and not found."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost") or re.fullmatch(r"[\d.]+|[\da-f:.]*:[\da-f:.]*", name):
        return _resolve(host, *arguments, **more)
    _looked_up.append(str(name))
    raise socket.gaierror(socket.EAI_NONAME, "no such host")


def _file(server: ImapServer, payloads: list[str]) -> dict[str, Any]:
    """File all mail: to alice one for each payload, then those with some everywhere; carol has the mailboxes."""
    from tests.browser.mail import deliver, read  # noqa: PLC0415
    from tests.reader import make_account  # noqa: PLC0415
    from tests.servers import MailUser  # noqa: PLC0415

    alice, carol = (MailUser(server, f"{name}@demo.test", PASSWORD) for name in ("alice", "carol"))
    groups = [payloads[start : start + TOGETHER] for start in range(0, len(payloads), TOGETHER)]
    say(f"filing {len(payloads)} mails and {len(groups)} with payloads everywhere")
    deliver(alice, [*map(carriers.named, payloads), *map(carriers.everywhere, groups)])
    with carol.imap() as client:
        plain = [each for each in TEXTS if each.isascii() and each.isprintable() and not set(each) & set("/&*%\\")]
        for name in plain[:: max(1, len(plain) // MAILBOXES)]:
            client.create(client._quote(name))
    return {"alice": read(make_account(alice)), "carol": read(make_account(carol))}


def _run(run: str, site: str, walls: Walls, mails: dict[str, Any], payloads: list[str]) -> Counts:
    """One run: take the wall away, look at everything, put it up again."""
    from webmail import headers  # noqa: PLC0415
    from webmail.protocol import html  # noqa: PLC0415
    from webmail.store import bodies  # noqa: PLC0415

    bodies.client.flushdb()
    sinkhole = Sinkhole()
    with contextlib.ExitStack() as end:
        end.callback(sinkhole.stop)
        if run == "sanitiser off":
            # Not https: the sinkhole could not tell what is asked for.
            raw = lambda source, **_: html.Washed(source.replace("https:", "http:"))  # noqa: E731
            end.enter_context(mock.patch.object(html, "wash", raw))
        if run == "frame off":
            open_policy = {"Content-Security-Policy": "default-src * data: 'unsafe-inline'"}
            end.enter_context(mock.patch.dict(headers.FRAME, open_policy))
            walls.sandboxed = False
            end.callback(setattr, walls, "sandboxed", True)
        browser = end.enter_context(chromium(sinkhole))
        counts = _Walk(run, site, browser, sinkhole).go(mails, payloads)
    say(f"{run}: {counts.numbers()}")
    for what in counts.found[:20]:
        say(f"  {what}")
    return counts


class _Walk:
    """One run's way through all pages."""

    def __init__(self, run: str, site: str, browser: Browser, sinkhole: Sinkhole) -> None:
        self._run = run
        self._site = site
        self._browser = browser
        self._sinkhole = sinkhole
        self._counts = Counts()
        self._washed = run != "sanitiser off"
        self._sandboxed = run != "frame off"

    def go(self, mails: dict[str, Mail], payloads: list[str]) -> Counts:
        alice, carol = mails["alice"], mails["carol"]
        keys = list(alice.inbox.messages.order_by("uid").values_list("pk", flat=True))
        singles, groups = keys[: len(payloads)], keys[len(payloads) :]
        pressed = [pk for pk, payload in zip(singles, payloads, strict=True) if PRESSABLE.search(payload)]
        with self._window(alice) as page:
            self._stage("lists", page, (f"/mailbox/{alice.inbox.pk}/?page={n + 1}" for n in range(len(keys) // 50 + 1)))
            self._stage("messages", page, (f"/message/{pk}/" for pk in singles))
            self._stage("everywhere", page, (f"/message/{pk}/{view}" for pk in groups for view in VIEWS), follow=True)
            self._stage(
                "source, headers, print", page, (f"/message/{pk}/{v}" for pk in singles[::8] for v in VIEWS[1:])
            )
            self._frames("frames", page, singles)
            self._allow(alice, singles)
            self._frames("frames with remote images", page, singles)
            self._stage("messages with remote images", page, (f"/message/{pk}/" for pk in singles[::8]))
            _looked_up.clear()
        with self._window(alice) as page:
            self._press(page, pressed)
        with self._window(carol) as page:
            boxes = carol.account.mailboxes.order_by("pk").values_list("pk", flat=True)
            self._stage("mailboxes", page, (f"/mailbox/{pk}/" for pk in boxes))
            self._stage("settings", page, ["/settings/"])
        return self._counts

    @contextlib.contextmanager
    def _window(self, mail: Mail) -> Iterator[Page]:
        """A window in which somebody is signed in; at its end what ran in it is counted."""
        from django.conf import settings  # noqa: PLC0415

        from tests.cast import client_of  # noqa: PLC0415

        context = self._browser.new_context(base_url=self._site, reduced_motion="reduce")
        context.set_default_timeout(60_000)
        session = client_of(mail.account.user).session.session_key or ""
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self._site}])
        self._ran = Ran(context)
        self._elsewhere: list[str] = []
        context.on("dialog", self._dialog)
        context.on("request", lambda request: self._elsewhere.append(request.url))
        page = context.new_page()
        yield page
        context.close()
        self._sinkhole.forget()

    def _dialog(self, dialog: Any) -> None:
        self._note("escapes", f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _stage(self, name: str, page: Page, paths: Iterable[str], *, follow: bool = False) -> None:
        """Open these pages one after the other, and with `follow` what they name."""
        for path in paths:
            self._open(page, path)
            if follow and path.count("/") == 3:
                named = [each for each in dict.fromkeys(page.evaluate(NAMED, path)) if not NO_PAGE.search(each)]
                for each in named[:MOST_FOLLOWED]:
                    if each != path and each.removeprefix(path) not in VIEWS:
                        self._open(page, each)
        self._settle(name, page)

    def _open(self, page: Page, path: str) -> None:
        page.goto(path)
        self._counts.views += 1
        self._look(page, path)

    def _look(self, page: Page, path: str) -> None:
        """Where the window is, and what stands in its page and, where it was washed, in the frames."""
        if not page.url.startswith(f"{self._site}{path.partition('?')[0]}"):
            self._note("escapes", f"{path} went to {page.url}")
        for frame in page.frames if self._washed else page.frames[:1]:
            with contextlib.suppress(Exception):  # it was just replaced
                for found in frame.evaluate(MARKED_UP):
                    self._note("escapes", f"{path}: {found}")
        for frame in page.frames[1:] if self._washed else ():
            with contextlib.suppress(Exception):
                for found in frame.evaluate(LEFT_OVER):
                    self._note("escapes", f"{path}, left over: {found}")

    def _frames(self, name: str, page: Page, keys: list[int]) -> None:
        """The frames of these messages, many at a time in a page of ours."""
        page.goto(f"/message/{keys[0]}/")
        start = page.url
        for first in range(0, len(keys), BATCH):
            batch = [f"/message/{pk}/frame/" for pk in keys[first : first + BATCH]]
            page.evaluate(FRAMES, [batch, self._sandboxed])
            page.wait_for_timeout(SETTLED_MS)
            self._counts.views += len(batch)
            if page.url != start:
                self._note("escapes", f"{name}: the page went to {page.url}")
            self._look(page, start.removeprefix(self._site))
        self._settle(name, page)

    def _press(self, page: Page, keys: list[int]) -> None:
        """Press everything in these frames: a window that a link opens is its right, what it does to ours is not."""
        page.goto(f"/message/{keys[0]}/")
        start = page.url
        for first in range(0, len(keys), BATCH):
            batch = [f"/message/{pk}/frame/" for pk in keys[first : first + BATCH]]
            page.evaluate(FRAMES, [batch, self._sandboxed])
            press_everything(page, len(batch))
            self._counts.views += len(batch)
            if page.url != start:
                self._note("escapes", f"pressed: the page went to {page.url}")
        answer = page.goto("/settings/")
        if answer is None or answer.request.redirected_from is not None:
            self._note("escapes", "pressed: somebody was signed out")
        for url in self._ran:
            self._note("executed", f"pressed: in {url}")

    def _allow(self, mail: Mail, keys: list[int]) -> None:
        """A person's word that remote images may be shown."""
        from webmail.store import remote  # noqa: PLC0415

        if _looked_up and self._washed:
            self._note("requests", f"looked up before a word was given: {_looked_up[:5]}", len(_looked_up))
        for message in mail.inbox.messages.select_related("mailbox", "account__provider").filter(pk__in=keys):
            assert remote.show_once(message, "")

    def _settle(self, name: str, page: Page) -> None:
        """Count what happened since the last stage."""
        page.wait_for_timeout(SETTLED_MS)
        for url in self._ran:
            self._note("executed", f"{name}: in {url}")
        self._ran.clear()
        for other in page.context.pages[1:]:
            self._note("escapes", f"{name}: a window at {other.url}")
            other.close()
        if self._washed:
            for url in self._elsewhere:
                if not url.startswith((f"{self._site}/", "data:", "blob:", "about:")):
                    self._note("requests", f"{name}: {url}")
        # No policy keeps Chromium from opening connections ahead of time; without the sanitiser only requests count.
        for line in self._sinkhole.requests:
            self._note("requests", f"{name}: {line}")
        if self._washed and self._sinkhole.visits > len(self._sinkhole.requests):
            self._note("requests", f"{name}: connections", self._sinkhole.visits - len(self._sinkhole.requests))
        self._elsewhere.clear()
        self._sinkhole.forget()
        say(f"{self._run}, {name}: {self._counts.numbers()}")

    def _note(self, kind: str, what: str, times: int = 1) -> None:
        setattr(self._counts, kind, getattr(self._counts, kind) + times)
        self._counts.found.append(f"{kind}: {what}")


if __name__ == "__main__":
    main()
