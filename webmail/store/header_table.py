"""The header of a message for a page that shows all of it."""

from __future__ import annotations

from dataclasses import dataclass

from webmail.models import Message
from webmail.protocol import domains, text
from webmail.protocol.fields import Field, fields
from webmail.protocol.visible import visible

from .enclosed import HEADER_LIMIT
from .fetching import sections

_LISTS = frozenset(("from", "sender", "reply-to", "to", "cc", "bcc", "resent-from", "resent-to", "return-path"))


@dataclass(frozen=True, slots=True)
class HeaderTable:
    """Every field as (name, decoded value), and the block as it came. `whole` says whether that is all of it."""

    fields: tuple[tuple[str, str], ...]
    raw: str
    whole: bool


def header_table(message: Message) -> HeaderTable:
    """Read the header of a message.

    Raises:
        ProtocolError: it was not read before and can't be read now. NoSuchMessage: it is gone from its mailbox.
    """
    block = sections(message, {"HEADER": HEADER_LIMIT})["HEADER"]
    named = tuple((field.name, _value(field)) for field in fields(block))
    return HeaderTable(named, visible(text.decode_text(block).strip()), len(block) < HEADER_LIMIT)


def _value(field: Field) -> str:
    """The value decoded; the domains of addresses as everywhere, so that none looks like another."""
    if field.name.lower() not in _LISTS:
        return field.value
    found = [(each.name, domains.shown_address(each.address)) for each in text.addresses(field.raw)]
    return ", ".join(f"{name} <{address}>" if name and address else name or address for name, address in found)
