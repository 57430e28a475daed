"""The verbs that read messages, on Dovecot and on pymap: all of them work on both."""

from __future__ import annotations

import re
import time

import pytest

from tests.protocol.people import MESSAGE, PNG, dial, expunge, uidvalidity
from tests.servers import MailUser
from webmail.protocol.connection import Connection
from webmail.protocol.errors import (
    NoSuchMessage,
    UidValidityChanged,
)
from webmail.protocol.types import Flag


def test_newest(imap: Connection) -> None:
    selected, messages = imap.newest("INBOX", 4)
    assert selected.exists == 6
    uids = [message.uid for message in messages]
    assert uids == sorted(uids, reverse=True)
    assert len(uids) == 4
    newest = messages[0]
    assert newest.header is not None
    assert b"Subject: Ferry 5" in newest.header
    assert b"Message-ID: <ferry5@demo.test>" in newest.header
    assert newest.flags is not None
    assert Flag.SEEN in newest.flags
    assert newest.internal_date is not None
    assert newest.size == len(MESSAGE % (5, 5))
    assert newest.structure is not None
    assert [(part.section, part.type, part.filename) for part in newest.structure.walk()] == [
        ("", "multipart/mixed", ""), ("1", "text/plain", ""), ("2", "image/png", "Účet.png"),
    ]  # fmt: skip
    assert [message.uid for message in imap.newest("INBOX", 4, skip=4)[1]] == [uids[-1] - 1, uids[-1] - 2]
    assert imap.newest("INBOX", 4, skip=6)[1] == []


def test_newest_sees_what_has_just_come(imap: Connection, person: MailUser) -> None:
    imap.newest("INBOX", 1)
    uid = person.append("INBOX", MESSAGE % (7, 7))
    before = imap.round_trips
    assert [message.uid for message in imap.newest("INBOX", 1)[1]] == [uid]
    assert imap.round_trips - before == 2


def test_a_mailbox_page_costs_two_round_trips(imap: Connection) -> None:
    imap.noop()
    before = imap.round_trips
    imap.newest("INBOX", 50)
    assert imap.round_trips - before == 2


def test_fetch_by_uid(imap: Connection) -> None:
    selected, messages = imap.newest("INBOX", 6)
    uids = [message.uid for message in messages]
    before = imap.round_trips
    found = imap.fetch("INBOX", selected.uidvalidity, [uids[0], uids[3]])
    assert imap.round_trips - before == 1
    assert [message.uid for message in found] == sorted([uids[0], uids[3]])
    assert found == [message for message in reversed(messages) if message.uid in (uids[0], uids[3])]
    assert imap.fetch("INBOX", selected.uidvalidity, []) == []
    low, high = uids[4], uids[1]
    assert [m.uid for m in imap.fetch_range("INBOX", selected.uidvalidity, low, high)] == list(range(low, high + 1))
    assert [m.uid for m in imap.fetch_range("INBOX", selected.uidvalidity, high, None)] == [high, high + 1]
    assert imap.fetch_range("INBOX", selected.uidvalidity, uids[0] + 1, None) == [], "`n:*` would name the last one"


@pytest.mark.parametrize(
    "verb", ["fetch", "sections", "structure", "stream", "store", "peek", "flags", "uids", "delta"]
)
def test_every_verb_sees_what_came_since_the_last_command(verb: str, imap: Connection, person: MailUser) -> None:
    """A session keeps its view of a mailbox; the page must not say "gone" of a message that has just come."""
    validity = uidvalidity(imap)
    modseq = imap.select("INBOX", read_only=False).highestmodseq
    uid = person.append("INBOX", MESSAGE % (8, 8))
    if verb in ("flags", "uids", "delta"):  # these look at the whole, and take a view of the last second for it
        assert imap._selection is not None
        imap._selection.since -= 2
    match verb:
        case "fetch":
            assert [message.uid for message in imap.fetch("INBOX", validity, [uid])] == [uid]
        case "sections":
            assert b"ferry" in imap.sections("INBOX", validity, uid, {"1": None})["1"]
        case "structure":
            assert imap.structure("INBOX", validity, uid).uid == uid
        case "stream":
            assert b"".join(imap.stream("INBOX", validity, uid, "2")).strip() == PNG
        case "store":
            assert [change.uid for change in imap.store("INBOX", validity, [uid], add=[Flag.SEEN])] == [uid]
        case "peek":
            assert uid in imap.peek("INBOX", validity, [uid], "1", 9)
        case "flags":
            assert uid in [change.uid for change in imap.flags("INBOX", validity)]
        case "uids":
            assert uid in imap.uids("INBOX", validity)
        case "delta":
            assert uid in [change.uid for change in imap.delta("INBOX", validity, modseq).changed]


def test_sections_in_one_round_trip_from_another_mailbox(imap: Connection, person: MailUser) -> None:
    selected, messages = imap.newest("INBOX", 1)
    uid = messages[0].uid
    with person.imap() as other:
        other.create("Elsewhere")
    imap.select("Elsewhere")
    before = imap.round_trips
    found = imap.sections(
        "INBOX", selected.uidvalidity, uid, {"1": 9, "2.MIME": None, "HEADER": None, "": 20, "7": None}
    )
    assert imap.round_trips - before == 1
    assert found["1"] == b"The ferry"
    assert b"Content-Disposition: attachment" in found["2.MIME"]
    assert found["HEADER"].startswith(b"Date: ")
    assert found[""] == (MESSAGE % (5, 5))[:20]
    assert found["7"] == b""
    assert imap.sections("INBOX", selected.uidvalidity, uid, {"": None})[""] == MESSAGE % (5, 5)


