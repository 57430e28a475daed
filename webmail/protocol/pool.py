"""The connections of one account in this process: lent inside `with`, never more than the cap, first come first served.

              ┌── free ◀── returned in good order ──┐
    opened ──▶│                                     │──▶ lent
              └── taken; dead on a free look? next ─┘      │
                   idle too long ──▶ closed                └── broken, or any doubt ──▶ thrown away

A slot is counted from before a connection is opened until after it is closed or free again, so the cap
holds at every moment. A connection never leaves the `with` it was lent in. Who waits at a page goes before background
work. Other processes have connections of the same account: a `Gate` is asked before each opening and told of each end.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from .connection import Connection
from .errors import BadAnswer, Busy, ConnectionLost, ProtocolError, TooManyConnections
from .mailboxes import canonical

GATE_SECONDS = 0.05  # how often who waits looks whether the gate has opened
GIVE_WAY_SECONDS = 1.0  # for so long the next one that comes back is closed, after another process asked for it
SURPLUS_SECONDS = 30.0  # how long a free one is kept that is more than the account should have
REFUSED_SECONDS = 5.0  # after the server refused one more connection, none is tried for so long while others serve


@dataclass(frozen=True, slots=True)
class PoolStats:
    """A moment of a pool: connections free and lent (or being opened), borrowers waiting; and counts since it began."""

    free: int
    lent: int
    waiting: int
    opened: int
    thrown_away: int


class Gate(Protocol):
    """What stands before the opening of a connection: the account's share over all processes."""

    def enter(self, *, urgent: bool) -> bool:
        """Ask for one more; True: it is counted until `leave`."""

    def leave(self) -> None:
        """One is closed, or could not be opened."""

    def surplus(self) -> int:
        """How many there are that should not lie idle for long."""


class OpenGate:
    """The gate of a pool that is alone."""

    def enter(self, *, urgent: bool) -> bool:
        return True

    def leave(self) -> None:
        return

    def surplus(self) -> int:
        return 0


@dataclass(eq=False, slots=True)
class _Ticket:
    """One borrower in the queue. With a slot: he has `connection`, or may open one."""

    mailbox: str | None
    urgent: bool
    served: threading.Event = field(default_factory=threading.Event)
    has_slot: bool = False
    connection: Connection | None = None


