"""What a person wrote as the octets of a message (RFC 5322, RFC 2045–2049, RFC 2231), the same each time.

The octets that are kept are the octets that are sent: they are made once, from a draft's values, with the identifier,
date and zone that were fixed when it was sent. They name neither the person's computer nor this program, and Bcc stands
in the envelope alone. Every value passes a guard on its way (`field_writing`).
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from uuid import UUID

from .body_parts import File, body_of
from .errors import Forbidden
from .field_writing import address_field, id_field, text_field, wire_address
from .mail_address import domain_of, normalise
from .types import Address

__all__ = ["File", "Letter", "Outgoing", "Priority", "message_id", "write", "write_draft"]

_OWN_ID = re.compile(r"[A-Za-z0-9._-]{1,100}@[A-Za-z0-9.-]{1,255}")
NOBODY = "undisclosed-recipients:;"
DRAFT_KEY = "X-Draft-Key"


class Priority(enum.StrEnum):
    """How urgent the sender says it is."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


# The first is what most programs show, the second what Outlook does (RFC 4021 §2.1.54).
_PRIORITY = {
    Priority.HIGH: "X-Priority: 1 (Highest)\r\nImportance: high\r\n",
    Priority.NORMAL: "",
    Priority.LOW: "X-Priority: 5 (Lowest)\r\nImportance: low\r\n",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """All that decides what a message is.

    Args:
        message_id: without angle brackets; see `message_id`. date: aware, in the sender's own zone.
        text: the body in plain text, a line a paragraph; used where `html` is "".
        html: the body's inside, clean. Pictures in it are `cid:` and a file's content_id.
        in_reply_to, references: identifiers without brackets.
        wants_receipt: ask for a read receipt (RFC 8098 §2.1), to the From address.
    """

    message_id: str
    date: datetime
    from_: Address
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    files: tuple[File, ...] = ()
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    priority: Priority = Priority.NORMAL
    wants_receipt: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message and its envelope.

    Args:
        message: its octets. sender, recipients: addresses as MAIL FROM and RCPT TO get them, each recipient once. The
            sender is "" for what nobody may answer (RFC 5321 §4.5.5).
        needs_utf8: an address is written in other letters before its @ (SMTPUTF8, RFC 6531).
        is_8bit: it needs 8BITMIME (RFC 6152).
    """

    message: bytes
    sender: str
    recipients: tuple[str, ...]
    needs_utf8: bool = False
    is_8bit: bool = False


def message_id(unique: UUID, address: str) -> str:
    """The identifier of a message from `address`: of the sender's domain, for this machine's name is nobody's business.

    Raises:
        Forbidden: it is no mail address.
    """
    return f"{unique.hex}@{domain_of(wire_address(address))}"


def write(letter: Letter) -> Outgoing:
    """Make the message.

    Raises:
        Forbidden: a value may not stand in a header field, or an address can't be delivered to.
        ValueError: the date has no zone.
    """
    visible = (*letter.to, *letter.cc)
    header, body = _made(letter, "" if visible else f"To: {NOBODY}\r\n")
    sender = wire_address(letter.from_.address)
    recipients = envelope_recipients((*visible, *letter.bcc))
    return Outgoing(
        message=header + b"\r\n" + body,
        sender=sender,
        recipients=recipients,
        needs_utf8=needs_utf8(header, sender, recipients),
        is_8bit=not body.isascii(),
    )


def write_draft(letter: Letter, key: UUID) -> bytes:
    """The message as a draft in a mailbox, where its writer finds it again: with its Bcc, and the draft's key.

    Raises:
        Forbidden: a value may not stand in a header field. ValueError: the date has no zone.
    """
    bcc = address_field("Bcc", letter.bcc) if letter.bcc else ""
    header, body = _made(letter, f"{bcc}{DRAFT_KEY}: {key.hex}\r\n")
    return header + b"\r\n" + body


def _made(letter: Letter, more: str) -> tuple[bytes, bytes]:
    """Header, with `more` fields in it, and body."""
    if letter.date.tzinfo is None:
        raise ValueError("the date of a message has a zone")
    identifier = own_id_field("Message-ID", letter.message_id)
    body = body_of(letter.text, letter.html, letter.files, letter.message_id)
    head = [
        address_field("From", [letter.from_]),
        address_field("Reply-To", letter.reply_to) if letter.reply_to else "",
        address_field("To", letter.to) if letter.to else "",
        address_field("Cc", letter.cc) if letter.cc else "",
        more,
        text_field("Subject", letter.subject),
        f"Date: {format_datetime(letter.date)}\r\n",
        identifier,
        id_field("In-Reply-To", letter.in_reply_to),
        id_field("References", letter.references),
        _PRIORITY[letter.priority],
        address_field("Disposition-Notification-To", [Address("", letter.from_.address)])
        if letter.wants_receipt
        else "",
        "MIME-Version: 1.0\r\n",
        body.head,
    ]
    return "".join(head).encode(), body.body


def envelope_recipients(addresses: tuple[Address, ...]) -> tuple[str, ...]:
    """The addresses as RCPT TO gets them, in order, each person once.

    Raises:
        Forbidden: one can't be delivered to.
    """
    found: dict[str, str] = {}
    for each in addresses:
        address = wire_address(each.address)
        found.setdefault(normalise(address), address)
    return tuple(found.values())


def own_id_field(name: str, identifier: str) -> str:
    """A field with an identifier of our own making.

    Raises:
        Forbidden: it is none.
    """
    if not _OWN_ID.fullmatch(identifier):
        raise Forbidden("This is not the identifier of a message.")
    return id_field(name, [identifier])


def needs_utf8(header: bytes, sender: str, recipients: tuple[str, ...]) -> bool:
    """Whether only a server with SMTPUTF8 can take this."""
    return not (header.isascii() and sender.isascii() and all(address.isascii() for address in recipients))
