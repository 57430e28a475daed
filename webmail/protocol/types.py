"""The nouns of the wire as frozen values. Everything that leaves `protocol` is made of these."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime


class Security(enum.StrEnum):
    """How a connection is protected."""

    TLS = "tls"  # implicit TLS (RFC 8314 §3), the default
    STARTTLS = "starttls"  # only where the provider says so
    NONE = "none"  # refused unless the connected address is loopback


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect. Treated as hostile input although an administrator typed it.

    Args:
        host: DNS name or IP literal.
        port: TCP port.
        security: how the connection is protected.
        ca_pem: PEM of the only CA to trust, or "" for the system's.
        allow_private: an administrator allows private and loopback addresses for this server.
    """

    host: str
    port: int
    security: Security = Security.TLS
    ca_pem: str = ""
    allow_private: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    """A name and its password. The password never appears in a repr, so never in a log or a traceback.

    `is_token`: the password is an OAuth 2 access token, for a server that takes those (XOAUTH2).
    """

    username: str
    password: str = field(repr=False)
    is_token: bool = False


class Role(enum.StrEnum):
    """What a mailbox is for (RFC 6154 special-use; INBOX by its name)."""

    INBOX = "inbox"
    DRAFTS = "drafts"
    SENT = "sent"
    ARCHIVE = "archive"
    JUNK = "junk"
    TRASH = "trash"


class Space(enum.StrEnum):
    """Whose mailboxes a namespace holds (RFC 2342)."""

    OWN = "own"
    OTHER = "other"
    SHARED = "shared"


class Flag(enum.StrEnum):
    """The flags we have columns for. Everything else a message carries is a keyword (a plain str)."""

    SEEN = "seen"
    ANSWERED = "answered"
    FLAGGED = "flagged"
    DELETED = "deleted"
    DRAFT = "draft"
    FORWARDED = "forwarded"  # the keyword $Forwarded (RFC 5788 registry)


@dataclass(frozen=True, slots=True)
class Flags:
    """All flags of one message.

    Args:
        set: the known ones that are set.
        keywords: the others, as the server spells them, without system flags and `\\Recent`.
    """

    set: frozenset[Flag] = frozenset()
    keywords: frozenset[str] = frozenset()

    def __contains__(self, flag: Flag) -> bool:
        return flag in self.set


