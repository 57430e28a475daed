"""Whom the letters typed so far may mean: by the beginning of any word of name or address, the most used first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from webmail.models import Contact, ContactGroup, User
from webmail.protocol.domains import shown_address
from webmail.protocol.recipients import field_text
from webmail.protocol.types import Address

from . import contact_groups
from .contact_words import MAX_WORDS, by_word, words

MOST_SUGGESTED = 8
_CANDIDATES = 48  # words looked at


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


def complete(user: User, typed: str, *, most: int = MOST_SUGGESTED) -> list[Suggestion]:
    """Whom the letters may mean: by the beginnings of words of name and address, the most used first.

    Args:
        typed: what stands in the field since the last comma; accents and case make no difference.
    """
    local, at, domain = typed.rpartition("@")
    begun = re.split(r"[\s<\"]", typed.casefold())[-1] if at else ""
    # What stands behind the last dot of a domain is no word: all would be found by it.
    wanted = words(local) + words(domain.rpartition(".")[0] or domain) if at else words(typed)
    if not wanted:
        return []
    longest, *others = sorted(wanted[:MAX_WORDS], key=len, reverse=True)
    rows = by_word(user, longest)
    for word in others:
        rows = rows.filter(contact__in=by_word(user, word).values("contact"))
    # Whoever has two words that begin so comes twice.
    ranked = rows.order_by("-rank").values_list("contact", flat=True)[:_CANDIDATES]
    ids = list(dict.fromkeys(ranked))[: _CANDIDATES if begun else most]
    contacts = Contact.objects.for_user(user).in_bulk(ids)
    found = [contacts[pk] for pk in ids if pk in contacts and _shown(contacts[pk]).casefold().startswith(begun)][:most]
    groups = [
        group
        for group in ContactGroup.objects.filter(user=user)[: contact_groups.MAX_GROUPS]
        if _begins(words(group.name), wanted)
    ]
    suggestions = [_suggested_group(group) for group in groups[:2]]
    return [*(each for each in suggestions if each.text), *map(_suggested, found)][:most]


def _begins(names: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether each of `wanted` is the beginning of one of `names`."""
    names = list(names)
    return all(any(name.startswith(each) for name in names) for each in wanted)


def _suggested(contact: Contact) -> Suggestion:
    person = Address(contact.name, contact.address)
    shown = _shown(contact)
    return Suggestion(field_text([person]), contact.name or shown, shown if contact.name else contact.organisation)


def _suggested_group(group: ContactGroup) -> Suggestion:
    members = contact_groups.members(group)
    people = "1 person" if len(members) == 1 else f"{len(members)} people"
    return Suggestion(field_text(members), group.name, people, is_group=True)


def _shown(contact: Contact) -> str:
    return shown_address(contact.address)
