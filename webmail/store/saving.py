"""An attachment saved in a mailbox: filed once, whatever dies in between.

APPEND is the one change that is not the same twice. So before it goes out for the first time the job keeps the target's
UIDVALIDITY and UIDNEXT; from then on, before every try, the worker looks there from that UID on for the message it may
have filed already.

    first try ──▶ UIDNEXT kept ──▶ on_wire ──▶ APPEND ──▶ done
                                                 │ any doubt
                  found: done ◀── looked for ◀───┘
                  not there: APPEND again, the UIDNEXT kept as it was
                  target renumbered: nobody can tell ──▶ unclear

A message that is attached is filed as it is; any other file is carried by a message of its own, made of the job's row
and the file alone, so that it is the same each time.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from django.utils import timezone

from webmail.models import Account, Job, Mailbox, Message
from webmail.protocol import text
from webmail.protocol.appending import MOST_APPENDED
from webmail.protocol.carrying import HEADER_LIMIT, Carried, carry, with_crlf
from webmail.protocol.connection import Connection
from webmail.protocol.errors import Forbidden, NoSuchMailbox, ProtocolError
from webmail.protocol.types import Attachment, Flag

from . import pools, reading, sync, words
from .failpoints import reach

MESSAGES = frozenset(("message/rfc822", "message/global"))
LARGEST = 36 * 2**20  # octets of a file: in base64 it is a third larger
_CHECK_SECONDS = 2.0


class Unclear(Exception):
    """It may have been filed, and nobody can tell."""

    sentence = "The mailbox was renumbered while this was being saved. Look there for it before saving it again."


@dataclass(frozen=True, slots=True)
class _Mark:
    """How a message is known again: by its Message-ID, without one by its size and header."""

    message_id: str
    size: int
    digest: str


def arguments_of(message: Message, item: Attachment) -> dict[str, Any]:
    """What a job keeps of the attachment to be saved; the Message-ID and date of what carries it are made here.

    Raises:
        Forbidden: it is too large.
    """
    as_message = item.type in MESSAGES
    if item.size > (MOST_APPENDED if as_message else LARGEST):
        raise Forbidden(f"This file is too large to be saved in a mailbox: at most {words.size(LARGEST)} are possible.")
    domain = message.account.address.rpartition("@")[2] or "localhost"
    return {
        "section": item.section,
        "name": item.name,
        "type": item.type,
        "as": "message" if as_message else "file",
        "subject": f"Saved from: {message.subject or '(no subject)'}",
        "text": _origin(message, item),
        "message_id": f"saved.{uuid.uuid4().hex}@{domain}",
        "date": timezone.now().isoformat(timespec="seconds"),
    }


def save(account: Account, job: Job, on_wire: Callable[[], None], check: Callable[[], None]) -> dict[str, int]:
    """File what the job names; look first where it may have happened before.

    Args:
        on_wire: commits the job as it stands, before the first byte. check: raises when the account isn't ours any
            more.

    Returns:
        the evidence: UIDVALIDITY and UID of the message now, as far as the server says.

    Raises:
        Unclear: see there. NotThere: the attachment is gone. ProtocolError: sorted by what to do.
    """
    target = job.target
    if target is None:
        raise NoSuchMailbox
    with TemporaryFile() as spool:
        mark = _spool(account, job, spool)
        reach("append.spooled")
        with pools.lend(account) as imap:
            selected = imap.select(target.name, fresh=True)
            if job.target_uidnext:
                if selected.uidvalidity != job.target_uidvalidity:
                    raise Unclear
                found = _look(imap, target, job, mark)
                reach("append.looked")
                if found:
                    return {"uidvalidity": selected.uidvalidity, "uid": found, "looked": 1}
            else:
                job.target_uidvalidity = selected.uidvalidity
                job.target_uidnext = selected.uidnext or _next_uid(imap, target, selected.uidvalidity)
            on_wire()
            reach("append.on_wire")
            appended = imap.append(
                target.name,
                spool,
                flags=[Flag.SEEN],
                date=datetime.fromisoformat(job.arguments["date"]),
                check=_throttled(check),
            )
            reach("append.answered")
    return {"uidvalidity": appended.uidvalidity, "uid": appended.uid}


def show(job: Job) -> None:
    """Bring the index up to date of the mailbox in which something was saved; else its next visit will."""
    if job.target is not None and job.target.uidvalidity:
        job.target.account = job.account
        with suppress(ProtocolError):
            sync.refresh(job.target)


def _spool(account: Account, job: Job, spool: BinaryIO) -> _Mark:
    """Put the message to be filed into a file that has no name, and note how it is known again."""
    message = _source(account, job)
    _, octets = reading.attachment(message, job.arguments["section"])
    size, head = 0, b""
    for piece in _message_of(account, job, octets):
        size += len(piece)
        if size > MOST_APPENDED:
            raise Forbidden("This file is too large to be saved in a mailbox.")
        if len(head) < HEADER_LIMIT:
            head += piece
        spool.write(piece)
    header = head[:HEADER_LIMIT].partition(b"\r\n\r\n")[0]
    return _Mark(text.envelope(header + b"\r\n\r\n").message_id, size, _digest(header))


def _message_of(account: Account, job: Job, octets: Iterable[bytes]) -> Iterable[bytes]:
    arguments = job.arguments
    if arguments["as"] == "message":
        return with_crlf(octets)
    values = Carried(
        address=account.address,
        subject=arguments["subject"],
        text=arguments["text"],
        date=datetime.fromisoformat(arguments["date"]),
        message_id=arguments["message_id"],
        name=arguments["name"],
        type=arguments["type"],
    )
    return carry(values, octets)


def _source(account: Account, job: Job) -> Message:
    """The message that has the attachment; where its row is gone, one that asks the server for its structure."""
    assert job.mailbox is not None
    uid = job.uids[0]
    message = Message.objects.filter(mailbox=job.mailbox, uid=uid).first() or Message(uid=uid)
    message.account, message.mailbox = account, job.mailbox
    return message


def _look(imap: Connection, target: Mailbox, job: Job, mark: _Mark) -> int:
    """The UID of the message in the target, among those that came since the first try; 0 where it isn't."""
    uidvalidity = job.target_uidvalidity
    for found in imap.fetch_range(target.name, uidvalidity, job.target_uidnext, None):
        if mark.message_id:
            if text.envelope(found.header or b"").message_id == mark.message_id:
                return found.uid
        elif found.size == mark.size:
            header = imap.sections(target.name, uidvalidity, found.uid, {"HEADER": HEADER_LIMIT})["HEADER"]
            if _digest(header.partition(b"\r\n\r\n")[0]) == mark.digest:
                return found.uid
    return 0


def _next_uid(imap: Connection, target: Mailbox, uidvalidity: int) -> int:
    """UIDNEXT where SELECT didn't say it."""
    return max(imap.uids(target.name, uidvalidity), default=0) + 1


def _digest(header: bytes) -> str:
    return hashlib.sha256(header.strip()).hexdigest()


def _throttled(check: Callable[[], None]) -> Callable[[], None]:
    """`check` at most every few seconds, for it costs a query: whoever was asleep for longer asks before going on."""
    last = 0.0

    def now_and_then() -> None:
        nonlocal last
        reach("append.piece")
        if time.monotonic() - last > _CHECK_SECONDS:
            check()
            last = time.monotonic()

    return now_and_then


def _origin(message: Message, item: Attachment) -> str:
    sender = " ".join(filter(None, (message.sender_name, f"<{message.sender_address}>")))
    day = words.full_date(message.sent_at or message.date)
    return f"{item.name} came with “{message.subject or '(no subject)'}”\nfrom {sender}, {day}.\n"
