"""Where a page of a list begins: keyset cursors over the index, and the orders a list can have.

A cursor names the row next to the page (its sort key and UID) and how many rows lie before the page, which is only
shown ("51–100 of 1,204") and may be off by what arrived since.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from django.db.models import Q

MAX_SENDER = 320  # characters of an address
SORTS = {"date": "date", "sender": "sender_key", "subject": "subject_key", "size": "size"}
SORT_LABELS = {"date": "Date", "sender": "Sender", "subject": "Subject", "size": "Size"}
FILTERS: dict[str, Q] = {
    "all": Q(),
    "unread": Q(seen=False),
    "flagged": Q(flagged=True),
    "attachment": Q(has_attachment=True),
}
FILTER_LABELS = {"all": "All", "unread": "Unread", "flagged": "Flagged", "attachment": "With attachment"}


@dataclass(frozen=True, slots=True)
class Cursor:
    """The row beside a page and the page's position.

    Args:
        key: the row's sort key: text, size, or microseconds since 1970 for dates. uid: its UID (`Query.tie`).
        position: how many rows lie before the page.
    """

    key: str | int
    uid: int
    position: int

    def __str__(self) -> str:
        packed = json.dumps([self.key, self.uid, self.position], separators=(",", ":"), ensure_ascii=False)
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Query:
    """What a list page was asked for. Anything unknown in the address becomes the default.

    Args:
        sort: a key of SORTS. descending: newest, largest or Z first. only: a key of FILTERS.
        after, before: the row that ends the page before, or begins the page after.
        page: a page number from 1, for jumping; 0 where a cursor or nothing says where.
        sender: an address whose mail is listed, from all mailboxes of the account; newest first, without a filter.
        mutual: and mail that was sent to it.
    """

    sort: str = "date"
    descending: bool = True
    only: str = "all"
    after: Cursor | None = None
    before: Cursor | None = None
    page: int = 0
    sender: str = ""
    mutual: bool = False

    @property
    def tie(self) -> str:
        """The column that tells rows of the same date apart: a UID does so in one mailbox alone."""
        return "pk" if self.sender else "uid"

    @property
    def is_first(self) -> bool:
        """True for the top of the list."""
        return self.after is None and self.before is None and self.page <= 1

    def replace(self, **values: str) -> str:
        """The query string of this list with `values` instead, from its top unless they say where; often ""."""
        pairs = {
            "with" if self.mutual else "from": quote(self.sender, safe="@"),
            "filter": self.only if self.only != "all" else "",
            "sort": self.sort if self.sort != "date" else "",
            "order": "" if self.descending == default_descending(self.sort) else ("desc" if self.descending else "asc"),
        } | values
        said = "&".join(f"{name}={value}" for name, value in pairs.items() if value)
        return f"?{said}" if said else ""

    @property
    def here(self) -> str:
        """The query string of this very page."""
        after, before = (str(cursor) if cursor else "" for cursor in (self.after, self.before))
        return self.replace(after=after, before=before, page=str(self.page or ""))


def default_descending(sort: str) -> bool:
    """Newest and largest first; names from A."""
    return sort in ("date", "size")


def read_query(values: dict[str, str]) -> Query:
    """The query in an address's parameters; never raises."""
    mutual = bool(values.get("with"))
    sender = values.get("with" if mutual else "from", "").replace("\0", "").strip()[:MAX_SENDER]
    if sender:
        values = {name: value for name, value in values.items() if name in ("after", "before", "page")}
    sort = values.get("sort", "date")
    sort = sort if sort in SORTS else "date"
    only = values.get("filter", "all")
    page = values.get("page", "")
    return Query(
        sort=sort,
        descending={"asc": False, "desc": True}.get(values.get("order", ""), default_descending(sort)),
        only=only if only in FILTERS else "all",
        after=_read(values.get("after", ""), sort),
        before=_read(values.get("before", ""), sort),
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 8 else 0,
        sender=sender,
        mutual=mutual and bool(sender),
    )


def beyond(cursor: Cursor, query: Query, *, forward: bool) -> Q:
    """The rows after (or before) the cursor's row in the query's order.

    The plain bound on the first column lets the database begin in the index at the right place.
    """
    column = SORTS[query.sort]
    sign = "lt" if query.descending == forward else "gt"
    key = _key_value(cursor.key, query.sort)
    return Q(**{f"{column}__{sign}e": key}) & (
        Q(**{f"{column}__{sign}": key}) | Q(**{column: key, f"{query.tie}__{sign}": cursor.uid})
    )


def ordering(query: Query, *, forward: bool = True) -> tuple[str, str]:
    """The columns to order by, the last so that no two rows are equal."""
    minus = "-" if query.descending == forward else ""
    return f"{minus}{SORTS[query.sort]}", f"{minus}{query.tie}"


def cursor_of(sort: str, key: str | int | datetime, uid: int, position: int) -> Cursor:
    """The cursor at a row."""
    if isinstance(key, datetime):
        key = int(key.timestamp()) * 1_000_000 + key.microsecond
    return Cursor(key, uid, max(0, position))


def _key_value(key: str | int, sort: str) -> str | int | datetime:
    if sort == "date":
        seconds, microseconds = divmod(int(key), 1_000_000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=microseconds)
    return key


def _read(packed: str, sort: str) -> Cursor | None:
    if not packed or len(packed) > 1000:
        return None
    try:
        key, uid, position = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        return None
    text_key = sort in ("sender", "subject")
    if not isinstance(key, str if text_key else int) or not isinstance(uid, int) or not isinstance(position, int):
        return None
    cursor = Cursor(key, uid, position)
    try:
        _key_value(key, sort)
    except (ValueError, OverflowError, OSError):
        return None
    return cursor if 0 <= uid < 2**63 and 0 <= position < 2**32 and abs(_number(key)) < 2**63 else None


def _number(key: str | int) -> int:
    return key if isinstance(key, int) else 0
