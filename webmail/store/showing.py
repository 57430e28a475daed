"""A message as its page prints it: people, dates, attachments and what is to be said, all in ready-made values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from urllib.parse import urlencode

from django.utils import timezone

from webmail.models import Message, User
from webmail.protocol import domains, senders
from webmail.protocol.errors import NoSuchMessage, ProtocolError
from webmail.protocol.types import Address, Content, Envelope

from . import cursors, index, listing, reading, receipts, reports, unsubscribing, words
from .attachments import AttachmentCard, Files, files_of
from .by_sender import messages_of
from .cards import Cards, cards_of
from .cursors import Query
from .facts import Fact, Verification, facts_of, verification_of
from .frames import Frame
from .image_notes import ImageNote, note_of
from .plain_view import plain_texts
from .reading import Body
from .receipts import Wanted
from .signatures import SignatureLine, signature_line
from .unsubscribing import Offer
from .words import Html

_ALL = "The original, to be downloaded, has all of it."
CUT = f"This message is too large or too complex to be shown whole. {_ALL}"
IN_WORDS = f"This message is too large or too complex to be shown as it was designed, so this is its text. {_ALL}"
SEALED = "Its text is encrypted with PGP and can't be opened here. It can be read with a program that has your key."


_WRITABLE = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\".]+")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody named in a header field; `me` is the account's own address."""

    name: str
    address: str
    initial: str
    hue: int
    me: bool

    @property
    def card(self) -> str:
        """The query string of the page about them, or "" where mail can't be sent to them."""
        if not _WRITABLE.fullmatch(self.address):
            return ""
        return "?" + urlencode({"address": self.address, "name": "" if self.name == self.address else self.name})


@dataclass(frozen=True, slots=True)
class MessagePage:
    """A message, ready to print. `texts` are safe HTML; `problem` is a sentence in place of a body."""

    pk: int
    mailbox_pk: int
    mailbox_name: str
    mailbox_role: str
    subject: str
    sender: Person
    sender_extra: str
    to: tuple[Person, ...]
    cc: tuple[Person, ...]
    bcc: tuple[Person, ...]
    reply_to: tuple[Person, ...]
    to_line: str
    date: str
    ago: str
    iso: str
    unread: bool
    flagged: bool
    answered: bool
    files: Files
    html: bool
    coloured: bool
    darkened: bool
    texts: tuple[Html, ...]
    note: str
    images: ImageNote | None
    problem: str
    facts: tuple[Fact, ...]
    verification: Verification | None
    newer_pk: int | None
    older_pk: int | None
    cards: Cards = field(default_factory=Cards)
    signature: SignatureLine | None = None
    can_be_plain: bool = False  # it is HTML, and may be shown as plain text
    is_plain: bool = False  # it is HTML and is shown as plain text
    in_words: bool = False  # because its design is over the limits
    others: str = ""  # the query string of all mail with its sender, of one's own its first recipient, or ""
    other_name: str = ""  # of that person
    inside: str = ""  # the section it lies at, where it is a message inside the message `pk`
    unsubscribe: Offer | None = None  # how the list that it came from can be left
    receipt: Wanted | None = None  # that its sender asks for
    is_draft: bool = False  # it lies among the drafts, and is there to be written on

    @property
    def attachments(self) -> tuple[AttachmentCard, ...]:
        return self.files.cards


def message_page(
    user: User,
    message: Message,
    inline_root: str,
    inside: str = "",
    *,
    as_plain: bool | None = None,
    among: Query | None = None,
) -> MessagePage:
    """The message as its page shows it. Without the server: the header from the index, and a sentence.

    Args:
        message: with mailbox, account and provider; found through `for_user`.
        inline_root: URL path to which a section is appended for an inline image.
        inside: the section of a message inside this one that is shown in its place.
        as_plain: HTML is wanted as plain text, or as it was designed. None: as the person prefers, and as plain text
            where its design is over the limits (security §5.5).
        among: the list it was opened from, whose rows are its neighbours.

    Raises:
        NotThere: nothing that can be read lies at `inside`.
    """
    problem = ""
    in_index = Envelope(from_=(Address(message.sender_name, message.sender_address),))
    read = Body(in_index, Content(), None, ())
    plain: tuple[str, ...] = ()
    try:
        read = reading.body(message, inline_root, inside=inside, darken=user.darkens)
        if read.frame and (read.frame.failed or _is_wanted_plain(user, read.frame, as_plain)):
            plain = plain_texts(message, read.content)
    except NoSuchMessage as error:
        problem = error.sentence
        if message.server_mailbox is not None:
            index.apply_vanished(message.server_mailbox, [message.server_uid])
    except ProtocolError as error:
        problem = f"{error.sentence} The text of this message was not read before, so it can't be shown now."
    in_words = bool(plain) and read.cut
    envelope, own = read.envelope, message.account.address.lower()
    zone = listing.zone_of(user)
    by = envelope if envelope.from_ else in_index
    authors = people(by.from_, own)
    to, cc = people(envelope.to, own), people(envelope.cc, own)
    when = (message.sent_at or message.date).astimezone(zone)
    other = next((person for person in (*authors, *to, *cc) if "@" in person.address and not person.me), None)
    within = bool(inside) and not problem  # it has no facts, flags or neighbours of its own
    newer, older = (None, None) if within else _neighbours(message, among or Query())
    page = MessagePage(
        pk=message.pk,
        mailbox_pk=message.mailbox_id or 0,
        mailbox_name=listing.title_of(message.mailbox) if message.mailbox else "",
        is_draft=message.mailbox is not None and message.mailbox.role == "drafts",
        mailbox_role=message.mailbox.role if message.mailbox else "",
        subject=message.subject or "(no subject)",
        sender=authors[0],
        sender_extra=", ".join(
            person.name if person.name == person.address else f"{person.name} {person.address}"
            for person in authors[1:]
        ),
        to=to,
        cc=cc,
        bcc=people(envelope.bcc, own),
        reply_to=people(_other_reply_to(envelope), own),
        to_line=_to_line([*to, *cc]),
        date=words.full_date(when),
        ago=words.ago(when, timezone.now()),
        iso=when.isoformat(timespec="seconds"),
        unread=not message.seen,
        flagged=message.flagged,
        answered=message.answered,
        files=files_of(message, read.listed),
        html=read.frame is not None and not plain,
        coloured=read.frame is not None and read.frame.washed.coloured and not read.frame.washed.for_both,
        darkened=read.frame is not None and read.frame.washed.darkened,
        texts=tuple(map(Html, plain or read.texts)),
        note=_note(read, in_words=in_words),
        images=None if plain else note_of(user, message, read, inside),
        problem=problem,
        facts=() if within else facts_of(user, message, by, read.frame.misleading if read.frame else ()),
        verification=None if within else verification_of(message, read.header, by.from_[0]),
        newer_pk=newer,
        older_pk=older,
        cards=_cards(message, read, zone, authors[0].address, within=within),
        unsubscribe=None if within else unsubscribing.offer_of(message, envelope, read.header),
        receipt=None if within else receipts.wanted_of(user, message, envelope, read.header),
        can_be_plain=read.frame is not None and not read.frame.failed,
        is_plain=bool(plain),
        in_words=in_words,
        others=Query(sender=other.address, mutual=True).replace() if other else "",
        other_name=other.name if other else "",
        signature=signature_line(read.enclosures.signature, authors[0].address, zone),
    )
    return _inside(page, message, envelope, own, zone, inside) if within else page


