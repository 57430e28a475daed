"""What may go out on a wire: arguments of IMAP commands, values of header fields, addresses to connect to.

The room's one law is this file: a value that did not pass here does not reach a wire. An address is
judged by what it resolves to, never by how it is spelt, and the connection goes to the very address
that was judged (security §5.4). Every refusal of an address reads the same and takes the same time, so
that nobody can map a private network by trying names.
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Collection, Iterator

from .errors import ConnectionFailed, Forbidden, Untrusted

MAIL_PORTS = frozenset({143, 465, 587, 993})

NO_SERVER = "There is no mail server at this address that may be used."
BAD_TEXT = "This text contains characters that are not allowed here."

REFUSAL_SECONDS = 1.0  # longer than most look-ups: a refusal takes as long, or a whole number of times as long
KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPALIVE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}  # seconds, probes
MAX_ADDRESSES = 16  # more than any real mail host has; each costs a part of the connect time

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Not for use even where an administrator allows private addresses: metadata services of hosting
# companies that lie outside 169.254.0.0/16 (Azure, Alibaba, AWS and Google over IPv6).
METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("168.63.129.16", "100.100.100.200", "fd00:ec2::254", "fd20:ce::254")
)

# Where private addresses are allowed, these are what is meant by it.
PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)

# IANA's special-purpose registries and multicast. `ipaddress.is_global` lets a third of the bad ones through.
SPECIAL_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)

# Of IPv6 only 2000::/3 is the public internet, and these parts of it are not.
PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
SPECIAL_V6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: embeds any IPv4 address, and is obsolete (RFC 7526)
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
# These carry an IPv4 address in their last 32 bits, which is what is judged.
EMBEDS_V4 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "::ffff:0:0/96",  # IPv4-mapped
        "64:ff9b::/96",  # NAT64 (RFC 6052): what DNS64 answers for an ordinary IPv4 host
    )
)

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMERIC = re.compile(r"(?:[0-9]+|0[xX][0-9a-fA-F]*)")


def imap_text(value: str) -> str:
    """Return `value` if it may stand inside an IMAP argument.

    Raises:
        Forbidden: it holds CR, LF or NUL, which end a command (RFC 9051 §9), or a lone surrogate.
    """
    if "\r" in value or "\n" in value or "\0" in value:
        raise Forbidden(BAD_TEXT)
    _encodable(value)
    return value


def header_value(value: str) -> str:
    """Return `value` if it may stand in a header field or an SMTP command (RFC 5322 §2.2).

    Raises:
        Forbidden: it holds a control character other than the tab, or a lone surrogate.
    """
    if any((char < " " and char != "\t") or char in "\x7f\x85\u2028\u2029" for char in value):
        raise Forbidden(BAD_TEXT)
    _encodable(value)
    return value


def open_socket(
    host: str, port: int, *, allow_private: bool, ports: Collection[int] = MAIL_PORTS, timeout: float = 10.0
) -> socket.socket:
    """Connect to `host`, and to nothing else.

    The name is resolved once, all its addresses are judged, the connection goes to one that was judged,
    and the peer is judged again afterwards.

    Args:
        host: DNS name or IP literal.
        port: TCP port.
        allow_private: loopback, RFC 1918 and unique local addresses are allowed, and any port.
        ports: the ports allowed otherwise.
        timeout: seconds for all of it, the name look-up included.

    Returns:
        a connected socket with TCP_NODELAY.

    Raises:
        Forbidden: the address or port is not allowed.
        ConnectionFailed: no such name, refused, unreachable, timed out.
    """
    deadline = time.monotonic() + timeout
    with _refusing_evenly(allow_private=allow_private):
        if not (1 <= port <= 65535 and (allow_private or port in ports)):
            raise Forbidden(NO_SERVER)
        addresses = _judged(host, port, allow_private=allow_private, timeout=timeout)
    failure: OSError | None = None
    for number, address in enumerate(addresses):
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            break
        try:
            # A share of the time for each, so that one dead IPv6 route doesn't use up everything.
            sock = socket.create_connection((str(address), port), remaining / (len(addresses) - number))
        except OSError as error:
            failure = error
            continue
        try:
            peer = ipaddress.ip_address(sock.getpeername()[0])
            if not _allowed(peer, allow_private=allow_private):
                raise Forbidden(NO_SERVER)
            _tune(sock)
        except BaseException:
            sock.close()
            raise
        return sock
    raise ConnectionFailed("The mail server does not answer.", _reason(failure))


def resolve(host: str, port: int, *, allow_private: bool, timeout: float) -> list[IPAddress]:
    """The addresses of `host`, each one judged.

    Args:
        host: DNS name or IP literal.
        port: only passed on to the resolver.
        allow_private: see `open_socket`.
        timeout: seconds; `getaddrinfo` itself knows none.

    Raises:
        Forbidden: one of them is not allowed, or the name is no name.
        ConnectionFailed: there is no such name (in the same words), or no answer in time.
    """
    with _refusing_evenly(allow_private=allow_private):
        return _judged(host, port, allow_private=allow_private, timeout=timeout)


@contextlib.contextmanager
def _refusing_evenly(*, allow_private: bool) -> Iterator[None]:
    """Let a refusal take as long as any other: an address that is one at once, a private name, a name that isn't."""
    begun = time.monotonic()
    try:
        yield
    except (Forbidden, ConnectionFailed):
        if not allow_private and REFUSAL_SECONDS:
            time.sleep(REFUSAL_SECONDS - (time.monotonic() - begun) % REFUSAL_SECONDS)
        raise


