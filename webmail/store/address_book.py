"""The address book as a file: vCards in, with what is wrong by line; vCards out."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Length

from webmail.models import Contact, ContactCard, User
from webmail.protocol import address_book, bounded, vcard
from webmail.protocol.address_book import Card, Person
from webmail.protocol.errors import Unreadable
from webmail.protocol.mail_address import deliverable, normalise

from . import contact_groups, contact_words, persons

AT_ONCE = 500  # cards that one child reads
MAX_PEOPLE = 100_000  # addresses of one person's address book
MAX_KEPT = 40_000_000  # characters of what their cards say beside; pictures, nearly all of it
_OF_EVERYBODY = {"mycontacts", "starred"}  # what Google's export says of each card


@dataclass(frozen=True, slots=True)
class Fault:
    """What of a file was not taken: the line it begins at, and why."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Imported:
    """How many people are new, how many were known and are filled up now, and what was not taken."""

    added: int
    changed: int
    faults: tuple[Fault, ...]


def read_file(user: User, data: bytes) -> Imported:
    """Take the people of a vCard file into the address book.

    Who is there already keeps what is known of them; what is missing is filled in, further numbers and addresses are
    added. Cards that share an address are one person. A card's categories are groups, and so is a card of that kind.
    Nothing of one is lost for the fault of another.
    """
    cards = address_book.split(data)
    faults = [Fault(card.line, card.sentence) for card in cards if card.sentence]
    sound = [card for card in cards if not card.sentence]
    read = _Read()
    for start in range(0, len(sound), AT_ONCE):
        faults += _read(sound[start : start + AT_ONCE], read)
    found = read.people
    room = _Room(user)
    added = changed = 0
    for start in range(0, len(found), AT_ONCE):
        new, known = _keep(user, found[start : start + AT_ONCE], room)
        added, changed = added + new, changed + known
    for name, keys in read.members().items():
        if not contact_groups.join(user, name, keys):
            faults.append(Fault(0, f"There can be {contact_groups.MAX_GROUPS} groups; “{name}” was not made."))
    if room.is_full:
        faults.append(Fault(0, f"An address book can hold {MAX_PEOPLE:,} addresses; the rest was not taken."))
    if room.without_files:
        faults.append(Fault(0, f"There is no room for more pictures: {room.without_files:,} were left out."))
    return Imported(added, changed, tuple(sorted(faults, key=lambda fault: fault.line)))


def write_file(user: User, *, version: str = "4.0", collected: bool = False) -> Iterator[bytes]:
    """The address book as vCards.

    Args:
        version: "3.0" or "4.0". collected: also those who were only written to.
    """
    rows = Contact.objects.for_user(user).filter(of=None).select_related("card")
    rows = rows.prefetch_related("groups", "others__groups")
    if not collected:
        rows = rows.filter(collected=False)
    yield from address_book.write_book((_person(row) for row in rows.iterator(chunk_size=200)), version=version)


@dataclass(slots=True)
class _Found:
    """A person of the file: their addresses by key, and what their cards say of them."""

    addresses: dict[str, str]
    name: str
    organisation: str
    phones: str
    birthday: str
    note: str
    kept: str

    def fill(self, other: _Found) -> None:
        """Take what another card of the same person says beside."""
        self.addresses = {**self.addresses, **other.addresses}
        self.phones = persons.clean_phones(f"{self.phones}\n{other.phones}")
        if other.note not in self.note:
            self.note = f"{self.note}\n{other.note}".strip()[: persons.MAX_NOTE]
        for each in ("name", "organisation", "birthday"):
            setattr(self, each, getattr(self, each) or getattr(other, each))
        self.kept = vcard.joined((self.kept, other.kept))


