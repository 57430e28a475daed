"""The verbs on real servers: Dovecot as the rich one, pymap as the poorest. All of them work on both."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest

from tests.servers import MailUser
from webmail.demo.imap_server import ImapServer
from webmail.protocol.connection import Connection, connect
from webmail.protocol.errors import (
    ConnectionFailed,
    LoginNeeded,
    NoSuchMailbox,
    NoSuchMessage,
    Refused,
    TooManyConnections,
    UidValidityChanged,
    Untrusted,
)
from webmail.protocol.types import Flag, Login, Role, Security, Server

PNG = b"iVBORw0KGgo" * 9000
MESSAGE = (
    b"Date: Mon, 23 Nov 2026 08:11:07 +0000\r\nFrom: Bob <bob@demo.test>\r\nTo: alice@demo.test\r\n"
    b"Subject: Ferry %d\r\nMessage-ID: <ferry%d@demo.test>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe ferry leaves at nine.\r\n"
    b"--b\r\nContent-Type: image/png; name*=utf-8''%%C3%%9A%%C4%%8Det.png\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-Disposition: attachment\r\n\r\n" + PNG + b"\r\n--b--\r\n"
)


@pytest.fixture
def person(imap_server: ImapServer, mailbox_user: Callable[..., MailUser]) -> MailUser:
    """Somebody with six messages, on each server in turn."""
    return with_mail(mailbox_user(imap_server))


@pytest.fixture
def rich(dovecot: ImapServer, mailbox_user: Callable[..., MailUser]) -> MailUser:
    """Somebody with six messages, on Dovecot."""
    return with_mail(mailbox_user(dovecot))


@pytest.fixture
def imap(person: MailUser) -> Iterator[Connection]:
    connection = dial(person)
    yield connection
    connection.close()


def with_mail(person: MailUser) -> MailUser:
    for number in range(6):
        person.append("INBOX", MESSAGE % (number, number), "\\Seen" if number % 2 else "")
    return person


def dial(person: MailUser, security: Security = Security.NONE, **changes: object) -> Connection:
    server = person.server
    port = server.tls_port if security is Security.TLS else server.port
    values = {"ca_pem": server.ca_pem, "allow_private": True} | changes
    return connect(Server("127.0.0.1", port, security, **values), Login(person.address, person.password))  # type: ignore[arg-type]


def uidvalidity(imap: Connection, name: str = "INBOX") -> int:
    return imap.select(name).uidvalidity


# --- opening -------------------------------------------------------------------------------------------------------


def test_tls_with_a_pinned_authority(person: MailUser) -> None:
    connection = dial(person, Security.TLS)
    assert connection.has("imap4rev1")
    connection.close()
    assert connection.broken


def test_an_unknown_authority_is_not_trusted(person: MailUser) -> None:
    with pytest.raises(Untrusted) as caught:
        dial(person, Security.TLS, ca_pem="")
    assert "certificate" in caught.value.detail


def test_starttls(rich: MailUser) -> None:
    connection = dial(rich, Security.STARTTLS)
    assert not connection.has("STARTTLS"), "the capabilities are those inside TLS"
    assert connection.mailboxes()


def test_tls_to_a_port_without_it(person: MailUser) -> None:
    server = Server("127.0.0.1", person.server.port, Security.TLS, person.server.ca_pem, allow_private=True)
    with pytest.raises(Untrusted):
        connect(server, None, connect_timeout=3)


def test_nobody_listens() -> None:
    with pytest.raises(ConnectionFailed):
        connect(Server("127.0.0.1", 1, Security.NONE, allow_private=True), None)


@pytest.mark.parametrize("password", ["wrong", "", 'quo"te\\', "pässwörd 日本"])
def test_a_wrong_password(imap_server: ImapServer, password: str) -> None:
    server = Server("127.0.0.1", imap_server.port, Security.NONE, allow_private=True)
    with pytest.raises(LoginNeeded) as caught:
        connect(server, Login("alice@demo.test", password))
    assert not password or password not in str(caught.value)


def test_one_connection_too_many(rich: MailUser) -> None:
    opened = []
    try:
        with pytest.raises(TooManyConnections):
            for _ in range(12):
                opened.append(dial(rich))
        assert len(opened) == 10
    finally:
        for connection in opened:
            connection.close()


def test_opening_costs_no_round_trip_that_could_be_saved(rich: MailUser) -> None:
    connection = dial(rich)
    assert (connection.commands, connection.round_trips) == (1, 1), "AUTHENTICATE with its initial response"
    connection.newest("INBOX", 50)
    assert connection.round_trips == 3, "ENABLE and ID travel with SELECT"


# --- mailboxes -----------------------------------------------------------------------------------------------------


def test_mailboxes_with_roles_and_counts(rich: MailUser) -> None:
    with rich.imap() as other:
        other.create('"Projects/Harbour redesign"')
        other.create("&ANoBDQ-ty")
        other.subscribe("&ANoBDQ-ty")
    connection = dial(rich)
    before = connection.round_trips
    found = {info.name: info for info in connection.mailboxes()}
    assert connection.round_trips - before == 1
    assert {info.role for info in found.values() if info.role} == set(Role)
    inbox = found["INBOX"]
    assert inbox.role is Role.INBOX
    assert inbox.status is not None
    assert (inbox.status.messages, inbox.status.unseen) == (6, 3)
    assert inbox.status.highestmodseq
    assert found["Projects/Harbour redesign"].delimiter == "/"
    assert not found["Projects"].selectable
    assert found["Účty"].subscribed
    assert not found["Projects/Harbour redesign"].subscribed
    assert connection.newest("Účty", 5)[1] == []


def test_mailboxes_of_the_poorest(pymap: ImapServer, mailbox_user: Callable[..., MailUser]) -> None:
    person = with_mail(mailbox_user(pymap))
    with person.imap() as other:
        for name in ("Gesendet", '"Deleted Items"', "Spam", "Drafts", "Archive", '"Spam/Sent"'):
            other.create(name)
    connection = dial(person)
    before = connection.round_trips
    found = {info.name: info for info in connection.mailboxes()}
    assert connection.round_trips - before == 2
    assert {info.role: name for name, info in found.items() if info.role} == {
        Role.INBOX: "INBOX", Role.SENT: "Gesendet", Role.TRASH: "Deleted Items", Role.JUNK: "Spam",
        Role.DRAFTS: "Drafts", Role.ARCHIVE: "Archive",
    }  # fmt: skip
    status = found["INBOX"].status
    assert status is not None
    assert (status.messages, status.unseen, status.highestmodseq) == (6, 3, None)
    assert found["INBOX"].object_id


def test_status_of_many_in_one_round_trip(imap: Connection) -> None:
    imap.mailboxes()
    before = imap.round_trips
    found = imap.status(["INBOX", "No such", "inbox"])
    assert imap.round_trips - before == 1
    assert "No such" not in found
    assert next(iter(found.values())).messages == 6


def test_a_mailbox_that_is_not_there(imap: Connection) -> None:
    for call in (
        lambda: imap.select("Nowhere"),
        lambda: imap.newest("Nowhere", 5),
        lambda: imap.sections("Nowhere", 5, 5, {"1": None}),
        lambda: imap.store("Nowhere", 5, [5], add=[Flag.SEEN]),
        lambda: imap.delta("Nowhere", 5, 5),
    ):
        with pytest.raises(NoSuchMailbox):
            call()
    assert imap.select("INBOX").exists == 6, "the connection is as good as before"


def test_select_is_free_when_it_is_selected(imap: Connection) -> None:
    imap.select("INBOX", read_only=False)
    before = imap.commands
    assert imap.select("INBOX").exists == 6
    assert imap.select("inbox", read_only=False).exists == 6
    assert imap.commands == before
    imap.select("INBOX", fresh=True)
    assert imap.commands == before + 1


# --- reading -------------------------------------------------------------------------------------------------------


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


# --- flags ---------------------------------------------------------------------------------------------------------


def test_store_sets_and_clears(imap: Connection) -> None:
    selected, messages = imap.newest("INBOX", 6)
    uids = sorted(message.uid for message in messages)
    imap.select("INBOX", read_only=False)
    before = imap.round_trips
    changes = imap.store("INBOX", selected.uidvalidity, uids[:3], add=[Flag.FLAGGED, Flag.SEEN])
    assert imap.round_trips - before == 1
    assert [change.uid for change in changes] == uids[:3]
    assert all({Flag.FLAGGED, Flag.SEEN} <= change.flags.set for change in changes)
    changes = imap.store("INBOX", selected.uidvalidity, uids[:1], add=[Flag.ANSWERED], remove=[Flag.SEEN])
    assert changes[0].flags.set == {Flag.FLAGGED, Flag.ANSWERED}
    again = imap.store("INBOX", selected.uidvalidity, uids[:1], add=[Flag.ANSWERED], remove=[Flag.SEEN])
    assert again[0].flags == changes[0].flags, "twice is once"
    assert imap.flags("INBOX", selected.uidvalidity, uids[0], uids[0])[0].flags == changes[0].flags


def test_keywords(rich: MailUser) -> None:
    connection = dial(rich)
    selected, messages = connection.newest("INBOX", 1)
    uid = messages[0].uid
    [change] = connection.store("INBOX", selected.uidvalidity, [uid], add=[Flag.FORWARDED, "Work", "$label1"])
    assert Flag.FORWARDED in change.flags
    assert change.flags.keywords == {"Work", "$label1"}
    with rich.imap() as other:
        other.select("INBOX", readonly=True)
        _, data = other.uid("FETCH", str(uid), "(FLAGS)")
        assert b"$Forwarded" in data[0]  # type: ignore[operator]


def test_a_mailbox_that_can_only_be_read(rich: MailUser, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = dial(rich)
    selected, messages = connection.newest("INBOX", 1)
    real = connection._select_command

    monkeypatch.setattr(connection, "_select_command", lambda name, *, read_only: real(name, read_only=True))
    with pytest.raises(Refused, match="only be read"):
        connection.store("INBOX", selected.uidvalidity, [messages[0].uid], add=[Flag.SEEN])


def test_uids_and_flags_of_all(imap: Connection) -> None:
    selected, messages = imap.newest("INBOX", 6)
    uids = sorted(message.uid for message in messages)
    assert imap.uids("INBOX", selected.uidvalidity) == uids
    assert [change.uid for change in imap.flags("INBOX", selected.uidvalidity)] == uids
    assert [change.uid for change in imap.flags("INBOX", selected.uidvalidity, uids[2], uids[3])] == uids[2:4]
    assert imap.flags("INBOX", selected.uidvalidity, uids[-1] + 1) == []


# --- what changed --------------------------------------------------------------------------------------------------


def test_delta_tells_changed_and_vanished(rich: MailUser) -> None:
    connection = dial(rich)
    selected, messages = connection.newest("INBOX", 6)
    uids = sorted(message.uid for message in messages)
    quiet = connection.delta("INBOX", selected.uidvalidity, selected.highestmodseq)
    assert (quiet.changed, quiet.vanished, quiet.highestmodseq) == ((), (), selected.highestmodseq)
    with rich.imap() as other:
        other.select("INBOX")
        other.uid("STORE", str(uids[1]), "+FLAGS", "(\\Flagged)")
    expunge(rich, uids[3])
    arrived = rich.append("INBOX", MESSAGE % (7, 7))
    connection.select("INBOX", fresh=True)
    before = connection.round_trips
    delta = connection.delta("INBOX", selected.uidvalidity, selected.highestmodseq)
    assert connection.round_trips - before == 1
    assert {change.uid for change in delta.changed} == {uids[1], arrived}
    assert delta.vanished == (uids[3],)
    assert delta.highestmodseq > selected.highestmodseq
    later = connection.delta("INBOX", selected.uidvalidity, delta.highestmodseq)
    assert (later.changed, later.vanished) == ((), ())


@pytest.mark.parametrize("lacking", ["QRESYNC", "CONDSTORE"])
def test_delta_of_a_server_that_knows_less(lacking: str, rich: MailUser) -> None:
    connection = dial(rich)
    selected, messages = connection.newest("INBOX", 6)
    connection.capabilities -= {lacking, "QRESYNC"}
    uids = sorted(message.uid for message in messages)
    expunge(rich, uids[3])
    connection.select("INBOX", fresh=True)
    blind = connection.delta("INBOX", selected.uidvalidity, selected.highestmodseq)
    assert blind.vanished is None
    delta = connection.delta("INBOX", selected.uidvalidity, selected.highestmodseq, uids)
    assert delta.vanished == (uids[3],)
    everything = {uid for uid in uids if uid != uids[3]}
    assert {change.uid for change in delta.changed} == (everything if lacking == "CONDSTORE" else set())


def test_delta_on_both(imap: Connection, person: MailUser) -> None:
    """Whatever a server knows, changed and vanished cover what happened."""
    selected, messages = imap.newest("INBOX", 6)
    uids = sorted(message.uid for message in messages)
    with person.imap() as other:
        other.select("INBOX")
        other.uid("STORE", str(uids[1]), "+FLAGS", "(\\Flagged)")
    expunge(person, uids[3])
    imap.select("INBOX", fresh=True)
    delta = imap.delta("INBOX", selected.uidvalidity, selected.highestmodseq, uids)
    flagged = {change.uid for change in delta.changed if Flag.FLAGGED in change.flags}
    assert flagged == {uids[1]}
    assert delta.vanished == (uids[3],)


def test_a_modseq_from_the_future_means_compare(rich: MailUser) -> None:
    """The server lost its index and counts from one again: nothing has a MODSEQ above ours; all may have changed."""
    connection = dial(rich)
    selected, messages = connection.newest("INBOX", 6)
    delta = connection.delta("INBOX", selected.uidvalidity, selected.highestmodseq + 1_000_000)
    assert len(delta.changed) == 6
    assert delta.highestmodseq == selected.highestmodseq
    assert len(messages) == 6


def test_the_count_follows_other_clients(imap: Connection, person: MailUser) -> None:
    selected = imap.select("INBOX")
    person.append("INBOX", MESSAGE % (7, 7))
    imap.noop()
    assert imap.selected is not None
    assert imap.selected.exists == selected.exists + 1
    expunge(person, imap.uids("INBOX", selected.uidvalidity)[0])
    imap.noop()
    assert imap.selected.exists == selected.exists


# --- size ----------------------------------------------------------------------------------------------------------


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


def expunge(person: MailUser, uid: int) -> None:
    with person.imap() as other:
        other.select("INBOX")
        other.uid("STORE", str(uid), "+FLAGS", "(\\Deleted)")
        other.uid("EXPUNGE", str(uid))
