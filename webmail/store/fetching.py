"""What the server has of one message: its structure and its sections, asked for once and kept."""

from __future__ import annotations

from collections.abc import Mapping

from webmail.models import Mailbox, Message
from webmail.protocol import content
from webmail.protocol.errors import NoSuchMessage
from webmail.protocol.types import Part

from . import bodies, pools


class NotThere(Exception):
    """The message has no such part."""


def structure_of(message: Message) -> Part:
    """The MIME tree, from the index; from the server where it was too large for a row."""
    if message.structure:
        return content.unpack(message.structure)
    mailbox = mailbox_of(message)
    with pools.lend(message.account, mailbox.name) as imap:
        structure = imap.structure(mailbox.name, mailbox.uidvalidity, message.server_uid).structure
    return structure or Part(section="1", type="text/plain")


def mailbox_of(message: Message) -> Mailbox:
    """The mailbox in which the server has the message.

    Raises:
        NoSuchMessage: it vanished from there.
    """
    mailbox = message.server_mailbox
    if mailbox is None:
        raise NoSuchMessage
    return mailbox


def sections(
    message: Message, wanted: Mapping[str, int | None], kept: Mapping[str, bytes] | None = None
) -> dict[str, bytes]:
    """These sections, from the cache or, all that is missing in one round trip, from the server.

    Args:
        wanted: the octets of each that are wanted at most, None for all.
        kept: what the caller has found in the cache already; None to look there.
    """
    found = dict(bodies.get(message, list(wanted)) if kept is None else kept)
    missing = {section: limit for section, limit in wanted.items() if section not in found}
    if missing:
        mailbox = mailbox_of(message)
        with pools.lend(message.account, mailbox.name) as imap:
            fetched = imap.sections(mailbox.name, mailbox.uidvalidity, message.server_uid, missing)
        bodies.put(message, fetched)
        found |= fetched
    return {section: found.get(section, b"") for section in wanted}
