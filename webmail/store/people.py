"""The people a user writes to: kept as one writes to them, and found again by the first letters.

How far up somebody comes is one number that needs no upkeep: each use adds 2 to the power of the time in half-lives,
and `rank` is the logarithm of the sum. So a use counts half as much as one that is a month younger, and the order of
two people changes only when one of them is used.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils import timezone

from webmail.models import Contact, ContactGroup, ContactWord, User
from webmail.protocol.domains import shown_domain
from webmail.protocol.mail_address import deliverable, normalise
from webmail.protocol.recipients import field_text
from webmail.protocol.types import Address
from webmail.protocol.words import one_line

from . import identities, words

HALF_LIFE = 30 * 24 * 3600.0  # seconds
MOST_SUGGESTED = 8
MAX_WORDS = 12  # by which one person is found
MAX_GROUPS = 500
PER_PAGE = 100
_AT_ONCE = 500  # people of one query
_WORD_OCTETS = 32
_CANDIDATES = 48  # words looked at
_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One line of the completion.

    Args:
        text: what goes into the field. label: what is shown first; detail: what stands beside it.
        is_group: `text` holds all its members.
    """

    text: str
    label: str
    detail: str
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the address book. `address` as it is shown; `collected`: written to, never put there."""

    id: int
    name: str
    address: str
    organisation: str
    phone: str
    note: str
    collected: bool
    uses: int
    groups: tuple[str, ...]

    @property
    def initial(self) -> str:
        """The letter in the round mark."""
        return words.initial(self.name or self.address)

    @property
    def hue(self) -> int:
        """The mark's colour."""
        return words.hue(self.address)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the address book, and how many there are in all."""

    entries: tuple[Entry, ...]
    total: int
    has_more: bool


def note_use(user: User, addresses: Iterable[Address]) -> None:
    """Keep those somebody writes to, and that they did just now. Their own addresses aren't kept."""
    own = identities.own_addresses(user)
    used = {normalise(each.address): each for each in addresses if each.address not in own}
    if not used:
        return
    now = timezone.now()
    with transaction.atomic():
        known = {contact.key: contact for contact in Contact.objects.for_user(user).filter(key__in=used)}
        missing = [
            Contact(user=user, key=key, address=deliverable(each.address), name=_name(each.name), collected=True)
            for key, each in used.items()
            if key not in known
        ]
        Contact.objects.bulk_create(missing, ignore_conflicts=True)
        contacts = list(Contact.objects.for_user(user).filter(key__in=used))
        for contact in contacts:
            contact.uses += 1
            contact.used_at = now
            contact.rank = _raised(contact.rank, now)
            contact.name = contact.name or _name(used[contact.key].name)
        Contact.objects.bulk_update(contacts, ["uses", "used_at", "rank", "name"])
        index(user, contacts)


def complete(user: User, typed: str, *, most: int = MOST_SUGGESTED) -> list[Suggestion]:
    """Whom the letters may mean: by the beginnings of words of name and address, the most used first.

    Args:
        typed: what stands in the field since the last comma; accents and case make no difference.
    """
    wanted = _words(typed)
    if not wanted:
        return []
    longest, *others = sorted(wanted[:MAX_WORDS], key=len, reverse=True)
    rows = _by_word(user, longest)
    for word in others:
        rows = rows.filter(contact__in=_by_word(user, word).values("contact"))
    # Whoever has two words that begin so comes twice.
    ranked = rows.order_by("-rank").values_list("contact", flat=True)[:_CANDIDATES]
    ids = list(dict.fromkeys(ranked))[:most]
    contacts = Contact.objects.for_user(user).in_bulk(ids)
    found = [contacts[pk] for pk in ids if pk in contacts]
    groups = [
        group for group in ContactGroup.objects.filter(user=user)[:MAX_GROUPS] if _begins(_words(group.name), wanted)
    ]
    suggestions = [_suggested_group(group) for group in groups[:2]]
    return [*(each for each in suggestions if each.text), *map(_suggested, found)][:most]


def book(user: User, typed: str = "", *, collected: bool = False, page: int = 0) -> Page:
    """A page of the address book by name, of those whom the letters may mean where some are typed.

    Args:
        collected: also those who were only written to. page: from 0.
    """
    rows = Contact.objects.for_user(user)
    if not collected:
        rows = rows.filter(collected=False)
    for word in _words(typed)[:MAX_WORDS]:
        rows = rows.filter(pk__in=_by_word(user, word).values("contact"))
    start = max(0, page) * PER_PAGE
    total = rows.count()
    shown = rows.order_by(Lower("name"), "key").prefetch_related("groups")[start : start + PER_PAGE]
    return Page(tuple(map(_entry, shown)), total, start + PER_PAGE < total)


def find(user: User, contact_id: int) -> Entry | None:
    """Somebody in the person's address book; None where there is nobody."""
    contact = Contact.objects.for_user(user).filter(pk=contact_id).first()
    return _entry(contact) if contact else None


def save(
    user: User,
    *,
    address: str,
    name: str = "",
    organisation: str = "",
    phone: str = "",
    note: str = "",
    contact: Contact | None = None,
) -> Contact:
    """Keep somebody in the address book: `contact` changed, or a new one; one with this address is changed.

    Raises:
        identities.NotAnAddress: the address is none, or is somebody else's in the book.
    """
    address = identities.written_address(address)
    key = normalise(address)
    with transaction.atomic():
        same = Contact.objects.for_user(user).filter(key=key).first()
        if contact is not None and same is not None and same.pk != contact.pk:
            raise identities.NotAnAddress(f"{address} is in your address book already.")
        row = contact or same or Contact(user=user)
        row.key, row.address, row.name = key, address, _name(name)
        row.organisation, row.phone = _name(organisation), _name(phone)[:100]
        row.note, row.collected = note[:10_000], False
        row.save()
        index(user, [row])
    return row


