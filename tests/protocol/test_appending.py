"""Filing a message, on Dovecot and on pymap, and on servers that refuse, ask, hang up or lie about it."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.protocol.people import dial
from tests.protocol.scripted import CAPABILITIES, PoliteImap
from tests.protocol.verbs import HASTE, MESSAGE, SLACK
from tests.protocol.verbs import dial as dial_polite
from tests.servers import MailUser
from webmail.protocol.appending import MOST_APPENDED, Appended
from webmail.protocol.connection import Connection
from webmail.protocol.errors import (
    BadAnswer,
    ConnectionLost,
    Forbidden,
    NoSuchMailbox,
    ProtocolError,
    Refused,
    TryAgain,
)
from webmail.protocol.types import Flag

WHEN = datetime(2026, 3, 1, 9, 5, 7, tzinfo=UTC)


def large(octets: int) -> bytes:
    line = b"x" * 70 + b"\r\n"
    return b"Subject: Large\r\n\r\n" + line * (octets // len(line))


def filed(person: MailUser, mailbox: str, uid: int) -> tuple[bytes, str]:
    """The message another client sees, and what FETCH said beside it."""
    with person.imap() as other:
        other.select(mailbox, readonly=True)
        _, data = other.uid("FETCH", str(uid), "(FLAGS INTERNALDATE BODY.PEEK[])")
        head, body = data[0]  # type: ignore[misc]  # a literal's pair
        return bytes(body), f"{head!r}{data[1]!r}"


@pytest.mark.parametrize("octets", [100, 60_000, 70_000, 3_000_000])
def test_a_message_is_filed(imap: Connection, person: MailUser, octets: int) -> None:
    message = large(octets)
    before = imap.select("INBOX", fresh=True)
    appended = imap.append("INBOX", io.BytesIO(message), flags=[Flag.SEEN, Flag.FLAGGED], date=WHEN)
    assert appended == Appended(before.uidvalidity, before.uidnext)
    body, facts = filed(person, "INBOX", appended.uid)
    assert body == message
    assert "\\Seen" in facts
    assert "\\Flagged" in facts
    assert "01-Mar-2026 09:05:07 +0000" in facts or "1-Mar-2026 09:05:07 +0000" in facts
    assert imap.usable
    assert imap.select("INBOX", fresh=True).exists == before.exists + 1


def test_filing_neither_makes_nor_selects_a_mailbox(imap: Connection) -> None:
    imap.select("INBOX")
    with pytest.raises(NoSuchMailbox):
        imap.append("Nowhere at all", io.BytesIO(MESSAGE))
    with pytest.raises(NoSuchMailbox):
        imap.append("Nowhere at all", io.BytesIO(large(200_000)))
    assert imap.usable
    assert "Nowhere at all" not in [info.name for info in imap.mailboxes()]
    assert imap.selected is not None
    assert imap.selected.name == "INBOX"


def test_a_name_with_other_letters(rich: MailUser) -> None:
    connection = dial(rich)
    with rich.imap() as other:
        other.create('"&AdoBDQ-ty"')
    appended = connection.append(connection.decode_name(b"&AdoBDQ-ty"), io.BytesIO(MESSAGE))
    assert filed(rich, '"&AdoBDQ-ty"', appended.uid)[0] == MESSAGE


def test_one_that_lay_idle_and_died_is_opened_again(rich: MailUser) -> None:
    connection = dial(rich)
    connection.select("INBOX")
    connection.last_used -= 100
    connection._wire.sock.shutdown(2)
    assert connection.append("INBOX", io.BytesIO(MESSAGE)).uid


@pytest.mark.parametrize("message", [b"", b"a\0b", b"x" * 300_000 + b"\0"])
def test_what_no_literal_may_hold(message: bytes) -> None:
    with PoliteImap() as polite, contextlib.closing(dial_polite(polite.server)) as connection:
        polite.lines.clear()
        with pytest.raises(Forbidden):
            connection.append("INBOX", io.BytesIO(message))
        assert polite.lines == []
        assert connection.usable


def test_one_that_is_too_large() -> None:
    class Huge(io.BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            return MOST_APPENDED + 1 if whence == os.SEEK_END else super().seek(offset, whence)

    with PoliteImap() as polite, contextlib.closing(dial_polite(polite.server)) as connection:
        with pytest.raises(Forbidden, match="50 MB"):
            connection.append("INBOX", Huge(MESSAGE))
        assert connection.usable


@pytest.mark.parametrize(
    ("capability", "octets", "asks"),
    [(b"", 30, True), (b" LITERAL+", 30, False), (b" LITERAL+", 65_000, False), (b" LITERAL+", 100_000, True),
     (b" LITERAL-", 30, False), (b" LITERAL-", 5_000, True)],
)  # fmt: skip
def test_a_literal_is_sent_unasked_where_that_is_allowed_and_small(capability: bytes, octets: int, asks: bool) -> None:
    message = b"S: x\r\n\r\n" + b"y" * octets
    with PoliteImap(capabilities=CAPABILITIES + capability) as polite:
        with contextlib.closing(dial_polite(polite.server)) as connection:
            assert connection.append("INBOX", io.BytesIO(message), date=WHEN) == Appended(77, 16)
        [line] = [line for line in polite.lines if b" APPEND " in line]
        size = b"{%d}" % len(message) if asks else b"{%d+}" % len(message)
        assert line.endswith(b' "01-Mar-2026 09:05:07 +0000" ' + size + b"\r\n")
        assert polite.appended == [message]


REFUSALS: list[tuple[bytes, type[ProtocolError], str]] = [
    (b"NO [OVERQUOTA] full", Refused, "account is full"),
    (b"NO [TRYCREATE] none", NoSuchMailbox, "no longer exists"),
    (b"NO [NONEXISTENT] none", NoSuchMailbox, "no longer exists"),
    (b"NO [TOOBIG] large", Refused, "as large as this"),
    (b"NO [UNAVAILABLE] later", TryAgain, "reached"),
    (b"NO I don't like it", Refused, "refused"),
    (b"BAD what", Refused, "did not understand"),
]


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize(("words", "kind", "sentence"), REFUSALS)
def test_refusals_are_told_apart(words: bytes, kind: type[ProtocolError], sentence: str, early: bool) -> None:
    """Before the literal or after it; the connection stays in step either way."""

    def change(verb: str, answer: bytes) -> bytes:
        if verb == ("CONTINUE" if early else "APPEND"):
            return polite.lines[-1 if early else -2].split()[0] + b" " + words + b"\r\n"
        return answer

    with PoliteImap(change=change) as polite, contextlib.closing(dial_polite(polite.server)) as connection:
        with pytest.raises(kind, match=sentence):
            connection.append("INBOX", io.BytesIO(MESSAGE))
        assert connection.usable


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "another tag": lambda tag: b"W99 OK done\r\n",
    "asks again": lambda tag: b"+ more\r\n",
    "bye": lambda tag: b"* BYE gone\r\n",
    "silence": lambda tag: b"",
    "nonsense": lambda tag: b"\xff\xfe\r\n",
    "empty": lambda tag: b"\r\n",
    "an endless line": lambda tag: b"* OK " + b"x" * (2 << 20),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_doubt_is_never_repeated(name: str) -> None:
    """Whatever the server does after the literal, APPEND goes out once and the connection is not used again."""

    def change(verb: str, answer: bytes) -> bytes:
        return HOSTILE[name](answer.split()[0]) if verb == "APPEND" else answer

    with PoliteImap(change=change) as polite:
        connection = dial_polite(polite.server)
        connection._command_timeout = HASTE
        began = time.monotonic()
        with pytest.raises((ConnectionLost, BadAnswer)):
            connection.append("INBOX", io.BytesIO(MESSAGE))
        assert time.monotonic() - began < HASTE + SLACK
        assert connection.broken
        assert polite.verbs().count("APPEND") == 1


@pytest.mark.parametrize(
    "answer", [b"OK filed", b"OK [APPENDUID] x", b"OK [APPENDUID 0 0] x", b"OK [APPENDUID 77 1:5] x",
               b"OK [APPENDUID 77 99999999999] x", b"OK [APPENDUID x y] x"]
)  # fmt: skip
def test_an_answer_without_a_uid(answer: bytes) -> None:
    def change(verb: str, data: bytes) -> bytes:
        return data.split()[0] + b" " + answer + b"\r\n" if verb == "APPEND" else data

    with PoliteImap(change=change) as polite, contextlib.closing(dial_polite(polite.server)) as connection:
        assert connection.append("INBOX", io.BytesIO(MESSAGE)) == Appended()


def test_who_may_no_longer_stops_in_the_middle(rich: MailUser) -> None:
    """The server takes nothing of a literal that isn't whole."""
    connection = dial(rich)
    before = connection.select("INBOX", fresh=True)
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        connection.append("INBOX", io.BytesIO(large(2_000_000)), check=check)
    assert connection.broken
    assert dial(rich).select("INBOX").exists == before.exists
