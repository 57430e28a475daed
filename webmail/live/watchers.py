"""Who may hold a stream: the session it was opened with, looked at again every few seconds while it is open.

Each function is a few queries, whatever the number of streams, and is called from one thread of its own: a stream that
waits holds no database connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.utils import timezone

from webmail.models import Account, Session, User
from webmail.models.session import SessionStore

AT_ONCE = 1000  # keys in one query

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Watcher:
    """A signed-in browser.

    Args:
        session_key: of the session, which must go on.
        user_id: whose.
        password: the user's password hash as it was: another one ends every session begun with it.
    """

    session_key: str
    user_id: int
    password: str


def admit(request: HttpRequest) -> Watcher | None:
    """Who asks for a stream; None unless somebody is signed in, as for any page."""
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    request.session = SessionStore(key)
    user = get_user(request)
    if not isinstance(user, User) or not user.is_active:
        return None
    return Watcher(key, user.pk, user.password)


def still_signed_in(watchers: Iterable[Watcher]) -> set[Watcher]:
    """Those whose session has neither ended nor run out, and whose user has the same password and may still sign in."""
    wanted = {watcher.session_key: watcher for watcher in watchers}
    found = set()
    for keys in _batches(list(wanted)):
        rows = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now(), user__is_active=True)
        for key, user_id, password in rows.values_list("session_key", "user_id", "user__password"):
            watcher = wanted[key]
            if (watcher.user_id, watcher.password) == (user_id, password):
                found.add(watcher)
    return found


def accounts_of(user_ids: Iterable[int]) -> Mapping[int, frozenset[int]]:
    """The keys of each person's accounts: what they may hear of."""
    found: dict[int, set[int]] = {user_id: set() for user_id in user_ids}
    for some in _batches(list(found)):
        for user_id, account_id in Account.objects.filter(user__in=some).values_list("user_id", "pk"):
            found[user_id].add(account_id)
    return {user_id: frozenset(accounts) for user_id, accounts in found.items()}


def _batches(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]
