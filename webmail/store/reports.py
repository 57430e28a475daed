"""What came back about mail that was sent, beside that mail: who did not get it and why, who has opened it.

A report is a mail like any other: whoever got a message knows its Message-ID and can claim anything about it. So one is
kept only of what was sent from here, says no more than a line about an address, and the mail that says so is linked.
It is read when its first words are (`prefetch`), or when it is opened, whichever is sooner; ordinary mail pays nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from webmail.models import Mailbox, Message, Report, Submission
from webmail.models.message import hash_of
from webmail.protocol import kinds
from webmail.protocol.errors import ProtocolError
from webmail.protocol.mail_address import normalise
from webmail.protocol.report import reason

from . import changes, outbox, reading, words
from .enclosures import Card, Enclosures
from .fates import MISSED
from .paths import inline_root
from .report_cards import ACTIONS, Outcome, ReportCard

KEPT = timedelta(days=366)
MOST = 200  # recipients of one message about whom something is kept
_KINDS = {kinds.DELIVERY: Report.Kind.DELIVERY, kinds.RECEIPT: Report.Kind.RECEIPT}
_NOT_READ = ("junk", "sent", "drafts")  # mailboxes in which nobody's report is believed
_OPENED = {
    "displayed": ("has opened it", "good"),
    "read": ("has opened it", "good"),
    "deleted": ("has deleted it", ""),
    "denied": ("gives no receipts", ""),
    "failed": ("could not deal with it", ""),
}
_log = logging.getLogger(__name__)


def learn(mailbox: Mailbox, keys: Sequence[int]) -> None:
    """Read what these messages of the mailbox report, and keep it."""
    if mailbox.role in _NOT_READ:
        return
    rows = Message.objects.select_related("mailbox", "account__provider").filter(pk__in=keys, mailbox=mailbox)
    for message in rows.order_by("date", "uid"):  # the last word counts
        try:
            found = reading.body(message, inline_root(message)).enclosures
        except ProtocolError as error:  # it is read when it is opened
            _log.info("a report could not be read: %s", error)
        else:
            keep(message, found)


def keep(message: Message, found: Enclosures) -> None:
    """Keep what a message reports about one that was sent from its account; nothing where it reports nothing."""
    reports = [card for card in found.cards if card.kind in _KINDS]
    if not reports or message.mailbox is None or message.mailbox.role in _NOT_READ:
        return
    for card in reports:
        sent = _sent(message, found, card)
        if sent:
            _write(message, card, sent, _recipients_of(message.account_id, sent))


def row_about(message: Message, found: Enclosures) -> int:
    """The key of the sent message that this one reports about; 0 where it is not in the index or reports nothing."""
    sent = next(filter(None, (_sent(message, found, card) for card in found.cards if card.kind in _KINDS)), "")
    rows = Message.objects.filter(message_hash=hash_of(sent), account=message.account_id, mailbox__role="sent")
    return rows.values_list("pk", flat=True).first() or 0 if sent else 0


def came_back(account_id: int, message_ids: Sequence[str]) -> dict[str, list[Report]]:
    """What was reported of these messages, by Message-ID."""
    found: dict[str, list[Report]] = {}
    hashes = [hash_of(each) for each in message_ids]
    for report in Report.objects.filter(account=account_id, message_hash__in=hashes).order_by("recipient", "at"):
        found.setdefault(report.message_id, []).append(report)
    return found


def sent_card(message: Message, zone: tzinfo) -> ReportCard | None:
    """What became of a message that was sent, recipient by recipient; None where nothing is known beyond that."""
    if not message.message_id:
        return None
    reports = came_back(message.account_id, [message.message_id]).get(message.message_id, [])
    links = _rows_of(message.account_id, [report.report_hash for report in reports if report.report_hash])
    refused = [
        (address, reason("", said) or "Your mail server did not take it.", said)
        for address, fate, said in _recipients_of(message.account_id, message.message_id)
        if fate in MISSED
    ]
    outcomes = [Outcome(address, "loss", "not sent", why, said) for address, why, said in refused]
    outcomes += [outcome_of(report, zone, links.get(report.report_hash, 0)) for report in reports]
    if not outcomes:
        return None
    states = {outcome.state for outcome in outcomes}
    heading, state, icon = next(look for name, look in _HEADINGS if name in states)
    return ReportCard(icon, state, heading, tuple(outcomes), (), "", "")


def outcome_of(report: Report, zone: tzinfo, link: int = 0) -> Outcome:
    """What a report says, in words; its time in the reader's zone."""
    if report.kind == Report.Kind.RECEIPT:
        said, state = _OPENED.get(report.outcome, ("has dealt with it", ""))
        return Outcome(report.recipient, state, f"{said}, {words.full_date(report.at.astimezone(zone))}", "", "", link)
    said, state = ACTIONS[report.outcome]
    return Outcome(report.recipient, state, said, report.reason, report.said, link)


