"""Idle connections: all that is said is heard, however it is cut, and whoever says nothing any more is noticed."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from tests.protocol.scripted import CAPABILITIES, LOGIN, PoliteImap
from tests.servers import MailUser
from webmail.protocol import idle
from webmail.protocol.connection import Connection, connect
from webmail.protocol.errors import ConnectionLost
from webmail.protocol.idle import NOTIFY, Fact, Idling, What
from webmail.protocol.types import Login, Security, Server
from webmail.protocol.wire import HandedOver


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def idling(clock: Clock) -> Iterator[Idling]:
    idling = Idling(clock)
    yield idling
    idling.close()


class Peer:
    """The server's end of one connection."""

    def __init__(self, idling: Idling, key: int = 1, *, capabilities: str = "IDLE", unread: bytes = b"") -> None:
        self.idling = idling
        ours, self.sock = socket.socketpair()
        self.sock.settimeout(5)
        self.file = self.sock.makefile("rb")
        idling.add(key, HandedOver(ours, unread, frozenset(capabilities.split())))

    def said(self) -> bytes:
        """The next line from the client."""
        self.idling.wait(0)
        return self.file.readline().rstrip(b"\r\n")

    def say(self, data: bytes) -> list[Fact]:
        """Say something; what the client makes of it."""
        self.sock.sendall(data)
        return self.facts()

    def facts(self) -> list[Fact]:
        found = []
        for _ in range(8):
            found += self.idling.wait(0)
        return found


@pytest.fixture
def peer(idling: Idling) -> Peer:
    """One that idles."""
    peer = Peer(idling)
    assert peer.said() == b"W1 IDLE"
    assert peer.say(b"+ idling\r\n") == [Fact(1, What.READY)]
    return peer


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"* 4 EXISTS", What.NEW),
        (b"* 4 exists", What.NEW),
        (b"* 2 EXPUNGE", What.VANISHED),
        (b"* VANISHED 11:12", What.VANISHED),
        (b"* 3 FETCH (FLAGS (\\Seen))", What.CHANGED),
        (b'* LIST (\\HasNoChildren) "/" New', What.LISTED),
    ],
)
def test_what_is_said_becomes_a_fact(peer: Peer, line: bytes, what: What) -> None:
    assert peer.say(line + b"\r\n") == [Fact(1, what)]
    assert peer.say(line + b"\n") == [Fact(1, what)], "a server without carriage returns"


@pytest.mark.parametrize("line", [b"* 1 RECENT", b"* OK Still here", b"* OK {12}", b"* FLAGS (\\Seen)", b"* ESEARCH"])
def test_what_is_no_news_is_none(peer: Peer, line: bytes) -> None:
    assert peer.say(line + b"\r\n") == []
    assert peer.say(b"* 4 EXISTS\r\n") == [Fact(1, What.NEW)]


def test_what_comes_with_the_plus_is_heard(idling: Idling) -> None:
    peer = Peer(idling)
    peer.said()
    assert peer.say(b"* 3 EXISTS\r\n+ idling\r\n* 4 EXISTS\r\n") == [
        Fact(1, What.NEW),
        Fact(1, What.READY),
        Fact(1, What.NEW),
    ]


def test_what_was_read_ahead_is_heard(idling: Idling) -> None:
    assert Fact(1, What.NEW) in Peer(idling, unread=b"* 9 EXISTS\r\n* 2 EXP").facts()


def test_every_octet_may_come_alone(peer: Peer) -> None:
    data = b'* STATUS {4}\r\nSent (MESSAGES 2)\r\n* 4 EXISTS\r\n* STATUS "&AMQ-" (UNSEEN 1)\r\n'
    facts = [fact for at in range(len(data)) for fact in peer.say(data[at : at + 1])]
    assert facts == [Fact(1, What.NEW, "Sent"), Fact(1, What.NEW), Fact(1, What.NEW, "Ä")]


def test_a_large_literal_is_passed_over(peer: Peer) -> None:
    facts = peer.say(b"* 3 FETCH (BODY[] {200000}\r\n")
    for _ in range(20):
        facts += peer.say(b"* 9 EXISTS" * 1000)
    assert facts == [], "what is inside is nobody's notice"
    assert peer.say(b")\r\n* 4 EXISTS\r\n") == [Fact(1, What.CHANGED), Fact(1, What.NEW)]


