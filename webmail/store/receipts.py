"""Read receipts that are asked of a person: one quiet line, what they say to it, and never a second one.

The room's one law: a message gets one answer to that question. `$MDNSent` (RFC 3503) tells other programs, and is set
for “no” as well; the submission, unique for each message, holds where a server keeps no keywords.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from webmail.models import Message, Submission, User
from webmail.models.message import hash_of
from webmail.protocol import content, domains, senders
from webmail.protocol.compose import Letter, message_id
from webmail.protocol.fields import fields
from webmail.protocol.receipt import ASKS, Asked, Receipt, asked, write_receipt
from webmail.protocol.reply import Original, own_address
from webmail.protocol.types import Address, Envelope

from . import identities, jobs, outbox
from .letters import in_zone

ANSWERED = "$MDNSent"
_NEVER = ("sent", "drafts", "junk", "trash")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody wants a receipt.

    Args:
        who: in words. address: where it goes. caution: what to know before, or "".
        may_go_by_itself: the person said so for all mail, and nothing speaks against it here.
        is_sent: it was sent from here; there is nothing to be asked any more.
    """

    who: str
    address: str
    caution: str
    may_go_by_itself: bool
    is_sent: bool = False


def wanted_of(user: User, message: Message, envelope: Envelope, header: bytes) -> Wanted | None:
    """The receipt that the message asks for; None where the person is not to be asked, or was before.

    Args:
        message: with its mailbox and account. envelope, header: of the message itself.
    """
    found = _asked(user, message, header)
    if found is None:
        return None
    address, is_sender = found.to, found.is_sender
    shown = domains.shown_address(address.address)
    who = senders.shown_name(address) or shown
    if _sent(message).exclude(state=Submission.State.FAILED).exists():
        return Wanted(who, shown, "", may_go_by_itself=False, is_sent=True)
    if _is_answered(message):
        return None
    own = identities.own_addresses(user)
    if address.address in own:
        return None
    is_to_me = any(each.address in own for each in (*envelope.to, *envelope.cc))
    return Wanted(
        who=who,
        address=shown,
        caution="" if is_sender else "That is not where the message came from.",
        may_go_by_itself=user.read_receipts == User.ReadReceipts.ALWAYS and is_sender and is_to_me,
    )


def send(user: User, message: Message, envelope: Envelope, header: bytes, *, by_itself: bool = False) -> bool:
    """Send the receipt that the message asks for; False where there is none to be sent, or it was before.

    Args:
        message: found through `for_user`, with mailbox, account and provider.
        by_itself: nobody was asked about this one.

    Raises:
        ProtocolError: it can't be sent; why, in a sentence.
    """
    found = _asked(user, message, header)
    if found is None or _is_answered(message):
        return False
    account = message.account
    own = own_address(Original(envelope, fields(header)), identities.own_addresses(user))
    sender = identities.sender_of(account, own)
    receipt = Receipt(
        message_id=message_id(uuid.uuid4(), sender.address),
        date=in_zone(user, timezone.now()),
        from_=sender.as_address,
        to=Address("", found.to.address),
        original=envelope.message_id,
        subject=message.subject[:200],
        by_itself=by_itself,
        original_recipient=found.original_recipient,
    )
    letter = Letter(receipt.message_id, receipt.date, receipt.from_, subject=f"Receipt for “{receipt.subject}”")
    with transaction.atomic():
        kind, key = Submission.Kind.RECEIPT, _key(message)
        if not outbox.send_note(account, letter, write_receipt(receipt), kind=kind, idem_key=key):
            return False
        _note(message)
    return True


def refuse(message: Message) -> None:
    """Send none, and don't ask again."""
    _note(message)


def _asked(user: User, message: Message, header: bytes) -> Asked | None:
    """Whom a receipt would go to; None where there is to be none."""
    if message.mailbox is None or message.mailbox.role in _NEVER or message.draft:
        return None
    if user.read_receipts == User.ReadReceipts.NEVER or ASKS.encode() not in header.lower():
        return None
    if (
        message.structure and content.unpack(message.structure).type == "multipart/report"
    ):  # a report asks for nothing (RFC 8098 §2.1)
        return None
    return asked(fields(header))


def _is_answered(message: Message) -> bool:
    if ANSWERED.lower() in message.keywords.lower().split():
        return True
    return _sent(message).exists()


def _sent(message: Message) -> QuerySet[Submission]:
    """The receipt of the message, if there is one."""
    return Submission.objects.filter(account=message.account_id, idem_key=_key(message))


def _key(message: Message) -> str:
    """The same for every copy of a message."""
    name = message.message_id or f"{message.sender_address} {message.sent_at or message.date} {message.subject}"
    return f"receipt-{hash_of(name) & (2**64 - 1):016x}"


def _note(message: Message) -> None:
    if message.mailbox is not None and not message.mailbox.read_only:
        jobs.record_flags([message], label=[ANSWERED], idem_key=f"{_key(message)}-{message.pk}")
