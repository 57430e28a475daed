"""What people's intents need on a page: a form's key, and which key on the keyboard does what."""

from __future__ import annotations

import uuid

from django import template

from webmail.models import User
from webmail.store import keys

register = template.Library()


@register.simple_tag
def idem_key() -> str:
    """Print a key of this one intent: sending the form twice, by a double click or a reload, records one job."""
    return str(uuid.uuid4())


@register.simple_tag
def key_table(person: User) -> str:
    """Print the person's keys for the pages' scripts."""
    return keys.table_of(person)


@register.simple_tag
def with_key(words: str, person: User | None, command: str) -> str:
    """Print what a button does with the person's own key for it behind: "Archive (e)"."""
    key = keys.key_of(person, command)
    return f"{words} ({key})" if key else words


@register.filter
def undoes(tags: str) -> str:
    """The keys of the jobs that a said sentence speaks of, for its Undo: they come in the sentence's tags."""
    return (tags or "").partition("undo ")[2]