def test_goodbye_is_told_with_its_words_and_what_came_before(peer: Peer) -> None:
    facts = peer.say(b"* 4 EXISTS\r\n* BYE Shutting down\r\n")
    assert facts == [Fact(1, What.NEW), Fact(1, What.BYE, detail="Shutting down")]
    assert len(peer.idling) == 0
    assert peer.file.read() == b""


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"* " + b"x" * (idle.MAX_RESPONSE + 1), "too long"),
        (b"* STATUS {9}\r\n123456789" * 8000, "too long"),
        (b"W9 OK\r\n", "nothing that was asked"),
        (b"HTTP/1.1 400 Bad Request\r\n", "nothing that was asked"),
    ],
)
def test_nonsense_ends_it(peer: Peer, data: bytes, detail: str) -> None:
    facts = peer.say(data)
    assert [fact.what for fact in facts] == [What.DEAD]
    assert detail in facts[0].detail


def test_a_connection_that_ends_is_dead(peer: Peer) -> None:
    peer.file.close()
    peer.sock.close()
    assert [fact.what for fact in peer.facts()] == [What.DEAD]


def test_idle_refused(idling: Idling) -> None:
    peer = Peer(idling)
    peer.said()
    assert peer.say(b"W1 NO not today\r\n") == [Fact(1, What.REFUSED, detail="NO not today")]


def test_every_nine_minutes_it_is_said_again(peer: Peer, clock: Clock) -> None:
    clock.now += idle.REISSUE - 1
    assert peer.facts() == []
    clock.now += 2
    assert peer.said() == b"DONE"
    assert peer.say(b"* 4 EXISTS\r\nW1 OK done\r\n") == [Fact(1, What.NEW)]
    assert peer.said() == b"W2 IDLE"
    assert peer.say(b"+\r\n") == []
    clock.now += idle.REISSUE + 1
    assert peer.said() == b"DONE"


@pytest.mark.parametrize("answered", [True, False])
def test_no_answer_is_death(idling: Idling, clock: Clock, *, answered: bool) -> None:
    peer = Peer(idling)
    assert peer.said() == b"W1 IDLE"
    if answered:
        peer.say(b"+ idling\r\n")
        clock.now += idle.REISSUE + 1
        assert peer.said() == b"DONE"
    clock.now += idle.ANSWER + 1
    assert peer.facts() == [Fact(1, What.DEAD, detail="no answer in time")]


def test_a_server_that_ends_it_by_itself_is_asked_again_later(peer: Peer, clock: Clock) -> None:
    assert peer.say(b"W1 OK enough\r\n* 4 EXISTS\r\n") == [Fact(1, What.NEW)]
    clock.now += idle.REST + 1
    assert peer.said() == b"W2 IDLE"


def test_notify_tells_of_all_mailboxes(idling: Idling) -> None:
    peer = Peer(idling, capabilities="IDLE NOTIFY")
    assert peer.said() == b"W1 " + NOTIFY
    assert peer.say(b"* STATUS Sent (MESSAGES 4)\r\nW1 OK done\r\n") == [Fact(1, What.NEW, "Sent")]
    assert peer.said() == b"W2 IDLE"
    assert peer.say(b"+ idling\r\n* STATUS inbox (UNSEEN 1)\r\n") == [
        Fact(1, What.READY),
        Fact(1, What.NEW, "INBOX"),
    ]
    assert peer.say(b"* STATUS\r\n* STATUS (((\r\n") == []


def test_notify_refused_leaves_idle(idling: Idling) -> None:
    peer = Peer(idling, capabilities="IDLE NOTIFY")
    peer.said()
    assert peer.say(b"W1 NO [BADEVENT (FlagChange)] no\r\n") == []
    assert peer.said() == b"W2 IDLE"


def test_after_an_overflow_notify_is_asked_for_again(idling: Idling, clock: Clock) -> None:
    peer = Peer(idling, capabilities="IDLE NOTIFY")
    peer.said()
    peer.say(b"W1 OK\r\n+ idling\r\n")
    assert peer.said() == b"W2 IDLE"
    assert peer.say(b"+\r\n* OK [NOTIFICATIONOVERFLOW] too much\r\n") == [Fact(1, What.LISTED)]
    clock.now += idle.REISSUE + 1
    assert peer.said() == b"DONE"
    peer.say(b"W2 OK\r\n")
    assert peer.said() == b"W3 " + NOTIFY


