"""What may go out: text for IMAP and header fields, addresses to connect to (threat T9)."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from webmail.protocol import guard
from webmail.protocol.errors import ConnectionFailed, Forbidden, Untrusted

LOOPBACK_FORMS = (
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433",
    "017700000001", "0", "0.0.0.0", "00.0.0.0", "①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.0.0.1", "localhost", "LOCALHOST",
    "localhost.", "::1", "::", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "::7f00:1",
    "64:ff9b::7f00:1", "64:ff9b::127.0.0.1", "64:ff9b:1::1", "2002:7f00:1::", "2002:7f00:0001::1",
    "2001:0:7f00:1::1", "fe80::5efe:127.0.0.1", "2001:470:1:1:0:5efe:7f00:1", "2001:470:1:1:200:5efe:7f00:1",
    "[::1]", "::1%lo", "127.0.0.1:993", "127.0.0.1/8", "user@127.0.0.1", " 127.0.0.1", "127.0.0.1 ", "127.0.0.1\n",
)  # fmt: skip
PRIVATE_FORMS = (
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1.1", "100.64.0.1",
    "100.127.255.255", "169.254.169.254", "169.254.0.1", "2852039166", "0xa9fea9fe", "192.0.0.1", "192.0.2.1",
    "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250",
    "240.0.0.1", "255.255.255.255", "168.63.129.16", "100.100.100.200", "fc00::1", "fd00::1", "fd00:ec2::254",
    "fd20:ce::254", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "2001:10::1", "2001:2::1", "3fff::1", "5f00::1",
    "100::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "2002:a00:1::",
    "::a9fe:a9fe", "4000::1",
)  # fmt: skip
NO_NAMES = (
    "", ".", "..", "a..b", "-a.example", "a b.example", "a/b", "a" * 64 + ".example", "x" * 300, "\ud800.example",
    "a\0.example", "*", "mail.example:993", "http://mail.example", "mail.example\r\n", "☃" * 80,
)  # fmt: skip

ALL_FORMS = LOOPBACK_FORMS + PRIVATE_FORMS + NO_NAMES


def _is_address(form: str) -> bool:
    try:
        ipaddress.ip_address(form)
    except ValueError:
        return False
    return "%" not in form


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket on loopback that waits for connections."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every address a connection was tried to."""
    tried: list[tuple[str, int]] = []

    def create_connection(address: tuple[str, int], timeout: float = 0) -> socket.socket:
        tried.append(address)
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(guard.socket, "create_connection", create_connection)
    return tried


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """A function that makes a name resolve to these addresses; it returns the list of look-ups."""

    def resolve_to(*addresses: str) -> list[str]:
        looked_up: list[str] = []

        real = socket.getaddrinfo

        def getaddrinfo(name: str, port: int, *rest: int, **named: int) -> list[tuple[Any, ...]]:
            if _is_address(name):  # what connecting itself asks
                return list(real(name, port, *rest, **named))
            looked_up.append(name)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

        monkeypatch.setattr(guard.socket, "getaddrinfo", getaddrinfo)
        return looked_up

    return resolve_to


def test_there_are_enough_forms() -> None:
    assert len(set(ALL_FORMS)) >= 70


@pytest.mark.parametrize("host", ALL_FORMS)
def test_a_bad_address_is_never_dialled_however_it_is_spelt(host: str, dialled: list[tuple[str, int]]) -> None:
    with pytest.raises((Forbidden, ConnectionFailed)) as caught:
        guard.open_socket(host, 993, allow_private=False, timeout=5)
    assert dialled == []
    assert (caught.value.sentence, caught.value.detail) == (guard.NO_SERVER, "")


@pytest.mark.parametrize("address", [form for form in (*LOOPBACK_FORMS, *PRIVATE_FORMS) if _is_address(form)])
def test_a_name_is_refused_when_one_of_its_addresses_is_bad(
    address: str, dialled: list[tuple[str, int]], names: Callable[..., list[str]]
) -> None:
    names("93.184.215.14", address)
    with pytest.raises(Forbidden) as caught:
        guard.open_socket("mail.example", 993, allow_private=False, timeout=5)
    assert (caught.value.sentence, dialled) == (guard.NO_SERVER, [])


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e", "::ffff:5db8:d70e"]
)
def test_a_public_address_is_dialled_as_it_was_judged(
    address: str, dialled: list[tuple[str, int]], names: Callable[..., list[str]]
) -> None:
    looked_up = names(address)
    with pytest.raises(ConnectionFailed, match="refused"):
        guard.open_socket("mail.example", 993, allow_private=False, timeout=5)
    assert looked_up == ["mail.example"], "resolved once, so a second answer can't differ"
    assert [ipaddress.ip_address(host) for host, _ in dialled] == [ipaddress.ip_address(address)]


