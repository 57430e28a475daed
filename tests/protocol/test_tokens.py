"""Log-ins with an access token: IMAP and SMTP, by XOAUTH2 or OAUTHBEARER, taken and refused."""

from __future__ import annotations

import base64
import socket

import pytest

from tests.authorization import Authorization
from tests.protocol.scripted import CAPABILITIES, PoliteImap
from tests.protocol.scripted_smtp import PoliteSmtp
from webmail.demo.imap_server import ImapServer
from webmail.protocol import sasl
from webmail.protocol.connection import connect
from webmail.protocol.errors import Forbidden, LoginNeeded, Refused
from webmail.protocol.probe import probe, probe_smtp
from webmail.protocol.smtp_session import open_session
from webmail.protocol.types import Login, Security, Server

ALICE = "alice@demo.test"
SERVER = Server("imap.example", 993)
XOAUTH2 = b"user=alice@demo.test\x01auth=Bearer t0ken\x01\x01"
OAUTHBEARER = b"n,a=alice@demo.test,\x01host=127.0.0.1\x01port=%d\x01auth=Bearer t0ken\x01\x01"


def token(secret: str = "t0ken", name: str = ALICE) -> Login:
    return Login(name, secret, is_token=True)


def at(server: ImapServer) -> Server:
    return Server(server.host, server.tls_port, Security.TLS, server.ca_pem, allow_private=True)


def test_dovecot_takes_it(token_dovecot: ImapServer, authorization: Authorization) -> None:
    access = str(authorization.grant(ALICE)["access_token"])
    connection = connect(at(token_dovecot), token(access))
    assert connection.select("INBOX").uidvalidity
    connection.close()
    steps = probe(at(token_dovecot), token(access))
    assert [step.name for step in steps if step.ok] == ["DNS", "TCP", "TLS", "Greeting", "Log in", "List"]


