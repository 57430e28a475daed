"""The pool: never more than the cap, first come first served, nothing broken lent twice, nothing dead noticed."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.protocol.held import Held
from tests.protocol.scripted import BODY, LOGIN, UIDVALIDITY, PoliteImap
from webmail.demo.imap_server import ImapServer
from webmail.protocol.connection import Connection, connect
from webmail.protocol.errors import (
    BadAnswer,
    Busy,
    ConnectionFailed,
    ConnectionLost,
    LoginNeeded,
    NoSuchMessage,
    TooManyConnections,
)
from webmail.protocol.pool import Pool
from webmail.protocol.types import Flag, Login, Security, Server


@pytest.fixture
def imap() -> Iterator[PoliteImap]:
    with PoliteImap() as server:
        yield server


@pytest.fixture
def make_pool(imap: PoliteImap) -> Iterator[Callable[..., Pool]]:
    """A function that makes a pool on the polite server."""
    pools: list[Pool] = []

    def make(**arguments: float) -> Pool:
        pools.append(Pool(lambda: connect(imap.server, LOGIN), **arguments))  # type: ignore[arg-type]
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


def test_a_connection_is_used_again(imap: PoliteImap, make_pool: Callable[..., Pool]) -> None:
    pool = make_pool()
    for _ in range(5):
        with pool.lend() as connection:
            connection.noop()
    assert imap.connections == 1


def test_the_cap_holds_at_every_moment(imap: PoliteImap) -> None:
    held = Held(imap.server)
    pool = Pool(held.connect, cap=3)
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for number in range(8):
                with contextlib.suppress(ZeroDivisionError), pool.lend("INBOX", timeout=20) as connection:
                    connection.sections("INBOX", UIDVALIDITY, 11, {"1": None})
                    if number % 3 == 0:
                        1 / 0  # noqa: B018  a bug of a borrower's: the connection is thrown away
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pool.close()
    assert errors == []
    assert held.most == 3
    stats = pool.stats
    assert (stats.lent, stats.waiting) == (0, 0)
    assert stats.free <= 3
    assert stats.thrown_away == 12 * 3


def test_first_come_first_served(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(cap=1)
    served: list[int] = []

    def borrow(number: int) -> None:
        with pool.lend(timeout=20) as connection:
            served.append(number)
            connection.noop()

    threads = []
    with pool.lend():
        for number in range(6):
            threads.append(threading.Thread(target=borrow, args=(number,)))
            threads[-1].start()
            until(lambda number=number: pool.stats.waiting == number + 1)  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert served == list(range(6))


def test_busy_when_none_comes_free_in_time(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(cap=1)
    with pool.lend():
        started = time.monotonic()
        with pytest.raises(Busy), pool.lend(timeout=0.05):
            pass
        assert time.monotonic() - started < 2
    assert pool.stats.waiting == 0
    with pool.lend(timeout=0.05) as connection:
        connection.noop()


def test_who_has_the_mailbox_selected_is_preferred(imap: PoliteImap, make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(cap=3)
    with pool.lend() as first, pool.lend() as second, pool.lend() as third:
        first.select("INBOX")
        second.select("Sent")
        assert third.selected is None
    for _ in range(3):
        with pool.lend("INBOX") as connection:
            assert connection is first
        with pool.lend("Sent") as connection:
            assert connection is second
        with pool.lend("inbox") as connection:
            assert connection is first
        with pool.lend("Trash") as connection:
            assert connection is third, "one without a mailbox rather than one that somebody else may want"
    assert imap.connections == 3


@pytest.mark.parametrize("error", [ConnectionLost(), BadAnswer(), ValueError(), KeyboardInterrupt(), GeneratorExit()])
def test_after_a_doubt_it_is_thrown_away(error: BaseException, make_pool: Callable[..., Pool]) -> None:
    pool = make_pool()
    with pytest.raises(type(error)), pool.lend() as connection:
        raise error
    assert connection.broken
    assert pool.stats.free == 0
    assert pool.stats.thrown_away == 1
    with pool.lend() as again:
        assert again is not connection


def test_after_a_refusal_it_stays(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool()
    with pytest.raises(NoSuchMessage), pool.lend() as connection:
        connection.sections("INBOX", UIDVALIDITY, 99, {"1": None})
    with pool.lend() as again:
        assert again is connection


def test_one_with_an_unfinished_stream_is_thrown_away(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool()
    with pool.lend() as connection:
        stream = connection.stream("INBOX", UIDVALIDITY, 11, "1", chunk=5)
        next(stream)
    assert connection.broken
    assert pool.stats.free == 0
    with pytest.raises(ConnectionLost):
        list(stream)


def test_one_that_hung_up_while_idle_is_never_noticed(imap: PoliteImap, make_pool: Callable[..., Pool]) -> None:
    pool = make_pool()
    with pool.lend() as first, pool.lend() as second:
        assert first is not second
    imap.tell_all(b"* BYE Autologout\r\n")
    imap.hang_up()
    until(lambda: first.pending() and second.pending())
    with pool.lend() as connection:
        connection.noop()
    assert imap.connections == 3
    assert pool.stats.thrown_away == 2


class Mute:
    """A server that, from some moment on, hangs up on every connection it knows as soon as that says something."""

    def __init__(self, imap: PoliteImap) -> None:
        self.imap = imap
        self.doomed = 0
        imap.change = self.change

    def change(self, verb: str, answer: bytes) -> bytes:
        if verb != "GREETING" and self.doomed > 0 and verb not in ("AUTHENTICATE",):
            self.doomed -= 1
            raise OSError("hanging up")
        return answer


@pytest.mark.parametrize(
    "verb",
    [
        lambda imap: imap.mailboxes(),
        lambda imap: imap.newest("INBOX", 3),
        lambda imap: imap.sections("INBOX", UIDVALIDITY, 11, {"1": None})["1"] == BODY,
        lambda imap: b"".join(imap.stream("INBOX", UIDVALIDITY, 11, "1")) == BODY,
        lambda imap: imap.store("INBOX", UIDVALIDITY, [11], add=[Flag.SEEN]),
        lambda imap: imap.delta("INBOX", UIDVALIDITY, 5),
    ],
)
def test_the_first_command_after_idleness_is_repeated_once(
    verb: Callable[[Connection], object],
    imap: PoliteImap,
    make_pool: Callable[..., Pool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A NAT that forgot the connection shows nothing until something is sent."""
    monkeypatch.setattr("webmail.protocol.exchange.IDLE_SECONDS", 0.0)
    mute = Mute(imap)
    pool = make_pool()
    with pool.lend() as connection:
        connection.select("INBOX", read_only=False)
    sent = connection.commands
    mute.doomed = 1
    with pool.lend() as again:
        assert again is connection
        assert verb(again)
        assert again.commands > sent, "counters go on"
    assert imap.connections == 2


