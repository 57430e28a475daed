"""A mail server is untrusted as well (threat T6): whatever it says, every verb ends in time and within bounds."""

from __future__ import annotations

import base64
import contextlib
import logging
import random
import re
import socket
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.protocol.scripted import BODY, LOGIN, UIDS, UIDVALIDITY, PoliteImap
from webmail.protocol.connection import Connection, connect
from webmail.protocol.errors import (
    BadAnswer,
    ConnectionFailed,
    ConnectionLost,
    LoginNeeded,
    NoSuchMailbox,
    NoSuchMessage,
    ProtocolError,
    Refused,
    TooManyConnections,
    TryAgain,
    UidValidityChanged,
    Untrusted,
)
from webmail.protocol.types import Flag, Login, Security, Server

PATIENCE = 1.0  # seconds that a verb may take in these tests; 60 in use
HASTE = 0.3  # likewise where the server never answers
SLACK = 3.0  # for a loaded machine

VERBS: dict[str, Callable[[Connection], object]] = {
    "mailboxes": lambda imap: imap.mailboxes(),
    "status": lambda imap: imap.status(["INBOX", "Sent"]),
    "select": lambda imap: imap.select("INBOX", fresh=True),
    "newest": lambda imap: imap.newest("INBOX", 50),
    "fetch": lambda imap: imap.fetch("INBOX", UIDVALIDITY, UIDS),
    "fetch_range": lambda imap: imap.fetch_range("INBOX", UIDVALIDITY, 1, None),
    "peek": lambda imap: imap.peek("INBOX", UIDVALIDITY, UIDS, "1", 200),
    "flags": lambda imap: imap.flags("INBOX", UIDVALIDITY),
    "uids": lambda imap: imap.uids("INBOX", UIDVALIDITY),
    "delta": lambda imap: imap.delta("INBOX", UIDVALIDITY, 5, UIDS),
    "sections": lambda imap: imap.sections("INBOX", UIDVALIDITY, 11, {"1": 10_000, "HEADER": None}),
    "structure": lambda imap: imap.structure("INBOX", UIDVALIDITY, 12),
    "stream": lambda imap: b"".join(imap.stream("INBOX", UIDVALIDITY, 15, "1", chunk=10)),
    "store": lambda imap: imap.store("INBOX", UIDVALIDITY, UIDS, add=[Flag.SEEN]),
    "noop": lambda imap: imap.noop(),
}


def dial(server: Server) -> Connection:
    return connect(server, LOGIN, connect_timeout=PATIENCE, command_timeout=PATIENCE)


def hear_out(imap: Connection) -> list[ProtocolError]:
    """Every verb once, on as many connections as it takes; nothing but our own errors may come out."""
    errors = []
    for verb in VERBS.values():
        if imap.broken:
            break
        try:
            verb(imap)
        except ProtocolError as error:
            errors.append(error)
    return errors


def test_politeness_comes_first() -> None:
    with PoliteImap() as imap, contextlib.closing(dial(imap.server)) as connection:
        assert hear_out(connection) == []
        assert not connection.broken
        assert b"".join(connection.stream("INBOX", UIDVALIDITY, 11, "1", chunk=7)) == BODY


# --- before the log-in ---------------------------------------------------------------------------------------------


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


# --- after it ------------------------------------------------------------------------------------------------------


def _tagged(answer: bytes) -> tuple[bytes, bytes]:
    """The untagged lines and the tagged one."""
    head, _, tail = answer[:-2].rpartition(b"\r\n")
    return (head + b"\r\n" if head else b""), tail + b"\r\n"


