"""Every verb of a connection once, with arguments that fit `scripted`'s mailbox, for tests of hostile servers."""

from __future__ import annotations

import io
from collections.abc import Callable

from tests.protocol.scripted import LOGIN, UIDS, UIDVALIDITY
from webmail.protocol.connection import Connection, connect
from webmail.protocol.errors import (
    ProtocolError,
)
from webmail.protocol.types import Flag, Server

PATIENCE = 1.0  # seconds that a verb may take in these tests; 60 in use
HASTE = 0.3  # likewise where the server never answers
SLACK = 3.0  # for a loaded machine

MESSAGE = b"Subject: Kept\r\n\r\nHello.\r\n"

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
    "resync": lambda imap: imap.resync("INBOX", UIDVALIDITY, 5),
    "sections": lambda imap: imap.sections("INBOX", UIDVALIDITY, 11, {"1": 10_000, "HEADER": None}),
    "structure": lambda imap: imap.structure("INBOX", UIDVALIDITY, 12),
    "stream": lambda imap: b"".join(imap.stream("INBOX", UIDVALIDITY, 15, "1", chunk=10)),
    "store": lambda imap: imap.store("INBOX", UIDVALIDITY, UIDS, add=[Flag.SEEN]),
    "append": lambda imap: imap.append("INBOX", io.BytesIO(MESSAGE), flags=[Flag.SEEN]),
    "copy": lambda imap: imap.copy("INBOX", UIDVALIDITY, UIDS, "Sent"),
    "move": lambda imap: imap.move("INBOX", UIDVALIDITY, UIDS, "Sent"),
    "expunge": lambda imap: imap.expunge("INBOX", UIDVALIDITY, UIDS),
    "present": lambda imap: imap.present("INBOX", UIDVALIDITY, UIDS),
    "search": lambda imap: imap.search("INBOX", UIDVALIDITY, 1, 20, "UNSEEN"),
    "create": lambda imap: imap.create("New"),
    "rename": lambda imap: imap.rename("Sent", "Gone"),
    "delete": lambda imap: imap.delete("Sent"),
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


def tagged(answer: bytes) -> tuple[bytes, bytes]:
    """The untagged lines and the tagged one."""
    head, _, tail = answer[:-2].rpartition(b"\r\n")
    return (head + b"\r\n" if head else b""), tail + b"\r\n"
