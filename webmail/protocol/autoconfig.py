"""Autoconfig: the XML file in which a domain tells mail programs its servers, as Thunderbird reads it.

Format: https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat. The file is fetched over HTTPS only,
through `guard`, and both the XML and the fetching are bounded: the address, and so the file, may be an attacker's.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from . import guard
from .errors import ProtocolError
from .mail_address import domain_of
from .types import Security, Server

MAX_BYTES = 64 * 1024
MAX_REDIRECTS = 3
_MOST_SERVERS = 4  # of each kind

_SECURITY = {"SSL": Security.TLS, "STARTTLS": Security.STARTTLS}  # "plain" is never used
_PASSWORDS = {"password-cleartext", "password-encrypted", "plain"}  # not OAuth2, certificates, Kerberos
_FORMATS = {"%EMAILADDRESS%": "address", "%EMAILLOCALPART%": "local"}


@dataclass(frozen=True, slots=True)
class Config:
    """What the file says, best first. `login_format` is as in `discovery.Candidate`."""

    imap: tuple[Server, ...]
    smtp: tuple[Server, ...]
    login_format: str


def urls(address: str) -> tuple[str, ...]:
    """Where the file may be, best first."""
    domain, asked = domain_of(address), quote(address)
    return (
        f"https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={asked}",
        f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
    )


def read(url: str, address: str, fetch: Callable[[str, float], bytes], seconds: float) -> Config | None:
    """The servers that the file at `url` names for `address`; None where there is no such file or it names none."""
    try:
        return parse(fetch(url, seconds), address)
    except (OSError, http.client.HTTPException, ValueError, ProtocolError):
        return None


def parse(xml: bytes, address: str) -> Config | None:
    """The servers in the file `xml` that speak IMAP or SMTP with TLS and take a password; None where there are none.

    Raises:
        ValueError: not XML, or XML with a document type.
    """
    if len(xml) > MAX_BYTES:
        raise ValueError("too long")
    try:
        root: Element = defusedxml.ElementTree.fromstring(xml, forbid_dtd=True)
    except (ParseError, DefusedXmlException, LookupError) as error:
        raise ValueError("not an autoconfig file") from error
    incoming = [node for node in root.iterfind("./emailProvider/incomingServer") if node.get("type") == "imap"]
    outgoing = [node for node in root.iterfind("./emailProvider/outgoingServer") if node.get("type") == "smtp"]
    imap = [node for node in incoming if _server(node, address)][:_MOST_SERVERS]
    if not imap:
        return None
    return Config(
        imap=tuple(server for node in imap if (server := _server(node, address))),
        smtp=tuple(server for node in outgoing if (server := _server(node, address)))[:_MOST_SERVERS],
        login_format=_FORMATS.get(_text(imap[0], "username"), ""),
    )


def fetch(url: str, seconds: float) -> bytes:
    """What `url` holds, at most `MAX_BYTES`, following at most `MAX_REDIRECTS`; each step passes the guard again.

    Raises:
        ProtocolError: the guard refused, or nothing answered.
        OSError, http.client.HTTPException: the connection failed on the way.
        ValueError: not https, not 200, too long, too many redirects.
    """
    deadline = time.monotonic() + seconds
    for _ in range(MAX_REDIRECTS + 1):
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.port not in {None, 443}:
            raise ValueError("not an address to fetch")
        connection = _Connection(parts.hostname, timeout=max(0.1, deadline - time.monotonic()))
        # A time-out of the socket starts again with each byte: this one doesn't.
        watchdog = threading.Timer(connection.timeout, connection.abort)
        watchdog.daemon = True
        watchdog.start()
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target, headers={"Accept": "text/xml"})
            response = connection.getresponse()
            if response.status in {301, 302, 303, 307, 308}:
                url = urljoin(url, response.headers.get("Location", ""))
                continue
            if response.status != 200:
                raise ValueError("no such file")
            data = response.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise ValueError("too long")
            return data
        finally:
            watchdog.cancel()
            connection.release()
    raise ValueError("too many redirects")


class _Connection(http.client.HTTPSConnection):
    """HTTPS to an address that the guard has judged."""

    timeout: float
    _wire: socket.socket | None = None

    def connect(self) -> None:
        sock = guard.open_socket(self.host, 443, allow_private=False, ports={443}, timeout=self.timeout)
        try:
            self._wire = sock.dup()  # wrapping takes the socket away, and the handshake can be slow too
            sock.settimeout(self.timeout)
            self.sock = guard.tls_context("").wrap_socket(sock, server_hostname=self.host)
        except BaseException:
            sock.close()
            raise

    def abort(self) -> None:
        """Wake whoever waits for this connection."""
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


def _server(node: Element, address: str) -> Server | None:
    """The server a node describes, or None where it isn't one we can use."""
    host = _text(node, "hostname").replace("%EMAILDOMAIN%", domain_of(address)).lower()
    security = _SECURITY.get(_text(node, "socketType").upper())
    port = _text(node, "port")
    if not host or security is None or not (port.isascii() and port.isdigit()) or len(port) > 5:
        return None
    ways = {(way.text or "").strip() for way in node.iterfind("authentication")}
    if ways and not ways & _PASSWORDS:
        return None
    return Server(host, int(port), security)


def _text(node: Element, name: str) -> str:
    return (node.findtext(name) or "").strip()
