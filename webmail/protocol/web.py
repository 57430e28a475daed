"""One request to something on the web: through the guard, bounded in octets, redirects and time, and telling nothing.

The room's one law: the other end learns that somebody asked, and nothing about who. No cookie, no Referer, no language,
no name of this product goes out; what comes back is octets that nobody has looked at yet.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Collection, Iterator
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from . import guard

MAX_REDIRECTS = 3

_PORTS = {"https": 443, "http": 80}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_URL = 8 * 1024  # characters
_SPELT = "%/:=&?~#+!$,;'@()*[]|"  # what of a path or query is sent as it stands
_AGENT = "Mozilla/5.0 (compatible)"  # some hosts answer nobody without one


class NotFetched(ValueError):
    """There is nothing to be had at this address, or more than was asked for."""


def get(
    url: str, seconds: float, *, most: int, accept: str, schemes: Collection[str] = ("https",), agent: str = ""
) -> bytes:
    """What `url` holds, following at most `MAX_REDIRECTS`; each step passes the guard again.

    Args:
        url: http or https, on the port of its scheme.
        seconds: for all of it: look-ups, handshakes, redirects, every octet.
        most: octets of the answer; with one more it is refused.
        accept: the Accept field.
        schemes: of "https" and "http" those that may be asked, at each step.
        agent: the User-Agent field; "" sends none.

    Raises:
        ProtocolError: the guard refused, or nothing answered.
        OSError, http.client.HTTPException: the connection failed on the way.
        ValueError: not such an address, not 200, too long, too many redirects, encoded, no name.
    """
    deadline = time.monotonic() + seconds
    fields = {"Accept": accept} | ({"User-Agent": agent} if agent else {})
    for _ in range(MAX_REDIRECTS + 1):
        parts = _parts(url, schemes)
        with _asked(parts, "GET", fields, deadline) as (connection, response):
            if response.status in _REDIRECTS:
                url = urljoin(url, response.headers.get("Location", ""))
                continue
            data = _body(response, most)
            if connection.aborted:  # an answer of no announced length looks whole where it was cut
                raise TimeoutError("timed out")
            return data
    raise NotFetched("too many redirects")


def post(url: str, seconds: float, *, form: bytes) -> int:
    """Send a form to `url` by https and give the status of the answer, which is neither read nor followed.

    Args:
        url, seconds: as for `get`. form: as application/x-www-form-urlencoded.

    Raises:
        As `get`, but that any status will do.
    """
    fields = {"Accept": "*/*", "Content-Type": "application/x-www-form-urlencoded", "User-Agent": _AGENT}
    with _asked(_parts(url, ("https",)), "POST", fields, time.monotonic() + seconds, form) as (_, response):
        return response.status


def ask(
    url: str, seconds: float, *, form: bytes, most: int, ca_pem: str = "", allow_private: bool = False
) -> tuple[int, bytes]:
    """Send a form to `url` by https, and give the status and the body of the answer, which is not followed.

    Args:
        url, seconds, most: as for `get`. form: as for `post`.
        ca_pem: PEM of the only authority to trust, or "" for the system's.
        allow_private: an administrator allows private addresses and any port for this one.

    Raises:
        As `get`, but that any status will do.
    """
    fields = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded", "User-Agent": _AGENT}
    parts = _parts(url, ("https",), any_port=allow_private)
    deadline = time.monotonic() + seconds
    with _asked(parts, "POST", fields, deadline, form, ca_pem, allow_private) as (connection, response):
        data = _whole(response, most)
        if connection.aborted:
            raise TimeoutError("timed out")
        return response.status, data


@contextlib.contextmanager
def _asked(
    parts: SplitResult,
    method: str,
    fields: dict[str, str],
    deadline: float,
    form: bytes | None = None,
    ca_pem: str = "",
    allow_private: bool = False,
) -> Iterator[tuple[_Connection, http.client.HTTPResponse]]:
    """The answer to one request, its body not read yet; all is closed at the end."""
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError("timed out")
    connection = _Connection(parts, remaining, ca_pem, allow_private)
    # A time-out of the socket starts again with each byte: this one doesn't.
    watchdog = threading.Timer(remaining, connection.abort)
    watchdog.daemon = True
    watchdog.start()
    try:
        connection.request(method, _target(parts), body=form, headers={**fields, "Connection": "close"})
        yield connection, connection.getresponse()
    finally:
        watchdog.cancel()
        connection.release()


def image(url: str, seconds: float, most: int) -> bytes:
    """The octets of a picture in a mail, as `get` fetches them, by http or https. Raises as `get` does."""
    return get(
        url,
        seconds,
        most=most,
        accept="image/webp,image/png,image/jpeg,image/gif,image/*;q=0.5",
        schemes=("https", "http"),
        agent=_AGENT,
    )


def _parts(url: str, schemes: Collection[str], *, any_port: bool = False) -> SplitResult:
    """The pieces of an address that may be asked. A name or password in it is nothing for us to send."""
    parts = urlsplit(url)
    if len(url) > _MAX_URL or parts.scheme not in schemes or not parts.hostname or "@" in parts.netloc:
        raise NotFetched("not an address to fetch")
    if not any_port and parts.port not in {None, _PORTS[parts.scheme]}:
        raise NotFetched("not a port to ask")
    return parts


def _target(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe=_SPELT)
    return f"{path}?{quote(parts.query, safe=_SPELT)}" if parts.query else path


def _body(response: http.client.HTTPResponse, most: int) -> bytes:
    if response.status != 200:
        raise NotFetched("no such file")
    return _whole(response, most)


def _whole(response: http.client.HTTPResponse, most: int) -> bytes:
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise NotFetched("encoded, though nobody asked for that")
    if response.length is not None and response.length > most:
        raise NotFetched("too long")
    data = response.read(most + 1)
    if len(data) > most:
        raise NotFetched("too long")
    return data


class _Connection(http.client.HTTPConnection):
    """HTTP or HTTPS to an address that the guard has judged."""

    timeout: float

    def __init__(self, parts: SplitResult, seconds: float, ca_pem: str, allow_private: bool) -> None:
        usual = _PORTS[parts.scheme]
        super().__init__(parts.hostname or "", parts.port or usual, timeout=seconds)
        self.default_port = usual  # so that the Host field doesn't name it
        self._is_secure = parts.scheme == "https"
        self._ca_pem, self._allow_private = ca_pem, allow_private
        self._wire: socket.socket | None = None
        self.aborted = False

    def connect(self) -> None:
        sock = guard.open_socket(
            self.host, self.port, allow_private=self._allow_private, ports={self.port}, timeout=self.timeout
        )
        try:
            self._wire = sock.dup()  # wrapping takes the socket away, and the handshake can be slow too
            if self.aborted:
                raise TimeoutError("timed out")
            sock.settimeout(self.timeout)
            if self._is_secure:
                sock = guard.tls_context(self._ca_pem).wrap_socket(sock, server_hostname=self.host)
            self.sock = sock
        except BaseException:
            sock.close()
            raise

    def abort(self) -> None:
        """Wake whoever waits for this connection."""
        self.aborted = True
        wire = self._wire
        if wire is not None:
            with contextlib.suppress(OSError):  # closed already
                wire.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Close all of it. `close` is also called by http.client itself, while the answer is still being read."""
        self.close()
        if self._wire is not None:
            self._wire.close()
            self._wire = None
