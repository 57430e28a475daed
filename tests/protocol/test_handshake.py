"""Before the log-in: what a server, or somebody who sits between us, may not talk us into."""

from __future__ import annotations

import socket

import pytest

from tests.protocol.scripted import LOGIN, PoliteImap
from tests.protocol.verbs import dial
from webmail.protocol.errors import (
    BadAnswer,
    ConnectionFailed,
    LoginNeeded,
    ProtocolError,
    Refused,
    TooManyConnections,
    TryAgain,
    Untrusted,
)
from webmail.protocol.types import Security, Server


def test_preauth_is_refused_and_nothing_is_sent() -> None:
    with PoliteImap(greeting=b"* PREAUTH [CAPABILITY IMAP4rev1] welcome back\r\n") as imap:
        with pytest.raises(Untrusted, match="PREAUTH"):
            dial(imap.server)
        assert imap.lines == []


def test_preauth_does_not_skip_starttls() -> None:
    with PoliteImap(greeting=b"* PREAUTH welcome back\r\n") as imap:
        with pytest.raises(Untrusted, match="PREAUTH"):
            dial(Server("127.0.0.1", imap.port, Security.STARTTLS, allow_private=True))
        assert imap.lines == []


def test_without_starttls_the_password_stays_here() -> None:
    with PoliteImap() as imap:
        with pytest.raises(Untrusted, match="STARTTLS"):
            dial(Server("127.0.0.1", imap.port, Security.STARTTLS, allow_private=True))
        assert imap.verbs() == []


def test_what_comes_with_the_answer_to_starttls_is_an_attack() -> None:
    def slip_in(verb: str, answer: bytes) -> bytes:
        return answer + b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n" if verb == "STARTTLS" else answer

    with PoliteImap(capabilities=b"IMAP4rev1 STARTTLS", change=slip_in) as imap:
        with pytest.raises(Untrusted, match="before TLS"):
            dial(Server("127.0.0.1", imap.port, Security.STARTTLS, allow_private=True))
        assert imap.verbs() == ["STARTTLS"]


def test_a_refused_starttls_is_not_shrugged_off() -> None:
    def refuse(verb: str, answer: bytes) -> bytes:
        return answer.replace(b"OK done", b"NO not today") if verb == "STARTTLS" else answer

    with PoliteImap(capabilities=b"IMAP4rev1 STARTTLS", change=refuse) as imap:
        with pytest.raises(Untrusted, match="not today"):
            dial(Server("127.0.0.1", imap.port, Security.STARTTLS, allow_private=True))
        assert imap.verbs() == ["STARTTLS"]


def test_no_tls_is_for_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webmail.protocol.connection.is_loopback", lambda _: False)
    with PoliteImap() as imap, pytest.raises(Untrusted, match="without TLS"):
        dial(imap.server)


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b"* BYE too many connections from your address\r\n", TooManyConnections),
        (b"* BYE shutting down\r\n", ConnectionFailed),
        (b"", ConnectionFailed),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ConnectionFailed),
        (b"220 mail.demo.test ESMTP\r\n", ConnectionFailed),
        (b"\r\n", ConnectionFailed),
        (b"* OK\r\n", ConnectionFailed),
        (b"* OK {5}\r\n", ProtocolError),
        (b"* OK {99999999999}\r\n", ProtocolError),
        (b"* OK [CAPABILITY \xff\xfe] hello\r\n", BadAnswer),
        (b"* OK [CAPABILITY SMTP] hello\r\n", BadAnswer),
        (b"* OK " + b"a" * (2 << 20) + b"\r\n", BadAnswer),
    ],
)
def test_odd_greetings(greeting: bytes, error: type[ProtocolError]) -> None:
    def greet(sock: socket.socket) -> None:
        sock.sendall(greeting)

    with PoliteImap(behave=greet) as imap, pytest.raises(error):
        dial(imap.server)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"NO [AUTHENTICATIONFAILED] no", LoginNeeded),
        (b"NO [EXPIRED] password too old", LoginNeeded),
        (b"NO no such user", LoginNeeded),
        (b"NO [LIMIT] Maximum number of connections exceeded", TooManyConnections),
        (b"NO [INUSE] later", TooManyConnections),
        (b"NO [ALERT] Too many simultaneous connections. (Failure)", TooManyConnections),
        (b"NO [UNAVAILABLE] directory down", TryAgain),
        (b"NO Temporary authentication failure", TryAgain),
        (b"NO [CONTACTADMIN] closed", Refused),
        (b"BYE gone", ProtocolError),
        (b"MAYBE", ProtocolError),
    ],
)
def test_refused_log_ins(answer: bytes, error: type[ProtocolError]) -> None:
    def refuse(verb: str, said: bytes) -> bytes:
        return said.split(b" ", 1)[0] + b" " + answer + b"\r\n" if verb == "AUTHENTICATE" else said

    with PoliteImap(change=refuse) as imap:
        with pytest.raises(error) as caught:
            dial(imap.server)
        assert LOGIN.password not in str(caught.value)