HOSTILE: dict[str, Callable[[bytes, bytes], bytes]] = {
    "huge literal announced": lambda data, end: b"* 1 FETCH (UID 11 BODY[1] {99999999999}\r\n",
    "literal over the limit": lambda data, end: b"* 1 FETCH (UID 11 BODY[1] {52428801}\r\n",
    "literal that never comes": lambda data, end: b"* 1 FETCH (UID 11 BODY[1] {1000}\r\nabc",
    "literal of no number": lambda data, end: b"* 1 FETCH (UID 11 BODY[1] {-5}\r\n" + end,
    "endless line": lambda data, end: b"* OK " + b"a" * (3 << 20),
    "endless line of parentheses": lambda data, end: b"* 1 FETCH (" + b"(" * (1 << 20) + end,
    "many literals": lambda data, end: b"* 1 FETCH (UID 11 " + b"X {1}\r\na " * 5000 + b")\r\n" + end,
    "wrong tag": lambda data, end: data + b"X99 OK done\r\n",
    "older tag": lambda data, end: data + b"W1 OK done\r\n" * 2,
    "no tag": lambda data, end: data + b" OK done\r\n",
    "answered twice": lambda data, end: data + end + end,
    "continuation": lambda data, end: b"+ go on\r\n",
    "bye": lambda data, end: b"* BYE going down\r\n",
    "bye in the middle": lambda data, end: data + b"* BYE going down\r\n",
    "cut": lambda data, end: (data + end)[: len(data + end) // 2],
    "binary": lambda data, end: bytes(range(256)) * 10 + b"\r\n" + end,
    "nothing": lambda data, end: b"",
    "empty lines": lambda data, end: b"\r\n" * 3 + end,
    "bare line feeds": lambda data, end: (data + end).replace(b"\r\n", b"\n"),
    "bare carriage returns": lambda data, end: (data + end).replace(b"\r\n", b"\r"),
    "numbers too large": lambda data, end: re.sub(rb"\d+", b"9" * 30, data) + end,
    "numbers negative": lambda data, end: re.sub(rb"(\d+)", rb"-\1", data) + end,
    "all UIDs zero": lambda data, end: re.sub(rb"UID \d+", b"UID 0", data) + end,
    "quotes never close": lambda data, end: data.replace(b'"', b"") + b'* LIST () "/" "INBOX\r\n' + end,
    "parentheses never close": lambda data, end: data.replace(b")", b"") + end,
    "a million messages exist": lambda data, end: b"* 4294967295 EXISTS\r\n" + data + end,
    "expunged below zero": lambda data, end: b"* 1 EXPUNGE\r\n" * 100 + data + end,
    "vanished all": lambda data, end: b"* VANISHED 1:4294967295\r\n" + data + end,
    "vanished earlier all": lambda data, end: b"* VANISHED (EARLIER) 1:4294967295,5,5,5\r\n" + data + end,
    "vanished nonsense": lambda data, end: b"* VANISHED x:y,,\r\n" + data + end,
    "search all": lambda data, end: b'* ESEARCH (TAG "x") UID ALL 1:4294967295\r\n' + data + end,
    "deep structure": lambda data, end: (
        b"* 1 FETCH (UID 11 BODYSTRUCTURE " + b"(" * 200_000 + b")" * 200_000 + b")\r\n" + data + end
    ),
    "UIDVALIDITY zero": lambda data, end: data.replace(b"UIDVALIDITY 77", b"UIDVALIDITY 0") + end,
    "bad": lambda data, end: end.split(b" ")[0] + b" BAD what\r\n",
    "no": lambda data, end: end.split(b" ")[0] + b" NO [SERVERBUG] oops\r\n",
    "codes that never close": lambda data, end: b"* OK [UIDNEXT 5\r\n* OK [\r\n" + data + end,
    "a thousand untagged": lambda data, end: b"* 5 EXISTS\r\n* 5 RECENT\r\n* FLAGS ()\r\n" * 1000 + data + end,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_answer_to_any_verb_ends_in_time(name: str) -> None:
    hostile = HOSTILE[name]
    armed = False

    def change(verb: str, answer: bytes) -> bytes:
        if not armed or verb in ("LOGOUT", "ENABLE", "ID"):
            return answer
        return hostile(*_tagged(answer))

    with PoliteImap(change=change) as imap:
        for verb, call in VERBS.items():
            armed = False
            connection = dial(imap.server)
            connection._command_timeout = HASTE  # only now: the log-in may take its time on a loaded machine
            armed = True
            started = time.monotonic()
            with contextlib.suppress(ProtocolError):
                call(connection)
            assert time.monotonic() - started < HASTE + SLACK, verb
            connection.discard()


@pytest.mark.parametrize("seed", range(30))
def test_mutated_servers(seed: int) -> None:
    """A tenth of T6's 300: each changes some of its answers at random, and nothing but our own errors comes out."""
    chance = random.Random(seed)
    rate = chance.choice((0.05, 0.3, 1.0))

    def change(verb: str, answer: bytes) -> bytes:
        if verb in ("GREETING", "AUTHENTICATE") or chance.random() > rate:
            return answer
        return _mutated(chance, answer)

    with PoliteImap(change=change) as imap:
        started = time.monotonic()
        for _ in range(3):
            with contextlib.suppress(ProtocolError):
                connection = dial(imap.server)
                hear_out(connection)
                connection.discard()
        assert time.monotonic() - started < 3 * (len(VERBS) * PATIENCE) + SLACK


def _mutated(chance: random.Random, answer: bytes) -> bytes:
    data = bytearray(answer)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        what = chance.randrange(6)
        if what == 0 and data:
            data[at % len(data)] = chance.randrange(256)
        elif what == 1:
            del data[at : at + chance.randint(1, 40)]
        elif what == 2:
            data[at:at] = data[at : at + chance.randint(1, 200)]
        elif what == 3:
            tokens = (
                b"(",
                b")",
                b'"',
                b"\r\n",
                b"{3}\r\n",
                b"{99999999}\r\n",
                b"NIL",
                b"* 1 EXPUNGE\r\n",
                b"* BYE\r\n",
                b"\0",
            )
            data[at:at] = chance.choice(tokens)
        elif what == 4:
            data[at:at] = b"9" * chance.randint(1, 40)
        else:
            lines = bytes(data).splitlines(keepends=True)
            chance.shuffle(lines)
            data = bytearray(b"".join(lines))
    return bytes(data)


@pytest.mark.parametrize("verb", ["mailboxes", "newest", "sections", "store"])
def test_a_slow_drip_ends_at_the_deadline(verb: str) -> None:
    dripping = False

    def drip(sock: socket.socket) -> None:
        imap._dialogue(_Dripping(sock) if dripping else sock)  # type: ignore[arg-type]

    with PoliteImap(behave=drip) as imap:
        connection = dial(imap.server)
        connection.discard()
        dripping = True
        started = time.monotonic()
        with pytest.raises((ConnectionFailed, ConnectionLost)):
            VERBS[verb](dial(imap.server))
        assert time.monotonic() - started < 2 * PATIENCE + SLACK


class _Dripping:
    """A socket that sends one byte at a time, for ever not quite silent."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def sendall(self, data: bytes) -> None:
        for at in range(len(data)):
            time.sleep(0.05)
            self.sock.sendall(data[at : at + 1])

    def makefile(self, mode: str) -> object:
        return self.sock.makefile("rb")


def test_an_endless_answer_does_not_fill_the_memory() -> None:
    """As fast as it can, a server sends messages nobody asked for, all different."""
    armed = False

    def flood(sock: socket.socket) -> None:
        if not armed:
            return imap._dialogue(sock)
        with sock.makefile("rb") as file:
            sock.sendall(b"* OK [CAPABILITY %b] hello\r\n" % imap.capabilities)
            sock.sendall(b"%b OK [CAPABILITY %b] in\r\n" % (file.readline().split()[0], imap.capabilities))
            for line in file:
                if b"EXAMINE" in line:
                    sock.sendall(imap.answer(line.split()[0], "EXAMINE", line))
                    break
                sock.sendall(line.split()[0] + b" OK done\r\n")
            uid = 0
            while True:
                lines = []
                for _ in range(1000):
                    uid += 1
                    structure = b'BODYSTRUCTURE ("text" "x%d" NIL NIL NIL "7bit" 1 1)' % uid
                    lines.append(b'* 1 FETCH (UID %d FLAGS (k%d) %b BODY[HEADER] "a")\r\n' % (uid, uid, structure))
                sock.sendall(b"".join(lines))

    with PoliteImap(behave=flood) as imap:
        armed = True
        for verb in ("fetch_range", "flags"):
            connection = connect(imap.server, LOGIN, connect_timeout=5, command_timeout=5)
            before = _resident()
            with pytest.raises((BadAnswer, ConnectionLost)):
                VERBS[verb](connection)
            assert _resident() - before < 256, verb


def _resident() -> float:
    """The most memory this process ever held, in MB, counted anew from the last call."""
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak


# --- meaning -------------------------------------------------------------------------------------------------------


def test_another_uidvalidity_is_told_and_its_data_dropped() -> None:
    def renumber(verb: str, answer: bytes) -> bytes:
        return answer.replace(b"UIDVALIDITY 77", b"UIDVALIDITY 78")

    with PoliteImap(change=renumber) as imap:
        connection = dial(imap.server)
        for name in (
            "fetch",
            "flags",
            "uids",
            "delta",
            "sections",
            "structure",
            "stream",
            "store",
            "peek",
            "fetch_range",
        ):
            with pytest.raises(UidValidityChanged):
                VERBS[name](connection)
        assert not connection.broken
        assert "UID STORE" not in imap.verbs()


def test_a_refused_select_is_a_mailbox_that_is_gone_only_if_list_agrees() -> None:
    there = False

    def refuse(verb: str, answer: bytes) -> bytes:
        tag = _tagged(answer)[1].split(b" ")[0]
        if verb in ("SELECT", "EXAMINE"):
            return tag + b" NO sorry\r\n"
        return answer if verb != "LIST" or there else tag + b" OK done\r\n"

    with PoliteImap(change=refuse) as imap:
        connection = dial(imap.server)
        with pytest.raises(NoSuchMailbox):
            connection.newest("INBOX", 5)
        there = True
        with pytest.raises(Refused) as caught:
            connection.newest("INBOX", 5)
        assert not isinstance(caught.value, NoSuchMailbox)


def test_a_server_that_offers_more_than_it_can_do_is_asked_more_simply() -> None:
    def puzzled(verb: str, answer: bytes) -> bytes:
        if verb == "LIST" and b"RETURN" in imap.lines[-1]:
            return _tagged(answer)[1].split()[0] + b" BAD RETURN?\r\n"
        return answer

    with PoliteImap(change=puzzled) as imap:
        connection = dial(imap.server)
        assert [info.name for info in connection.mailboxes()] == ["INBOX", "Sent"]


def test_many_slow_answers_do_not_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(verb: str, answer: bytes) -> bytes:
        if verb == "UID FETCH":
            time.sleep(PATIENCE * 0.8)
        return answer

    monkeypatch.setattr("webmail.protocol.fetching.CHUNK", 1)
    monkeypatch.setattr("webmail.protocol.exchange.WINDOW", 2)
    with PoliteImap(change=slow) as imap:
        connection = dial(imap.server)
        started = time.monotonic()
        with pytest.raises(ConnectionLost):
            connection.fetch("INBOX", UIDVALIDITY, range(1, 200, 2))
        assert time.monotonic() - started < 3 * PATIENCE + SLACK


def test_data_of_the_mailbox_that_was_selected_before_is_not_taken_for_this_one() -> None:
    def confuse(verb: str, answer: bytes) -> bytes:
        if verb == "EXAMINE":
            return b"* 9 FETCH (UID 11 BODY[1]<0> {5}\r\nwrong)\r\n" + answer
        return answer

    with PoliteImap(change=confuse) as imap:
        connection = dial(imap.server)
        assert connection.sections("INBOX", UIDVALIDITY, 11, {"1": 1000}) == {"1": BODY}


def test_a_message_that_is_gone() -> None:
    with PoliteImap() as imap:
        connection = dial(imap.server)
        for call in (
            lambda: connection.sections("INBOX", UIDVALIDITY, 13, {"1": None}),
            lambda: connection.structure("INBOX", UIDVALIDITY, 13),
            lambda: list(connection.stream("INBOX", UIDVALIDITY, 13, "1")),
        ):
            with pytest.raises(NoSuchMessage):
                call()
        assert connection.fetch("INBOX", UIDVALIDITY, [13]) == []
        assert connection.store("INBOX", UIDVALIDITY, [13], add=[Flag.SEEN]) == []


def test_unasked_news_keep_the_count_right() -> None:
    def tell(verb: str, answer: bytes) -> bytes:
        if verb == "NOOP":
            return (
                b"* 9 EXISTS\r\n* 2 EXPUNGE\r\n* VANISHED 15\r\n* VANISHED (EARLIER) 3:5\r\n* 1 FETCH (FLAGS ())\r\n"
                + answer
            )
        return answer

    with PoliteImap(change=tell) as imap:
        connection = dial(imap.server)
        connection.select("INBOX")
        connection.noop()
        assert connection.selected is not None
        assert connection.selected.exists == 7


def test_a_server_that_sends_all_of_a_part_though_asked_for_a_piece() -> None:
    def whole(verb: str, answer: bytes) -> bytes:
        if verb != "UID FETCH":
            return answer
        return re.sub(rb"BODY\[1\]<0> \{\d+\}\r\n[^)]*\)", b"BODY[1] {%d}\r\n%b)" % (len(BODY), BODY), answer)

    with PoliteImap(change=whole) as imap:
        connection = dial(imap.server)
        assert b"".join(connection.stream("INBOX", UIDVALIDITY, 11, "1", chunk=10)) == BODY
        assert connection.sections("INBOX", UIDVALIDITY, 11, {"1": 10}) == {"1": BODY[:10]}


def test_a_stream_left_early_leaves_no_connection_behind() -> None:
    with PoliteImap() as imap:
        connection = dial(imap.server)
        stream = connection.stream("INBOX", UIDVALIDITY, 11, "1", chunk=5)
        next(stream)
        with pytest.raises(RuntimeError):
            connection.noop()
        stream.close()  # type: ignore[attr-defined]
        assert connection.broken


def test_the_password_is_nowhere_to_be_seen(caplog: pytest.LogCaptureFixture) -> None:
    secret = Login("alice@demo.test", "correct horse")
    assert "horse" not in repr(secret)

    def refuse(verb: str, answer: bytes) -> bytes:
        return answer.replace(b"OK [CAPABILITY", b"NO [CAPABILITY") if verb == "AUTHENTICATE" else answer

    with PoliteImap(change=refuse) as imap, caplog.at_level(logging.DEBUG):
        with pytest.raises(LoginNeeded) as caught:
            connect(imap.server, secret)
        assert "horse" not in "".join(traceback.format_exception(caught.value)) + caplog.text
        token = imap.lines[0].split()[-1].decode()
        assert b"horse" in base64.b64decode(token)
        assert token not in "".join(traceback.format_exception(caught.value)) + caplog.text
