"""Verbs about mailboxes as a whole: list, count, select (RFC 9051 §6.3, RFC 5819 LIST-STATUS, RFC 6154 SPECIAL-USE)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .errors import BadAnswer, NoSuchMailbox, Refused, UidValidityChanged
from .exchange import (
    MOST,
    SMALL_ANSWER,
    Answer,
    Command,
    Exchange,
    Selection,
    no_data,
    quoted_octets,
    read_answer,
    refusal,
)
from .namespaces import Namespaces
from .roles import special_use, with_common_roles
from .sets import MAX_UID
from .tokens import Token, number, skip, string, tokenize
from .types import MailboxInfo, MailboxStatus, Role, Selected, Space

MAX_MAILBOXES = 10_000
LIST_ANSWER = 16 << 20  # octets
FRESH_SECONDS = 1.0  # for so long the view of a selected mailbox counts as of this moment
# What a verb that names UIDs does: any view will do, and if one of them isn't in it, a new one is looked at.
AGES = (math.inf, 0.0)


@dataclass(slots=True)
class _Listed:
    """One LIST response, names still as the wire has them."""

    raw: bytes
    delimiter: str
    attributes: frozenset[str]


class Mailboxes(Exchange):
    """The mailbox verbs of `Connection`."""

    _namespaces = Namespaces()
    _apart: tuple[bytes, ...] = ()  # patterns of LIST for namespaces that "*" leaves out

    def mailboxes(self) -> tuple[MailboxInfo, ...]:
        """All mailboxes of the account with their counts, in the server's order.

        One round trip with LIST-STATUS, else two; one more for the first look at a namespace of others that isn't a
        part of the whole list. A name that could not be sent again is left out.
        """
        self._begin()
        statuses: dict[bytes, MailboxStatus] = {}
        object_ids: dict[bytes, str] = {}
        listed: dict[bytes, _Listed] = {}
        subscribed: set[bytes] = set()
        extended = self.has("LIST-EXTENDED")

        def take(response: list[bytes]) -> None:
            tokens = tokenize(response)
            kind = _kind(tokens)
            if kind == b"NAMESPACE":
                self._namespaces = Namespaces.read(tokens)
            elif kind == b"LIST" and len(listed) < MAX_MAILBOXES and (entry := _read_list(tokens)):
                listed.setdefault(entry.raw, entry)
            elif kind == b"LSUB" and len(subscribed) < MAX_MAILBOXES and (entry := _read_list(tokens)):
                subscribed.add(entry.raw)
            elif kind == b"STATUS" and len(statuses) < MAX_MAILBOXES and len(tokens) > 2:
                raw = string(tokens[2])
                statuses[raw], object_ids[raw] = _read_status(tokens)

        def build() -> list[Command]:
            # STATUS of the selected mailbox shows it as the session last saw it (RFC 9051 §6.3.11), so it is seen anew.
            current = self._selection
            anew = [self._select_command(current.name, read_only=current.read_only)] if current else []
            asked = [Command(b"NAMESPACE", take)] if self.has("NAMESPACE") else []
            return [*anew, *asked, *(each for pattern in self._apart for each in build_list(pattern)), *build_list()]

        def build_list(pattern: bytes = b'"*"') -> list[Command]:
            if not extended:
                return [Command(b'%b "" %b' % (verb, pattern), take, octets=LIST_ANSWER) for verb in (b"LIST", b"LSUB")]
            options = [b"SUBSCRIBED"]
            if self.has("SPECIAL-USE"):
                options.append(b"SPECIAL-USE")
            if self.has("LIST-STATUS"):
                options.append(b"STATUS (%b)" % self._status_items())
            return [Command(b'LIST "" %b RETURN (%b)' % (pattern, b" ".join(options)), take, octets=LIST_ANSWER)]

        answer = self._run(build, check=False)[-1 if extended else -2].done
        if not answer.ok and extended:  # some offer more than they can do
            extended = False
            answer = self._run(build, check=False)[-2].done
        if not answer.ok:
            raise refusal(answer)
        apart = [quoted_octets(prefix + b"*") for prefix in self._namespaces.apart_from(listed)]
        if new := [pattern for pattern in apart if pattern not in self._apart]:
            self._apart = (*self._apart, *new)  # from now on in the first round trip
            self._run(lambda: [each for pattern in new for each in build_list(pattern)], check=False)
        missing = [
            raw for raw, entry in listed.items() if raw not in statuses and _selectable(entry) and self.decode_name(raw)
        ]
        if missing:
            items = self._status_items()
            self._run(
                lambda: [
                    Command(b"STATUS %b (%b)" % (self.encode_name(self.decode_name(raw)), items), take)
                    for raw in missing
                ],
                check=False,  # a mailbox that went away meanwhile is simply without counts
            )
        infos: dict[str, MailboxInfo] = {}
        for raw, entry in listed.items():
            name = canonical(self.decode_name(raw))
            if name and name not in infos:
                space = Space.OWN if name == "INBOX" else self._namespaces.space_of(raw)
                use = special_use(entry.attributes) if space is Space.OWN else None
                infos[name] = MailboxInfo(
                    name=name,
                    delimiter=entry.delimiter,
                    role=Role.INBOX if name == "INBOX" else use,
                    space=space,
                    selectable=_selectable(entry),
                    subscribed="\\subscribed" in entry.attributes if extended else raw in subscribed,
                    object_id=object_ids.get(raw, ""),
                    status=statuses.get(raw),
                )
        return with_common_roles(list(infos.values()))

    def status(self, names: Sequence[str]) -> dict[str, MailboxStatus]:
        """The counts of these mailboxes in one round trip; those that are gone are left out.

        Raises:
            Forbidden: a name holds CR, LF or NUL.
        """
        self._begin()
        statuses: dict[str, MailboxStatus] = {}
        wanted = {canonical(name): name for name in names}

        def take(response: list[bytes]) -> None:
            tokens = tokenize(response)
            if _kind(tokens) == b"STATUS" and len(tokens) > 2:
                name = wanted.get(canonical(self.decode_name(string(tokens[2]))))
                if name is not None:
                    statuses[name] = _read_status(tokens)[0]

        def build() -> list[Command]:
            items = self._status_items()
            return [Command(b"STATUS %b (%b)" % (self.encode_name(name), items), take) for name in wanted.values()]

        for command in self._run(build, check=False):
            error = refusal(command.done)
            if not command.done.ok and not isinstance(error, Refused):
                raise error  # not gone, only not to be had at the moment
        return statuses

    def select(self, name: str, *, read_only: bool = True, fresh: bool = False) -> Selected:
        """Select a mailbox; without a command if it is selected already, read-write serving for read-only too.

        Args:
            name: as `mailboxes` gave it.
            read_only: EXAMINE rather than SELECT.
            fresh: ask even if it is selected: counts and HIGHESTMODSEQ of this moment.

        Raises:
            NoSuchMailbox: it is gone. Refused: the server says why not.
        """
        self._begin()
        return self._select(name, read_only=read_only, anew=fresh).value()

    def _select(self, name: str, *, read_only: bool, anew: bool = False) -> Selection:
        if anew or not self._has_selected(name, read_only=read_only):
            [command] = self._run(lambda: [self._select_command(name, read_only=read_only)], check=False)
            self._check_selected(name, command.done)
        return self._current()

    def _run_in(
        self,
        name: str,
        uidvalidity: int,
        build: Callable[[], Iterable[Command]],
        *,
        max_age: float = FRESH_SECONDS,
        renew: bool = False,
    ) -> Selected:
        """Run reading commands in a mailbox, selecting it in the same round trip where need be.

        Args:
            name, uidvalidity: the mailbox.
            build, renew: as for `_run`.
            max_age: select it again if it was selected more seconds ago: a session doesn't see what came to the
                mailbox since its last command, and a NOOP sent ahead doesn't help (see `exchange`).

        Returns:
            the mailbox as it stood when it was selected, before the commands.

        Raises:
            UidValidityChanged: `uidvalidity` isn't the mailbox's; what came is to be dropped.
            NoSuchMailbox and the rest: see `select` and `_run`.
        """
        select: Command | None = None

        def assemble() -> list[Command]:
            nonlocal select
            select = None
            age = time.monotonic() - self._selection.since if self._selection else 0.0
            if self._has_selected(name, read_only=True) and age < max_age:
                self._check_uidvalidity(uidvalidity)
                return list(build())
            select = self._select_command(name, read_only=self._selection is None or self._selection.read_only)
            return [select, *build()]

        done = self._run(assemble, check=False, renew=renew)
        if select is not None:
            self._check_selected(name, select.done)
            self._check_uidvalidity(uidvalidity)
        for command in done:
            if not command.done.ok:
                raise refusal(command.done)
        return self._current().start or self._current().value()

    def _current(self) -> Selection:
        if self._selection is None:
            raise BadAnswer(detail="the server deselected the mailbox")
        return self._selection

    def _has_selected(self, name: str, *, read_only: bool) -> bool:
        current = self._selection
        return current is not None and current.name == canonical(name) and (read_only or not current.read_only)

    def _check_uidvalidity(self, uidvalidity: int) -> None:
        if self._current().uidvalidity != uidvalidity:
            raise UidValidityChanged

    def _select_command(
        self,
        name: str,
        *,
        read_only: bool,
        since: tuple[int, int] | None = None,
        hear: Callable[[list[bytes]], None] = no_data,
    ) -> Command:
        """SELECT or EXAMINE.

        Args:
            since: UIDVALIDITY and MODSEQ, where the answer is to say what changed since (QRESYNC, RFC 7162 §3.2.5).
            hear: gets each response as well.
        """
        selection = Selection(canonical(name), read_only)

        def take(response: list[bytes]) -> None:
            _read_selected(response[0], selection)
            hear(response)

        def then(answer: Answer) -> None:
            # A refused SELECT leaves nothing selected (RFC 9051 §6.3.2).
            self._selection = selection if answer.ok else None
            if answer.code == "READ-ONLY":
                selection.read_only = True
            selection.start = selection.value()
            selection.since = time.monotonic()

        verb = b"EXAMINE" if read_only else b"SELECT"
        # Without ENABLE, CONDSTORE is asked for with each SELECT (RFC 7162 §3.1.8).
        tail = b" (CONDSTORE)" if self.has("CONDSTORE") and not self.has("ENABLE") else b""
        if since is not None:
            tail = b" (QRESYNC (%d %d))" % since
        octets = SMALL_ANSWER if since is None else MOST
        return Command(b"%b %b%b" % (verb, self.encode_name(name), tail), take, then, octets, border=True)

    def _check_selected(self, name: str, answer: Answer) -> None:
        if answer.ok:
            if not self._current().uidvalidity:
                raise BadAnswer(detail="the mailbox has no UIDVALIDITY")
            return
        if answer.code in ("NONEXISTENT", "TRYCREATE") or (not answer.code and not self._exists(name)):
            raise NoSuchMailbox(detail=answer.text, code=answer.code)
        raise refusal(answer)

    def _exists(self, name: str) -> bool:
        """Whether LIST knows the mailbox: many servers refuse SELECT without saying why."""
        found: list[bytes] = []

        def take(response: list[bytes]) -> None:
            tokens = tokenize(response)
            if _kind(tokens) == b"LIST" and (entry := _read_list(tokens)) and _selectable(entry):
                found.append(entry.raw)

        self._run(lambda: [Command(b'LIST "" %b' % self.encode_name(name), take)], check=False)
        return bool(found)

    def _status_items(self) -> bytes:
        items = [b"MESSAGES UNSEEN UIDNEXT UIDVALIDITY"]
        if self.has("CONDSTORE"):
            items.append(b"HIGHESTMODSEQ")
        if self.has("OBJECTID"):
            items.append(b"MAILBOXID")
        return b" ".join(items)


def canonical(name: str) -> str:
    """The name by which a mailbox is known here: INBOX is the only one without case (RFC 9051 §5.1)."""
    return "INBOX" if name.upper() == "INBOX" else name


def _kind(tokens: list[Token]) -> bytes:
    return string(tokens[1]).upper() if len(tokens) > 1 else b""


def _read_list(tokens: list[Token]) -> _Listed | None:
    """`* LIST (attributes) delimiter name …` or LSUB."""
    if len(tokens) < 6 or tokens[2] != b"(":
        return None
    end = skip(tokens, 2)
    if end + 1 >= len(tokens):
        return None
    attributes = frozenset(string(token).decode("ascii", "replace").lower() for token in tokens[3 : end - 1])
    delimiter = string(tokens[end]).decode("ascii", "replace")[:1]
    return _Listed(string(tokens[end + 1]), delimiter, attributes)


def _read_status(tokens: list[Token]) -> tuple[MailboxStatus, str]:
    """`* STATUS name (ITEM value …)`: the counts, and OBJECTID's MAILBOXID or ""."""
    values: dict[bytes, int] = {}
    object_id = ""
    at = 4
    while at + 1 < len(tokens) and tokens[at] != b")":
        item = string(tokens[at]).upper()
        if item == b"MAILBOXID" and tokens[at + 1] == b"(" and at + 2 < len(tokens):
            object_id = string(tokens[at + 2]).decode("ascii", "replace")[:255]
        else:
            values[item] = number(tokens[at + 1])
        at = skip(tokens, at + 1)
    return (
        MailboxStatus(
            messages=values.get(b"MESSAGES"),
            unseen=values.get(b"UNSEEN"),
            uidnext=values.get(b"UIDNEXT"),
            uidvalidity=values.get(b"UIDVALIDITY"),
            highestmodseq=values.get(b"HIGHESTMODSEQ"),
        ),
        object_id,
    )


def _read_selected(line: bytes, selection: Selection) -> None:
    """What one untagged response to SELECT says about the mailbox."""
    parts = line.split(None, 3)
    if len(parts) < 3:
        return
    if parts[2].upper() == b"EXISTS":
        selection.exists = number(parts[1], MAX_UID)
    elif parts[1].upper() == b"OK":
        answer = read_answer(line[2:])
        value = number(answer.argument.encode("ascii", "replace"))
        if answer.code == "UIDVALIDITY":
            selection.uidvalidity = value
        elif answer.code == "UIDNEXT":
            selection.uidnext = value
        elif answer.code == "HIGHESTMODSEQ":
            selection.highestmodseq = value


def _selectable(entry: _Listed) -> bool:
    return not entry.attributes & {"\\noselect", "\\nonexistent"}
