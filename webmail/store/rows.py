"""From the wire's values to an index row's columns: decoded, cleaned, bounded, and no larger than needed."""

from __future__ import annotations

import re

from webmail.models import Mailbox, Message
from webmail.protocol import content, text
from webmail.protocol.types import Address, Flag, Flags, MessageData

FLAG_COLUMNS = (*(flag.value for flag in Flag), "keywords")
REFERENCES_KEPT = 20  # the first and the last ones: what threads are joined by

_REPLY_PREFIX = re.compile(
    r"^\s*(?:(?:re|fwd?|aw|wg|sv|vs|odp|antw|rif|res|tr|enc)(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE
)


def message_row(mailbox: Mailbox, data: MessageData) -> Message:
    """The index row of a message as FETCH described it.

    Args:
        data: with `header`, `flags` and `internal_date`.
    """
    header = data.header or b""
    charset = data.structure.text_charset if data.structure and not header.isascii() else ""
    envelope = text.envelope(header, charset)
    sender = (envelope.from_ or envelope.sender or (Address("", ""),))[0]
    structure = data.structure
    date = data.internal_date or envelope.date
    if date is None:
        raise ValueError("FETCH gave neither INTERNALDATE nor a Date field")
    references = envelope.references
    if len(references) > REFERENCES_KEPT:
        references = (references[0], *references[1 - REFERENCES_KEPT :])
    return Message(
        account_id=mailbox.account_id,
        mailbox=mailbox,
        uid=data.uid,
        modseq=data.modseq,
        date=date,
        sent_at=envelope.date,
        size=data.size,
        has_attachment=content.has_attachment(structure) if structure else False,
        structure=content.pack(structure) if structure else "",
        subject=envelope.subject[:1000],
        subject_key=subject_key(envelope.subject),
        sender_name=sender.name[:300],
        sender_address=sender.address[:320],
        sender_key=(sender.name or sender.address).casefold()[:40],
        recipients=_recipients((*envelope.to, *envelope.cc)),
        message_id=envelope.message_id[:500],
        in_reply_to=(envelope.in_reply_to or ("",))[0][:500],
        references=" ".join(reference[:500] for reference in references),
        **flag_values(data.flags or Flags()),
    )


def subject_key(subject: str) -> str:
    """What sorting and threads compare: case-folded, without reply and forward prefixes (RFC 5256 §2.1 in spirit)."""
    return _REPLY_PREFIX.sub("", subject).strip().casefold()[:60]


def flag_values(flags: Flags) -> dict[str, bool | str]:
    """The flag columns of a row."""
    values: dict[str, bool | str] = {flag.value: flag in flags for flag in Flag}
    values["keywords"] = " ".join(sorted(flags.keywords))[:1000]
    return values


def flag_tuple(flags: Flags) -> tuple[bool | str, ...]:
    """The same in the order of FLAG_COLUMNS."""
    return tuple(flag_values(flags).values())


def _recipients(addresses: tuple[Address, ...]) -> str:
    shown = ", ".join(f"{a.name} <{a.address}>" if a.name else a.address for a in addresses[:20])
    return shown[:1000]
