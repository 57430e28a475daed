"""Somebody with a page open, without a browser: signs in, shows a mailbox, listens to the event stream."""

from __future__ import annotations

import contextlib
import http.client
import http.cookiejar
import json
import random
import re
import socket
import threading
import time
import urllib.parse
import urllib.request

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_ROW = re.compile(r'href="/message/(\d+)/')
_MAILBOX = re.compile(r'class="mailbox" href="(/mailbox/\d+/)".*?title="([^"]*)"')
SIGN_IN_SECONDS = 60.0
FIRST_LIST_SECONDS = 300.0  # until the list of mailboxes is there, with hundreds of others before one


class Person:
    """One browser of one person.

    Args:
        base: the product's address. live: the port of its event stream. address, password: whose.
    """

    def __init__(self, base: str, live: int, address: str, password: str) -> None:
        self.facts: list[tuple[float, dict[str, object]]] = []
        self.streams = 0
        self._base, self._live = base, live
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        self._leaving = threading.Event()
        self._socket: socket.socket | None = None
        token = _TOKEN.search(self.get("/sign-in/"))
        assert token is not None
        form = {"csrfmiddlewaretoken": token[1], "username": address, "password": password}
        request = urllib.request.Request(
            f"{base}/sign-in/", urllib.parse.urlencode(form).encode(), {"Origin": base, "Sec-Fetch-Site": "same-origin"}
        )
        self._land(request)
        until = time.monotonic() + FIRST_LIST_SECONDS
        while self.path == "/" and time.monotonic() < until:  # "Getting your mail": it looks again by itself
            time.sleep(5)
            self._land(urllib.request.Request(f"{base}/"))
        assert "/mailbox/" in self.path, self.path
        self.mailboxes = {name: path for path, name in _MAILBOX.findall(self.page)}

    def get(self, path: str, **headers: str) -> str:
        """The body of a page.

        Raises:
            OSError: it could not be had (`urllib.error.URLError` among them).
        """
        request = urllib.request.Request(self._base + path, headers=headers)
        with self._opener.open(request, timeout=30) as answer:
            return str(answer.read().decode())

    def rows(self, path: str) -> list[str]:
        """The keys of the messages on a mailbox page."""
        return _ROW.findall(self.get(path, **{"HX-Request": "true"}))

    def listen(self) -> None:
        """Keep an event stream open from now on, in a thread: what it says is in `facts`, with its time."""
        threading.Thread(target=self._listen, daemon=True).start()

    def drop(self) -> None:
        """Lose the stream's connection; it is opened anew as a browser does."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def leave(self) -> None:
        """Close the page."""
        self._leaving.set()
        self.drop()

    def _land(self, request: urllib.request.Request) -> None:
        """Go where this leads to: that page, and its path."""
        with self._opener.open(request, timeout=SIGN_IN_SECONDS) as answer:
            self.page = answer.read().decode()
            self.path = urllib.parse.urlsplit(answer.url).path

    def _listen(self) -> None:
        while not self._leaving.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._hear()
            self._leaving.wait(random.uniform(0.5, 1.5))

    def _hear(self) -> None:
        cookie = "; ".join(f"{one.name}={one.value}" for one in self._cookies)
        connection = http.client.HTTPConnection("127.0.0.1", self._live, timeout=60)
        connection.request("GET", "/live/", headers={"Cookie": cookie, "Sec-Fetch-Site": "same-origin"})
        self._socket = connection.sock  # which the connection gives away with the answer
        answer = connection.getresponse()
        if answer.status != 200:
            return
        self.streams += 1
        # What may have been missed meanwhile is fetched anew, as the page does.
        self.facts.append((time.monotonic(), {"kind": "all"}))
        while line := answer.readline():
            if line.startswith(b"data: "):
                self.facts.append((time.monotonic(), json.loads(line[6:])))
