"""How a demo message becomes bytes: headers, text and HTML halves, inline pictures and attached files.

The one law of this room: the same `now` gives the same bytes, so boundaries and Message-IDs come from a key that
the author names, never from chance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from webmail.demo.mail.people import CAST, Person

SEEN = ("\\Seen",)
UNREAD: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoMail:
    """One message to put into a demo mailbox: whose, where, its bytes (CRLF), IMAP flags and INTERNALDATE."""

    user: str
    mailbox: str
    raw: bytes
    flags: tuple[str, ...]
    date: datetime


@dataclass(frozen=True, slots=True)
class File:
    """Something attached; with a `cid` it is shown inside the HTML half as "cid:<that>" instead."""

    name: str
    type: str
    data: bytes
    cid: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as its author thinks of it.

    `key` is unique in the demo and fixes the Message-ID; `headers` are added as they are, after the usual ones;
    without `text` the message is HTML alone.
    """

    key: str
    sender: Person
    to: Sequence[Person]
    subject: str
    date: datetime
    text: str
    html: str = ""
    cc: Sequence[Person] = ()
    files: Sequence[File] = ()
    headers: Sequence[tuple[str, str]] = ()
    references: Sequence[str] = ()
    encoding: str | None = None
    text_params: dict[str, str] = field(default_factory=dict)

    @property
    def message_id(self) -> str:
        return message_id(self.key, self.sender.domain)


def message_id(key: str, domain: str) -> str:
    """The Message-ID that belongs to `key`, in angle brackets."""
    return f"<{digest(key)}@mail.{domain}>"


def digest(key: str, length: int = 20) -> str:
    """A few letters and figures that stay the same for the same key."""
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()[:length]


def sender_date(person: Person, date: datetime) -> datetime:
    """The same instant on the sender's own clock."""
    return date if person.zone is None else date.astimezone(timezone(timedelta(hours=person.zone)))


def build(letter: Letter) -> bytes:
    """The message in Internet format with CRLF line ends."""
    message = EmailMessage(policy=SMTP)
    _head(message, letter)
    if letter.text:
        message.set_content(letter.text.rstrip("\n") + "\n", charset="utf-8", cte=letter.encoding)
        for name, value in letter.text_params.items():
            message.set_param(name, value)
    if letter.html:
        _add_html(message, letter)
    for file in letter.files:
        if not file.cid:
            attach(message, file)
    fix_boundaries(message, letter.key)
    return message.as_bytes()


def attach(message: EmailMessage, file: File) -> None:
    """Add `file` as an attachment, text as text and everything else in base64."""
    kind, _, subtype = file.type.partition("/")
    if kind == "text":
        message.add_attachment(file.data.decode(), subtype=subtype, filename=file.name, charset="utf-8")
    else:
        message.add_attachment(file.data, kind, subtype, filename=file.name)


def fix_boundaries(message: EmailMessage, key: str) -> None:
    """Give every multipart inside a boundary made from `key`: the email package would throw dice."""
    for number, part in enumerate(message.walk()):
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            part.set_boundary(f"=_{digest(key, 16)}_{number}")


def deliver(
    letter: Letter, user: str, mailbox: str, flags: tuple[str, ...] = SEEN, *, keywords: Iterable[str] = ()
) -> DemoMail:
    """The letter in one user's mailbox; `user` is a key of the cast."""
    return DemoMail(CAST[user].email, mailbox, build(letter), (*flags, *keywords), letter.date)


def receive(letter: Letter, mailboxes: dict[str, str], flags: tuple[str, ...] = SEEN) -> list[DemoMail]:
    """The same letter for several users: `mailboxes` maps a key of the cast to where that person keeps it."""
    raw = build(letter)
    return [DemoMail(CAST[user].email, mailbox, raw, flags, letter.date) for user, mailbox in mailboxes.items()]


def _add_html(message: EmailMessage, letter: Letter) -> None:
    """The HTML half beside the text, or the whole body where there is no text, with the pictures it shows."""
    if letter.text:
        message.add_alternative(letter.html, subtype="html")
        *_, body = message.iter_parts()
    else:
        message.set_content(letter.html, subtype="html")
        body = message
    assert isinstance(body, EmailMessage)
    for file in letter.files:
        if file.cid:
            kind, _, subtype = file.type.partition("/")
            body.add_related(file.data, kind, subtype, cid=f"<{file.cid}>", filename=file.name, disposition="inline")


def _head(message: EmailMessage, letter: Letter) -> None:
    local = sender_date(letter.sender, letter.date)
    own = letter.sender.domain == "demo.test"
    if not own:
        message["Return-Path"] = f"<{letter.sender.email}>"
        message["Received"] = (
            f"from out.{letter.sender.domain} (out.{letter.sender.domain} [192.0.2.{len(letter.key) + 20}])"
            f" by mx.demo.test with ESMTPS id {digest(letter.key, 12)}; {format_datetime(letter.date)}"
        )
        if not any(name == "Authentication-Results" for name, _ in letter.headers):
            message["Authentication-Results"] = (
                f"mx.demo.test; dkim=pass header.d={letter.sender.domain};"
                f" spf=pass smtp.mailfrom={letter.sender.domain}"
            )
    message["Date"] = local
    message["From"] = letter.sender.address
    if letter.to:
        message["To"] = _addresses(letter.to)
    if letter.cc:
        message["Cc"] = _addresses(letter.cc)
    message["Subject"] = letter.subject
    message["Message-ID"] = letter.message_id
    if letter.references:
        message["In-Reply-To"] = letter.references[-1]
        message["References"] = " ".join(letter.references)
    if letter.sender.program:
        message["User-Agent"] = letter.sender.program
    for name, value in letter.headers:
        message[name] = value


def _addresses(people: Sequence[Person]) -> tuple[Address, ...]:
    return tuple(person.address for person in people)
