"""Mail in the charsets of its time: what the email package would never write today, in bytes as they were sent."""

from __future__ import annotations

import base64
import quopri
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from webmail.demo.mail.letters import message_id, sender_date
from webmail.demo.mail.people import CAST, Person


@dataclass(frozen=True, slots=True)
class Foreign:
    """A message in some charset.

    `charset` is what the message says, `codec` what Python calls the bytes that it really holds; `encoding` is the
    Content-Transfer-Encoding: 7bit, 8bit, base64 or quoted-printable; `raw_headers` leaves names and subject
    undeclared, in the bytes of the charset (RFC 5322 forbids it, mail of the nineties did it).
    """

    key: str
    sender: Person
    subject: str
    date: datetime
    text: str
    charset: str
    codec: str
    encoding: str = "8bit"
    subtype: str = "plain"
    raw_headers: bool = False
    extra: Sequence[str] = ()


def write(mail: Foreign) -> bytes:
    """The bytes of the message, with CRLF line ends.  Raises UnicodeEncodeError if the charset lacks a letter."""
    to = CAST["alice"]
    head = [
        f"Received: from out.{mail.sender.domain} by mx.demo.test with ESMTP; {format_datetime(mail.date)}".encode(),
        f"Date: {format_datetime(sender_date(mail.sender, mail.date))}".encode(),
        b"From: " + _words(mail, mail.sender.name) + f" <{mail.sender.email}>".encode(),
        f"To: {to.name} <{to.email}>".encode(),
        b"Subject: " + _words(mail, mail.subject),
        f"Message-ID: {message_id(mail.key, mail.sender.domain)}".encode(),
        b"MIME-Version: 1.0",
        f"Content-Type: text/{mail.subtype}; charset={mail.charset}".encode(),
        f"Content-Transfer-Encoding: {mail.encoding}".encode(),
        *(line.encode() for line in mail.extra),
    ]
    return b"\r\n".join([*head, b"", _body(mail)])


def _words(mail: Foreign, text: str) -> bytes:
    if mail.raw_headers:
        return text.encode(mail.codec)
    encoded = Header(text, mail.codec if not text.isascii() else "us-ascii", maxlinelen=70).encode(linesep="\r\n")
    # Names as people know them: Python's codec names are not always what a charset is called in mail.
    return encoded.replace(f"=?{mail.codec}?", f"=?{mail.charset}?").encode("ascii")


def _body(mail: Foreign) -> bytes:
    data = (mail.text.strip("\n") + "\n").replace("\n", "\r\n").encode(mail.codec)
    if mail.encoding == "base64":
        return base64.encodebytes(data).replace(b"\n", b"\r\n")
    if mail.encoding == "quoted-printable":
        return quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    return data