def forget_old() -> int:
    """Delete what came back long ago; return how much there was. The reports themselves are mail, and stay."""
    return Report.objects.filter(at__lt=timezone.now() - KEPT).delete()[0]


_HEADINGS = (
    ("loss", ("Not everybody got this message", "loss", "circle-x")),
    ("wait", ("This message has not arrived everywhere yet", "wait", "clock")),
    ("good", ("What came back about this message", "good", "circle-check")),
    ("", ("What came back about this message", "", "mail-open")),
)


def _sent(message: Message, found: Enclosures, card: Card) -> str:
    """The Message-ID of what it is about, if that was sent from the same account; else "".

    By what the mail server was told to repeat (RFC 3461 §4.4), what the report says, the header that it brings along,
    and, where all that is missing, what it says to be an answer to.
    """
    key = card.facts.get("envelope_id", "")
    if len(key) == 32:
        with suppress(ValueError):
            submission = Submission.objects.filter(pk=UUID(key), account=message.account_id)
            if known := submission.values_list("message_id", flat=True).first():
                return known
    named = [card.facts.get("message_id", ""), found.original.message_id if found.original else "", message.in_reply_to]
    named += message.references.split()[-1:]
    wanted = [each[:500] for each in dict.fromkeys(named) if each]
    here = Q(account=message.account_id)
    known_ids = set(Submission.objects.filter(here, message_id__in=wanted).values_list("message_id", flat=True))
    if not known_ids:
        hashes = [hash_of(each) for each in wanted]
        rows = Message.objects.filter(here, message_hash__in=hashes, mailbox__role="sent")
        known_ids = set(rows.values_list("message_id", flat=True))
    return next((each for each in wanted if each in known_ids), "")


def _recipients_of(account_id: int, message_id: str) -> list[list[str]]:
    """[address, fate, the server's words] of each recipient, as long as it is known."""
    rows = Submission.objects.filter(account=account_id, message_id=message_id).values_list("recipients", flat=True)
    return rows.first() or []


def _write(message: Message, card: Card, sent: str, recipients: Sequence[Sequence[str]]) -> None:
    with transaction.atomic():
        told = Report.objects.filter(account=message.account_id, message_hash=hash_of(sent))
        room = MOST - told.count()
        for values in _lines(card, message):
            recipient = _named(values.pop("recipient"), values.pop("final"), recipients)
            row = told.filter(kind=_KINDS[card.kind], recipient=recipient)
            if row.exists():
                row.filter(at__lte=message.date).update(**values)
            elif recipient and room > 0:
                room -= 1
                Report.objects.get_or_create(
                    account_id=message.account_id, message_hash=hash_of(sent), kind=_KINDS[card.kind],
                    recipient=recipient, defaults={"message_id": sent, **values},
                )  # fmt: skip
        outbox.note_sent(message.account_id, sent)
        changes.publish(message.account_id, kind="jobs")


def _lines(card: Card, message: Message) -> Iterator[dict[str, Any]]:
    """The columns for each recipient that the report speaks of, with the addresses it gives for them."""
    shared: Mapping[str, str | int | datetime] = {"at": message.date, "report_hash": message.message_hash}
    if card.kind == kinds.RECEIPT:
        names = {"recipient": card.facts["recipient"] or message.sender_address, "final": message.sender_address}
        yield {**shared, **names, "outcome": card.facts["handled"] or "processed", "reason": "", "said": ""}
        return
    for each in card.facts["recipients"]:
        said = {"reason": each["reason"][:300], "said": each["said"][:500]}
        yield {**shared, **said, "recipient": each["address"], "final": each["final"], "outcome": each["action"]}


def _named(reported: str, final: str, recipients: Sequence[Sequence[str]]) -> str:
    """The recipient whom the report means, as the message was addressed; "" where it names nobody."""
    keys = {_key(address): address for address, *_ in recipients}
    for address in (reported, final):
        if _key(address) in keys:
            return keys[_key(address)]
    if len(recipients) == 1:  # passed on, and said under the address it was passed on to
        return recipients[0][0]
    return reported[:254]


def _key(address: str) -> str:
    try:
        return normalise(address)
    except ValueError:
        return address.lower()


def _rows_of(account_id: int, hashes: Sequence[int]) -> dict[int, int]:
    rows = Message.objects.filter(message_hash__in=hashes, account=account_id, mailbox__isnull=False)
    return dict(rows.values_list("message_hash", "pk"))
