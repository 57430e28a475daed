"""The words by whose beginnings people are found, without case and accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from django.db.models import QuerySet

from webmail.models import Contact, ContactWord, User
from webmail.protocol.domains import shown_domain

MAX_WORDS = 12  # by which one person is found
_WORD_OCTETS = 32
_WORDS = re.compile(r"[^\W_]+")
# Letters with a mark that Unicode takes for letters of their own.
_WITHOUT_MARK = str.maketrans(dict(zip("łøđðħıæœþ", ["l", "o", "d", "d", "h", "i", "ae", "oe", "th"], strict=True)))


def index(user: User, contacts: Sequence[Contact]) -> None:
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


def by_word(user: User, word: str) -> QuerySet[ContactWord]:
    """The words of somebody's people that begin so."""
    rows = ContactWord.objects.filter(user=user)
    key = _key(word)
    if len(word) == 1:
        return rows.filter(first=key)
    if len(word) == 2:
        return rows.filter(second=key)
    return rows.filter(word__gte=key, word__lt=key + "g")  # "g" comes after every hexadecimal digit


def words(text: str) -> list[str]:
    """The words of a text without case and accents."""
    plain = unicodedata.normalize("NFKD", text[:500].casefold()).translate(_WITHOUT_MARK)
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return [word.encode()[:_WORD_OCTETS].decode("utf-8", "ignore") for word in _WORDS.findall(letters)]


def _words_of(contact: Contact) -> list[str]:
    """Words of the name, of the address, and the address as a whole."""
    local, _, domain = contact.key.rpartition("@")
    found = [*words(contact.name), *words(local), *words(shown_domain(domain).rpartition(".")[0])]
    return list(dict.fromkeys(found))[:MAX_WORDS]


def _key(word: str) -> str:
    return word.encode().hex()