def test_dovecot_takes_it_by_oauthbearer(
    token_dovecot: ImapServer, authorization: Authorization, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = sasl.words

    def without_xoauth2(login: Login, offered: set[str], server: Server) -> sasl.Words | None:
        assert {"PLAIN", "XOAUTH2", "OAUTHBEARER"} <= offered
        return words(login, offered - {"XOAUTH2"}, server)

    monkeypatch.setattr(sasl, "words", without_xoauth2)
    access = str(authorization.grant(ALICE)["access_token"])
    connect(at(token_dovecot), token(access)).close()
    with pytest.raises(LoginNeeded):
        connect(at(token_dovecot), token("nobodys"))


@pytest.mark.parametrize("name", [ALICE, "mallory@demo.test"])
def test_dovecot_refuses_what_is_not_its_persons(
    token_dovecot: ImapServer, authorization: Authorization, name: str
) -> None:
    """Refused at once: its challenge is answered. And a token of bob's opens nobody else's mailbox."""
    access = str(authorization.grant("bob@demo.test")["access_token"])
    with pytest.raises(LoginNeeded) as caught:
        connect(at(token_dovecot), token(access, name))
    assert access not in str(caught.value)
    advice = probe(at(token_dovecot), token("nobodys", name))[-1].advice
    assert advice.startswith("Connect the account again.")


@pytest.mark.parametrize("initial", [b" SASL-IR", b""])
@pytest.mark.parametrize("offered", ["XOAUTH2", "OAUTHBEARER"])
def test_what_is_said(offered: str, initial: bytes) -> None:
    """In one round trip with SASL-IR; the challenge of a refusal is answered as the mechanism has it."""
    said: list[bytes] = []

    def refuse(sock: socket.socket) -> None:
        sock.sendall(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=%b%b] hi\r\n" % (offered.encode(), initial))
        with sock.makefile("rb") as file:
            tag, *words = file.readline().split()
            said.append(words[-1])
            if not initial:
                sock.sendall(b"+ \r\n")
                said[:] = [file.readline().strip()]
            sock.sendall(b"+ eyJzdGF0dXMiOiI0MDEifQ==\r\n")
            said.append(file.readline())
            sock.sendall(tag + b" NO [AUTHENTICATIONFAILED] no\r\n")

    with PoliteImap(behave=refuse) as imap:
        with pytest.raises(LoginNeeded):
            connect(imap.server, token())
        first = XOAUTH2 if offered == "XOAUTH2" else OAUTHBEARER % imap.port
    assert base64.b64decode(said[0]) == first
    assert said[1] == (b"\r\n" if offered == "XOAUTH2" else b"AQ==\r\n")


def test_a_server_that_takes_no_token_gets_none() -> None:
    with PoliteImap() as imap, pytest.raises(Refused, match="token"):
        connect(imap.server, token())
    assert not any(b"t0ken" in line or base64.b64encode(b"t0ken")[:6] in line for line in imap.lines)
    with PoliteSmtp(offers=("AUTH PLAIN LOGIN",)) as smtp:
        assert not probe_smtp(smtp.server, token())[-1].ok
    assert not [line for line in smtp.lines if line.startswith(b"AUTH")]


def test_endless_challenges_are_cancelled() -> None:
    def ask_on(sock: socket.socket) -> None:
        sock.sendall(b"* OK [CAPABILITY %b AUTH=XOAUTH2] hi\r\n" % CAPABILITIES)
        with sock.makefile("rb") as file:
            tag = file.readline().split()[0]
            answers = []
            for _ in range(3):
                sock.sendall(b"+ \r\n")
                answers.append(file.readline())
            assert answers == [b"\r\n", b"*\r\n", b"*\r\n"]
            sock.sendall(tag + b" BAD cancelled\r\n")

    with PoliteImap(behave=ask_on) as imap, pytest.raises(LoginNeeded):
        connect(imap.server, token())


@pytest.mark.parametrize("secret", ["a\x01b", "a\r\nb", "a\0b"])
def test_what_would_say_more_than_it_is(secret: str) -> None:
    for login in (token(secret), token(name=secret)):
        with pytest.raises(Forbidden):
            sasl.words(login, {"XOAUTH2"}, SERVER)
    assert "t0ken" not in repr(sasl.words(token(), {"XOAUTH2"}, SERVER))


def test_a_name_with_a_comma_is_one_name() -> None:
    words = sasl.words(token(name="a=b,c"), {"OAUTHBEARER"}, SERVER)
    assert words is not None
    assert words.response.startswith(b"n,a=a=3Db=2Cc,\x01host=imap.example\x01port=993\x01auth=")


def test_a_connection_that_is_opened_again_logs_in_with_a_new_token() -> None:
    """The first one may have run out while it lay idle."""
    with PoliteImap(capabilities=CAPABILITIES + b" AUTH=XOAUTH2") as imap:
        connection = connect(imap.server, token(), renew=lambda: token("t0ken-2"))
        connection.select("INBOX")
        imap.hang_up()
        connection.last_used -= 3600
        connection.status("INBOX")
        connection.close()
    sent = [base64.b64decode(line.split()[3]) for line in imap.lines if b"AUTHENTICATE" in line]
    assert sent == [XOAUTH2, XOAUTH2.replace(b"t0ken", b"t0ken-2")]


@pytest.mark.parametrize("length", [5, 2000])
@pytest.mark.parametrize("offered", ["XOAUTH2", "OAUTHBEARER"])
def test_smtp_refuses_it(offered: str, length: int) -> None:
    """Long tokens go on a line of their own; the reason is waited for."""
    challenge, no = b"334 eyJzdGF0dXMiOiI0MDAifQ==\r\n", b"535 5.7.8 no\r\n"
    dummy = {"XOAUTH2": b"\r\n", "OAUTHBEARER": b"AQ==\r\n"}[offered]

    def change(line: bytes, usual: bytes) -> bytes:
        if line == dummy:
            return no
        return challenge if line.startswith(b"AUTH") or len(line) > 1000 else usual

    with PoliteSmtp(offers=(f"AUTH PLAIN {offered}",), change=change) as smtp:
        with pytest.raises(LoginNeeded, match="sign-in for sending"):
            open_session(smtp.server, token("t" * length))
        steps = probe_smtp(smtp.server, token())
    assert smtp.lines.count(dummy) == 2
    assert steps[-1].advice.startswith("Connect the account again.")