@dataclass(frozen=True, slots=True)
class Address:
    """One address of a header field; `address` is "" where the field held none ("undisclosed-recipients:;")."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a header block says, decoded and bounded (RFC 5322 §3.6). Missing fields are "" or ()."""

    subject: str = ""
    from_: tuple[Address, ...] = ()
    sender: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    date: datetime | None = None  # aware; None where absent or unreadable
    message_id: str = ""  # without angle brackets
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    list_id: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One node of a message's MIME tree (BODYSTRUCTURE, RFC 9051 §7.5.2).

    Args:
        section: "1.2" as FETCH wants it; "" for a multipart root, "2.TEXT" for the multipart inside the
            message/rfc822 part "2" (its children are "2.1", "2.2", …).
        type: "text/plain", lower case. size: encoded octets. encoding: lower case, "7bit" if absent.
        charset: as declared, lower case, or "".
        disposition: "inline", "attachment" or "". filename: decoded, not yet cleaned, or "".
        content_id: without angle brackets, or "".
        params: the Content-Type parameters that matter, lower case (format, report-type, method, smime-type, …).
        children: the parts of a multipart; the one body of a message/rfc822.
    """

    section: str
    type: str
    encoding: str = "7bit"
    size: int = 0
    charset: str = ""
    disposition: str = ""
    filename: str = ""
    content_id: str = ""
    params: tuple[tuple[str, str], ...] = ()
    children: tuple[Part, ...] = ()

    @property
    def text_charset(self) -> str:
        """The charset that the first text part declares, or ""."""
        return next((part.charset for part in self.walk() if part.charset and part.type.startswith("text/")), "")

    def walk(self) -> Iterator[Part]:
        """This part, then its descendants, in document order; iterative, so depth costs no stack."""
        stack = [self]
        while stack:
            part = stack.pop()
            yield part
            stack.extend(reversed(part.children))


@dataclass(frozen=True, slots=True)
class MessageData:
    """One message of a FETCH response. What was not asked for is None.

    Args:
        uid: never 0. internal_date: aware UTC. size: octets (RFC822.SIZE). modseq: 0 without CONDSTORE.
        header: raw bytes of the header fields asked for.
    """

    uid: int
    flags: Flags | None = None
    internal_date: datetime | None = None
    size: int = 0
    modseq: int = 0
    header: bytes | None = None
    structure: Part | None = None


@dataclass(frozen=True, slots=True)
class MailboxStatus:
    """STATUS (RFC 9051 §6.3.11). None where the server did not say."""

    messages: int | None = None
    unseen: int | None = None
    uidnext: int | None = None
    uidvalidity: int | None = None
    highestmodseq: int | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """How much room an account takes and may take, in octets. `limit` is above 0."""

    used: int
    limit: int


@dataclass(frozen=True, slots=True)
class MailboxInfo:
    """One line of LIST (RFC 9051 §6.3.9) with its STATUS.

    Args:
        name: decoded from modified UTF-7, as the person sees it and as every verb takes it. One that begins with
            U+FFFD is no proper modified UTF-7: the server's own octets follow, one by one.
        delimiter: hierarchy delimiter, "" for a flat name.
        object_id: OBJECTID's MAILBOXID (RFC 8474) or "".
        space: whose it is; OWN where the server has no namespaces.
    """

    name: str
    delimiter: str = "/"
    role: Role | None = None
    selectable: bool = True
    subscribed: bool = True
    object_id: str = ""
    status: MailboxStatus | None = None
    space: Space = Space.OWN


@dataclass(frozen=True, slots=True)
class Selected:
    """What SELECT or EXAMINE answered."""

    name: str
    uidvalidity: int
    uidnext: int  # 0 where the server did not say
    exists: int
    highestmodseq: int = 0  # 0: no CONDSTORE here (or NOMODSEQ)
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class FlagChange:
    """The flags of one message as the server has them now."""

    uid: int
    flags: Flags
    modseq: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed and vanished since a MODSEQ (RFC 7162).

    Args:
        changed: every message whose flags changed, ascending MODSEQ.
        vanished: UIDs expunged since then; None where the server can't say (no QRESYNC): compare UIDs instead.
        highestmodseq: the mailbox's value now.
    """

    changed: tuple[FlagChange, ...] = ()
    vanished: tuple[int, ...] | None = None
    highestmodseq: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a connection test, for the administrator.

    Args:
        name: "DNS", "TCP", "TLS", … ok: whether it worked. milliseconds: how long it took.
        detail: what was found, or what went wrong in the server's words. advice: what to do about a failure, or "".
    """

    name: str
    ok: bool
    milliseconds: float
    detail: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part a person can download: `name` is cleaned and never empty, `size` is decoded octets (estimated).

    `full_name` is the name as the message gives it, decoded; `encoded_size` the octets it takes in the message.
    """

    section: str
    name: str
    type: str
    size: int
    encoding: str = "7bit"
    content_id: str = ""
    inline: bool = False
    full_name: str = ""
    charset: str = ""
    encoded_size: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """What of a message is shown and what is offered, chosen from its structure alone.

    Args:
        html: the first part to show as HTML, or None. text: the plain-text parts to show, in order (empty beside html).
        inline: parts that HTML refers to by Content-ID. attachments: what is listed below the message.
        alternative: the plain text beside the HTML, for "show as plain text".
        sequence: all texts to show, HTML and plain, and the pictures between them, in order.
        cards: attachments that are shown as cards (`kinds.card_kind`). messages: those that are messages.
        opened: a container (S/MIME, TNEF) to be opened along with the message. closed: those that wait to be asked for.
        signed: the multipart/signed, or None. all_signed: it holds all of the message, not a part of it.
    """

    html: Part | None = None
    text: tuple[Part, ...] = ()
    alternative: Part | None = None
    inline: tuple[Attachment, ...] = field(default=())
    attachments: tuple[Attachment, ...] = field(default=())
    note: str = ""  # one sentence where something can't be shown ("This message is encrypted.")
    sequence: tuple[Part, ...] = ()
    cards: tuple[Part, ...] = ()
    messages: tuple[Part, ...] = ()
    opened: Part | None = None
    closed: tuple[Part, ...] = ()
    signed: Part | None = None
    all_signed: bool = False
