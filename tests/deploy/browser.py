"""A browser with scripts off: cookies, forms and redirects, over TLS with the certificate checked."""

from __future__ import annotations

import html
import http.cookiejar
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """A page that was answered, after redirects."""

    status: int
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def hidden(self, name: str) -> str:
        """The value of a hidden field of the page's first form that has it."""
        found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', self.text)
        assert found, f"no field {name} in {self.url}: {self.text[:500]}"
        return html.unescape(found[1])

    def links(self, pattern: str) -> list[str]:
        """The addresses of links that match, in order."""
        addresses = [html.unescape(found) for found in re.findall(r'(?:href|src)="([^"]+)"', self.text)]
        return [address for address in addresses if re.search(pattern, address)]


class Browser:
    """Visits one site.

    Args:
        base: such as https://localhost:8443.
        authority: PEM file of the authority to trust.
    """

    def __init__(self, base: str, authority: str) -> None:
        self.base = base
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=authority)),
            urllib.request.HTTPCookieProcessor(self.cookies),
        )

    def get(self, path: str) -> Answer:
        return self._open(urllib.request.Request(urllib.parse.urljoin(self.base, path)))

    def post(self, path: str, **fields: str) -> Answer:
        url = urllib.parse.urljoin(self.base, path)
        request = urllib.request.Request(url, urllib.parse.urlencode(fields).encode())
        request.add_header("Origin", self.base)
        request.add_header("Referer", url)
        return self._open(request)

    def sign_in(self, username: str, password: str) -> Answer:
        """Fill in the sign-in form as a person does."""
        page = self.get("/sign-in/")
        token = page.hidden("csrfmiddlewaretoken")
        return self.post("/sign-in/", username=username, password=password, csrfmiddlewaretoken=token)

    def _open(self, request: urllib.request.Request) -> Answer:
        try:
            with self._opener.open(request, timeout=60) as answer:
                return Answer(answer.status, answer.url, dict(answer.headers.items()), answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.url or "", dict(error.headers.items()), error.read())
