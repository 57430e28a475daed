"""What servers say of the mailboxes of everybody who is online, passed on at once (`manage.py watch`).

One idle connection per account, all in one selector. One account's way:

    online, claimed ──▶ opening ──in a few threads──▶ watched ──fact──▶ a worker is woken
         ▲                 │  │                          │
         │                 │  └── no IDLE, refused ──▶ asked every LOOK seconds instead
         └── pause ◀───────┴──── away, dead, BYE ◀───────┘
    offline, or claimed by another copy: closed

A fact wakes at once; what follows in the same mailbox within SOONEST seconds is one more waking, and as long as it goes
on like that they come more seldom, down to one every LATEST. Because a server may forget to tell, each account is
looked at every LOOK seconds all the same, and after every opening.

Nothing is kept that a restart would miss: who is online, who has which account and how many connections there are is in
Redis, and runs out by itself.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue

from django.db import DatabaseError, close_old_connections, connection

from webmail.models import Account, Mailbox
from webmail.protocol.connection import Connection
from webmail.protocol.errors import Busy, GiveUp, LoginNeeded, ProtocolError
from webmail.protocol.guard import tls_context
from webmail.protocol.idle import Fact, Idling, What
from webmail.protocol.types import Login, Server
from webmail.protocol.wire import HandedOver

from . import breaker, budget, claims, credentials, logins, pools, presence, processes

CENSUS = 2.0  # seconds between two looks at who is online
LOOK = 60.0  # seconds (security §3)
SOON = 10.0  # seconds over which everybody is looked at after Redis lost its wake-ups
SOONEST, LATEST = 0.1, 1.0  # seconds between two wakings for a mailbox
OPENERS = 8  # threads that log in
LOG_IN_PATIENCE = 20.0  # seconds that one of them waits for its turn
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0  # seconds after a failure, doubled each time, full jitter
AFTERWARDS = 5.0  # seconds over which the openings are spread when a server's breaker lets them through again
REFUSED_PAUSE = 3600.0  # seconds before a server without IDLE is tried again

_log = logging.getLogger(__name__)

Wake = Callable[[int], None]


@dataclass(slots=True)
class _Watched:
    """One account that is ours: what is open, and what is due when (monotonic seconds)."""

    look_at: float
    open_at: float = 0.0
    failures: int = 0
    opening: bool = False
    unwanted: bool = False  # what is being opened is with a password that is not to be used any more
    share: budget.Share | None = None  # as long as there is a connection


@dataclass(frozen=True, slots=True)
class _Opened:
    """What came of an opening: a connection, else seconds until the next try; None: by the number of failures."""

    account_id: int
    given: HandedOver | None = None
    share: budget.Share | None = None
    pause: float | None = None

    def discard(self) -> None:
        """Close it unused."""
        if self.given and self.share:
            self.given.sock.close()
            self.share.leave()


def make_ready() -> None:
    """Do once what the first opening would do, while nobody waits: libraries are loaded, and keys that can't be used
    are found out, when the process begins. A database that is away is not waited for.

    Raises:
        ImproperlyConfigured: the keys for passwords.
    """
    account = Account()
    account.credential = credentials.seal(account, "")
    credentials.unseal(account)
    tls_context("")
    with suppress(DatabaseError):
        connection.ensure_connection()
        connection.close()


class Watching:
    """The loop.

    Args:
        catch_up: wakes a worker to bring one mailbox up to date, by its key.
        look: wakes one to look at all mailboxes of an account, by its key.
    """

    def __init__(self, catch_up: Wake, look: Wake) -> None:
        self._catch_up, self._look = catch_up, look
        self._accounts: dict[int, _Watched] = {}
        self._idling = Idling()
        self._woken: dict[tuple[int, str], tuple[float, float]] = {}  # account and mailbox → when last, pause after it
        self._to_wake: dict[tuple[int, str], float] = {}  # … → when again
        self._opened: deque[_Opened] = deque()
        self._forgotten: deque[int] = deque()
        self._leaving = threading.Event()
        self._wakes_lost = threading.Event()
        self._to_open: SimpleQueue[int | None] = SimpleQueue()

    def run(self, sign_of_life: Callable[[], None] = lambda: None) -> None:
        """Watch until `leave`. `sign_of_life` is called about every CENSUS seconds."""
        processes.hear(pools.FORGET, self._forget)
        processes.when_forgotten(self._wakes_lost.set)
        for _ in range(OPENERS):
            # Daemons: whoever ends us doesn't wait for a server that doesn't answer.
            threading.Thread(target=self._open_them, name="open", daemon=True).start()
        next_census = 0.0
        while not self._leaving.is_set():
            if time.monotonic() >= next_census:
                self._take_census()
                sign_of_life()
                next_census = time.monotonic() + CENSUS
            for fact in self._idling.wait(max(0.0, min([next_census, *self._to_wake.values()]) - time.monotonic())):
                self._heed(fact)
            self._receive()
            self._do_what_is_due()
        self._close()

    def leave(self) -> None:
        """End `run` soon. Safe in a signal handler."""
        self._leaving.set()
        self._idling.wake()

    def __len__(self) -> int:
        """How many connections idle."""
        return len(self._idling)

    def _take_census(self) -> None:
        """Begin with whoever came online and is ours, end with who is not any more."""
        close_old_connections()
        try:
            online = presence.online_accounts()
        except DatabaseError as error:
            _log.warning("who is online can't be asked: %s", error)
            return
        mine = claims.claim(online)
        if mine is None:
            mine = online & self._accounts.keys()
        now = time.monotonic()
        for account_id in mine - self._accounts.keys():
            self._accounts[account_id] = _Watched(look_at=now + phase(account_id, LOOK))
        gone = self._accounts.keys() - mine
        for account_id in gone:
            self._idling.drop(account_id)
            self._let_go(self._accounts.pop(account_id))
        if gone:
            claims.release(gone)
        self._woken = {key: (at, pause) for key, (at, pause) in self._woken.items() if now - at < pause}

    def _do_what_is_due(self) -> None:
        now = time.monotonic()
        if self._wakes_lost.is_set():
            self._wakes_lost.clear()
            for account_id, watched in self._accounts.items():
                watched.look_at = min(watched.look_at, now + phase(account_id, SOON))
        for key in [key for key, at in self._to_wake.items() if at <= now]:
            del self._to_wake[key]
            self._wake(*key, pause=min(2 * self._woken.get(key, (0.0, SOONEST))[1], LATEST))
        for account_id, watched in self._accounts.items():
            if watched.look_at <= now:
                watched.look_at = now + LOOK
                self._look(account_id)
            if watched.share is None and not watched.opening and watched.open_at <= now:
                watched.opening = True
                self._to_open.put(account_id)

    def _heed(self, fact: Fact) -> None:
        watched = self._accounts.get(fact.key)
        if watched is None:
            return
        if fact.what.is_end:
            _log.info("account %s: %s %s", fact.key, fact.what.value, fact.detail)
            self._let_go(watched)
            self._pause(watched, REFUSED_PAUSE if fact.what is What.REFUSED else None)
            return
        if fact.what is What.READY:
            self._look(fact.key)  # for what happened before
            return
        key = fact.key, "" if fact.what is What.LISTED else fact.mailbox or "INBOX"
        last, pause = self._woken.get(key, (0.0, 0.0))
        if time.monotonic() - last >= pause:
            self._wake(*key)
        else:
            self._to_wake.setdefault(key, last + pause)

    def _wake(self, account_id: int, name: str, *, pause: float = SOONEST) -> None:
        """Wake a worker for a mailbox, or for the account where the mailbox is "" or not known yet.

        Args:
            pause: seconds until the next waking for it.
        """
        self._woken[account_id, name] = time.monotonic(), pause
        mailbox_id = None
        try:
            if name:
                found = Mailbox.objects.filter(account_id=account_id, name=name, selectable=True)
                mailbox_id = found.values_list("pk", flat=True).first()
        except DatabaseError as error:
            _log.warning("a mailbox can't be looked up: %s", error)
            close_old_connections()
        if mailbox_id is None:
            self._look(account_id)
        else:
            self._catch_up(mailbox_id)

    def _receive(self) -> None:
        """Take over what the openers opened, and close what is not to be used any more."""
        while self._forgotten:
            account_id = self._forgotten.popleft()
            if watched := self._accounts.get(account_id):
                self._idling.drop(account_id)
                self._let_go(watched)
                watched.open_at = time.monotonic() + 1
                watched.unwanted = watched.opening
        while self._opened:
            opened = self._opened.popleft()
            watched = self._accounts.get(opened.account_id)
            if opened.given is None or opened.share is None:
                if watched:
                    watched.opening = False
                    self._pause(watched, opened.pause)
            elif watched is None or watched.share is not None or watched.unwanted:
                opened.discard()
                if watched:
                    watched.opening = watched.unwanted = False
            else:
                watched.opening, watched.share, watched.failures = False, opened.share, 0
                self._idling.add(opened.account_id, opened.given)

    def _pause(self, watched: _Watched, seconds: float | None) -> None:
        if seconds is None:
            bound = min(LONGEST_PAUSE, FIRST_PAUSE * 2**watched.failures)
            watched.failures = min(watched.failures + 1, 10)
            seconds = random.uniform(0, bound)  # noqa: S311  jitter
        watched.open_at = time.monotonic() + seconds

    def _open_them(self) -> None:
        """An opener's thread."""
        while (account_id := self._to_open.get()) is not None:
            if not self._leaving.is_set():
                self._open(account_id)

    def _open(self, account_id: int) -> None:
        """Log in, select INBOX, hand over."""
        try:
            opened = self._try(account_id)
        except Exception:  # whatever it was, this account's turn comes again
            _log.exception("account %s can't be watched", account_id)
            opened = _Opened(account_id)
        finally:
            connection.close()  # the next opening may be hours away
        if self._leaving.is_set():
            opened.discard()
            return
        self._opened.append(opened)
        self._idling.wake()

    def _try(self, account_id: int) -> _Opened:
        account = Account.objects.select_related("provider").filter(pk=account_id).first()
        if account is None:  # removed a moment ago
            return _Opened(account_id, pause=LONGEST_PAUSE)
        share = budget.share(account)
        if share.cap < 2:  # the only connection is for the pages
            return _Opened(account_id, pause=REFUSED_PAUSE)
        if not share.enter(urgent=True):
            return _Opened(account_id, pause=random.uniform(1, AFTERWARDS))  # noqa: S311
        given = None
        try:
            with pools.noting(account), pools.background():
                imap = logins.using(account, partial(_log_in, account.provider.imap))
                if imap.has("IDLE"):
                    imap.select("INBOX")
                    given = imap.hand_over()
                else:
                    imap.close()
            return _Opened(account_id, given, share, None if given else REFUSED_PAUSE)
        except breaker.ServerAway:
            pause = max(0.0, breaker.state_of(account.provider.imap).pause)
            return _Opened(account_id, pause=pause + random.uniform(0, AFTERWARDS))  # noqa: S311
        except Busy:  # our own doing, not the server's
            return _Opened(account_id, pause=random.uniform(1, AFTERWARDS))  # noqa: S311
        except (GiveUp, LoginNeeded) as error:
            _log.warning("account %s can't be watched: %s", account_id, error)
            return _Opened(account_id, pause=LONGEST_PAUSE)
        except ProtocolError as error:
            _log.info("account %s: %s", account_id, error)
            return _Opened(account_id)
        finally:
            if given is None:
                share.leave()

    def _let_go(self, watched: _Watched) -> None:
        if watched.share is not None:
            watched.share.leave()
            watched.share = None

    def _forget(self, account_id: int) -> None:
        """Heard in the keeper's thread: the password is not to be used any more."""
        self._forgotten.append(account_id)
        self._idling.wake()

    def _close(self) -> None:
        for _ in range(OPENERS):
            self._to_open.put(None)
        self._idling.close()
        for watched in self._accounts.values():
            self._let_go(watched)
        claims.release(self._accounts)
        claims.leave()
        connection.close()


def _log_in(server: Server, login: Login) -> Connection:
    return pools.log_in(server, login, timeout=LOG_IN_PATIENCE, compressed=False)


def phase(account_id: int, seconds: float) -> float:
    """Where in a period of `seconds` an account has its turn: always the same, and evenly spread over all accounts."""
    return (account_id * 2_654_435_769 % 2**32) / 2**32 * seconds  # Fibonacci hashing
