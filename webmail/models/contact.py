"""The people a user writes to: an address book that fills itself, groups, and the words they are found by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from .user import User


class ContactQuerySet(models.QuerySet["Contact"]):
    def for_user(self, user: User) -> ContactQuerySet:
        """The addresses of one signed-in user's people, without those that were forgotten."""
        return self.filter(user=user, forgotten_at=None)

    def ever_of(self, user: User) -> ContactQuerySet:
        """Likewise with those that were forgotten and can still be brought back."""
        return self.filter(user=user)


class Contact(models.Model):
    """One address and whose it is. Who has several has a row for each: all but the first are `of` that one.

    `address` is as it is written to, `key` as `mail_address.normalise` spells it. `name` is the same in all rows of a
    person; what else is known stands in the first: `phones` one a line with a kind before it or without
    ("mobile: +41 …"), `birthday` as "1980-04-01" or, of no year, "--04-01". `collected`: nobody put it into the address
    book, it was written to. `rank` grows with each use, the later the more (see `store/people.py`). `forgotten_at`: the
    person took it out, and it isn't collected anew.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="contacts")
    key = models.CharField(max_length=254)
    address = models.CharField(max_length=254)
    name = models.CharField(max_length=200, blank=True)
    organisation = models.CharField(max_length=200, blank=True)
    phones = models.TextField(blank=True)
    birthday = models.CharField(max_length=10, blank=True)
    note = models.TextField(blank=True)
    of = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="others")
    collected = models.BooleanField(default=False)
    uses = models.PositiveIntegerField(default=0)
    rank = models.FloatField(default=0.0)
    used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    forgotten_at = models.DateTimeField(null=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        ordering = ["name", "address"]
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="contact_once")]

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


class ContactCard(models.Model):
    """What a person's vCard said beside what the address book knows of, line by line, for when it is written again."""

    contact = models.OneToOneField(Contact, on_delete=models.CASCADE, primary_key=True, related_name="card")
    lines = models.TextField()

    def __str__(self) -> str:
        return f"the card of {self.contact_id}"


class ContactWord(models.Model):
    """A word by whose beginning a contact is found: of its name, its address, its domain.

    `word` is the folded word's octets in hexadecimal digits, which every database orders alike; `first` and `second`
    are its first letter and its first two, for which the ranked index answers without sorting.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="words")
    word = models.CharField(max_length=96)
    first = models.CharField(max_length=8)
    second = models.CharField(max_length=16)
    rank = models.FloatField(default=0.0)

    class Meta:
        indexes = [
            models.Index(fields=["user", "word"], name="contact_word"),
            models.Index(fields=["user", "first", "-rank"], name="contact_first"),
            models.Index(fields=["user", "second", "-rank"], name="contact_second"),
        ]

    def __str__(self) -> str:
        return bytes.fromhex(self.word).decode("utf-8", "replace")


class ContactGroup(models.Model):
    """People who are written to together."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="contact_groups")
    name = models.CharField(max_length=100)
    members = models.ManyToManyField(Contact, related_name="groups")

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="contact_group_once")]

    def __str__(self) -> str:
        return self.name