class Pool:
    """Lends connections.

    Args:
        connect: opens one, logged in; its errors pass through `lend`.
        cap: how many there may be at once, being opened included.
        idle_seconds: how long a free one is kept.
        gate: see there.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        *,
        cap: int = 3,
        idle_seconds: float = 300,
        gate: Gate | None = None,
    ) -> None:
        self._gate: Gate = gate or OpenGate()
        self._shut_until = 0.0
        self._give_way_until = 0.0
        self._connect = connect
        self._cap = cap
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._free: list[Connection] = []
        self._slots = 0  # lent, being opened or being closed
        self._waiting: deque[_Ticket] = deque()
        self._refused_until = 0.0
        self._closed = False
        self._opened = 0
        self._thrown_away = 0

    @contextmanager
    def lend(self, mailbox: str | None = None, *, timeout: float = 10.0, urgent: bool = True) -> Iterator[Connection]:
        """A connection for the time of the `with` block.

        Args:
            mailbox: one that has this selected is preferred.
            timeout: seconds to wait for one to come free; opening a new one has its own.
            urgent: somebody waits for it; goes before who is not.

        Raises:
            Busy: none came free in time, or the pool is closed. Whatever `connect` raises.
        """
        connection = self._take(_Ticket(canonical(mailbox) if mailbox else None, urgent), time.monotonic() + timeout)
        good = False
        try:
            yield connection
            good = True
        except (ConnectionLost, BadAnswer):
            raise
        except ProtocolError:  # the server's or the guard's refusal leaves the stream in step
            good = True
            raise
        finally:
            self._give_back(connection, good=good and connection.usable)

    def adopt(self, connection: Connection) -> None:
        """Take over a connection that is open already; it is closed if there is no room for it."""
        with self._lock:
            room = not self._closed and self._slots + len(self._free) < self._cap and connection.usable
            room = room and self._gate.enter(urgent=True)
            if room:
                self._free.append(connection)
                self._opened += 1
                self._serve()
        if not room:
            connection.close()

    def close_idle(self) -> int:
        """Close what has been free for too long; returns how many. For a timer: every lend and return does it too,
        but for those that are more than the account should have."""
        surplus = self._gate.surplus()
        with self._lock:
            expired = self._expire()
            expired += self._expire(min(SURPLUS_SECONDS, self._idle_seconds), surplus - len(expired))
        self._close_all(expired)
        return len(expired)

    def give_way(self) -> None:
        """Close a free one, else the next that comes back: another process needs it more."""
        given: list[Connection] = []
        with self._lock:
            if self._free:
                given.append(min(self._free, key=lambda connection: connection.last_used))
                self._free.remove(given[0])
                self._slots += 1
            else:
                self._give_way_until = time.monotonic() + GIVE_WAY_SECONDS
        self._close_aside(given)

    def close(self) -> None:
        """Close all that is free, and what is lent when it comes back. Nothing is lent afterwards."""
        with self._lock:
            self._closed = True
            free, self._free = self._free, []
            self._slots += len(free)
            waiting, self._waiting = self._waiting, deque()
        for ticket in waiting:
            ticket.served.set()
        self._close_all(free)

    @property
    def stats(self) -> PoolStats:
        """The pool at this moment."""
        with self._lock:
            return PoolStats(len(self._free), self._slots, len(self._waiting), self._opened, self._thrown_away)

    def _take(self, ticket: _Ticket, deadline: float) -> Connection:
        with self._lock:
            if self._closed:
                raise Busy
            self._queue(ticket)
            self._serve()
            expired = self._expire()
        self._close_aside(expired)
        while True:
            self._await_slot(ticket, deadline)
            while ticket.connection is not None:
                if not ticket.connection.pending():
                    return ticket.connection
                # What waits to be read on an idle connection is BYE or the end of it.
                ticket.connection.discard()
                with self._lock:
                    self._thrown_away += 1
                    ticket.connection = self._pick(ticket.mailbox)
                if ticket.connection is not None:  # else its place is taken by the one that is opened now
                    self._gate.leave()
            try:
                connection = self._connect()
            except TooManyConnections:
                if not self._wait_instead(ticket):
                    raise
            except BaseException:
                self._release()
                raise
            else:
                with self._lock:
                    self._opened += 1
                return connection

    def _queue(self, ticket: _Ticket) -> None:
        """First come first served, among those who wait at a page and among the others. The lock is held."""
        place = len(self._waiting)
        if ticket.urgent:
            place = next((at for at, other in enumerate(self._waiting) if not other.urgent), place)
        self._waiting.insert(place, ticket)

    def _await_slot(self, ticket: _Ticket, deadline: float) -> None:
        while not self._closed and (remaining := deadline - time.monotonic()) > 0:
            if ticket.served.wait(min(remaining, GATE_SECONDS)):
                break
            with self._lock:
                self._serve()
        with self._lock:
            if not ticket.has_slot:
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
                raise Busy

    def _wait_instead(self, ticket: _Ticket) -> bool:
        """After the server refused one more: queue at the head for one of ours, if any can come back."""
        self._gate.leave()
        with self._lock:
            self._slots -= 1
            if self._closed or not (self._slots or self._free):
                self._serve()
                return False
            self._refused_until = time.monotonic() + REFUSED_SECONDS
            ticket.has_slot = False
            ticket.served.clear()
            self._waiting.appendleft(ticket)
            self._serve()
            return True

    def _give_back(self, connection: Connection, *, good: bool) -> None:
        if not good:
            connection.discard()
        with self._lock:
            unwanted = good and not self._waiting and time.monotonic() < self._give_way_until
            keep = good and not self._closed and not unwanted
            if unwanted:
                self._give_way_until = 0.0
            if keep:
                self._free.append(connection)
                self._slots -= 1
            self._thrown_away += not good
            self._serve()
            expired = self._expire()
        if unwanted and not self._closed:
            expired.append(connection)
        elif not keep:
            self._close_all([connection])
        self._close_aside(expired)

    def _release(self) -> None:
        self._gate.leave()
        with self._lock:
            self._slots -= 1
            self._serve()

    def _serve(self) -> None:
        """Give slots to those who wait, first come first served. The lock is held."""
        while self._waiting:
            ticket = self._waiting[0]
            ticket.connection = self._pick(ticket.mailbox)
            if ticket.connection is None and not self._may_open(ticket.urgent):
                return
            self._waiting.popleft()
            self._slots += 1
            ticket.has_slot = True
            ticket.served.set()

    def _may_open(self, urgent: bool) -> bool:
        """Whether one more may be opened; if so, the gate has counted it."""
        now = time.monotonic()
        if self._slots + len(self._free) >= self._cap or now < self._shut_until:
            return False
        if self._slots and now < self._refused_until:
            return False
        entered = self._gate.enter(urgent=urgent)
        self._shut_until = 0.0 if entered else now + GATE_SECONDS
        return entered

    def _pick(self, mailbox: str | None) -> Connection | None:
        """The free connection that suits best: the mailbox selected, else nothing selected, else longest unused."""

        def unsuited(connection: Connection) -> tuple[int, float]:
            selected = connection.selected
            if selected is None:
                return 1, connection.last_used
            return (0 if selected.name == mailbox else 2), connection.last_used

        if not self._free:
            return None
        best = min(self._free, key=unsuited)
        self._free.remove(best)
        return best

    def _expire(self, idle_seconds: float | None = None, most: int | None = None) -> list[Connection]:
        """Take out what has been free for too long; each keeps a slot until it is closed. The lock is held."""
        oldest = time.monotonic() - (self._idle_seconds if idle_seconds is None else idle_seconds)
        expired = sorted(
            (connection for connection in self._free if connection.last_used < oldest),
            key=lambda connection: connection.last_used,
        )
        expired = expired if most is None else expired[: max(0, most)]
        for connection in expired:
            self._free.remove(connection)
        self._slots += len(expired)
        return expired

    def _close_all(self, connections: list[Connection]) -> None:
        for connection in connections:
            connection.close()
            self._release()

    def _close_aside(self, connections: list[Connection]) -> None:
        """Close without making a borrower wait for LOGOUT."""
        if connections:
            threading.Thread(target=self._close_all, args=(connections,), name="pool-close", daemon=True).start()
