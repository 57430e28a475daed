"""What stands on every page and hardly changes from one look to the next: the sidebar, and the rows of a list.

Their HTML is kept by the values it is made of. These are all that the templates print, so what is kept can't be old:
another count or another date is another key. People look at the same list again and again, after each message they
read and each change that is pushed; then drawing costs a look into a dictionary.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from webmail.models import User
from webmail.store import keys
from webmail.store.listing import Row
from webmail.store.sidebar import SidebarAccount

register = template.Library()

MOST_ROWS = 10_000  # kept per process, about 15 MB
_ON_BAR = ("act:archive", "act:delete", "act:move", "act:read")
_BETWEEN = "\0"  # no text that is shown holds it

_rows: dict[tuple[Row, str], str] = {}


@register.simple_tag
def accounts(sidebar: tuple[SidebarAccount, ...], person: User) -> SafeString:
    """Print the accounts and their mailboxes, with the person's own key for a new message."""
    return _accounts(sidebar, _hints(person, "compose"))


@register.simple_tag
def unread_mark(sidebar: tuple[SidebarAccount, ...]) -> str:
    """Print what stands before the title of a page: "(3) ", or nothing where all is read."""
    unread = _unread(sidebar)
    return f"({unread}) " if unread else ""


@register.simple_tag
def bar(mailbox: int, query: str, role: str, everything: str, person: User) -> SafeString:
    """Print the bar over a list in which something is selected.

    Args:
        mailbox, role: the mailbox's key and role. query: the list's query string.
        everything: what "all that match" is called, "" where the page shows all of it.
        person: whose keys its buttons name.
    """
    return _bar(mailbox, query, role, everything, _hints(person, *_ON_BAR))


@register.simple_tag
def rows(shown: Sequence[Row], query: str) -> SafeString:
    """Print the rows of a list. Those not kept yet are drawn at once, by one template.

    Args:
        query: the list's query string, which the rows' links carry.
    """
    pieces = [_rows.get((row, query)) for row in shown]
    if None in pieces:
        missing = [place for place, piece in enumerate(pieces) if piece is None]
        context = {"rows": [shown[place] for place in missing], "query": query, "between": _BETWEEN}
        drawn = render_to_string("mailbox/_rows.html", context).split(_BETWEEN)[:-1]
        if len(_rows) + len(drawn) > MOST_ROWS:
            _rows.clear()
        for place, piece in zip(missing, drawn, strict=True):
            pieces[place] = _rows[shown[place], query] = piece
    return SafeString("".join(map(str, pieces)))


@lru_cache(maxsize=1000)
def _accounts(sidebar: tuple[SidebarAccount, ...], hints: tuple[str, ...]) -> SafeString:
    context = {"sidebar": sidebar, "unread": _unread(sidebar), "compose": hints[0]}
    return render_to_string("mailbox/_accounts.html", context)


@lru_cache(maxsize=200)
def _bar(mailbox: int, query: str, role: str, everything: str, hints: tuple[str, ...]) -> SafeString:
    context = {"mailbox": mailbox, "query": query, "role": role, "all": everything}
    named = {command.partition(":")[2]: hint for command, hint in zip(_ON_BAR, hints, strict=True)}
    return render_to_string("mailbox/_bar.html", context | {"keys": named})


def _hints(person: User, *commands: str) -> tuple[str, ...]:
    """The person's key for each, as it stands behind words: " (e)", "" where there is none."""
    found = (keys.key_of(person, command) for command in commands)
    return tuple(f" ({key})" if key else "" for key in found)


def _unread(sidebar: tuple[SidebarAccount, ...]) -> int:
    return sum(account.unread for account in sidebar)


def forget() -> None:
    """Draw everything anew, as after a start."""
    _rows.clear()
    _accounts.cache_clear()
    _bar.cache_clear()
