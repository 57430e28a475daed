"""Read receipts (RFC 8098): whether a message asks for one and whom it is for, and the receipt's octets.

A receipt tells a stranger that somebody is there. So it is only ever written for one address, never about mail that
went to many or that a machine sent, and it holds nothing of the message but its identifier and subject.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from .addresses import addresses
from .body_parts import Entity, multipart, text_part
from .compose import Outgoing, needs_utf8, own_id_field
from .field_writing import address_field, id_field, text_field, wire_address
from .fields import Field
from .mail_address import deliverable, normalise
from .mailing_list import is_mass_mail
from .types import Address

ASKS = "disposition-notification-to"
_OPTIONS = "disposition-notification-options"
_ORIGINAL = re.compile(r"[A-Za-z0-9-]{1,20};[ ]?[!-~]{1,300}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A receipt is asked for.

    Args:
        to: whom it goes to. is_sender: that is where the message itself came from, by what the last mail server noted
            (Return-Path); else only a person may say that it is sent (RFC 8098 §2.1).
    """

    to: Address
    is_sender: bool
    original_recipient: str = ""  # as the last mail server noted it ("rfc822; alice@demo.test"), or ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says: that `from_` has opened the message `original` at `date`; identifiers without brackets.

    Args:
        by_itself: nobody was asked whether it is sent. original_recipient: see `Asked`.
    """

    message_id: str
    date: datetime
    from_: Address
    to: Address
    original: str = ""
    subject: str = ""
    by_itself: bool = False
    original_recipient: str = ""


def asked(header: Sequence[Field]) -> Asked | None:
    """Whether the message asks for a receipt that may be sent. Never raises."""
    raw = [field.raw for field in header if field.name.lower() == ASKS]
    if not raw or is_mass_mail(header) or any(_requires(field) for field in header):
        return None
    found = {key: each for each in addresses(", ".join(raw)) if (key := _key(each.address))}
    if len(found) != 1:  # one each would be a message to many, at somebody else's wish
        return None
    [(key, to)] = found.items()
    back = next((field.raw for field in header if field.name.lower() == "return-path"), "")
    noted = next((field.raw for field in header if field.name.lower() == "original-recipient"), "")
    return Asked(to, key == _key(back.strip().strip("<>")), noted if _ORIGINAL.fullmatch(noted) else "")


def write_receipt(receipt: Receipt) -> Outgoing:
    """The receipt as it goes out, from nobody, so that nothing comes back (RFC 8098 §3).

    Raises:
        Forbidden: a value may not stand in a header field, or an address can't be written to.
    """
    opened_by = wire_address(receipt.from_.address)
    said = f"about “{receipt.subject}”" if receipt.subject else "about your message"
    words = (
        f"This is a receipt {said}.\n\nIt was opened by {opened_by} on {format_datetime(receipt.date)}. "
        "That doesn't say that it was read or understood.\n"
    )
    mode = "MDN-sent-automatically" if receipt.by_itself else "MDN-sent-manually"
    noted = receipt.original_recipient if _ORIGINAL.fullmatch(receipt.original_recipient) else ""
    facts = (
        (f"Original-Recipient: {noted}\r\n" if noted else "") + f"Final-Recipient: {_typed(opened_by)}\r\n"
        f"{id_field('Original-Message-ID', [receipt.original] if receipt.original else [])}"
        f"Disposition: manual-action/{mode}; displayed\r\n"
    )
    notice = Entity("Content-Type: message/disposition-notification\r\n", facts.encode())
    parameters = [("report-type", "disposition-notification")]
    body = multipart("report", [text_part(words), notice], receipt.message_id, parameters)
    answers = [receipt.original] if receipt.original else []
    head = (
        address_field("From", [receipt.from_]),
        address_field("To", [receipt.to]),
        text_field("Subject", f"Read: {receipt.subject}".rstrip(" :")),
        f"Date: {format_datetime(receipt.date)}\r\n",
        own_id_field("Message-ID", receipt.message_id),
        id_field("In-Reply-To", answers),
        id_field("References", answers),
        "Auto-Submitted: auto-replied\r\n",
        "MIME-Version: 1.0\r\n",
        body.head,
    )
    header, recipients = "".join(head).encode(), (wire_address(receipt.to.address),)
    return Outgoing(header + b"\r\n" + body.body, "", recipients, needs_utf8(header, "", recipients))


def _requires(field: Field) -> bool:
    """Whether it asks for something that nobody here knows (RFC 8098 §2.2): then no receipt would be right."""
    return field.name.lower() == _OPTIONS and "required" in field.raw.lower()


def _key(address: str) -> str:
    try:
        return normalise(deliverable(address))
    except ValueError:
        return ""


def _typed(address: str) -> str:
    """With its type; other letters than ASCII as RFC 6533 §3 spells them."""
    if address.isascii():
        return f"rfc822; {address}"
    return "utf-8; " + "".join(char if char.isascii() else f"\\x{{{ord(char):X}}}" for char in address)
