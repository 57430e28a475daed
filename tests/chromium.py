"""Chromium for the tests, and what it may complain of.

Chromium resolves no name. The hosts of mails and payloads (.test, .example) are led to a `Sinkhole`, which counts who
knocks, so that a request to elsewhere is seen even where the developer tools would not show it; all others are unknown,
which silences Chromium's own housekeeping.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Dialog, Error, Request, sync_playwright

PATIENCE_MS = 20_000  # a page on a busy machine


class Sinkhole:
    """A port that takes connections and ends them.

    `visits` says how many there were, `requests` the first line of each HTTP request that came through one.
    """

    def __init__(self) -> None:
        self.visits = 0
        self.requests: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:  # stopped
                return
            self.visits += 1
            threading.Thread(target=self._listen, args=[visitor], daemon=True).start()

    def _listen(self, visitor: socket.socket) -> None:
        with visitor:
            visitor.settimeout(1)
            try:
                said = visitor.recv(4096)
            except OSError:  # said nothing, or left
                return
            if b" HTTP/1." in said:
                self.requests.append(said.decode("latin-1").partition("\r\n")[0])

    def forget(self) -> None:
        """Begin to count anew: what came so far was meant."""
        self.visits = 0
        self.requests.clear()

    def stop(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@contextmanager
def chromium(sinkhole: Sinkhole) -> Iterator[Browser]:
    """A browser. Only one at a time in a process: Playwright keeps an event loop running in this thread meanwhile."""
    hole = f"127.0.0.1:{sinkhole.port}"
    rules = f"MAP *.test {hole}, MAP *.example {hole}, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Because of that loop Django would take every query of a test for one from asynchronous code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            # The sinkhole is the internet: asking it must not fail because it is on this machine.
            args=["--no-sandbox", f"--host-resolver-rules={rules}", f"--ip-address-space-overrides={hole}=public"],
        )
        yield browser
        browser.close()
        # Likewise the connections of those queries are others than this thread's without the loop.
        connections.close_all()


def watch(context: BrowserContext, site: str) -> list[str]:
    """The list to which everything is added that no page may do: errors, dialogs, requests to elsewhere."""
    complaints: list[str] = []

    def dialog(shown: Dialog) -> None:
        complaints.append(f"a dialog: {shown.message}")
        shown.dismiss()

    def request(sent: Request) -> None:
        if not sent.url.startswith((f"{site}/", "data:", "blob:", "about:")):
            complaints.append(f"a request to {sent.url}")

    context.set_default_timeout(PATIENCE_MS)
    context.on("dialog", dialog)
    context.on("request", request)
    context.on("weberror", lambda raised: complaints.append(f"an error: {_words(raised.error)}"))
    context.on("console", lambda told: complaints.append(f"console: {told.text}") if told.type == "error" else None)
    return complaints


def _words(error: Error) -> str:
    return f"{error.message} {error.stack or ''}"