def test_reading_marks_nothing_as_seen(imap: Connection) -> None:
    selected, messages = imap.newest("INBOX", 6)
    unseen = next(message.uid for message in messages if message.flags and Flag.SEEN not in message.flags)
    imap.select("INBOX", read_only=False)
    imap.sections("INBOX", selected.uidvalidity, unseen, {"1": None})
    list(imap.stream("INBOX", selected.uidvalidity, unseen, "2"))
    imap.peek("INBOX", selected.uidvalidity, [unseen], "1", 10)
    imap.structure("INBOX", selected.uidvalidity, unseen)
    [change] = imap.flags("INBOX", selected.uidvalidity, unseen, unseen)
    assert Flag.SEEN not in change.flags


@pytest.mark.parametrize("chunk", [1_000, 33_000, len(PNG), len(PNG) - 1, len(PNG) + 1, 10_000_000])
def test_a_stream_is_the_part(chunk: int, imap: Connection) -> None:
    selected, messages = imap.newest("INBOX", 1)
    pieces = list(imap.stream("INBOX", selected.uidvalidity, messages[0].uid, "2", chunk=chunk))
    assert b"".join(pieces).strip() == PNG
    assert max(map(len, pieces)) <= chunk
    assert not imap.broken
    imap.noop()


def test_the_structure_tells_the_sections_apart(rich: MailUser) -> None:
    """Every section that BODYSTRUCTURE names can be fetched by that name, inside a forwarded message too.

    Not on pymap, which numbers the parts of a message within the message otherwise than RFC 9051 §6.4.5.
    """
    imap = dial(rich)
    inner = MESSAGE % (9, 9)
    outer = (
        b"Subject: Fwd: Ferry\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
        b"--o\r\nContent-Type: text/plain\r\n\r\nsee below\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n"
        + inner + b"\r\n--o--\r\n"
    )  # fmt: skip
    uid = rich.append("INBOX", outer)
    validity = uidvalidity(imap)
    structure = imap.structure("INBOX", validity, uid).structure
    assert structure is not None
    named = {part.section: part for part in structure.walk()}
    assert list(named) == ["", "1", "2", "2.TEXT", "2.1", "2.2"]
    found = imap.sections("INBOX", validity, uid, dict.fromkeys(named))
    assert found["1"].strip() == b"see below"
    assert found["2.1"].strip() == b"The ferry leaves at nine."
    assert found["2.2"].strip() == PNG
    assert found["2.TEXT"].startswith(b"--b\r\n")


def test_a_message_that_is_gone(imap: Connection, person: MailUser) -> None:
    selected, messages = imap.newest("INBOX", 2)
    uid = messages[0].uid
    expunge(person, uid)
    assert imap.fetch("INBOX", selected.uidvalidity, [uid, messages[1].uid])[-1].uid in (uid, messages[1].uid)
    imap.select("INBOX", fresh=True)
    assert [message.uid for message in imap.fetch("INBOX", selected.uidvalidity, [uid, messages[1].uid])] == [
        messages[1].uid
    ]
    with pytest.raises(NoSuchMessage):
        imap.sections("INBOX", selected.uidvalidity, uid, {"1": None})
    with pytest.raises(NoSuchMessage):
        imap.structure("INBOX", selected.uidvalidity, uid)
    with pytest.raises(NoSuchMessage):
        next(imap.stream("INBOX", selected.uidvalidity, uid, "1"))
    assert imap.store("INBOX", selected.uidvalidity, [uid], add=[Flag.SEEN]) == []
    assert not imap.broken


def test_another_uidvalidity(imap: Connection) -> None:
    wrong = uidvalidity(imap) + 1
    for fresh in (False, True):
        if fresh:
            imap.select("INBOX")
        for call in (
            lambda: imap.fetch("INBOX", wrong, [1]),
            lambda: imap.flags("INBOX", wrong),
            lambda: imap.sections("INBOX", wrong, 1, {"1": None}),
            lambda: imap.store("INBOX", wrong, [1], add=[Flag.DELETED]),
        ):
            with pytest.raises(UidValidityChanged):
                call()


def test_thousands_at_once(rich: MailUser) -> None:
    small = b"Subject: small\r\n\r\nx\r\n"
    with rich.imap() as other:
        other.create("Many")
        piece = b"".join(b" {%d+}\r\n%b" % (len(small), small) for _ in range(1500))
        for _ in range(2):
            other.send(b"T1 APPEND Many" + piece + b"\r\n")
            while not re.match(rb"T1 OK", other.readline()):
                pass
    connection = dial(rich)
    started = time.monotonic()
    selected, newest = connection.newest("Many", 50)
    uids = connection.uids("Many", selected.uidvalidity)
    assert len(uids) == 3000
    assert len(connection.flags("Many", selected.uidvalidity)) == 3000
    scattered = uids[::2]
    assert [m.uid for m in connection.fetch("Many", selected.uidvalidity, scattered)] == scattered
    assert len(connection.fetch_range("Many", selected.uidvalidity, 1, uids[-1])) == 3000
    assert len(connection.store("Many", selected.uidvalidity, scattered, add=[Flag.FLAGGED])) == 1500
    assert len(connection.peek("Many", selected.uidvalidity, uids, "1", 5)) == 3000
    assert time.monotonic() - started < 30
    assert len(newest) == 50
