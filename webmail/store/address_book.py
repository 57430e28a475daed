"""The address book as a file: vCards in, with what is wrong by line; vCards out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from webmail.models import Contact, ContactGroup, User
from webmail.protocol import address_book, bounded
from webmail.protocol.address_book import Card, Person
from webmail.protocol.errors import Unreadable
from webmail.protocol.mail_address import deliverable, normalise

from . import people

AT_ONCE = 500  # cards that one child reads
MAX_PEOPLE = 100_000  # of one person's address book
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

    Who is there already keeps what is known of them; what is missing is filled in. A card with several addresses makes
    several entries; its categories are groups, and so is a card of that kind. Nothing of one is lost for the fault of
    another.
    """
    cards = address_book.split(data)
    faults = [Fault(card.line, card.sentence) for card in cards if card.sentence]
    sound = [card for card in cards if not card.sentence]
    read = _Read()
    for start in range(0, len(sound), AT_ONCE):
        faults += _read(sound[start : start + AT_ONCE], read)
    found = read.people
    added, changed = _keep(user, found)
    for name, keys in read.members().items():
        if not people.join(user, name, keys):
            faults.append(Fault(0, f"There can be {people.MAX_GROUPS} groups; “{name}” was not made."))
    if len(found) > added + changed and Contact.objects.for_user(user).count() >= MAX_PEOPLE:
        faults.append(Fault(0, f"An address book can hold {MAX_PEOPLE:,} people; the rest was not taken."))
    return Imported(added, changed, tuple(sorted(faults, key=lambda fault: fault.line)))


def write_file(user: User, *, version: str = "4.0", collected: bool = False) -> Iterator[bytes]:
    """The address book as vCards.

    Args:
        version: "3.0" or "4.0". collected: also those who were only written to.
    """
    rows = Contact.objects.for_user(user).prefetch_related("groups")
    if not collected:
        rows = rows.filter(collected=False)
    yield from address_book.write_book((_person(row) for row in rows.iterator(chunk_size=500)), version=version)


@dataclass(slots=True)
class _Read:
    """What the cards so far have said.

    Attributes:
        people: by their keys, as `normalise` spells addresses.
        categories: the keys of those who said that they are of a group.
        cards: the UIDs and addresses on a group's card; `listed` is how many, in all.
        uids: the keys of a card's addresses.
    """

    people: dict[str, Contact] = field(default_factory=dict)
    categories: dict[str, list[str]] = field(default_factory=dict)
    cards: dict[str, list[str]] = field(default_factory=dict)
    uids: dict[str, list[str]] = field(default_factory=dict)
    listed: int = 0

    def members(self) -> dict[str, list[str]]:
        """The keys of each group's people. Of somebody with several addresses a group's card means the first."""
        found = {name: list(keys) for name, keys in self.categories.items()}
        for name, members in self.cards.items():
            keys = [(self.uids.get(each) or [each.removeprefix("mailto:")])[0] for each in members]
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
        for _kind, address in fact["mails"]:
            try:
                key = normalise(address)
            except ValueError:
                faults.append(Fault(card.line, f"“{address[:80]}” is not a mail address."))
                continue
            read.people.setdefault(key, _contact(key, deliverable(address), fact))
            if fact["uid"]:
                read.uids.setdefault(fact["uid"], []).append(key)
            for name in fact["categories"]:
                if name.lower() not in _OF_EVERYBODY:
                    read.categories.setdefault(name[:100], []).append(key)
    return faults


def _contact(key: str, address: str, fact: dict[str, Any]) -> Contact:
    phones = [number for _kind, number in fact["phones"]]
    return Contact(
        key=key,
        address=address,
        name=fact["name"][:200],
        organisation=fact["organisation"][:200],
        phone=(phones[0] if phones else "")[:100],
        note=fact["note"],
    )


def _keep(user: User, found: dict[str, Contact]) -> tuple[int, int]:
    """Write the people; return how many are new and how many were filled up."""
    keys = list(found)
    added = changed = 0
    for start in range(0, len(keys), AT_ONCE):
        part = keys[start : start + AT_ONCE]
        with transaction.atomic():
            room = MAX_PEOPLE - Contact.objects.for_user(user).count()
            known = {row.key: row for row in Contact.objects.for_user(user).filter(key__in=part)}
            new = [found[key] for key in part if key not in known][: max(0, room)]
            for row in new:
                row.user = user
            Contact.objects.bulk_create(new, ignore_conflicts=True)
            for row in known.values():
                for field in ("name", "organisation", "phone", "note"):
                    setattr(row, field, getattr(row, field) or getattr(found[row.key], field))
                row.collected = False
            Contact.objects.bulk_update(known.values(), ["name", "organisation", "phone", "note", "collected"])
            people.index(user, list(Contact.objects.for_user(user).filter(key__in=part)))
        added, changed = added + len(new), changed + len(known)
    return added, changed


def _person(row: Contact) -> Person:
    groups: list[ContactGroup] = list(row.groups.all())
    return Person(row.address, row.name, row.organisation, row.phone, row.note, tuple(group.name for group in groups))
