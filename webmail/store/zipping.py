"""All attachments of a message as one archive: written while it is read, over one connection, in flat memory."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import PurePath

from zipstream import ZIP_STORED, ZipStream

from webmail.models import Message
from webmail.protocol.errors import ConnectionLost

from . import pools
from .enclosed import decoded
from .fetching import NotThere, mailbox_of
from .listed import listed

LONGEST = 30 * 60.0  # seconds that one archive may hold a connection, however slow its reader


def archive(message: Message, inside: str = "") -> Iterator[bytes]:
    """The archive, piece by piece. Nothing is compressed: most attachments are already.

    Args:
        inside: the section of a message inside the message, whose attachments are meant.

    Raises:
        NotThere: the message has no attachments. ProtocolError: with the first piece, or later.
    """
    items = listed(message, inside).everything
    if not items:
        raise NotThere
    mailbox = mailbox_of(message)
    with pools.lend(message.account, mailbox.name) as imap:
        until = time.monotonic() + LONGEST

        def octets_of(section: str) -> Iterator[bytes]:
            return _in_time(imap.stream(mailbox.name, mailbox.uidvalidity, message.server_uid, section), until)

        pieces = [decoded(message, item, octets_of) for item in items]
        # Asked for before anything is said: if it can't be read, the answer is a page and not a stump.
        first = next(pieces[0], b"")
        pieces[0] = chain([first], pieces[0])
        stream = ZipStream(compress_type=ZIP_STORED)
        for item, name, data in zip(items, unique_names([item.name for item in items]), pieces, strict=True):
            # With a size the header needs no 64-bit fields, which some programs that unpack don't know.
            stream.add(data, name, size=item.size)
        yield from stream


def unique_names(names: Sequence[str]) -> list[str]:
    """Each name once: the second "plan.pdf" (or "Plan.PDF") becomes "plan (2).pdf"."""
    taken: set[str] = set()
    unique = []
    for name in names:
        path, candidate, number = PurePath(name), name, 1
        while candidate.casefold() in taken:
            number += 1
            candidate = f"{path.stem} ({number}){path.suffix}"
        taken.add(candidate.casefold())
        unique.append(candidate)
    return unique


def _in_time(chunks: Iterator[bytes], until: float) -> Iterator[bytes]:
    for chunk in chunks:
        if time.monotonic() > until:
            raise ConnectionLost(detail="the archive took too long")
        yield chunk
