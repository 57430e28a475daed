"""From the wire's values to an index row's columns: decoded, cleaned, bounded, and no larger than needed."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from webmail.models import Mailbox
from webmail.models.message import hash_of
from webmail.protocol import content, text
from webmail.protocol.fetched import NO_FLAGS
from webmail.protocol.types import Address, Flag, Flags, MessageData

FLAG_COLUMNS = (*(flag.value for flag in Flag), "keywords")
SUBJECT_KEY = 28  # characters that sorting by subject compares
REFERENCES_KEPT = 20  # the first and the last ones: what threads are joined by

_NOBODY = Address("", "")
_REPLY_PREFIX = re.compile(
    r"^\s*(?:(?:re|fwd?|aw|wg|sv|vs|odp|antw|rif|res|tr|enc)(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE
)


# The order of `values_of`. Columns that aren't here take their field's default.
COLUMNS = (
    "account_id", "mailbox_id", "uid", "modseq", "date", "sent_at", "size", *FLAG_COLUMNS, "has_attachment",
    "structure", "subject", "subject_key", "sender_name", "sender_address", "sender_key", "sender_hash", "recipients",
    "message_id", "message_hash", "in_reply_to", "references",
)  # fmt: skip
Values = tuple[Any, ...]


def values_of(mailbox: Mailbox, data: MessageData) -> Values:
    """The index row of a message as FETCH described it, in the order of COLUMNS.

    Args:
        data: with `header`, `flags` and `internal_date`.
    """
    header, structure = data.header or b"", data.structure
    charset = structure.text_charset if structure and not header.isascii() else ""
    envelope = text.envelope(header, charset)
    sender = (envelope.from_ or envelope.sender or (_NOBODY,))[0]
    date = data.internal_date or envelope.date
    if date is None:
        raise ValueError("FETCH gave neither INTERNALDATE nor a Date field")
    references = envelope.references
    if len(references) > REFERENCES_KEPT:
        references = (references[0], *references[1 - REFERENCES_KEPT :])
    return (
        mailbox.account_id,
        mailbox.pk,
        data.uid,
        data.modseq,
        date,
        envelope.date,
        data.size,
        *flag_tuple(data.flags or NO_FLAGS),
        content.has_attachment(structure) if structure else False,
        content.pack(structure) if structure else "",
        envelope.subject[:1000],
        subject_key(envelope.subject),
        sender.name[:300],
        sender.address[:320],
        (sender.name or sender.address).casefold()[:40],
        _sender_hash(sender.address[:320]),
        _recipients((*envelope.to, *envelope.cc)),
        envelope.message_id[:500],
        hash_of(envelope.message_id[:500]),
        (envelope.in_reply_to or ("",))[0][:500],
        " ".join([reference[:500] for reference in references]),
    )


def subject_key(subject: str) -> str:
    """What sorting and threads compare: case-folded, without reply and forward prefixes (RFC 5256 §2.1 in spirit)."""
    return _REPLY_PREFIX.sub("", subject).strip().casefold()[:SUBJECT_KEY]


def flag_values(flags: Flags) -> dict[str, bool | str]:
    """The flag columns of a row."""
    return dict(zip(FLAG_COLUMNS, flag_tuple(flags), strict=True))


@lru_cache(maxsize=1024)
def flag_tuple(flags: Flags) -> tuple[bool | str, ...]:
    """The same in the order of FLAG_COLUMNS."""
    return *(flag in flags for flag in Flag), " ".join(sorted(flags.keywords))[:1000]


@lru_cache(maxsize=1024)
def _sender_hash(address: str) -> int:
    return hash_of(address.lower())


@lru_cache(maxsize=1024)
def _recipients(addresses: tuple[Address, ...]) -> str:
    shown = ", ".join(f"{a.name} <{a.address}>" if a.name else a.address for a in addresses[:20])
    return shown[:1000]
