"""Accounts from a table: read, checked as a whole, then all of them made or none.

The room's one law: a row that would fail says so, by line and in words, before anything is written. Passwords go
from the table straight into `credentials.seal`; no problem, note or `repr` carries one.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from webmail.models import Account, Provider, ProviderDomain, User
from webmail.protocol.mail_address import domain_of, normalise

from . import credentials

COLUMNS = ("address", "password", "provider", "name", "user", "signs_in")
MAX_BYTES = 1024 * 1024
MAX_ROWS = 5_000
MAX_CELL = 1_000  # characters; no address, name or password is longer
_MAX_NAME = 150  # first_name and last_name of the user model, and its username
_YES, _NO = frozenset({"yes", "y", "true", "1", "x"}), frozenset({"no", "n", "false", "0"})


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a table can't be taken. `line` is the line of the file, from 1; 0 for the table as a whole."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table as it was written, cells trimmed (the password isn't)."""

    line: int
    address: str
    password: str = field(repr=False)
    provider: str
    name: str
    user: str
    signs_in: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One account that would be made.

    Args:
        user: who has it already, or None: a person called `username` is made.
        password: "" if none was given; the person types it when signing in.
        notes: what the administrator should know; nothing wrong.
    """

    line: int
    address: str
    password: str = field(repr=False)
    provider: Provider
    username: str
    user: User | None
    name: str
    signs_in: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a table comes to. It can be carried out if there are no problems."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]

    @property
    def new_people(self) -> int:
        """How many people would be made."""
        return len({entry.username for entry in self.entries if entry.user is None})


class Unreadable(ValueError):
    """The file is no table: its message is a sentence for the person."""


def decode(data: bytes) -> str:
    """The text of an uploaded file: UTF-8, with or without a byte order mark.

    Raises:
        Unreadable: too large, or another charset.
    """
    if len(data) > MAX_BYTES:
        raise Unreadable(f"The table is larger than {MAX_BYTES // 1024} kB. Split it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("The file isn't UTF-8. In a spreadsheet choose “CSV UTF-8” when saving.") from None


def plan(text: str) -> Plan:
    """What the table `text` comes to, with every problem of every line. Nothing is written.

    The first line names the columns (`COLUMNS`, in any order; only `address` is needed); commas, semicolons or tabs
    separate them.
    """
    try:
        rows = list(_read(text))
    except Unreadable as error:
        return Plan((), (Problem(0, str(error)),))
    except _AtLine as error:
        return Plan((), (Problem(error.line, str(error)),))
    if not rows:
        return Plan((), (Problem(0, "The table has no rows below its heading."),))
    return _Checker(rows).plan()


def carry_out(checked: Plan) -> list[Account]:
    """Make the people and accounts of `checked`, all or none; returns the accounts.

    Raises:
        ValueError: the plan has problems.
        IntegrityError: somebody else made one of them since the plan was checked; nothing is made.
    """
    if checked.problems:
        raise ValueError("A plan with problems can't be carried out.")
    with transaction.atomic():
        people = {entry.username: _person(entry) for entry in reversed(checked.entries) if entry.user is None}
        made = {user.username: user for user in User.objects.bulk_create(people.values())}
        return Account.objects.bulk_create(
            _account(entry, entry.user or made[entry.username]) for entry in checked.entries
        )


class _AtLine(Exception):
    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


def _read(text: str) -> Iterator[Row]:
    """The rows of the table, blank lines left out.

    Raises:
        Unreadable: there is no heading. _AtLine: a line that breaks the form.
    """
    text = text.removeprefix("\ufeff")
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise Unreadable(f"The table is larger than {MAX_BYTES // 1024} kB. Split it.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    heading: list[str] | None = None
    rows = 0
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            raise _AtLine(line, "The quotation marks of this line don't match.") from None
        if not any(cell.strip() for cell in cells):
            continue
        if heading is None:
            heading = _heading(cells)
            continue
        rows += 1
        if rows > MAX_ROWS:
            raise _AtLine(line, f"A table may have {MAX_ROWS:,} rows. Split it.")
        yield _row(line, heading, cells)
    if heading is None:
        raise Unreadable("The table is empty.")


def _row(line: int, heading: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) > len(heading) and any(cell.strip() for cell in cells[len(heading) :]):
        raise _AtLine(line, f"This line has {len(cells)} cells, but there are {len(heading)} columns.")
    if any(len(cell) > MAX_CELL for cell in cells):
        raise _AtLine(line, f"A cell of this line is longer than {MAX_CELL:,} characters.")
    values = dict.fromkeys(COLUMNS, "") | dict(zip(heading, cells, strict=False))
    password = values.pop("password")
    trimmed = {column: value.strip() for column, value in values.items()}
    if any(unicodedata.category(char) == "Cc" for value in trimmed.values() for char in value):
        raise _AtLine(line, "A cell of this line holds a line break or another control character.")
    return Row(line=line, password=password, **trimmed)


def _heading(cells: Iterable[str]) -> list[str]:
    heading = [cell.strip().lower().replace(" ", "_") for cell in cells]
    while heading and not heading[-1]:  # a spreadsheet's empty columns
        heading.pop()
    unknown = [column for column in heading if column not in COLUMNS]
    if unknown:
        # The first line may hold data, and data may be a password: it is not repeated.
        raise Unreadable(f"The first line must name the columns, which may be {', '.join(COLUMNS)}. It names others.")
    if "address" not in heading:
        raise Unreadable("There is no column “address”.")
    twice = [column for column, times in Counter(heading).items() if times > 1]
    if twice:
        raise Unreadable(f"The column “{twice[0]}” is there twice.")
    return heading


def _delimiter(text: str) -> str:
    """What separates the columns: whichever of the three the heading has most of."""
    heading = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=heading.count)


class _Checker:
    """Checks rows against one another and against the database, with a fixed number of queries."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._problems: list[Problem] = []
        self._addresses = {row.line: self._address(row) for row in rows}
        self._providers = {provider.name.casefold(): provider for provider in Provider.objects.all()}
        by_key = {provider.pk: provider for provider in self._providers.values()}
        self._domains = {row.domain: by_key[row.provider_id] for row in ProviderDomain.objects.all()}
        known = set(self._addresses.values())
        self._people = {
            user.username: user
            for user in User.objects.filter(username__in=known | {row.user for row in rows if row.user})
        }
        self._owned: set[tuple[str, int, str]] = set()
        self._signing_in: dict[tuple[str, int], str] = {}
        for account in Account.objects.filter(address__in=known).select_related("user"):
            self._owned.add((account.address, account.provider_id, account.user.username))
            if account.signs_in:
                self._signing_in[account.address, account.provider_id] = account.user.username

    def plan(self) -> Plan:
        entries = [entry for row in self._rows if (entry := self._entry(row))]
        self._check_reachable(entries)
        return Plan(tuple(entries), tuple(sorted(self._problems, key=lambda problem: problem.line)))

    def _problem(self, row: Row | Entry, sentence: str) -> None:
        self._problems.append(Problem(row.line, sentence))

    def _address(self, row: Row) -> str:
        if not row.address:
            self._problem(row, "The address is missing.")
            return ""
        try:
            return normalise(row.address)
        except ValueError:
            self._problem(row, f"“{_short(row.address)}” is not a mail address.")
            return ""

    def _entry(self, row: Row) -> Entry | None:
        """The account that `row` asks for, or None with a problem noted."""
        before = len(self._problems)
        address = self._addresses[row.line]
        username = row.user or address
        provider = self._provider(row, address)
        signs_in = self._signs_in(row, username == address)
        if len(row.name) > _MAX_NAME:
            self._problem(row, "The name is longer than 150 characters.")
        if len(username) > _MAX_NAME:
            self._problem(row, "The user name is longer than 150 characters: give a shorter one in the column “user”.")
        if any(char in row.password for char in "\r\n\0"):
            self._problem(row, "The password holds a line break, which no mail server takes.")
        if provider is None or not address or len(self._problems) > before:
            return None
        if (address, provider.pk, username) in self._owned:
            self._problem(row, f"{address} at {provider} is there already, for “{username}” (or twice in this table).")
            return None
        if signs_in:
            owner = self._signing_in.setdefault((address, provider.pk), username)
            if owner != username:
                self._problem(row, f"{address} already signs in “{owner}”; it can't sign in “{username}” too.")
                return None
        if provider.by_oauth and row.password:
            self._problem(row, f"{provider} takes no passwords: leave it empty, and the person connects the mailbox.")
        if provider.by_oauth and signs_in and self._domains.get(domain_of(address)) != provider:
            self._problem(
                row,
                f"{provider}, where {address} would sign in, doesn't serve {domain_of(address)}: add the domain to it.",
            )
        self._owned.add((address, provider.pk, username))
        return self._described(row, address, provider, username, signs_in)

    def _described(self, row: Row, address: str, provider: Provider, username: str, signs_in: bool) -> Entry:
        user = self._people.get(username)
        notes = []
        if user is not None:
            notes.append("for a person who exists")
        if provider.by_oauth:
            notes.append("the person connects it")
        elif not row.password:
            notes.append("no password yet: the person types it")
        if signs_in and not provider.sign_in_allowed:
            notes.append(f"{provider} doesn't allow signing in at present")
        return Entry(
            line=row.line,
            address=address,
            password=row.password,
            provider=provider,
            username=username,
            user=user,
            name=row.name,
            signs_in=signs_in,
            notes=tuple(notes),
        )

    def _provider(self, row: Row, address: str) -> Provider | None:
        if row.provider:
            found = self._providers.get(row.provider.casefold())
            if found is None:
                self._problem(row, f"There is no provider called “{_short(row.provider)}”.")
            return found
        if not address:
            return None
        found = self._domains.get(domain_of(address))
        if found is None:
            self._problem(
                row, f"No provider serves {domain_of(address)}: add the domain to one, or name one in this line."
            )
        return found

    def _signs_in(self, row: Row, own_name: bool) -> bool:
        word = row.signs_in.lower()
        if word not in _YES | _NO | {""}:
            self._problem(row, f"“{_short(row.signs_in)}” under signs_in: write yes or no.")
        return word in _YES if word else own_name

    def _check_reachable(self, entries: Sequence[Entry]) -> None:
        """A person who is made here has no local password, so one of their accounts has to sign them in."""
        able = {entry.username for entry in entries if entry.signs_in and entry.provider.sign_in_allowed}
        for entry in entries:
            if entry.user is None and entry.username not in able:
                self._problem(
                    entry,
                    f"Nobody could sign in as “{entry.username}”, who is new here: write yes under signs_in (at a"
                    " provider that allows signing in), or make the person with a password first.",
                )


def _person(entry: Entry) -> User:
    first, _, last = entry.name.rpartition(" ")
    user = User(
        username=entry.username,
        first_name=first or last,
        last_name=last if first else "",
        email=entry.address if entry.username == entry.address else "",
    )
    user.set_unusable_password()
    return user


def _account(entry: Entry, user: User) -> Account:
    account = Account(
        user=user,
        provider=entry.provider,
        address=entry.address,
        signs_in=entry.signs_in,
        state=Account.State.OK if entry.password else Account.State.LOGIN_NEEDED,
        state_since=None if entry.password else timezone.now(),
    )
    if entry.password:
        account.credential = credentials.seal(account, entry.password)
    return account


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
