"""Somebody in the address book: changed, kept, joined with another entry, forgotten and brought back.

The room's one law: what was forgotten comes back by itself never, only when its owner says so or enters it anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from webmail.models import Contact, ContactCard, ContactWord, User
from webmail.protocol import birthdays, vcard
from webmail.protocol.domains import shown_address
from webmail.protocol.errors import ProtocolError
from webmail.protocol.mail_address import normalise
from webmail.protocol.types import Address
from webmail.protocol.words import one_line

from . import contact_words, identities

MAX_ADDRESSES = 50  # of one person
MAX_NOTE = 10_000  # characters
FORGOTTEN_FOR = timedelta(days=30)  # until there is no way back
KINDS = ("mobile", "home", "work", "fax", "pager")
_PHONE = re.compile(rf"({'|'.join(KINDS)})\s*:\s*(.*)", re.IGNORECASE)
_DETAILS = {"TITLE": "Title", "ROLE": "Role", "NICKNAME": "Nickname", "ADR": "Address", "URL": "Website"} | {
    "ANNIVERSARY": "Anniversary",
    "IMPP": "Chat",
}
_FIELDS = ("name", "organisation", "birthday")


class NoBirthday(ProtocolError):
    """What was typed is no day."""

    sentence = "Write a birthday as 1980-04-01, or 04-01 without a year."


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of somebody beside their address.

    Args:
        others: further addresses. phones: see `models.Contact`.
    """

    name: str = ""
    others: tuple[str, ...] = ()
    organisation: str = ""
    phones: str = ""
    birthday: str = ""
    note: str = ""


def save(user: User, address: str, facts: Facts = Facts(), *, contact: Contact | None = None) -> Contact:
    """Keep somebody in the address book: `contact` changed, or a new one; one with this address is changed.

    Args:
        contact: the first row of a person. Addresses of theirs that aren't given any more are forgotten.

    Raises:
        identities.NotAnAddress: one is none, or is somebody else's in the book. NoBirthday: it is none.
    """
    addresses = {normalise(each): each for each in map(identities.written_address, (address, *facts.others))}
    if len(addresses) > MAX_ADDRESSES:
        raise identities.NotAnAddress(f"Somebody can have {MAX_ADDRESSES} addresses at most.")
    birthday = birthdays.read(facts.birthday)
    if facts.birthday.strip() and not birthday:
        raise NoBirthday
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        known = {row.key: row for row in Contact.objects.ever_of(user).filter(key__in=addresses).select_related("of")}
        for each in known.values():
            theirs = each.of or each
            if theirs != contact and not theirs.collected and theirs.forgotten_at is None:
                raise identities.NotAnAddress(f"{shown_address(each.address)} is in your address book already.")
        key, *other_keys = addresses
        holder = known.get(key)
        if contact is not None and contact.key != key and (holder or contact.key in addresses):
            row = _in_front(contact, holder or Contact(user=user, key=key))
        else:
            row = contact or holder or Contact(user=user)
        before = list(row.others.filter(forgotten_at=None)) if row.pk else []
        row.key, row.address, row.name = key, addresses[key], clean_name(facts.name)
        row.organisation, row.phones = clean_name(facts.organisation), clean_phones(facts.phones)
        row.birthday, row.note = birthday, facts.note[:MAX_NOTE]
        row.collected, row.forgotten_at, row.of = False, None, None
        row.save()
        others = [_other(row, known.get(each), addresses[each], each) for each in other_keys]
        gone = [each.pk for each in before if each.key not in addresses]
        forget(user, gone)
        Contact.objects.filter(pk__in=gone).update(of=None)
        contact_words.index(user, [row, *others])
    return row


def kept(user: User, person: Address) -> Contact:
    """Whoever has this address in the address book; put there where nobody has."""
    known = Contact.objects.for_user(user).filter(key=normalise(person.address)).first()
    return known or save(user, person.address, Facts(person.name))


def keep(user: User, contact_ids: Iterable[int]) -> int:
    """Put those who were only written to into the address book; return how many."""
    rows = Contact.objects.for_user(user).filter(pk__in=list(contact_ids), collected=True)
    return rows.update(collected=False)


def forget(user: User, contact_ids: Iterable[int]) -> datetime:
    """Take people with all their addresses out of the address book and the completion; they can be brought back.

    Returns:
        The moment, by which `restore` finds them.
    """
    now = timezone.now()
    ids = list(contact_ids)
    with transaction.atomic():
        rows = Contact.objects.for_user(user).filter(Q(pk__in=ids) | Q(of__in=ids))
        gone = list(rows.values_list("pk", flat=True))
        ContactWord.objects.filter(contact__in=gone).delete()
        Contact.objects.filter(pk__in=gone).update(forgotten_at=now)
    return now


def restore(user: User, *, at: datetime | None = None, contact_ids: Iterable[int] = ()) -> int:
    """Bring people back that were forgotten, all of one moment or these; return how many."""
    ids = list(contact_ids)
    wanted = Q(forgotten_at=at) if at else Q(pk__in=ids) | Q(of__in=ids)
    with transaction.atomic():
        rows = list(Contact.objects.ever_of(user).filter(wanted).exclude(forgotten_at=None))
        Contact.objects.filter(pk__in=[row.pk for row in rows]).update(forgotten_at=None)
        contact_words.index(user, rows)
    return sum(row.of_id is None for row in rows)


