"""The connection test of the admin panel: every step, and a word of advice for each way to fail."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Sequence

import pytest

from tests.protocol.scripted import LOGIN, PoliteImap
from webmail.demo.imap_server import ImapServer
from webmail.demo.smtp_server import SmtpServer
from webmail.protocol.probe import iter_probe, probe, probe_smtp
from webmail.protocol.types import Login, Security, Server, Step

ALICE = Login("alice@demo.test", "demo")


def at(host: str, port: int, security: Security, ca_pem: str = "") -> Server:
    return Server(host, port, security, ca_pem, allow_private=True)


def summary(steps: Sequence[Step]) -> list[tuple[str, bool]]:
    return [(step.name, step.ok) for step in steps]


def failed(steps: Sequence[Step], name: str) -> Step:
    """The last step, which is `name` and the only one that failed; with advice, and without the password."""
    assert [step.ok for step in steps] == [True] * (len(steps) - 1) + [False]
    assert steps[-1].name == name
    assert steps[-1].advice.endswith((".", "own."))
    assert steps[-1].detail
    return steps[-1]


def test_imap_over_tls(imap_server: ImapServer) -> None:
    steps = probe(at("localhost", imap_server.tls_port, Security.TLS, imap_server.ca_pem), ALICE)
    names = ["DNS", "TCP", "TLS", "Greeting", "Log in", "List"]
    assert summary(steps) == [(name, True) for name in names]
    assert "127.0.0.1" in steps[0].detail
    assert "TLSv1." in steps[2].detail
    assert "localhost" in steps[2].detail
    assert "issued by" in steps[2].detail
    assert "good until" in steps[2].detail
    assert "IMAP4REV1" in steps[3].detail
    assert "inbox: INBOX" in steps[5].detail
    assert all(step.milliseconds >= 0 and not step.advice for step in steps)


def test_imap_over_starttls(dovecot: ImapServer) -> None:
    steps = probe(at("localhost", dovecot.port, Security.STARTTLS, dovecot.ca_pem), ALICE)
    assert summary(steps) == [(name, True) for name in ("DNS", "TCP", "Greeting", "TLS", "Log in", "List")]


def test_without_a_login_it_ends_before_it(dovecot: ImapServer) -> None:
    steps = probe(at("127.0.0.1", dovecot.tls_port, Security.TLS, dovecot.ca_pem), None)
    assert summary(steps) == [(name, True) for name in ("DNS", "TCP", "TLS", "Greeting")]


def test_steps_come_one_by_one(dovecot: ImapServer) -> None:
    steps = iter_probe(at("127.0.0.1", dovecot.tls_port, Security.TLS, dovecot.ca_pem), ALICE)
    assert next(steps).name == "DNS"
    assert next(steps).name == "TCP"
    steps.close()  # type: ignore[attr-defined]


def test_a_wrong_password(dovecot: ImapServer) -> None:
    secret = Login("alice@demo.test", "horse battery")
    step = failed(probe(at("127.0.0.1", dovecot.port, Security.NONE), secret), "Log in")
    assert "app password" in step.advice
    assert secret.password not in step.detail + step.advice


def test_an_unknown_authority(dovecot: ImapServer) -> None:
    step = failed(probe(at("127.0.0.1", dovecot.tls_port, Security.TLS), ALICE), "TLS")
    assert "pin it" in step.advice


def test_another_name_than_the_certificates(dovecot: ImapServer) -> None:
    step = failed(probe(at("127.0.0.2", dovecot.tls_port, Security.TLS, dovecot.ca_pem), ALICE), "TCP")
    assert "port" in step.advice


def test_tls_where_there_is_none(dovecot: ImapServer) -> None:
    step = failed(probe(at("127.0.0.1", dovecot.port, Security.TLS, dovecot.ca_pem), ALICE), "TLS")
    assert "STARTTLS (port 143)" in step.advice


def test_no_starttls(pymap: ImapServer) -> None:
    step = failed(probe(at("127.0.0.1", pymap.port, Security.STARTTLS, pymap.ca_pem), ALICE), "TLS")
    assert "port 993" in step.advice


def test_nobody_listens() -> None:
    step = failed(probe(at("127.0.0.1", 1, Security.TLS), ALICE), "TCP")
    assert "refused" in step.detail


def test_no_such_name() -> None:
    failed(probe(at("nothing.invalid", 993, Security.TLS), ALICE), "DNS")


def test_a_private_address_is_not_told_apart_from_no_address() -> None:
    private = failed(probe(Server("127.0.0.1", 993), ALICE), "DNS")
    unknown = failed(probe(Server("nothing.invalid", 993), ALICE), "DNS")
    assert private.detail == unknown.detail


def test_another_service(smtp_server: SmtpServer) -> None:
    step = failed(probe(at("127.0.0.1", smtp_server.port, Security.NONE), ALICE), "Greeting")
    assert "another service" in step.advice


def test_a_hostile_server_gets_no_further() -> None:
    with PoliteImap(change=lambda verb, answer: b"* BYE\r\n" if verb == "LIST" else answer) as imap:
        failed(probe(imap.server, LOGIN), "List")
    with PoliteImap(greeting=b"* PREAUTH hello\r\n") as imap:
        failed(probe(imap.server, LOGIN), "Greeting")


def test_smtp_over_tls(smtp_server: SmtpServer) -> None:
    steps = probe_smtp(at("localhost", smtp_server.tls_port, Security.TLS, smtp_server.ca_pem), ALICE)
    assert summary(steps) == [(name, True) for name in ("DNS", "TCP", "TLS", "EHLO", "Log in")]
    assert "SIZE" in steps[3].detail
    assert "MB" in steps[3].detail


def test_smtp_over_starttls(smtp_server: SmtpServer) -> None:
    steps = probe_smtp(at("localhost", smtp_server.port, Security.STARTTLS, smtp_server.ca_pem), ALICE)
    assert summary(steps) == [(name, True) for name in ("DNS", "TCP", "EHLO", "TLS", "Log in")]


def test_smtp_with_a_wrong_password(smtp_server: SmtpServer) -> None:
    server = at("localhost", smtp_server.tls_port, Security.TLS, smtp_server.ca_pem)
    step = failed(probe_smtp(server, Login("alice@demo.test", "wrong")), "Log in")
    assert "user name" in step.advice


def test_smtp_that_offers_no_log_in(smtp_server: SmtpServer) -> None:
    step = failed(probe_smtp(at("127.0.0.1", smtp_server.port, Security.NONE), ALICE), "Log in")
    assert "AUTH" in step.detail


def test_smtp_that_is_imap(dovecot: ImapServer) -> None:
    step = failed(probe_smtp(at("127.0.0.1", dovecot.port, Security.NONE), ALICE), "EHLO")
    assert "another service" in step.advice


@pytest.mark.parametrize(
    ("script", "name"),
    [
        (b"554 go away\r\n", "EHLO"),
        (b"421 too busy\r\n", "EHLO"),
        (b"220 hi\r\n502 what\r\n", "EHLO"),
        (b"220 hi\r\n250-a\r\n250 SIZE lots\r\n", "Log in"),
        (b"220 hi\r\n250-" + b"a" * (2 << 20), "EHLO"),
        (b"220 hi\r\n" + b"250-more\r\n" * 300_000, "EHLO"),
        (b"220 hi\r\n250-me\r\n250 AUTH GSSAPI\r\n", "Log in"),
        (b"220 hi\r\n250-me\r\n250 AUTH LOGIN\r\n334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n535 no\r\n", "Log in"),
        (b"220 hi\r\n250-me\r\n250 AUTH PLAIN\r\n454 later\r\n", "Log in"),
        (b"\xff\xfe\r\n", "EHLO"),
        (b"22", "EHLO"),
    ],
)
def test_odd_smtp_servers(script: bytes, name: str) -> None:
    def play(sock: socket.socket) -> None:
        sock.sendall(script)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(4096):
            pass

    with PoliteImap(behave=play) as server:
        failed(probe_smtp(server.server, ALICE), name)


def test_smtp_login_in_two_steps() -> None:
    def play(sock: socket.socket) -> None:
        sock.sendall(b"220 hi\r\n250-me\r\n250 AUTH LOGIN\r\n334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 in\r\n")
        with sock.makefile("rb") as file:
            heard.extend(file)
        finished.set()

    heard: list[bytes] = []
    finished = threading.Event()
    with PoliteImap(behave=play) as server:
        steps = probe_smtp(server.server, ALICE)
        assert finished.wait(5)
    assert summary(steps)[-1] == ("Log in", True)
    assert [base64.b64decode(line).decode() for line in heard[2:]] == [ALICE.username, ALICE.password]


def test_starttls_with_something_slipped_in() -> None:
    def play(sock: socket.socket) -> None:
        sock.sendall(b"220 hi\r\n")
        sock.recv(4096)
        sock.sendall(b"250-me\r\n250 STARTTLS\r\n")
        sock.recv(4096)
        sock.sendall(b"220 go\r\n250 AUTH PLAIN\r\n")
        sock.recv(4096)

    with PoliteImap(behave=play) as server:
        step = failed(probe_smtp(at("127.0.0.1", server.port, Security.STARTTLS), ALICE), "TLS")
        assert "before TLS" in step.detail
