"""Opening a connection and looking at mailboxes, on Dovecot and on pymap, the poorest server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.protocol.people import dial, with_mail
from tests.servers import MailUser
from webmail.demo.imap_server import ImapServer
from webmail.protocol.connection import Connection, connect
from webmail.protocol.errors import (
    ConnectionFailed,
    LoginNeeded,
    NoSuchMailbox,
    TooManyConnections,
    Untrusted,
)
from webmail.protocol.types import Flag, Login, Role, Security, Server


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