def _judged(host: str, port: int, *, allow_private: bool, timeout: float) -> list[IPAddress]:
    name = _hostname(host)
    found = _look_up(name, port, timeout)
    if not found:
        # Who may use private addresses may also know which names exist.
        raise ConnectionFailed("The name of the mail server is not known." if allow_private else NO_SERVER)
    if not all(_allowed(address, allow_private=allow_private) for address in found):
        raise Forbidden(NO_SERVER)
    return found[:MAX_ADDRESSES]


def is_loopback(sock: socket.socket) -> bool:
    """Whether the other end of a connected socket is this machine."""
    peer = ipaddress.ip_address(sock.getpeername()[0])
    return _unwrap(peer).is_loopback


@functools.lru_cache(maxsize=64)  # reading the system's authorities takes 10 ms, and keeping them half a megabyte
def tls_context(ca_pem: str) -> ssl.SSLContext:
    """The one way this product does TLS: certificate and host name are checked, TLS 1.2 at least; no off switch.

    Args:
        ca_pem: PEM of the only CA to trust, or "" for the system's.

    Raises:
        Untrusted: `ca_pem` holds no certificate.
    """
    try:
        context = ssl.create_default_context(cadata=ca_pem or None)
    except (ssl.SSLError, ValueError) as error:
        raise Untrusted("The certificate authority pinned for this server can't be read.", str(error)) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _tune(sock: socket.socket) -> None:
    """Send small commands at once, and notice within two minutes that an idle connection's other end is gone."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if option := getattr(socket, name, None):  # not every system has them all
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def _encodable(value: str) -> None:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Forbidden(BAD_TEXT) from error


def _hostname(host: str) -> str:
    """`host` as ASCII: an IP literal in its canonical spelling, or a DNS name that no resolver reads as a number.

    getaddrinfo accepts 2130706433, 0x7f000001, 0177.0.0.1, 127.1 and circled digits for 127.0.0.1.
    """
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass  # then it has to be a name
    try:
        name = host.encode("idna").decode("ascii").removesuffix(".")
    except UnicodeError as error:
        raise Forbidden(NO_SERVER) from error
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels) or _NUMERIC.fullmatch(labels[-1]):
        raise Forbidden(NO_SERVER)
    return name


def _look_up(name: str, port: int, timeout: float) -> list[IPAddress]:
    """All addresses of `name` in the resolver's order, none twice; [] when there is no such name."""
    answers: queue.SimpleQueue[list[IPAddress] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            infos = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
            answers.put(list(dict.fromkeys(ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in infos)))
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=timeout)
    except queue.Empty:
        raise ConnectionFailed("The name of the mail server could not be looked up in time.") from None
    if isinstance(answer, socket.gaierror) and answer.errno == socket.EAI_AGAIN:
        raise ConnectionFailed("The name of the mail server can't be looked up at the moment.", _reason(answer))
    return [] if isinstance(answer, OSError) else answer


def _allowed(address: IPAddress, *, allow_private: bool) -> bool:
    address = _unwrap(address)
    if address in METADATA:
        return False
    if allow_private and any(address in network for network in PRIVATE if network.version == address.version):
        return True
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in SPECIAL_V4)
    if int(address) >> 32 & 0xFDFFFFFF == 0x00005EFE:  # ISATAP (RFC 5214) embeds an IPv4 address as well
        return False
    return address in PUBLIC_V6 and not any(address in network for network in SPECIAL_V6)


def _unwrap(address: IPAddress) -> IPAddress:
    if isinstance(address, ipaddress.IPv6Address) and any(address in network for network in EMBEDS_V4):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _reason(error: OSError | None) -> str:
    if error is None:
        return "timed out"
    return error.strerror or str(error) or type(error).__name__
