"""pymap's mailboxes in memory, written through to an SQLite file: so killing the server loses nothing.

pymap has a Maildir backend, but its COPY makes empty messages and its line ends are bare LFs; the one in memory is
right, yet forgets. These subclasses note each change before it is answered and read it all back when a person first
logs in. Like the demo's Dovecot it doesn't wait for the disk: a power cut may lose the last changes, a kill does not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet, Message
from pymap.flags import FlagOp
from pymap.interfaces.message import CachedMessage
from pymap.mime import MessageContent
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import ObjectId
from pymap.parsing.specials.flag import Flag

_TABLES = """
CREATE TABLE IF NOT EXISTS mailbox (
    id INTEGER PRIMARY KEY, person TEXT NOT NULL, name TEXT NOT NULL, uidvalidity INTEGER NOT NULL,
    last_uid INTEGER NOT NULL, UNIQUE (person, name)
);
CREATE TABLE IF NOT EXISTS subscription (person TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (person, name));
CREATE TABLE IF NOT EXISTS message (
    mailbox INTEGER NOT NULL REFERENCES mailbox ON DELETE CASCADE, uid INTEGER NOT NULL, flags TEXT NOT NULL,
    received TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (mailbox, uid)
);
"""


def open_store(path: Path) -> sqlite3.Connection:
    """Open the file, making it the first time. Every statement is a transaction of its own."""
    store = sqlite3.connect(path, isolation_level=None)
    store.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON;" + _TABLES)
    return store


class People(dict[str, tuple[MailboxSet, FilterSet]]):
    """What pymap calls its cache of sessions: a person's mailboxes, read from the store when first asked for."""

    def __init__(self, store: sqlite3.Connection) -> None:
        super().__init__()
        self._store = store

    def get(self, name: str, default: object = None) -> tuple[MailboxSet, FilterSet]:
        """Return a person's mailboxes; everybody who could log in has some."""
        if name not in self:
            self[name] = (KeptMailboxSet(self._store, name), FilterSet())
        return self[name]


class KeptMailbox(MailboxData):
    """One mailbox. `row` is its key in the store."""

    def __init__(self, owner: KeptMailboxSet, row: int, uidvalidity: int, last_uid: int) -> None:
        super().__init__(owner._content_cache, owner._thread_cache)
        self._store = owner.store
        self.row = row
        self._uid_validity = uidvalidity
        self._max_uid = last_uid
        kept = self._store.execute(
            "SELECT uid, flags, received, content FROM message WHERE mailbox = ? ORDER BY uid", [row]
        )
        for uid, flags, received, content in kept:
            self._remember(uid, flags, received, content)

    async def append(self, append_msg: AppendMessage, *, recent: bool = False) -> Message:
        """Keep a new message with the time it came, in UTC."""
        when = (append_msg.when or datetime.now(UTC)).astimezone(UTC)
        timed = AppendMessage(bytes(append_msg.literal), when, append_msg.flag_set, append_msg.options)
        message = await super().append(timed, recent=recent)
        self._store.execute(
            "INSERT INTO message VALUES (?, ?, ?, ?, ?)",
            [self.row, message.uid, _words(message), when.isoformat(), timed.literal],
        )
        self._keep_last_uid()
        return message

    async def copy(self, uid: int, destination: MailboxData, *, recent: bool = False) -> int | None:
        """Keep a copy, whose UID is returned; None when the message is gone."""
        target = await super().copy(uid, destination, recent=recent)
        if target is not None and isinstance(destination, KeptMailbox):
            self._store.execute(
                "INSERT INTO message SELECT ?, ?, flags, received, content FROM message WHERE mailbox = ? AND uid = ?",
                [destination.row, target, self.row, uid],
            )
            destination._keep_last_uid()
        return target

    async def move(self, uid: int, destination: MailboxData, *, recent: bool = False) -> int | None:
        """Keep a message elsewhere; its new UID is returned, None when it is gone."""
        target = await super().move(uid, destination, recent=recent)
        if target is not None and isinstance(destination, KeptMailbox):
            self._store.execute(
                "UPDATE message SET mailbox = ?, uid = ? WHERE mailbox = ? AND uid = ?",
                [destination.row, target, self.row, uid],
            )
            destination._keep_last_uid()
        return target

    async def update(self, uid: int, cached_msg: CachedMessage, flag_set: frozenset[Flag], mode: FlagOp) -> Message:
        """Keep changed flags."""
        message = await super().update(uid, cached_msg, flag_set, mode)
        self._store.execute(
            "UPDATE message SET flags = ? WHERE mailbox = ? AND uid = ?", [_words(message), self.row, uid]
        )
        return message

    async def delete(self, uids: Iterable[int]) -> None:
        """Forget messages for good."""
        gone = list(uids)
        await super().delete(gone)
        self._store.executemany("DELETE FROM message WHERE mailbox = ? AND uid = ?", [(self.row, uid) for uid in gone])

    def _remember(self, uid: int, flags: str, received: str, content: bytes) -> None:
        parsed = MessageContent.parse(content)
        self._messages[uid] = Message(
            uid,
            datetime.fromisoformat(received),
            frozenset(Flag(word) for word in flags.split()),
            email_id=self._content_cache.add(parsed),
            thread_id=self._thread_cache.add(parsed),
            content=parsed,
        )
        self._mod_sequences.update([uid])

    def _keep_last_uid(self) -> None:
        self._store.execute("UPDATE mailbox SET last_uid = ? WHERE id = ?", [self._max_uid, self.row])