def test_it_is_repeated_once_and_not_for_ever(
    imap: PoliteImap, make_pool: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webmail.protocol.exchange.IDLE_SECONDS", 0.0)
    mute = Mute(imap)
    pool = make_pool()
    with pool.lend() as connection:
        connection.noop()
    mute.doomed = 100
    with pytest.raises(ConnectionLost), pool.lend() as connection:
        connection.noop()
    assert imap.connections == 2
    assert pool.stats.free == 0


def test_what_dies_in_the_middle_is_not_repeated(imap: PoliteImap, make_pool: Callable[..., Pool]) -> None:
    pool = make_pool()
    with pool.lend() as connection:
        connection.select("INBOX")
    imap.change = lambda verb, answer: answer if verb == "GREETING" else answer[:20]
    threading.Timer(0.1, imap.hang_up).start()
    with pytest.raises(ConnectionLost), pool.lend() as connection:
        connection.fetch("INBOX", UIDVALIDITY, [11])
    assert imap.connections == 1


def test_a_repeated_change_checks_uidvalidity_again(
    imap: PoliteImap, make_pool: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is stored in a mailbox that was made anew while the connection lay idle."""
    monkeypatch.setattr("webmail.protocol.exchange.IDLE_SECONDS", 0.0)
    mute = Mute(imap)
    pool = make_pool()
    with pool.lend() as connection:
        connection.select("INBOX", read_only=False)
    mute.doomed = 1
    renumbered = mute.change
    imap.change = lambda verb, answer: renumbered(verb, answer).replace(b"UIDVALIDITY 77", b"UIDVALIDITY 78")
    imap.lines.clear()
    with pytest.raises(Exception, match="renumbered"), pool.lend() as connection:
        connection.store("INBOX", UIDVALIDITY, [11], add=[Flag.SEEN])
    assert imap.verbs().count("UID STORE") == 1, "the one that died, and none after it"


def test_idle_ones_are_closed_politely(imap: PoliteImap, make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(idle_seconds=0.02)
    with pool.lend(), pool.lend():
        pass
    assert pool.close_idle() == 0
    time.sleep(0.03)
    assert pool.close_idle() == 2
    until(lambda: imap.verbs().count("LOGOUT") == 2)
    assert pool.stats.free == 0
    assert pool.stats.lent == 0


def test_every_return_sweeps(imap: PoliteImap, make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(idle_seconds=0.02)
    with pool.lend() as kept:
        with pool.lend() as left:
            left.noop()
        time.sleep(0.03)
        kept.noop()
    until(lambda: imap.verbs().count("LOGOUT") == 1 and left.broken)
    assert not kept.broken


def test_when_the_server_allows_fewer_the_borrower_waits(imap: PoliteImap, make_pool: Callable[..., Pool]) -> None:
    def refuse(verb: str, answer: bytes) -> bytes:
        if verb == "AUTHENTICATE" and imap.open_now > 1:
            return answer.split()[0] + b" NO [LIMIT] Maximum number of connections exceeded\r\n"
        return answer

    imap.change = refuse
    pool = make_pool(cap=3)
    done: list[Connection] = []

    def borrow() -> None:
        with pool.lend(timeout=10) as connection:
            connection.noop()
            done.append(connection)

    with pool.lend() as first:
        thread = threading.Thread(target=borrow)
        thread.start()
        until(lambda: imap.connections == 2 and pool.stats.waiting == 1)
    thread.join()
    assert done == [first]


def test_when_the_server_allows_none_it_is_said() -> None:
    def refuse() -> Connection:
        raise TooManyConnections

    pool = Pool(refuse)
    with pytest.raises(TooManyConnections), pool.lend():
        pass
    assert pool.stats.lent == 0


@pytest.mark.parametrize("error", [ConnectionFailed(), LoginNeeded(), RuntimeError()])
def test_a_failed_opening_gives_its_slot_back(error: Exception) -> None:
    def fail() -> Connection:
        raise error

    pool = Pool(fail, cap=1)
    for _ in range(3):
        with pytest.raises(type(error)), pool.lend(timeout=0.5):
            pass
    assert pool.stats.lent == 0


def test_a_closed_pool_lends_nothing_and_keeps_nothing(imap: PoliteImap, make_pool: Callable[..., Pool]) -> None:
    pool = make_pool()
    with pool.lend() as connection, pool.lend():
        pool.close()
        connection.noop()
    started = time.monotonic()
    with pytest.raises(Busy), pool.lend():
        pass
    assert time.monotonic() - started < 1
    until(lambda: imap.open_now == 0)
    assert pool.stats.free == 0


def test_who_waits_when_the_pool_is_closed_is_told_at_once(make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(cap=1)
    told: list[float] = []

    def borrow() -> None:
        started = time.monotonic()
        with contextlib.suppress(Busy), pool.lend(timeout=20):
            return
        told.append(time.monotonic() - started)

    with pool.lend():
        thread = threading.Thread(target=borrow)
        thread.start()
        until(lambda: pool.stats.waiting == 1)
        pool.close()
        thread.join(5)
    assert told
    assert told[0] < 5


def test_an_open_connection_is_adopted(imap: PoliteImap, make_pool: Callable[..., Pool]) -> None:
    pool = make_pool(cap=1)
    connection = connect(imap.server, LOGIN)
    pool.adopt(connection)
    with pool.lend() as lent:
        assert lent is connection
        extra = connect(imap.server, LOGIN)
        pool.adopt(extra)
        assert extra.broken, "no room"


def test_over_tls_a_connection_is_used_again_too(dovecot: ImapServer) -> None:
    """What TLS itself sends after the handshake isn't taken for the end of an idle connection."""
    server = Server("localhost", dovecot.tls_port, Security.TLS, dovecot.ca_pem, allow_private=True)
    pool = Pool(lambda: connect(server, Login("bob@demo.test", "demo")))
    for _ in range(3):
        with pool.lend("INBOX") as connection:
            connection.newest("INBOX", 5)
            time.sleep(0.02)
    assert pool.stats.opened == 1
    pool.close()
