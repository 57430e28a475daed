"""A mailbox, or chosen messages, as one file: an mbox, or a zip of .eml files. Streamed, in flat memory.

Connections are borrowed for a few messages at a time, so that a slow reader holds up nobody. What is gone by the time
its turn comes is left out.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain

from zipstream import ZIP_STORED, ZipStream

from webmail.models import Mailbox, Message
from webmail.models.message import PROVISIONAL
from webmail.protocol import text
from webmail.protocol.errors import NoSuchMessage

from . import pools
from .acts import mailbox_of
from .cursors import FILTERS
from .jobs import Messages
from .selecting import Selection

FORMATS = {"mbox": "One mbox file", "zip": "A zip of .eml files"}
AT_ONCE = 50  # messages for which a connection is borrowed
_SHORT = 4096  # octets of a line that is waited for before its beginning is looked at
_FROM = re.compile(rb"^(>*From )", re.MULTILINE)


def export(groups: Sequence[Messages], form: str) -> Iterator[bytes]:
    """The file, piece by piece.

    Args:
        groups: messages of one mailbox each, or selections. A selection of all is all that the server has.
        form: a key of FORMATS.

    Raises:
        ProtocolError: with the first piece, or later.
    """
    found = chain.from_iterable(map(_messages, groups))
    return _as_mbox(found) if form == "mbox" else _as_zip(found)


class Mbox:
    """One message as mbox has it ("mboxrd", RFC 4155 with Unix line ends): fed piece by piece."""

    def __init__(self) -> None:
        self._kept = b""
        self._in_line = False

    def feed(self, piece: bytes) -> bytes:
        """What of it can be written by now."""
        data = self._kept + piece
        end = data.rfind(b"\n") + 1
        if not end and len(data) > _SHORT:
            end = len(data) - data.endswith(b"\r")
        self._kept = data[end:]
        return self._quoted(data[:end])

    def finish(self) -> bytes:
        """The rest, and the empty line between two messages."""
        rest = self._quoted(self._kept)
        return rest + (b"\n\n" if self._in_line else b"\n")

    def _quoted(self, data: bytes) -> bytes:
        if not data:
            return b""
        head = b""
        if self._in_line:
            head, newline, data = data.partition(b"\n")
            head += newline
        self._in_line = not (data or head).endswith(b"\n")
        return (head + _FROM.sub(rb">\1", data)).replace(b"\r\n", b"\n")


def _as_mbox(found: Iterator[tuple[str, Message | None, Iterator[bytes]]]) -> Iterator[bytes]:
    for _, row, pieces in found:
        when = row.date if row is not None else datetime.now(UTC)
        sender = re.sub(r"[^!-~]+", "", row.sender_address if row is not None else "") or "MAILER-DAEMON"
        mbox, begun = Mbox(), False
        try:
            for piece in pieces:
                if not begun:
                    begun = True
                    yield f"From {sender} {time.asctime(when.astimezone(UTC).timetuple())}\n".encode()
                yield mbox.feed(piece)
        except NoSuchMessage:
            continue
        if begun:
            yield mbox.finish()


def _as_zip(found: Iterator[tuple[str, Message | None, Iterator[bytes]]]) -> Iterator[bytes]:
    archive = ZipStream(compress_type=ZIP_STORED)
    for name, _, pieces in found:
        try:
            first = next(pieces, b"")
        except NoSuchMessage:
            continue
        archive.add(chain([first], pieces), name)
        yield from archive.file()
    yield from archive.finalize()


def _messages(group: Messages) -> Iterator[tuple[str, Message | None, Iterator[bytes]]]:
    """File name, row where there is one, and octets of each message. Each is read to its end before the next."""
    number = 0
    for mailbox, uids in _places(group):
        for start in range(0, len(uids), AT_ONCE):
            batch = uids[start : start + AT_ONCE]
            rows = {row.uid: row for row in mailbox.messages.filter(uid__in=batch)}
            with pools.lend(mailbox.account, mailbox.name) as imap:
                for uid in batch:
                    number += 1
                    row = rows.get(uid)
                    subject = (row.subject if row is not None else "") or f"message {uid}"
                    name = text.clean_filename(f"{number:05} {subject[:80]}.eml")
                    yield name, row, imap.stream(mailbox.name, mailbox.uidvalidity, uid, "")


def _places(group: Messages) -> list[tuple[Mailbox, list[int]]]:
    """The mailboxes that the server has these messages in, where a job may not have put them yet, with their UIDs."""
    mailbox = mailbox_of(group)
    if not isinstance(group, Selection):
        places: dict[int, tuple[Mailbox, list[int]]] = {}
        for row in group:
            place = row.server_mailbox
            assert place is not None
            places.setdefault(place.pk, (place, []))[1].append(row.server_uid)
        return [(place, sorted(uids)) for place, uids in places.values()]
    if group.only == "all":
        with pools.lend(mailbox.account, mailbox.name) as imap:
            mailbox.uidvalidity = imap.select(mailbox.name).uidvalidity
            return [(mailbox, imap.uids(mailbox.name, mailbox.uidvalidity))]
    rows = Message.objects.filter(FILTERS[group.only], mailbox=mailbox, uid__lt=PROVISIONAL)
    return [(mailbox, list(rows.order_by("uid").values_list("uid", flat=True)))]