@pytest.mark.parametrize("port", [0, -1, 22, 25, 80, 443, 3306, 6379, 8000, 65536, 99999])
def test_other_ports_are_refused_in_the_same_words(port: int, dialled: list[tuple[str, int]]) -> None:
    with pytest.raises(Forbidden) as caught:
        guard.open_socket("93.184.215.14", port, allow_private=False, timeout=5)
    assert (caught.value.sentence, dialled) == (guard.NO_SERVER, [])


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "::1", "10.0.0.1", "172.20.0.1", "192.168.3.4", "fd12:3456::1", "localhost"]
)
def test_an_administrator_may_allow_private_addresses(host: str, dialled: list[tuple[str, int]]) -> None:
    with pytest.raises(ConnectionFailed):
        guard.open_socket(host, 1143, allow_private=True, timeout=5)
    assert dialled


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "fe80::1", "224.0.0.1", "ff02::1", "fd00:ec2::254", "168.63.129.16", "100.100.100.200",
     "0.0.0.0", "::", "240.0.0.1", "64:ff9b::a9fe:a9fe", "2852039166"],
)  # fmt: skip
def test_metadata_and_link_local_stay_forbidden_even_then(host: str, dialled: list[tuple[str, int]]) -> None:
    with pytest.raises(Forbidden):
        guard.open_socket(host, 993, allow_private=True, timeout=5)
    assert dialled == []


def test_the_peer_is_judged_again_after_connecting(
    monkeypatch: pytest.MonkeyPatch, names: Callable[..., list[str]], listener: socket.socket
) -> None:
    """A network that sends a public address to our own machine gets nothing."""
    names("93.184.215.14")
    port = listener.getsockname()[1]
    real = socket.create_connection
    opened: list[socket.socket] = []

    def create_connection(_: tuple[str, int], timeout: float = 0) -> socket.socket:
        opened.append(real(("127.0.0.1", port), timeout))
        return opened[0]

    monkeypatch.setattr(guard.socket, "create_connection", create_connection)
    with pytest.raises(Forbidden):
        guard.open_socket("mail.example", 993, allow_private=False, timeout=5)
    assert opened[0].fileno() == -1, "closed"


def test_a_canary_on_loopback_hears_nothing(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    for host in LOOPBACK_FORMS:
        with pytest.raises((Forbidden, ConnectionFailed)):
            guard.open_socket(host, port, allow_private=False, ports={port}, timeout=5)
    listener.settimeout(0.1)
    with pytest.raises(TimeoutError):
        listener.accept()


def test_the_socket_sends_at_once(listener: socket.socket) -> None:
    with closing(guard.open_socket("127.0.0.1", listener.getsockname()[1], allow_private=True)) as sock:
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert guard.is_loopback(sock)


def test_a_look_up_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> list[object]:
        answer.wait(10)
        return []

    monkeypatch.setattr(guard.socket, "getaddrinfo", getaddrinfo)
    try:
        with pytest.raises(ConnectionFailed, match="in time"):
            guard.open_socket("mail.example", 993, allow_private=False, timeout=0.05)
    finally:
        answer.set()


def test_the_next_address_is_tried_when_one_is_dead(
    monkeypatch: pytest.MonkeyPatch, names: Callable[..., list[str]], listener: socket.socket
) -> None:
    names("::1", "127.0.0.1")
    with closing(guard.open_socket("mail.example", listener.getsockname()[1], allow_private=True)) as sock:
        assert sock.getpeername()[0] == "127.0.0.1"


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\nb", "a\0b", "\r", "\ud800"])
def test_what_ends_a_command_is_no_argument(value: str) -> None:
    with pytest.raises(Forbidden):
        guard.imap_text(value)
    with pytest.raises(Forbidden):
        guard.header_value(value)


@pytest.mark.parametrize("value", ["a\x0bb", "a\x0cb", "a\x1bb", "a\x7fb", "a\x85b", "a\u2028b", "a\u2029b"])
def test_what_some_reader_takes_for_a_line_end_is_no_header(value: str) -> None:
    with pytest.raises(Forbidden):
        guard.header_value(value)


@pytest.mark.parametrize("value", ["", "plain", 'quotes "and" \\ more', "Příliš žluťoučký", "日本語 🐎", "tab\there"])
def test_ordinary_text_passes_unchanged(value: str) -> None:
    assert guard.imap_text(value) == value
    assert guard.header_value(value) == value


def test_a_pinned_authority_that_is_none_is_said_so() -> None:
    with pytest.raises(Untrusted, match="pinned"):
        guard.tls_context("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")


def test_tls_is_checked_and_modern() -> None:
    context = guard.tls_context("")
    assert context.check_hostname
    assert context.verify_mode == guard.ssl.CERT_REQUIRED
    assert context.minimum_version >= guard.ssl.TLSVersion.TLSv1_2