@dataclass(slots=True)
class _Read:
    """What the cards so far have said.

    Attributes:
        people: in order. by_key: the same by their keys, as `normalise` spells addresses.
        categories: the keys of those who said that they are of a group.
        cards: the UIDs and addresses on a group's card; `listed` is how many, in all.
        uids: the key of a card's first address.
    """

    people: list[_Found] = field(default_factory=list)
    by_key: dict[str, _Found] = field(default_factory=dict)
    categories: dict[str, list[str]] = field(default_factory=dict)
    cards: dict[str, list[str]] = field(default_factory=dict)
    uids: dict[str, str] = field(default_factory=dict)
    listed: int = 0

    def add(self, found: _Found) -> None:
        """One more card."""
        known = next((self.by_key[key] for key in found.addresses if key in self.by_key), None)
        if known is None:
            self.people.append(found)
        else:
            found.addresses = {k: v for k, v in found.addresses.items() if self.by_key.get(k, known) is known}
            known.fill(found)
        for key in found.addresses:
            self.by_key.setdefault(key, known or found)

    def members(self) -> dict[str, list[str]]:
        """The keys of each group's people. Of somebody with several addresses the first is meant."""
        found = {name: list(keys) for name, keys in self.categories.items()}
        for name, members in self.cards.items():
            keys = [self.uids.get(each) or each.removeprefix("mailto:") for each in members]
            found.setdefault(name, []).extend(keys)
        return found


def _read(cards: list[Card], read: _Read) -> list[Fault]:
    """Add what is on these cards to `read`; what can't be read is told."""
    try:
        answer = bounded.run(
            "webmail.protocol.address_book:read_book",
            json.dumps([card.source for card in cards]).encode(),
            seconds=30,
            cpu_seconds=20,
        )
        facts: list[dict[str, Any] | None] = json.loads(answer)
    except Unreadable as error:
        if len(cards) > 1:  # one of them is to blame: each half for itself
            middle = len(cards) // 2
            return _read(cards[:middle], read) + _read(cards[middle:], read)
        return [Fault(cards[0].line, error.sentence)]
    faults = []
    for card, fact in zip(cards, facts, strict=True):
        if fact is None:
            faults.append(Fault(card.line, "This card can't be read."))
            continue
        if fact["members"] is not None:
            members = fact["members"][: MAX_PEOPLE - read.listed]
            read.listed += len(members)
            read.cards.setdefault(fact["name"][:100] or "Group", []).extend(members)
            continue
        if not fact["mails"]:
            faults.append(Fault(card.line, f"{fact['name'] or 'This card'} has no mail address."))
        addresses: dict[str, str] = {}
        for _kind, address in fact["mails"]:
            try:
                addresses.setdefault(normalise(address), deliverable(address))
            except ValueError:
                faults.append(Fault(card.line, f"“{address[:80]}” is not a mail address."))
        if not addresses:
            continue
        read.add(_found(addresses, fact))
        key = next(iter(addresses))
        if fact["uid"]:
            read.uids.setdefault(fact["uid"], key)
        for name in fact["categories"]:
            if name.lower() not in _OF_EVERYBODY:
                read.categories.setdefault(name[:100], []).append(key)
    return faults


def _found(addresses: dict[str, str], fact: dict[str, Any]) -> _Found:
    is_named = _compared(fact["name"]) not in addresses  # a card without a name has its address there
    phones = "\n".join(f"{kind}: {number}" if kind else number for kind, number in fact["phones"])
    return _Found(
        addresses=addresses,
        name=fact["name"][:200] if is_named else "",
        organisation=fact["organisation"][:200],
        phones=persons.clean_phones(phones),
        birthday=fact["born"],
        note=fact["note"],
        kept=fact["kept"],
    )


def _compared(text: str) -> str:
    """`text` as an address is compared, or as it is."""
    try:
        return normalise(text)
    except ValueError:
        return text


class _Room:
    """How much an address book has room for still."""

    def __init__(self, user: User) -> None:
        kept = ContactCard.objects.filter(contact__user=user).aggregate(all=Sum(Length("lines")))["all"] or 0
        self._addresses = MAX_PEOPLE - Contact.objects.ever_of(user).count()
        self._kept = MAX_KEPT - kept
        self.is_full = False
        self.without_files = 0

    def take(self, addresses: int) -> bool:
        """Whether there is room for so many more addresses, which have it then."""
        self.is_full = self.is_full or addresses > self._addresses
        if not self.is_full:
            self._addresses -= addresses
        return not self.is_full

    def card(self, lines: str) -> str:
        """What of a card there is room for."""
        if len(lines) > self._kept:
            bare = vcard.without_files(lines)
            self.without_files += bare != lines
            lines = bare[: max(0, self._kept)]
        self._kept -= len(lines)
        return lines


