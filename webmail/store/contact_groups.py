"""Groups: people who are written to together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Q

from webmail.models import Contact, ContactGroup, User
from webmail.protocol.errors import ProtocolError
from webmail.protocol.recipients import field_text
from webmail.protocol.types import Address

from . import persons

MAX_GROUPS = 500
_AT_ONCE = 500  # people of one query


class TakenName(ProtocolError):
    """There is a group of this name."""

    sentence = "You have a group of this name already."


@dataclass(frozen=True, slots=True)
class Group:
    """One line of the list of groups, with the number of people in it."""

    pk: int
    name: str
    size: int


def groups(user: User) -> list[Group]:
    """The person's groups, ready to print."""
    there = Count("members", filter=Q(members__forgotten_at=None))
    rows = ContactGroup.objects.filter(user=user).annotate(size=there)
    return [Group(*row) for row in rows.values_list("pk", "name", "size")[:MAX_GROUPS]]


def members(group: ContactGroup) -> list[Address]:
    """Who is in a group, without those that were forgotten."""
    rows = group.members.filter(forgotten_at=None)
    return [Address(name, address) for name, address in rows.values_list("name", "address")]


def field_of(user: User, contact_ids: Iterable[int], group_ids: Iterable[int] = ()) -> str:
    """These of the person's people and the members of these of their groups, each once, as a field of recipients."""
    wanted = Q(pk__in=list(contact_ids)) | Q(groups__in=list(group_ids), groups__user=user)
    rows = Contact.objects.for_user(user).filter(wanted).distinct().order_by("name", "key")
    return field_text(Address(name, address) for name, address in rows.values_list("name", "address"))


def of_person(contact: Contact) -> list[ContactGroup]:
    """The groups that somebody is in with any of their addresses."""
    rows = ContactGroup.objects.filter(Q(members=contact) | Q(members__of=contact, members__forgotten_at=None))
    return list(rows.distinct())


def save_of(user: User, name: str, people: Iterable[Address], *, group: ContactGroup | None = None) -> ContactGroup:
    """Make a group by addresses, which the address book takes in where it has them not yet.

    Args:
        group: that is changed, and called `name` from now on.

    Raises:
        TakenName: another one is called so.
    """
    with transaction.atomic():
        others = ContactGroup.objects.filter(user=user, name=_name(name))
        if others.exclude(pk=group.pk if group else 0).exists():
            raise TakenName
        group = group or ContactGroup(user=user)
        group.name = _name(name)
        group.save()
        ids = [persons.kept(user, each).pk for each in people]
        gone = group.members.exclude(forgotten_at=None)
        group.members.set([*Contact.objects.for_user(user).filter(pk__in=ids), *gone])
    return group


def join(user: User, name: str, keys: Iterable[str]) -> bool:
    """Add these people of the person's address book to the group of this name; False where there are too many groups.

    Args:
        keys: their addresses, as `normalise` spells them.
    """
    rows = ContactGroup.objects.filter(user=user)
    if not rows.filter(name=_name(name)).exists() and rows.count() >= MAX_GROUPS:
        return False
    with transaction.atomic():
        group, _ = ContactGroup.objects.get_or_create(user=user, name=_name(name))
        wanted = list(dict.fromkeys(keys))
        for start in range(0, len(wanted), _AT_ONCE):
            group.members.add(*Contact.objects.for_user(user).filter(key__in=wanted[start : start + _AT_ONCE]))
    return True


def _name(text: str) -> str:
    return persons.clean_name(text)[:100]
