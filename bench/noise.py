"""Another client that changes mail all the time: what our index has to keep up with. IMAP by the standard library."""

from __future__ import annotations

import contextlib
import imaplib
import random
import re
import socket
import time
from collections import Counter
from collections.abc import Callable

from bench.mail import Mail, letters

KEYWORDS = ("$Work", "$Later", "Project")
FLAGS = (r"\Seen", r"\Flagged", r"\Answered", r"\Deleted", *KEYWORDS)
RECONNECT_SECONDS = 0.3


class Noise:
    """Changes the mail of one person: new mail, flags, moves, copies, deletions, mailboxes made, renamed and removed.

    Args:
        port: of the IMAP server itself. user, password: whose.
        mailboxes: which of theirs it works in; they exist.
        seed: of the random numbers.
    """

    def __init__(self, port: int, user: str, password: str, mailboxes: list[str], *, seed: int = 11) -> None:
        self.changes = 0
        self.kinds: Counter[str] = Counter()
        self._port, self._login = port, (user, password)
        self._mailboxes = list(mailboxes)
        self._own: list[str] = []
        self._made = 0
        self._random = random.Random(seed)
        self._mail = letters(1_000_000, seed=seed)
        self._imap: imaplib.IMAP4 | None = None
        self._acts: tuple[tuple[int, Callable[[], int]], ...] = (
            (30, self._deliver),
            (40, self._flag),
            (10, self._move),
            (6, self._copy),
            (12, self._expunge),
            (1, self._make),
            (1, self._rename),
            (1, self._remove),
        )

    def make(self, changes: int, *, seconds: float = 600.0, pause: float = 0.0) -> None:
        """Make so many changes; each message, flag or mailbox that changes counts as one.

        Args:
            seconds: the longest it may take. pause: after each command.

        Raises:
            TimeoutError: it took longer, the server having been away for too long.
        """
        goal, deadline = self.changes + changes, time.monotonic() + seconds
        while self.changes < goal:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.changes} changes made of {goal}")
            act = self._random.choices([act for _, act in self._acts], [weight for weight, _ in self._acts])[0]
            try:
                made = act()
            except (OSError, imaplib.IMAP4.abort):  # the server was killed; what it had done is done
                self._imap = None
                time.sleep(RECONNECT_SECONDS)
                continue
            self.changes += made
            self.kinds[act.__name__.strip("_")] += made
            time.sleep(pause)
        self.close()

    def close(self) -> None:
        """Log out."""
        if self._imap is not None:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                self._imap.logout()
            self._imap = None

    def _connection(self) -> imaplib.IMAP4:
        if self._imap is None:
            imap = imaplib.IMAP4("127.0.0.1", self._port, timeout=20)
            imap.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            imap.login(*self._login)
            self._imap = imap
        return self._imap

    def _some(self, mailbox: str, most: int) -> list[str]:
        """Select the mailbox and pick up to `most` of its UIDs, new ones more often."""
        imap = self._connection()
        if imap.select(f'"{mailbox}"')[0] != "OK":
            return []
        uids = imap.uid("SEARCH", "ALL")[1][0].split()
        if not uids:
            return []
        near = uids[-200:] if self._random.random() < 0.7 else uids
        chosen = self._random.sample(near, min(len(near), self._random.randint(1, most)))
        return [uid.decode() for uid in chosen]

    def _deliver(self) -> int:
        letter: Mail = next(self._mail)
        raw = re.sub(rb"Message-ID: <", b"Message-ID: <noise-%d-" % self._random.getrandbits(48), letter.raw, count=1)
        when = imaplib.Time2Internaldate(time.time())
        box = self._random.choice([*self._mailboxes, *self._own, "INBOX"])
        return int(self._connection().append(f'"{box}"', r"\Seen" if letter.seen else "", when, raw)[0] == "OK")

    def _flag(self) -> int:
        uids = self._some(self._random.choice(self._mailboxes), 12)
        if not uids:
            return 0
        sign, flag = self._random.choice("+-"), self._random.choice(FLAGS)
        self._connection().uid("STORE", ",".join(uids), f"{sign}FLAGS.SILENT", f"({flag})")
        return len(uids)

    def _move(self) -> int:
        return self._to_another("MOVE")

    def _copy(self) -> int:
        return self._to_another("COPY")

    def _to_another(self, verb: str) -> int:
        source, target = self._random.choice(self._mailboxes), self._random.choice([*self._mailboxes, *self._own])
        uids = self._some(source, 5) if source != target else []
        if not uids:
            return 0
        self._connection().uid(verb, ",".join(uids), f'"{target}"')
        return len(uids)

    def _expunge(self) -> int:
        uids = self._some(self._random.choice(self._mailboxes), 3)
        if not uids:
            return 0
        self._connection().uid("STORE", ",".join(uids), "+FLAGS.SILENT", r"(\Deleted)")
        self._connection().uid("EXPUNGE", ",".join(uids))
        return len(uids)

    def _make(self) -> int:
        self._made += 1
        name = f"Noise {self._made}"
        self._connection().create(f'"{name}"')
        self._own.append(name)
        return 1

    def _rename(self) -> int:
        if not self._own:
            return 0
        at = self._random.randrange(len(self._own))
        self._made += 1
        name = f"Noise {self._made} renamed"
        if self._connection().rename(f'"{self._own[at]}"', f'"{name}"')[0] == "OK":
            self._own[at] = name
        return 1

    def _remove(self) -> int:
        if len(self._own) < 3:
            return 0
        name = self._own.pop(self._random.randrange(len(self._own)))
        self._connection().delete(f'"{name}"')
        return 1
