"""A message sent on as it is (RFC 5322 §3.6.6): its octets stay, a block of Resent- fields goes on top."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from .carrying import with_crlf
from .compose import Outgoing, envelope_recipients, needs_utf8, own_id_field
from .field_writing import address_field, wire_address
from .types import Address

# What mail servers wrote on the message's last way. Delivered-To would be taken for a loop on the next one.
_TRACES = re.compile(
    rb"^(?:Return-Path|Delivered-To|X-Original-To|X-Delivered-To|Envelope-To|Bcc|Resent-Bcc|Status|X-Status)[ \t]*:"
    rb"[^\n]*\n(?:[ \t][^\n]*\n)*",
    re.IGNORECASE | re.MULTILINE,
)
_CRS = re.compile(rb"\r+\n")
_LONE_CR = re.compile(rb"\r(?!\n)")


@dataclass(frozen=True, slots=True)
class Resent:
    """Who sends it on to whom, when; the identifier without brackets."""

    message_id: str
    date: datetime
    from_: Address
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()


def resend(raw: bytes, resent: Resent) -> Outgoing:
    """The message with its new envelope.

    Args:
        raw: the message as the server keeps it.

    Raises:
        Forbidden: a name or an address may not go out.
    """
    # No server may be sent NUL or a lone CR; all else stays as it was.
    message = _CRS.sub(b"\r\n", b"".join(with_crlf([raw.replace(b"\0", b"")]))).lstrip(b"\r\n")
    head, _, body = message.partition(b"\r\n\r\n")
    head, body = _LONE_CR.sub(b" ", head), _LONE_CR.sub(b"\r\n", body)
    head = _TRACES.sub(b"", head + b"\r\n")
    block = "".join(
        (
            address_field("Resent-From", [resent.from_]),
            address_field("Resent-To", resent.to) if resent.to else "",
            address_field("Resent-Cc", resent.cc) if resent.cc else "",
            f"Resent-Date: {format_datetime(resent.date)}\r\n",
            own_id_field("Resent-Message-ID", resent.message_id),
        )
    ).encode()
    sender = wire_address(resent.from_.address)
    recipients = envelope_recipients((*resent.to, *resent.cc, *resent.bcc))
    octets = block + head + b"\r\n" + body
    return Outgoing(octets, sender, recipients, needs_utf8(block, sender, recipients), not octets.isascii())