def test_one_that_is_dropped_says_goodbye(peer: Peer) -> None:
    peer.idling.drop(1)
    assert peer.said() == b"DONE"
    assert peer.file.read() == b"W0 LOGOUT\r\n"
    assert len(peer.idling) == 0
    assert 1 not in peer.idling
    peer.idling.drop(1)
    assert peer.facts() == []


def test_a_second_one_takes_the_place_of_the_first(peer: Peer) -> None:
    second = Peer(peer.idling)
    assert second.said() == b"W1 IDLE"
    assert peer.file.read() == b"DONE\r\nW0 LOGOUT\r\n"
    assert second.say(b"* 1 EXISTS\r\n") == [Fact(1, What.NEW)]


def test_who_says_much_does_not_keep_the_others_waiting(peer: Peer) -> None:
    other = Peer(peer.idling, 2)
    assert other.said() == b"W1 IDLE"
    peer.sock.setblocking(False)
    noise = b"* OK Still here\r\n" * 50_000
    sent = peer.sock.send(noise)
    other.sock.sendall(b"* 4 EXISTS\r\n")
    assert sent > 0
    assert peer.idling.wait(0) == [Fact(2, What.NEW)]


def test_it_can_be_woken(idling: Idling, clock: Clock) -> None:
    idling.wait(0)
    idling.wake()
    started = time.monotonic()
    assert idling.wait(1000) == []
    assert time.monotonic() - started < 0.9
    clock.now += 5


def test_a_connection_is_handed_over_as_it_stands() -> None:
    with PoliteImap() as imap:
        connection = connect(imap.server, LOGIN)
        connection.select("INBOX")
        given = connection.hand_over()
        assert "QRESYNC" in given.capabilities
        assert connection.broken
        with pytest.raises(ConnectionLost):
            connection.hand_over()
        connection.close()
        given.sock.sendall(b"X1 NOOP\r\n")
        assert given.sock.recv(100) == b"X1 OK done\r\n", "it is open, whatever became of the object"
        given.sock.close()


def test_a_compressed_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webmail.protocol.compression.FROM_SECONDS", 0.0)
    with PoliteImap(capabilities=CAPABILITIES + b" COMPRESS=DEFLATE") as imap:
        connection = connect(imap.server, LOGIN, compressed=False)
        connection.hand_over().sock.close()
        connection = connect(imap.server, LOGIN)
        with pytest.raises(RuntimeError):
            connection.hand_over()
        connection.discard()


def until(idling: Idling, act: Callable[[], object], what: What, mailbox: str = "") -> None:
    """Do something until it is told of: now and then Dovecot forgets a first change for half a minute."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        act()
        again = time.monotonic() + 3
        while time.monotonic() < again:
            if Fact(7, what, mailbox) in idling.wait(0.2):
                return
    raise AssertionError("it was not told")


@pytest.mark.parametrize("tls", [True, False])
def test_a_real_server_tells_of_everything(rich: MailUser, *, tls: bool) -> None:
    server = Server("127.0.0.1", rich.server.port, Security.NONE, allow_private=True)
    if tls:
        server = Server("localhost", rich.server.tls_port, Security.TLS, rich.server.ca_pem, allow_private=True)
    connection: Connection = connect(server, Login(rich.address, rich.password))
    connection.select("INBOX")
    idling = Idling()
    idling.add(7, connection.hand_over())
    deadline = time.monotonic() + 20
    while not any(line.state is idle._State.IDLING for line in idling._lines.values()):
        idling.wait(0.1)
        assert time.monotonic() < deadline
    letter = b"Subject: Ferry\r\n\r\nNine.\r\n"
    until(idling, lambda: rich.append("INBOX", letter), What.NEW)
    until(idling, lambda: rich.append("Sent", letter), What.NEW, "Sent")
    with rich.imap() as client:
        client.select("INBOX")
        signs = itertools.cycle("+-")
        until(idling, lambda: client.store("1", f"{next(signs)}FLAGS", "\\Flagged"), What.CHANGED)
        until(idling, lambda: (client.store("1", "+FLAGS", "\\Deleted"), client.expunge()), What.VANISHED)
    idling.close()