class KeptMailboxSet(MailboxSet):
    """One person's mailboxes."""

    def __init__(self, store: sqlite3.Connection, person: str) -> None:
        super().__init__()
        self.store = store
        self._person = person
        rows = store.execute("SELECT name, id, uidvalidity, last_uid FROM mailbox WHERE person = ?", [person])
        boxes = {name: KeptMailbox(self, row, uidvalidity, last_uid) for name, row, uidvalidity, last_uid in rows}
        self._inbox = boxes.pop("INBOX") if "INBOX" in boxes else self._new_mailbox("INBOX")
        self._set.update(boxes)
        subscribed = store.execute("SELECT name FROM subscription WHERE person = ?", [person])
        self._subscribed = {name: True for (name,) in subscribed}

    async def set_subscribed(self, name: str, subscribed: bool) -> None:
        """Keep whether the person wants to see a mailbox listed."""
        await super().set_subscribed(name, subscribed)
        change = "INSERT OR IGNORE INTO subscription VALUES (?, ?)"
        if not subscribed:
            change = "DELETE FROM subscription WHERE person = ? AND name = ?"
        self.store.execute(change, [self._person, name])

    async def add_mailbox(self, name: str) -> ObjectId:
        """Make a mailbox; ValueError when there is one of that name."""
        if name in self._set:
            raise ValueError(name)
        self._set[name] = mailbox = self._new_mailbox(name)
        return mailbox.mailbox_id

    async def delete_mailbox(self, name: str) -> None:
        """Remove a mailbox with its messages; KeyError when there is none."""
        await super().delete_mailbox(name)
        self.store.execute("DELETE FROM mailbox WHERE person = ? AND name = ?", [self._person, name])

    async def rename_mailbox(self, before: str, after: str) -> None:
        """Keep new names; renaming INBOX moves its messages and leaves it empty (RFC 9051 §6.3.6)."""
        await super().rename_mailbox(before, after)
        # In two steps, since a new name may be another's old one.
        named = [(name, box.row) for name, box in self._set.items() if isinstance(box, KeptMailbox)]
        self.store.executemany(
            "UPDATE mailbox SET name = 'being renamed ' || id WHERE id = ?", [(row,) for _, row in named]
        )
        self.store.executemany("UPDATE mailbox SET name = ? WHERE id = ?", named)
        if not isinstance(self._inbox, KeptMailbox):
            self._inbox = self._new_mailbox("INBOX")

    def _new_mailbox(self, name: str) -> KeptMailbox:
        fresh = MailboxData(self._content_cache, self._thread_cache)
        row = self.store.execute(
            "INSERT INTO mailbox (person, name, uidvalidity, last_uid) VALUES (?, ?, ?, ?) RETURNING id",
            [self._person, name, fresh.uid_validity, fresh._max_uid],
        ).fetchone()[0]
        return KeptMailbox(self, row, fresh.uid_validity, fresh._max_uid)


def _words(message: Message) -> str:
    return " ".join(str(flag) for flag in message.permanent_flags)