def forget(user: User, contact_id: int) -> None:
    """Take somebody out of the address book and the completion. Does nothing where there is nobody."""
    Contact.objects.for_user(user).filter(pk=contact_id).delete()


def save_group(user: User, name: str, contact_ids: Iterable[int]) -> ContactGroup:
    """Make a group of these people, or make a group of this name have these members.

    Only one's own people count.
    """
    with transaction.atomic():
        group, _ = ContactGroup.objects.get_or_create(user=user, name=_name(name)[:100])
        group.members.set(Contact.objects.for_user(user).filter(pk__in=list(contact_ids)))
    return group


def save_group_of(
    user: User, name: str, members: Iterable[Address], *, group: ContactGroup | None = None
) -> ContactGroup:
    """Likewise by addresses, which the address book takes in where it has them not yet.

    Args:
        group: that is changed, and called `name` from now on; another one of that name takes its place.
    """
    name = _name(name)[:100]
    with transaction.atomic():
        ids = [_kept(user, each).pk for each in members]
        if group is not None and group.name != name:
            group.delete()
        return save_group(user, name, ids)


def join(user: User, name: str, keys: Iterable[str]) -> bool:
    """Add these people of the person's address book to the group of this name; False where there are too many groups.

    Args:
        keys: their addresses, as `normalise` spells them.
    """
    groups = ContactGroup.objects.filter(user=user)
    if not groups.filter(name=_name(name)[:100]).exists() and groups.count() >= MAX_GROUPS:
        return False
    with transaction.atomic():
        group, _ = ContactGroup.objects.get_or_create(user=user, name=_name(name)[:100])
        wanted = list(dict.fromkeys(keys))
        for start in range(0, len(wanted), _AT_ONCE):
            group.members.add(*Contact.objects.for_user(user).filter(key__in=wanted[start : start + _AT_ONCE]))
    return True


def is_new(user: User, address: str) -> bool:
    """Whether the person has never written to this address."""
    return not Contact.objects.for_user(user).filter(key=normalise(address), uses__gt=0).exists()


def index(user: User, contacts: list[Contact]) -> None:
    """Write the words by which these people, new or changed, are found."""
    ContactWord.objects.filter(contact__in=contacts).delete()
    ContactWord.objects.bulk_create(
        [
            ContactWord(
                user=user,
                contact=contact,
                word=_key(word),
                first=_key(word[:1]),
                second=_key(word[:2]) if len(word) > 1 else "",
                rank=contact.rank,
            )
            for contact in contacts
            for word in _words_of(contact)
        ],
        batch_size=2_000,
    )


def _kept(user: User, person: Address) -> Contact:
    known = Contact.objects.for_user(user).filter(key=normalise(person.address)).first()
    return known or save(user, address=person.address, name=person.name)


def _by_word(user: User, word: str) -> QuerySet[ContactWord]:
    """The words that begin so."""
    rows = ContactWord.objects.filter(user=user)
    key = _key(word)
    if len(word) == 1:
        return rows.filter(first=key)
    if len(word) == 2:
        return rows.filter(second=key)
    return rows.filter(word__gte=key, word__lt=key + "g")  # "g" comes after every hexadecimal digit


def _begins(words: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether each of `wanted` is the beginning of one of `words`."""
    words = list(words)
    return all(any(word.startswith(each) for word in words) for each in wanted)


def _entry(contact: Contact) -> Entry:
    return Entry(
        contact.pk,
        contact.name,
        field_text([Address("", contact.address)]),
        contact.organisation,
        contact.phone,
        contact.note,
        contact.collected,
        contact.uses,
        tuple(group.name for group in contact.groups.all()),
    )


def _suggested(contact: Contact) -> Suggestion:
    person = Address(contact.name, contact.address)
    shown = field_text([Address("", contact.address)])
    return Suggestion(field_text([person]), contact.name or shown, shown if contact.name else contact.organisation)


def _suggested_group(group: ContactGroup) -> Suggestion:
    members = [Address(each.name, each.address) for each in group.members.all()]
    people = "1 person" if len(members) == 1 else f"{len(members)} people"
    return Suggestion(field_text(members), group.name, people, is_group=True)


def _raised(rank: float, now: datetime) -> float:
    """The rank after one more use; see the module's own words."""
    use = now.timestamp() / HALF_LIFE
    high, low = max(rank, use), min(rank, use)
    return high + math.log2(1 + 2 ** (low - high))


def _words_of(contact: Contact) -> list[str]:
    """Words of the name, of the address, and the address as a whole."""
    local, _, domain = contact.key.rpartition("@")
    words = [*_words(contact.name), *_words(local), *_words(shown_domain(domain).rpartition(".")[0])]
    return list(dict.fromkeys(words))[:MAX_WORDS]


def _words(text: str) -> list[str]:
    """The words of a text without case and accents."""
    plain = unicodedata.normalize("NFKD", text[:500].casefold())
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return [word.encode()[:_WORD_OCTETS].decode("utf-8", "ignore") for word in _WORDS.findall(letters)]


def _key(word: str) -> str:
    return word.encode().hex()


def _name(text: str) -> str:
    return " ".join(one_line(text).split())[:200]
