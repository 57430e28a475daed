"""The people a user writes to: kept as one writes to them, and the address book page by page.

How far up somebody comes is one number that needs no upkeep: each use adds 2 to the power of the time in half-lives,
and `rank` is the logarithm of the sum. So a use counts half as much as one that is a month younger, and the order of
two people changes only when one of them is used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.utils import timezone

from webmail.models import Contact, User
from webmail.protocol.mail_address import deliverable, normalise
from webmail.protocol.recipients import field_text
from webmail.protocol.types import Address

from . import contact_words, identities, words
from .persons import clean_name

HALF_LIFE = 30 * 24 * 3600.0  # seconds
PER_PAGE = 100
ORDERS = {"name": "Name", "recent": "Written to lately", "used": "Written to often", "new": "Added lately"}
SHOWN = {"": "All", "book": "Address book", "collected": "Only written to", "forgotten": "Forgotten"}
# Nobody reads what is sent there, or it is good for one answer.
_NOBODY = re.compile(
    r"(?:(?:no|do[-_.]?not|never)[-_.]?reply|mailer-daemon|bounces?|unsubscribe)(?:[-_.+].*)?"
    r"|.*(?:^|[-_.+=])[0-9a-z]*\d[0-9a-z]{20,}.*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the address book. `address` as it is shown; `collected`: written to, never put there.

    Args:
        more: how many further addresses.
    """

    id: int
    name: str
    address: str
    organisation: str
    collected: bool
    groups: tuple[str, ...]
    more: int = 0

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
    """A page of the address book, and how many there are in all; `first` is the number of its first entry, from 1."""

    entries: tuple[Entry, ...]
    total: int
    first: int = 1

    @property
    def last(self) -> int:
        return self.first + len(self.entries) - 1

    @property
    def has_more(self) -> bool:
        return self.last < self.total


def note_use(user: User, addresses: Iterable[Address]) -> None:
    """Keep those somebody writes to, and that they did just now.

    Not kept are their own addresses, those that nobody reads, and whom they took out of the address book; where they
    want nobody remembered, only how lively those are that they put there themselves.
    """
    own = identities.own_addresses(user)
    used = {normalise(each.address): each for each in addresses if each.address not in own}
    if not used:
        return
    now = timezone.now()
    with transaction.atomic():
        known = set(Contact.objects.ever_of(user).filter(key__in=used).values_list("key", flat=True))
        missing = [
            Contact(user=user, key=key, address=deliverable(each.address), name=clean_name(each.name), collected=True)
            for key, each in used.items()
            if user.collects_people and key not in known and not is_nobody(key)
        ]
        Contact.objects.bulk_create(missing, ignore_conflicts=True)
        contacts = list(Contact.objects.for_user(user).filter(key__in=used))
        for contact in contacts:
            contact.uses += 1
            contact.used_at = now
            contact.rank = _raised(contact.rank, now)
            if not contact.name and contact.of_id is None and not contact.others.exists():
                contact.name = clean_name(used[contact.key].name)
        Contact.objects.bulk_update(contacts, ["uses", "used_at", "rank", "name"])
        contact_words.index(user, contacts)


def is_nobody(key: str) -> bool:
    """Whether an address is one that nobody reads, or that a machine made for one answer ("no-reply@…")."""
    return _NOBODY.fullmatch(key.rpartition("@")[0]) is not None


def is_new(user: User, address: str) -> bool:
    """Whether the person has never written to this address, as far as that is remembered."""
    key = normalise(address)
    if not user.collects_people or is_nobody(key):
        return False
    return not Contact.objects.ever_of(user).filter(Q(uses__gt=0) | ~Q(forgotten_at=None), key=key).exists()


def book(user: User, typed: str = "", *, shown: str = "", order: str = "name", page: int = 0) -> Page:
    """A page of the address book, of those whom the letters may mean where some are typed.

    Args:
        shown: one of SHOWN. order: one of ORDERS. page: from 0.
    """
    rows = Contact.objects.ever_of(user).filter(of=None, forgotten_at__isnull=shown != "forgotten")
    if shown in ("book", "collected"):
        rows = rows.filter(collected=shown == "collected")
    for word in contact_words.words(typed)[: contact_words.MAX_WORDS]:
        rows = rows.filter(_has(user, word))
    start = max(0, page) * PER_PAGE
    total = rows.count()
    found = _ordered(rows, order).prefetch_related("groups", "others__groups")[start : start + PER_PAGE]
    return Page(tuple(map(_entry, found)), total, start + 1)


def _has(user: User, word: str) -> Q:
    """Who has this word: as a beginning in a name or an address, or anywhere in what else is known of them."""
    by_word = contact_words.by_word(user, word)
    return (
        Q(pk__in=by_word.values("contact"))
        | Q(pk__in=by_word.values("contact__of"))
        | Q(key__contains=word)
        | Q(organisation__icontains=word)
        | Q(phones__contains=word)
        | Q(note__icontains=word)
    )


def _ordered(rows: QuerySet[Contact], order: str) -> QuerySet[Contact]:
    if order == "recent":
        return rows.order_by(F("used_at").desc(nulls_last=True), "key")
    if order == "used":
        return rows.order_by("-rank", "key")
    if order == "new":
        return rows.order_by("-created_at", "-pk")
    return rows.order_by(Lower(Coalesce(NullIf("name", Value("")), "key")), "key")


def _entry(contact: Contact) -> Entry:
    others = [each for each in contact.others.all() if each.forgotten_at is None]
    groups = [group.name for each in (contact, *others) for group in each.groups.all()]
    return Entry(
        contact.pk,
        contact.name,
        field_text([Address("", contact.address)]),
        contact.organisation,
        contact.collected,
        tuple(dict.fromkeys(groups)),
        len(others),
    )


def _raised(rank: float, now: datetime) -> float:
    """The rank after one more use; see the module's own words."""
    use = now.timestamp() / HALF_LIFE
    high, low = max(rank, use), min(rank, use)
    return high + math.log2(1 + 2 ** (low - high))
