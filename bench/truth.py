"""Is the index what the server has? Both read whole and compared row by row, by nothing of the product's own code."""

from __future__ import annotations

import imaplib
import re
from dataclasses import dataclass

import psycopg

SYSTEM_FLAGS = {
    r"\seen": "seen",
    r"\answered": "answered",
    r"\flagged": "flagged",
    r"\deleted": "deleted",
    r"\draft": "draft",
    "$forwarded": "forwarded",
}
_NUMBERS = re.compile(rb"(UID|RFC822\.SIZE) (\d+)", re.IGNORECASE)
_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)", re.IGNORECASE)
_LISTED = re.compile(rb'\(([^)]*)\) "[^"]*" (?:"((?:[^"\\]|\\.)*)"|(\S+))')
_MESSAGE_ID = re.compile(rb"Message-ID:\s*<([^>\r\n]*)>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fact:
    """One message as one side has it: its flags by the columns' names, keywords in lower case, size, Message-ID."""

    flags: frozenset[str]
    size: int
    message_id: str


Rows = dict[tuple[str, int], Fact]


def on_server(port: int, user: str, password: str) -> Rows:
    """Every message of every mailbox, as the server says."""
    imap = imaplib.IMAP4("127.0.0.1", port, timeout=60)
    imap.login(user, password)
    rows: Rows = {}
    for line in imap.list()[1]:
        match = _LISTED.match(line)
        if not match or rb"\noselect" in match[1].lower():
            continue
        name = (match[2] or match[3]).decode()
        if imap.select(f'"{name}"', readonly=True)[0] != "OK":
            continue
        fetched = imap.uid("FETCH", "1:*", "(UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")[1]
        for item in fetched:
            if not isinstance(item, tuple):
                continue
            numbers = {key.upper(): int(value) for key, value in _NUMBERS.findall(item[0])}
            found = _FLAGS.search(item[0])
            words = found[1].decode().lower().split() if found else []
            identity = _MESSAGE_ID.search(item[1])
            rows[name, numbers[b"UID"]] = Fact(
                frozenset(SYSTEM_FLAGS.get(word, word) for word in words if word != r"\recent"),
                numbers[b"RFC822.SIZE"],
                identity[1].decode() if identity else "",
            )
    imap.logout()
    return rows


def in_index(database: str, address: str) -> Rows:
    """Every message of the account's index."""
    columns = ("seen", "answered", "flagged", "deleted", "draft", "forwarded")
    with psycopg.connect(database) as connection:
        found = connection.execute(
            f"SELECT b.name, m.uid, m.size, m.message_id, m.keywords, {', '.join('m.' + name for name in columns)} "
            "FROM webmail_message m JOIN webmail_mailbox b ON b.id = m.mailbox_id "
            "JOIN webmail_account a ON a.id = b.account_id WHERE a.address = %s",
            [address],
        ).fetchall()
    return {
        (name, uid): Fact(
            frozenset([*keywords.lower().split(), *(flag for flag, on in zip(columns, on_or_off, strict=True) if on)]),
            size,
            message_id,
        )
        for name, uid, size, message_id, keywords, *on_or_off in found
    }


def differing(server: Rows, index: Rows) -> list[str]:
    """One line for each row that one side lacks or has otherwise."""
    lines = []
    for key in sorted(server.keys() | index.keys()):
        mine, theirs = index.get(key), server.get(key)
        if mine != theirs:
            lines.append(f"{key[0]} {key[1]}: index {mine}, server {theirs}")
    return lines
