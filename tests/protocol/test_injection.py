"""Nothing that a person or a message supplies becomes a command (threat T7): a server records every byte we send."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from tests.protocol.scripted import LOGIN, UIDVALIDITY, PoliteImap
from tests.protocol.verbs import MESSAGE
from webmail.protocol.connection import Connection, connect
from webmail.protocol.errors import Forbidden, ProtocolError
from webmail.protocol.types import Login

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
PAYLOADS = (
    "INBOX\r\nX1 DELETE INBOX",
    "INBOX\nX1 DELETE INBOX",
    "INBOX\rX1 DELETE INBOX",
    'INBOX"\r\nX1 DELETE INBOX\r\nX2 NOOP "',
    "INBOX\0",
    'INBOX" "X',
    'INBOX") DELETE (INBOX',
    "INBOX {10}",
    "INBOX {10+}",
    "{10}\r\nX1 DELETE",
    "{3+}\r\nabc",
    "~{3}",
    "INBOX\\",
    'INBOX\\" DELETE "',
    "%",
    "*",
    "(\\Deleted)",
    "1] UID STORE 1:* +FLAGS (\\Deleted",
    "1]<0.1> BODY[1",
    "&AAoADQ-",  # CR LF in modified UTF-7
    "\ud800",
    "日本語\r\nX1 DELETE INBOX",
    "a\u2028b\x85c",
    "\N{REPLACEMENT CHARACTER}INBOX\r\nX1 DELETE INBOX",
    '\N{REPLACEMENT CHARACTER}" DELETE "',
    "x" * 70_000,
)

# Every verb with each of its arguments that is text.
SLOTS: dict[str, Callable[[Connection, str], object]] = {
    "status(name)": lambda imap, text: imap.status([text]),
    "select(name)": lambda imap, text: imap.select(text),
    "select(name) read-write": lambda imap, text: imap.select(text, read_only=False),
    "newest(name)": lambda imap, text: imap.newest(text, 5),
    "fetch(name)": lambda imap, text: imap.fetch(text, UIDVALIDITY, [11]),
    "fetch_range(name)": lambda imap, text: imap.fetch_range(text, UIDVALIDITY, 1, None),
    "structure(name)": lambda imap, text: imap.structure(text, UIDVALIDITY, 11),
    "peek(name)": lambda imap, text: imap.peek(text, UIDVALIDITY, [11], "1", 100),
    "peek(section)": lambda imap, text: imap.peek("INBOX", UIDVALIDITY, [11], text, 100),
    "sections(name)": lambda imap, text: imap.sections(text, UIDVALIDITY, 11, {"1": 100}),
    "sections(section)": lambda imap, text: imap.sections("INBOX", UIDVALIDITY, 11, {text: 100}),
    "stream(name)": lambda imap, text: list(imap.stream(text, UIDVALIDITY, 11, "1")),
    "stream(section)": lambda imap, text: list(imap.stream("INBOX", UIDVALIDITY, 11, text)),
    "flags(name)": lambda imap, text: imap.flags(text, UIDVALIDITY),
    "uids(name)": lambda imap, text: imap.uids(text, UIDVALIDITY),
    "delta(name)": lambda imap, text: imap.delta(text, UIDVALIDITY, 5, [11]),
    "resync(name)": lambda imap, text: imap.resync(text, UIDVALIDITY, 5),
    "append(name)": lambda imap, text: imap.append(text, io.BytesIO(MESSAGE), date=NOW),
    "append(flags)": lambda imap, text: imap.append("INBOX", io.BytesIO(MESSAGE), flags=[text]),
    "store(name)": lambda imap, text: imap.store(text, UIDVALIDITY, [11], add=["Work"]),
    "store(add)": lambda imap, text: imap.store("INBOX", UIDVALIDITY, [11], add=[text]),
    "store_silently(name)": lambda imap, text: imap.store_silently(text, UIDVALIDITY, [11], add=["Work"]),
    "store_silently(add)": lambda imap, text: imap.store_silently("INBOX", UIDVALIDITY, [11], add=[text]),
    "store_silently(remove)": lambda imap, text: imap.store_silently("INBOX", UIDVALIDITY, [11], remove=[text]),
    "copy(name)": lambda imap, text: imap.copy(text, UIDVALIDITY, [11], "Sent"),
    "copy(target)": lambda imap, text: imap.copy("INBOX", UIDVALIDITY, [11], text),
    "move(name)": lambda imap, text: imap.move(text, UIDVALIDITY, [11], "Sent"),
    "move(target)": lambda imap, text: imap.move("INBOX", UIDVALIDITY, [11], text),
    "expunge(name)": lambda imap, text: imap.expunge(text, UIDVALIDITY, [11]),
    "present(name)": lambda imap, text: imap.present(text, UIDVALIDITY, [11]),
    "search(name)": lambda imap, text: imap.search(text, UIDVALIDITY, 1, 20),
    "create(name)": lambda imap, text: imap.create(text),
    "rename(name)": lambda imap, text: imap.rename(text, "New"),
    "rename(new)": lambda imap, text: imap.rename("Sent", text),
    "delete(name)": lambda imap, text: imap.delete(text),
    "subscribe(name)": lambda imap, text: imap.subscribe(text),
    "unsubscribe(name)": lambda imap, text: imap.unsubscribe(text),
    "store(remove)": lambda imap, text: imap.store("INBOX", UIDVALIDITY, [11], remove=[text]),
}

WHOLE_LINE = re.compile(rb'W\d+ [A-Z]+( [^\r\n\0]*)?\r\n')  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[PoliteImap]:
    with PoliteImap() as imap:
        yield imap


def test_every_verb_has_its_slots() -> None:
    """A new verb that takes text fails here until it has a line in SLOTS."""
    verbs = {
        name
        for name, value in vars_of(Connection).items()
        if callable(value)
        and not name.startswith("_")
        and "str" in "".join(getattr(value, "__annotations__", {}).values())
    }
    not_sent = {"has", "encode_name", "decode_name", "mailboxes", "delta", "close"}
    assert verbs - not_sent == {slot.partition("(")[0] for slot in SLOTS} - not_sent


def vars_of(kind: type) -> dict[str, object]:
    """The attributes of a class and its bases."""
    return {name: value for base in reversed(kind.__mro__[:-1]) for name, value in vars(base).items()}


@pytest.mark.parametrize("slot", SLOTS)
def test_no_text_becomes_a_command(slot: str, server: PoliteImap) -> None:
    call = SLOTS[slot]
    expected = _verbs_sent(server, call, "1" if "section" in slot else "Work")
    for payload in PAYLOADS:
        connection = connect(server.server, LOGIN)
        server.lines.clear()
        refused = False
        try:
            call(connection, payload)
        except Forbidden:
            refused = True
        except ProtocolError:
            pass  # a polite server may not know such a mailbox; what counts is what it was sent
        sent = list(server.lines)
        assert all(WHOLE_LINE.fullmatch(line) for line in sent), payload
        verbs = [verb for verb in server.verbs() if verb not in ("ENABLE", "ID")]
        assert not [verb for verb in verbs if verb not in expected], payload
        if refused:
            assert not any(b"X1" in line or b"x" * 100 in line for line in sent), payload
        assert "DELETE" not in verbs or slot == "delete(name)"
        connection.discard()


def _verbs_sent(server: PoliteImap, call: Callable[[Connection, str], object], text: str) -> set[str]:
    connection = connect(server.server, LOGIN)
    server.lines.clear()
    with contextlib.suppress(ProtocolError):
        call(connection, text)
    connection.discard()
    # A mailbox that isn't there is looked for; a message that isn't there is looked for once more.
    return {*server.verbs(), "LIST", "SELECT", "EXAMINE"} - {"ENABLE", "ID"}


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("capabilities", [b"IMAP4rev1 AUTH=PLAIN SASL-IR", b"IMAP4rev1 AUTH=PLAIN", b"IMAP4rev1"])
@pytest.mark.parametrize("field", ["username", "password"])
def test_no_name_or_password_becomes_a_command(payload: str, capabilities: bytes, field: str) -> None:
    login = Login(payload, "demo") if field == "username" else Login("alice", payload)
    with PoliteImap(capabilities=capabilities) as imap:
        if "\r" in payload or "\n" in payload or "\0" in payload or "\ud800" in payload:
            with pytest.raises(Forbidden):
                connect(imap.server, login)
            assert imap.lines == []
            return
        with contextlib.suppress(ProtocolError):
            connect(imap.server, login, connect_timeout=2, command_timeout=1).discard()
        assert set(imap.verbs()) <= {"AUTHENTICATE", "LOGIN", "CAPABILITY"}


@pytest.mark.parametrize("uid", [0, -1, 1 << 32, 1 << 64])
def test_numbers_that_are_no_uid(uid: int, server: PoliteImap) -> None:
    connection = connect(server.server, LOGIN)
    server.lines.clear()
    assert connection.fetch("INBOX", UIDVALIDITY, [uid]) == []
    assert connection.store("INBOX", UIDVALIDITY, [uid], add=["Work"]) == []
    with pytest.raises(ProtocolError):
        connection.sections("INBOX", UIDVALIDITY, uid, {"1": 5})
    with pytest.raises(ProtocolError):
        next(connection.stream("INBOX", UIDVALIDITY, uid, "1"))
    assert server.lines == []
    connection.discard()


@pytest.mark.parametrize(
    "name",
    ["INBOX", "inbox", "Účty a smlouvy", "A & B", '"quoted"', "back\\slash", "a/b", "日本語", "emoji 🐎", "%*(){}"],
)
def test_a_mailbox_name_arrives_as_it_left(name: str, server: PoliteImap) -> None:
    connection = connect(server.server, LOGIN)
    encoded = connection.encode_name(name)
    assert encoded.isascii()
    assert connection.decode_name(encoded[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\")) == name
    connection.discard()


@pytest.mark.parametrize(
    "raw",
    [b"caf\xc3\xa9", b"a&b", b"&AOk", b"&!!!-", b"&2AA-", b"\xff\xfe", b"&ANo-&AQ0-ty", b"&AAA-", b"&//3-x", b'"&'],
)
def test_an_improper_mailbox_name_is_sent_as_it_came(raw: bytes, server: PoliteImap) -> None:
    connection = connect(server.server, LOGIN)
    name = connection.decode_name(raw)
    assert name.startswith("\N{REPLACEMENT CHARACTER}")
    assert connection.encode_name(name)[1:-1].replace(b'\\"', b'"') == raw
    connection.discard()


@pytest.mark.parametrize("raw", [b"", b"x" * 2000, b"a\r\nb", b"a\0b"])
def test_a_mailbox_name_that_could_not_be_sent_is_none(raw: bytes, server: PoliteImap) -> None:
    connection = connect(server.server, LOGIN)
    assert connection.decode_name(raw) == ""
    connection.discard()


def test_a_raw_name_is_no_way_round_the_guard(server: PoliteImap) -> None:
    connection = connect(server.server, LOGIN)
    for bad in ("\N{REPLACEMENT CHARACTER}a\r\nX1 DELETE INBOX", "\N{REPLACEMENT CHARACTER}日本"):
        with pytest.raises(Forbidden):
            connection.encode_name(bad)
    connection.discard()