def _keep(user: User, found: list[_Found], room: _Room) -> tuple[int, int]:
    """Write the people; return how many are new and how many were filled up."""
    keys = [key for each in found for key in each.addresses]
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        rows = {row.key: row for row in Contact.objects.ever_of(user).filter(key__in=keys).select_related("of")}
        new, known = [], []
        before: dict[int, tuple[object, ...]] = {}
        mains: list[tuple[_Found, Contact]] = []
        for each in found:
            there = [rows[key] for key in each.addresses if key in rows]
            if not room.take(len(each.addresses) - len(there)):
                break
            if there:
                # Nothing is written of those of whom nothing is new.
                main = min(there, key=lambda row: (row.forgotten_at is not None, row.collected))
                main = main.of or main
                main = rows.setdefault(main.key, main)
                known.append(main)
                before.setdefault(main.pk, _values(main))
            else:
                key, address = next(iter(each.addresses.items()))
                main = rows[key] = Contact(user=user, key=key, address=address)
                new.append(main)
            _fill(main, each)
            mains.append((each, main))
        Contact.objects.bulk_create(new)
        further = [row for each, main in mains for row in _further(each, main, rows)]
        changed = [
            *(row for row in known if _values(row) != before[row.pk]),
            *(row for row in further if row.pk is not None),
        ]
        Contact.objects.bulk_create([row for row in further if row.pk is None])
        Contact.objects.bulk_update(changed, [*_FILLED, "of", "collected", "forgotten_at"])
        _keep_cards(mains, room)
        written = {row.pk: row for row in (*new, *changed, *further)}
        contact_words.index(user, list(written.values()))
    return len(new), len({row.pk for row in known})


_FILLED = ("name", "organisation", "phones", "birthday", "note")


def _values(row: Contact) -> tuple[object, ...]:
    return (*(getattr(row, name) for name in _FILLED), row.of_id, row.collected, row.forgotten_at)


def _fill(row: Contact, found: _Found) -> None:
    """Give somebody what isn't known of them yet."""
    row.phones = persons.clean_phones(f"{row.phones}\n{found.phones}")
    for name in ("name", "organisation", "birthday", "note"):
        setattr(row, name, getattr(row, name) or getattr(found, name))
    row.collected, row.forgotten_at = False, None


def _further(found: _Found, main: Contact, rows: dict[str, Contact]) -> Iterator[Contact]:
    """The rows of somebody's further addresses; those that somebody else in the address book has stay theirs."""
    for key, address in found.addresses.items():
        row = rows.get(key)
        if row is None:
            row = Contact(user=main.user, key=key, address=address)
        elif (
            row == main
            or (row.of_id is None and not row.collected and row.forgotten_at is None)
            or row.of_id not in (None, main.pk)
        ):
            continue
        if row.pk and (row.of_id, row.name, row.collected, row.forgotten_at) == (main.pk, main.name, False, None):
            continue
        row.of, row.name, row.collected, row.forgotten_at = main, main.name, False, None
        yield row


def _keep_cards(mains: list[tuple[_Found, Contact]], room: _Room) -> None:
    """What the cards say beside, for those who have none yet."""
    have = set(ContactCard.objects.filter(contact__in=[main for _, main in mains]).values_list("contact", flat=True))
    cards: dict[int, ContactCard] = {}
    for found, main in mains:
        if main.pk not in have and main.pk not in cards and (lines := room.card(found.kept)):
            cards[main.pk] = ContactCard(contact=main, lines=lines)
    ContactCard.objects.bulk_create(cards.values(), batch_size=50)


def _person(row: Contact) -> Person:
    others = [each for each in row.others.all() if each.forgotten_at is None]
    groups = [group.name for each in (row, *others) for group in each.groups.all()]
    return Person(
        addresses=(row.address, *(each.address for each in others)),
        name=row.name,
        organisation=row.organisation,
        phones=tuple(persons.phones_of(row.phones)),
        birthday=row.birthday,
        note=row.note,
        groups=tuple(dict.fromkeys(groups)),
        kept=row.card.lines if hasattr(row, "card") else "",
        uid=f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'mailto:{row.key}')}",
    )