def _inside(
    page: MessagePage, message: Message, envelope: Envelope, own: str, zone: tzinfo, inside: str
) -> MessagePage:
    """The page of a message inside another: who and when by its own header, and no flags."""
    sender = people(envelope.from_ or (Address("", ""),), own)[0]
    when = envelope.date.astimezone(zone) if envelope.date else None
    return replace(
        page,
        subject=envelope.subject or "(no subject)",
        sender=sender,
        date=words.full_date(when) if when else "",
        ago=words.ago(when, timezone.now()) if when else "",
        iso=when.isoformat(timespec="seconds") if when else "",
        unread=False,
        flagged=False,
        answered=False,
        others="",
        mailbox_name=message.subject or "the message",
        inside=inside,
    )


def _cards(message: Message, read: Body, zone: tzinfo, sender: str, *, within: bool) -> Cards:
    """The message's cards; of one that was sent also what came back, of a report also what it is about."""
    if within or message.mailbox is None:
        return cards_of(read.enclosures, zone, sender)
    reports.keep(message, read.enclosures)
    cards = cards_of(read.enclosures, zone, sender, reports.row_about(message, read.enclosures))
    outcome = reports.sent_card(message, zone) if message.mailbox.role == "sent" else None
    return replace(cards, reports=(outcome, *cards.reports)) if outcome else cards


def _is_wanted_plain(user: User, frame: Frame, as_plain: bool | None) -> bool:
    return user.prefer_plain or frame.cut if as_plain is None else as_plain


def _note(read: Body, *, in_words: bool) -> str:
    """What is to be said about what can't be shown."""
    if read.content.note:
        return read.content.note
    if read.enclosures.sealed_text:
        return SEALED
    if in_words:
        return IN_WORDS
    return CUT if read.cut else ""


def people(addresses: Sequence[Address], own: str) -> tuple[Person, ...]:
    """Addresses as they are shown; the real address is always beside the name."""
    return tuple(
        Person(
            name=(name := senders.shown_name(address) or "(nobody)"),
            address=domains.shown_address(address.address),
            initial=words.initial(name),
            hue=words.hue(address.address),
            me=address.address.lower() == own,
        )
        for address in addresses
    )


def _other_reply_to(envelope: Envelope) -> list[Address]:
    known = {address.address.lower() for address in envelope.from_}
    return [address for address in envelope.reply_to if address.address.lower() not in known]


def _to_line(everybody: list[Person]) -> str:
    """Whom it went to, in short: "to me, carol +3"."""
    if not everybody:
        return ""
    names = ["me" if person.me else person.name for person in everybody]
    more = f" +{len(names) - 3}" if len(names) > 3 else ""
    return f"to {', '.join(names[:3])}{more}"


def _neighbours(message: Message, among: Query) -> tuple[int | None, int | None]:
    """The messages next to this one by date, in its mailbox or among its sender's: two look-ups in the index."""
    if message.mailbox is None:
        return None, None
    query = Query(sender=among.sender, mutual=among.mutual)
    cursor = cursors.cursor_of("date", message.date, getattr(message, query.tie), 0)
    rows = messages_of(message.account, query) if query.sender else message.mailbox.messages.all()
    found = []
    for forward in (False, True):
        beside = rows.filter(cursors.beyond(cursor, query, forward=forward))
        ordered = beside.order_by(*cursors.ordering(query, forward=forward))
        found.append(ordered.values_list("pk", flat=True).first())
    return found[0], found[1]
