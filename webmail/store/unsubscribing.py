"""Leaving a mailing list: by one request where the list offers that, else by mail, else on the list's own page.

The room's one law: nothing is asked of a list unless the person says so by a form of ours, and what goes out tells it
no more than its own address did (`web.post`: no cookie, no Referer). A list that was left is remembered.
"""

from __future__ import annotations

import http.client
import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from webmail.models import Message, Report, Submission, Unsubscription
from webmail.models.message import hash_of
from webmail.protocol import domains, web
from webmail.protocol.compose import Letter, message_id, write
from webmail.protocol.errors import ProtocolError
from webmail.protocol.fields import fields
from webmail.protocol.mailing_list import ONE_CLICK, POST, UNSUBSCRIBE, leaving, vouched_for
from webmail.protocol.recipients import read_link
from webmail.protocol.reply import Original, own_address
from webmail.protocol.types import Envelope

from . import identities, outbox, words
from .facts import authentication_of
from .letters import in_zone

SECONDS = 10.0  # for all of the request
STALE = timedelta(minutes=1)  # after which whoever asked is taken for dead
AGAIN = timedelta(days=10)  # after which one may ask once more a list that goes on writing
_NEVER = ("sent", "drafts", "junk", "trash")  # in the junk an answer would only tell that somebody reads it
Outcome = Unsubscription.Outcome
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Offer:
    """How the list that a message came from can be left.

    Args:
        name: what the list is called. way: "post", "mail" or "page", the best there is; "" where it was left.
        host: that is asked, or whose page it is. address: that is written to, "" for none. page: address of its page.
        done: a sentence on what was done before, or "".
        subject, body: of the mail. one_click: what is asked.
    """

    name: str
    way: str
    host: str = ""
    address: str = ""
    page: str = ""
    done: str = ""
    subject: str = ""
    body: str = ""
    one_click: str = ""


def offer_of(message: Message, envelope: Envelope, header: bytes) -> Offer | None:
    """How to leave the list; None where the message names no way, or lies where nobody should answer.

    Args:
        message: with its mailbox, account and provider. envelope, header: of the message itself.
    """
    if message.mailbox is None or message.mailbox.role in _NEVER or UNSUBSCRIBE.encode() not in header.lower():
        return None
    ways = leaving(fields(header))
    if not ways:
        return None
    link = read_link(ways.mail) if ways.mail else None
    to = link.to.addresses[0].address if link and link.to.addresses else ""
    one_click = ways.one_click if ways.one_click and _is_signed(message, header) else ""
    sender = envelope.from_[0] if envelope.from_ else None
    done, is_over = _done(message, envelope)
    return Offer(
        name=(sender.name or domains.shown_address(sender.address)) if sender else "this list",
        way="" if is_over else "post" if one_click else "mail" if to else "page" if ways.page else "",
        host=domains.shown_domain(ways.host) if ways.host else "",
        address=to,
        page=ways.page,
        done=done,
        subject=(link.subject if link else "") or "unsubscribe",
        body=link.body if link else "",
        one_click=one_click,
    )


def leave(message: Message, envelope: Envelope, header: bytes, way: str) -> tuple[bool, str]:
    """Leave the list in this way; whether that was accepted, and a sentence. It is not asked twice at once.

    Args:
        message: found through `for_user`, with mailbox, account, provider and user. way: "post" or "mail".
    """
    offer = offer_of(message, envelope, header)
    if offer is None or not (offer.one_click if way == "post" else offer.address if way == "mail" else ""):
        return False, "This list can't be left in that way."
    row = _claim(message, envelope)
    if row is None:
        return True, _done(message, envelope)[0]
    try:
        done, sentence = _post(offer) if way == "post" else _mail(message, envelope, header, offer, row)
    except ProtocolError as error:
        done, sentence = False, error.sentence
    outcome = (Outcome.DONE if way == "post" else Outcome.ASKED) if done else Outcome.FAILED
    Unsubscription.objects.filter(pk=row.pk).update(outcome=outcome, at=timezone.now())
    return done, sentence


