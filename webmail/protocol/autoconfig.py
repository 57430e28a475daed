"""Autoconfig: the XML file in which a domain tells mail programs its servers, as Thunderbird reads it.

Format: https://wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat. The file is fetched over HTTPS only,
through `guard`, and both the XML and the fetching are bounded: the address, and so the file, may be an attacker's.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from . import web
from .errors import ProtocolError
from .mail_address import domain_of
from .types import Security, Server

MAX_BYTES = 64 * 1024
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
    """What `url` holds, at most `MAX_BYTES`, over https only. Raises as `web.get` does."""
    return web.get(url, seconds, most=MAX_BYTES, accept="text/xml")


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
