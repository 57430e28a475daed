"""People in an address book, for the tests of it."""

from __future__ import annotations

from collections.abc import Iterable

from webmail.models import Contact, ContactGroup, User
from webmail.protocol.types import Address
from webmail.store import completion, persons

BOB = Address("Bob Novák", "bob@demo.test")
CAROL = Address("Carol Jones", "carol@Quay.test")


def save(user: User, address: str, *, contact: Contact | None = None, **facts: str | tuple[str, ...]) -> Contact:
    return persons.save(user, address, persons.Facts(**facts), contact=contact)  # type: ignore[arg-type]


def group_of(user: User, name: str, contact_ids: Iterable[int]) -> None:
    group, _ = ContactGroup.objects.get_or_create(user=user, name=name)
    group.members.set(contact_ids)


def suggested(user: User, typed: str) -> list[str]:
    return [each.text for each in completion.complete(user, typed)]
