"""What strangers put into names, subjects and texts, sent as a person would send it, and read where it arrives (T8).

Names come from mail that is answered, from address books and from links; so they are typed here as the product itself
writes them into its fields. Whatever is sent is read at the mail server, by a parser that is not ours.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

from bench.faulty_smtp import Sink

if TYPE_CHECKING:
    from webmail.models import Account
    from webmail.store.drafts import Values

PAYLOADS = (
    "x\r\nBcc: eve@demo.test", "x\nBcc: eve@demo.test", "x\rBcc: eve@demo.test", "x\r\n\r\nbody", "x\0", "x\x0bBcc: e",
    "x\x0cBcc: e", "x\x85Bcc: eve@demo.test", "x\u2028Bcc: eve@demo.test", "x\u2029Bcc: eve@demo.test", "\ud800",
    "x\r\n Bcc: eve@demo.test", "=?utf-8?q?x=0D=0ABcc:_eve@demo.test?=", "=?utf-8?b?eA0KQmNjOiBldmVAZGVtby50ZXN0?=",
    'x" <eve@demo.test>, "', "x>, <eve@demo.test", "x, eve@demo.test", "x; eve@demo.test", "x: eve@demo.test;",
    "(eve@demo.test)", 'x\\" <eve@demo.test>', "x@demo.test>\r\nRCPT TO:<eve@demo.test", "%0d%0aBcc: eve@demo.test",
    'x";\r\n name="y', "x\r\n.\r\nMAIL FROM:<eve@demo.test>",
)  # fmt: skip
KNOWN = {
    "From", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version",
    "Content-Type", "Content-Transfer-Encoding", "Content-Disposition",
}  # fmt: skip
PEOPLE = {"bob@demo.test", "carol@demo.test", "dan@demo.test"}
FIELDS = (
    "subject", "to name", "cc name", "bcc name", "reply-to name", "from address", "identity name", "file name",
    "file type", "references", "text", "html",
)  # fmt: skip


def injected(account: Account, sink: Sink, payloads: Sequence[str] = PAYLOADS) -> dict[str, int]:
    """Send each payload in each field; what was sent, refused, and came out as more than it was."""
    before, sent = len(sink.letters), 0
    for field in FIELDS:
        for payload in payloads:
            sent += _send(account, field, payload)
    letters = sink.letters[before:]
    return {
        "injections": len(FIELDS) * len(payloads),
        "injections_sent": sent,
        "messages_taken": len(letters),
        "added_recipients": sum(len(set(recipients) - PEOPLE) for _, recipients, _ in letters),
        "added_senders": sum(sender != account.address for sender, _, _ in letters),
        "added_headers": sum(_added(octets) for _, _, octets in letters),
        "bare_line_ends": sum(_bare(octets) for _, _, octets in letters),
    }


def is_good(found: dict[str, Any]) -> bool:
    """Whether nothing became more than it was, and enough was sent to tell."""
    nothing = ("added_recipients", "added_senders", "added_headers", "bare_line_ends")
    return (
        not any(found[name] for name in nothing)
        and found["messages_taken"] == found["injections_sent"] >= found["injections"] // 2
    )


def _send(account: Account, field: str, payload: str) -> bool:
    """Send one message with the payload in the field; False where it is refused in a sentence."""
    from django.db import DataError  # noqa: PLC0415 - Django is set up by now

    from webmail.protocol import smtp  # noqa: PLC0415
    from webmail.protocol.compose import Outgoing  # noqa: PLC0415
    from webmail.protocol.errors import ProtocolError  # noqa: PLC0415
    from webmail.protocol.types import Login  # noqa: PLC0415
    from webmail.store import credentials, draft_files, drafts, identities, outbox  # noqa: PLC0415

    values = _values(field, payload)
    more = {"in_reply_to": (payload,), "references": (payload, "ok@demo.test")} if field == "references" else {}
    account.identities.all().delete()
    try:
        if field == "identity name":
            identities.save(account, address=account.address, name=payload)
        draft = drafts.start(account, values, form_key=uuid.uuid4().hex, **more)
        if field.startswith("file"):
            name, kind = (payload, "text/plain") if field == "file name" else ("a.txt", payload)
            draft_files.attach(account.user, draft.id, name, kind, b"x")
            draft = drafts.find(account.user, draft.id) or draft
        made = outbox.send(account.user, draft.id, version=draft.version, form_key=uuid.uuid4().hex)
    except (ProtocolError, ValueError, DataError):  # the last two: NUL and half a surrogate, which no form lets in
        return False
    outgoing = Outgoing(
        bytes(made.message or b""), made.sender, tuple(row[0] for row in made.recipients), made.needs_utf8, made.is_8bit
    )
    made.delete()
    smtp.submit(account.provider.smtp, Login(account.address, credentials.unseal(account)), outgoing)
    return True


def _values(field: str, payload: str) -> Values:
    from webmail.protocol.recipients import field_text  # noqa: PLC0415
    from webmail.protocol.types import Address  # noqa: PLC0415
    from webmail.store.drafts import Values  # noqa: PLC0415

    values = Values(to="bob@demo.test", subject="Ferry", text="At nine.")
    match field:
        case "subject":
            return replace(values, subject=payload)
        case "to name":
            return replace(values, to=field_text([Address(payload, "bob@demo.test")]))
        case "cc name":
            return replace(values, cc=field_text([Address(payload, "carol@demo.test")]))
        case "bcc name":
            return replace(values, bcc=field_text([Address(payload, "dan@demo.test")]))
        case "reply-to name":
            return replace(values, reply_to=field_text([Address(payload, "office@demo.test")]))
        case "from address":
            return replace(values, from_address=payload)
        case "text":
            return replace(values, text=payload)
        case "html":
            return replace(values, html=f"<p title='{payload}'>{payload}</p>", is_html=True)
    return values


def _added(octets: bytes) -> int:
    """Header fields of the message and its parts that we never write, or that stand twice; addresses of strangers."""
    mail, added = message_from_bytes(octets), 0
    for part in mail.walk():
        names = Counter(part.keys())
        added += sum(count for name, count in names.items() if name not in KNOWN)
        added += sum(count - 1 for name, count in names.items() if name in KNOWN)
    return added


def _bare(octets: bytes) -> int:
    return octets.count(b"\r") + octets.count(b"\n") - 2 * octets.count(b"\r\n")