def _claim(message: Message, envelope: Envelope) -> Unsubscription | None:
    """The list's row, ours to go on with; None where somebody is at it, or it was left a short time ago."""
    now, key = timezone.now(), _key(message, envelope)
    try:
        with transaction.atomic():
            return Unsubscription.objects.create(
                account_id=message.account_id, list_hash=key, outcome=Outcome.ASKING, at=now
            )
    except IntegrityError:
        rows = Unsubscription.objects.filter(account=message.account_id, list_hash=key)
        row = rows.first()
        if row is None or not _may_ask_again(row, now):
            return None
        taken = rows.filter(outcome=row.outcome, at=row.at).update(outcome=Outcome.ASKING, at=now)
        return Unsubscription.objects.get(pk=row.pk) if taken else None


def _may_ask_again(row: Unsubscription, now: datetime) -> bool:
    if row.outcome == Outcome.ASKING:
        return row.at < now - STALE
    return row.outcome == Outcome.FAILED or row.at < now - AGAIN or _came_back(row)


def _came_back(row: Unsubscription) -> bool:
    """Whether the mail that was to take somebody off could not be sent, or not be delivered."""
    if row.outcome != Outcome.ASKED:
        return False
    sent = Submission.objects.filter(account=row.account_id, idem_key__startswith=f"leave-{row.pk}-")
    last = sent.order_by("-created_at").first()
    if last is None or last.state == Submission.State.FAILED:
        return last is not None
    told = Report.objects.filter(account=row.account_id, message_hash=hash_of(last.message_id))
    return told.filter(kind=Report.Kind.DELIVERY, outcome="failed").exists()


def _post(offer: Offer) -> tuple[bool, str]:
    """The one request of RFC 8058 §3.2. It is a form, so a redirect is no answer, and is not followed."""
    try:
        status = web.post(offer.one_click, SECONDS, form=ONE_CLICK)
    except (ProtocolError, ValueError, OSError, http.client.HTTPException) as error:
        _log.info("a list could not be left: %s", error)
        return False, f"{offer.host} could not be reached. You are still on the list."
    if 200 <= status < 300:
        return True, f"{offer.host} accepted it: you are off the list “{offer.name}”."
    return False, f"{offer.host} did not accept it. You may still be on the list."


def _mail(message: Message, envelope: Envelope, header: bytes, offer: Offer, row: Unsubscription) -> tuple[bool, str]:
    """A mail from the address that the list writes to."""
    account = message.account
    own = identities.own_addresses(account.user)
    sender = identities.sender_of(account, own_address(Original(envelope, fields(header)), own))
    letter = Letter(
        message_id=message_id(uuid.uuid4(), sender.address),
        date=in_zone(account.user, timezone.now()),
        from_=sender.as_address,
        to=read_link(offer.address).to.addresses,
        subject=offer.subject,
        text=offer.body or offer.subject,
    )
    key = f"leave-{row.pk}-{row.at:%Y%m%d%H%M%S%f}"
    outbox.send_note(account, letter, write(letter), kind=Submission.Kind.UNSUBSCRIBE, idem_key=key)
    return True, f"A mail that takes you off the list “{offer.name}” is on its way to {offer.address}."


def _is_signed(message: Message, header: bytes) -> bool:
    """Whether the two fields are the signer's, as far as the person's mail server says anything (RFC 8058 §4)."""
    header_fields = fields(header)
    found = authentication_of(message, header, message.sender_address.rpartition("@")[2])
    if found is None:
        return True
    signed = {domains.shown_domain(each) for each in vouched_for(header_fields, (UNSUBSCRIBE, POST))}
    return any(check.method == "dkim" and check.result == "pass" and check.domain in signed for check in found.checks)


def _done(message: Message, envelope: Envelope) -> tuple[str, bool]:
    """What was done about this list before, in a sentence, and whether that is enough for now."""
    rows = Unsubscription.objects.filter(account=message.account_id, list_hash=_key(message, envelope))
    row = rows.exclude(outcome=Outcome.FAILED).first()
    if row is None or (row.outcome == Outcome.ASKING and row.at < timezone.now() - STALE):
        return "", False
    if row.outcome == Outcome.ASKING:
        return "You are being taken off this list.", True
    if _came_back(row):
        return "The mail that was to take you off could not be delivered.", False
    day = words.long_day(in_zone(message.account.user, row.at).date())
    said = f"You unsubscribed on {day}." if row.outcome == Outcome.DONE else f"You asked to be taken off on {day}."
    still_writes = message.date > row.at + AGAIN
    return (f"{said} It still writes to you." if still_writes else said), not still_writes


def _key(message: Message, envelope: Envelope) -> int:
    return hash_of(envelope.list_id.lower() or message.sender_address.lower() or "?")
