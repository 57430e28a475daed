"""A browser that can be killed as a power cut does it, and comes back with its profile."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Protocol

from playwright.sync_api import BrowserContext, Error, Page, Playwright, expect

PATIENCE_MS = 40_000


class Site(Protocol):
    """Where it goes."""

    site: str


class Chrome:
    """A Chromium of one profile, in a process group of its own, so that all of it can be killed."""

    def __init__(self, playwright: Playwright, profile: Path) -> None:
        mark = profile / "DevToolsActivePort"
        mark.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [
                os.environ.get("CHROMIUM", "/usr/bin/chromium"), "--headless=new", "--no-sandbox", "--no-first-run",
                "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not mark.exists() or not mark.read_text().strip():
            if time.monotonic() > deadline:
                self.kill()
                raise TimeoutError("Chromium did not start")
            time.sleep(0.02)
        port = mark.read_text().split()[0]
        self.browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}")
        self.context: BrowserContext = self.browser.contexts[0]
        self.context.set_default_timeout(PATIENCE_MS)

    def sign_in(self, world: Site, key: str) -> None:
        self.context.add_cookies([{"name": "session", "value": key, "url": world.site}])

    def open(self, url: str) -> Page:
        """The editor with its script; tried again while the server is away, or was when a part of it was asked for."""
        page = self.context.pages[0]
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while True:
            try:
                answer = page.goto(url)
                if answer is not None and answer.ok:
                    expect(page.locator("[data-format]")).to_be_visible()
                    return page
            except (Error, AssertionError):
                if time.monotonic() > deadline:
                    raise
            page.wait_for_timeout(200)

    def kill(self) -> None:
        """SIGKILL, all of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