def forgotten_at(user: User, at: datetime) -> list[str]:
    """Who was forgotten at this moment, by name or address, and can be brought back."""
    rows = Contact.objects.ever_of(user).filter(forgotten_at=at, of=None).order_by("name", "key")
    return [row.name or shown_address(row.address) for row in rows[:100]]


def namesakes(user: User, contact: Contact) -> list[Contact]:
    """Others who are called like this person, and may be the same."""
    if not contact.name:
        return []
    rows = Contact.objects.for_user(user).filter(of=None, name__iexact=contact.name)
    return list(rows.exclude(pk=contact.pk).order_by("pk")[:10])


def details(contact: Contact) -> list[tuple[str, str]]:
    """What the card that somebody came with says beside, as pairs of a word and a text, for reading."""
    card = ContactCard.objects.filter(contact=contact).first()
    lines = vcard.lines(card.lines) if card else []
    found = [(_DETAILS[each.name], vcard.plain(each.value)[:300]) for each in lines if each.name in _DETAILS]
    pictures = sum(each.name in ("PHOTO", "LOGO") for each in lines)
    if pictures:
        found.append(("Picture", "Kept, and exported again" if pictures == 1 else f"{pictures}, exported again"))
    return [(word, text) for word, text in found[:20] if text]


def forget_old() -> None:
    """Delete those for good who were forgotten thirty days ago."""
    Contact.objects.filter(forgotten_at__lt=timezone.now() - FORGOTTEN_FOR).delete()


def merge(user: User, contact_ids: Iterable[int]) -> Contact | None:
    """Make one person of several, who have all their addresses then; None where there are fewer than two.

    The one in the address book that is used most gives name and first address. What the others are called and where
    they are, if that differs, goes into the note: nothing is lost.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        rows = Contact.objects.for_user(user).filter(pk__in=list(contact_ids), of=None)
        found = list(rows.select_related("card").order_by("collected", "-rank", "pk"))
        if len(found) < 2:
            return None
        main, *others = found
        notes = [main.note]
        for other in others:
            notes += [value for field in _FIELDS if (value := _taken(main, other, field))]
            main.phones = clean_phones(f"{main.phones}\n{other.phones}")
            notes.append(other.note)
        main.note = "\n".join(dict.fromkeys(filter(None, notes)))[:MAX_NOTE]
        main.collected = False
        main.save()
        gone = [other.pk for other in others]
        moved = Contact.objects.ever_of(user).filter(Q(pk__in=gone) | Q(of__in=gone))
        moved.update(of=main, collected=False)
        main.others.update(name=main.name, organisation="", phones="", birthday="", note="")
        cards = [row.card.lines for row in found if hasattr(row, "card")]
        if cards:
            ContactCard.objects.filter(contact__in=gone).delete()
            ContactCard.objects.update_or_create(contact=main, defaults={"lines": vcard.joined(cards)})
        contact_words.index(user, [main, *main.others.filter(forgotten_at=None)])
    return main


def clean_phones(text: str) -> str:
    """Numbers one a line, each once, a kind before it in lower case."""
    found: dict[str, str] = {}
    for kind, number in phones_of(text):
        found.setdefault(re.sub(r"\W", "", number), f"{kind}: {number}" if kind else number)
    return "\n".join(list(found.values())[:MAX_ADDRESSES])


def phones_of(text: str) -> list[tuple[str, str]]:
    """The pairs of kind and number in `Contact.phones`, or as somebody types them."""
    pairs = []
    for line in map(clean_name, text.splitlines()):
        named = _PHONE.fullmatch(line)
        kind, number = (named[1].lower(), named[2]) if named else ("", line)
        if number:
            pairs.append((kind, number[:100]))
    return pairs


def clean_name(text: str) -> str:
    """One line without blanks at its ends."""
    return " ".join(one_line(text).split())[:200]


def _in_front(contact: Contact, row: Contact) -> Contact:
    """Make `row`, an address that nobody else has, the first of a person whose first was `contact`; return it."""
    row.address, row.of = row.address or row.key, None
    row.save()
    contact.others.exclude(pk=row.pk).update(of=row)
    row.others.exclude(pk=contact.pk).update(of=row)
    ContactCard.objects.filter(contact=row).delete()
    ContactCard.objects.filter(contact=contact).update(contact=row)
    contact.of = row
    contact.organisation = contact.phones = contact.birthday = contact.note = ""
    contact.save()
    return row


def _other(main: Contact, row: Contact | None, address: str, key: str) -> Contact:
    """A further address of somebody; `row` is the one that has it already."""
    row = Contact(user=main.user, key=key) if row is None else Contact.objects.get(pk=row.pk)
    row.address, row.name, row.of, row.collected, row.forgotten_at = address, main.name, main, False, None
    row.save()
    row.others.update(of=main)
    return row


def _taken(main: Contact, other: Contact, field: str) -> str:
    """Give `main` what it has not; return what it has otherwise, for its note."""
    value, own = getattr(other, field), getattr(main, field)
    if not own:
        setattr(main, field, value)
    return value if own and value and value != own else ""
