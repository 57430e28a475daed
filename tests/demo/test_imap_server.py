"""The demo's mail servers are real servers: they keep mail, check passwords and show a certificate we can check."""

from __future__ import annotations

import imaplib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import MailUser
from webmail.demo.imap_server import ImapServer, start_dovecot, start_pymap

MESSAGE = b"From: bob@demo.test\r\nSubject: Ferry\r\n\r\nIt leaves at nine.\r\n"


def contents(client: imaplib.IMAP4, mailbox: str) -> dict[int, bytes]:
    """UID → text of the body, for every message."""
    client.select(mailbox, readonly=True)
    uids = client.uid("SEARCH", "ALL")[1][0].decode().split()
    return {int(uid): client.uid("FETCH", uid, "BODY.PEEK[TEXT]")[1][0][1] for uid in uids}


def test_mail_is_kept(imap_server: ImapServer, mailbox_user: Callable[..., MailUser]) -> None:
    user = mailbox_user(imap_server)
    uid = user.append("INBOX", MESSAGE, r"\Seen")
    with user.imap_tls() as client:
        client.select("INBOX", readonly=True)
        _, answer = client.uid("FETCH", str(uid), "(FLAGS BODY.PEEK[TEXT])")
    assert answer[0][1] == b"It leaves at nine.\r\n"
    assert b"\\Seen" in answer[0][0] + answer[1]


def test_a_wrong_password_is_refused(imap_server: ImapServer, mailbox_user: Callable[..., MailUser]) -> None:
    user = mailbox_user(imap_server)
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        MailUser(imap_server, user.address, "guess").imap()


def test_dovecot_has_special_use_and_qresync(mailbox_user: Callable[..., MailUser]) -> None:
    with mailbox_user().imap() as client:
        _, listed = client.list()
        capabilities = set(client.capability()[1][0].decode().split())
    for name in (b"Drafts", b"Sent", b"Junk", b"Trash", b"Archive"):
        assert b'(\\HasNoChildren \\%b) "/" %b' % (name, name) in listed
    assert {"QRESYNC", "CONDSTORE", "QUOTA", "LIST-STATUS", "MOVE", "UIDPLUS"} <= capabilities


def test_dovecot_counts_connections(worker_dir: Path) -> None:
    directory = worker_dir / "limited"
    directory.mkdir()
    server = start_dovecot(directory, {"alice@demo.test": "demo"}, max_connections=2)
    alice = MailUser(server, "alice@demo.test")
    try:
        with alice.imap(), alice.imap(), pytest.raises(imaplib.IMAP4.error, match="LIMIT"):
            alice.imap()
    finally:
        server.stop()


@pytest.mark.parametrize("start", [start_dovecot, start_pymap])
def test_mail_survives_a_kill(start: Callable[..., ImapServer], worker_dir: Path) -> None:
    directory = worker_dir / start.__name__
    directory.mkdir()
    users = {"alice@demo.test": "de:mo}{"}
    server = start(directory, users)
    try:
        alice = MailUser(server, "alice@demo.test", users["alice@demo.test"])
        uids = [alice.append("INBOX", MESSAGE.replace(b"nine", word)) for word in (b"ten", b"six", b"two", b"one")]
        with alice.imap() as client:
            client.create("Kept")
            client.create("Old")
            client.rename("Old", "New")
            client.subscribe("New")
            client.select("INBOX")
            validity = client.response("UIDVALIDITY")[1]
            client.uid("STORE", str(uids[0]), "+FLAGS", r"(\Flagged \Seen)")
            client.uid("COPY", str(uids[0]), "New")
            client.uid("MOVE", str(uids[1]), "Kept")
            client.uid("STORE", str(uids[2]), "+FLAGS", r"(\Deleted)")
            client.expunge()
        os.kill(server.pid, signal.SIGKILL)
    finally:
        server.stop()

    server = start(directory, users)
    try:
        alice = MailUser(server, "alice@demo.test", users["alice@demo.test"])
        with alice.imap() as client:
            assert {line.rsplit(b" ", 1)[1] for line in client.list()[1]} >= {b"INBOX", b"New", b"Kept"}
            assert any(line.endswith(b" New") for line in client.lsub()[1])
            assert contents(client, "INBOX") == {uids[0]: b"It leaves at ten.\r\n", uids[3]: b"It leaves at one.\r\n"}
            assert client.response("UIDVALIDITY")[1] == validity
            _, flags = client.uid("FETCH", str(uids[0]), "FLAGS")
            assert set(imaplib.ParseFlags(flags[0])) >= {rb"\Flagged", rb"\Seen"}
            assert list(contents(client, "New").values()) == [b"It leaves at ten.\r\n"]
            assert list(contents(client, "Kept").values()) == [b"It leaves at six.\r\n"]
        assert alice.append("INBOX", MESSAGE) == uids[3] + 1
    finally:
        server.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)


@pytest.mark.parametrize("start", [start_dovecot, start_pymap])
def test_a_busy_port_is_named(start: Callable[..., ImapServer], dovecot: ImapServer, worker_dir: Path) -> None:
    directory = worker_dir / f"{start.__name__}-busy"
    directory.mkdir()
    with pytest.raises(RuntimeError, match=f"{dovecot.tls_port} .* in use"):
        start(directory, {"alice@demo.test": "demo"}, tls_port=dovecot.tls_port)


def test_a_failed_start_shows_the_log(worker_dir: Path) -> None:
    directory = worker_dir / "failed"
    directory.mkdir()
    with pytest.raises(RuntimeError, match="Number too small"):
        start_dovecot(directory, {"alice@demo.test": "demo"}, max_connections=-1)
