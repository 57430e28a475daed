"""A mail server is untrusted as well (threat T6): whatever it says, every verb ends in time and within bounds."""

from __future__ import annotations

import contextlib
import random
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.protocol.scripted import BODY, LOGIN, UIDVALIDITY, PoliteImap
from tests.protocol.verbs import HASTE, PATIENCE, SLACK, VERBS, dial, hear_out, tagged
from webmail.protocol.connection import connect
from webmail.protocol.errors import (
    BadAnswer,
    ConnectionFailed,
    ConnectionLost,
    ProtocolError,
)


def test_politeness_comes_first() -> None:
    with PoliteImap() as imap, contextlib.closing(dial(imap.server)) as connection:
        assert hear_out(connection) == []
        assert not connection.broken
        assert b"".join(connection.stream("INBOX", UIDVALIDITY, 11, "1", chunk=7)) == BODY


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
        return hostile(*tagged(answer))

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
