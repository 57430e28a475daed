"""One pool of IMAP connections for each account in this process, and what their failures say about the account.

A connection is only ever lent inside `with`. Whether the server answered, wanted another password or was away is
written on the account, once per change, so that every page can say so without asking the server.

Three things stand between a pool and its server: the account's share of connections over all processes and the turn to
log in (`budget`), and the breaker of a server that is away (`breaker`).
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import redis
from django.utils import timezone

from webmail.models import Account
from webmail.protocol.connection import Connection, connect
from webmail.protocol.errors import Busy, LoginNeeded, TryAgain
from webmail.protocol.pool import Pool
from webmail.protocol.types import Login, Server

from . import breaker, budget, changes, doctor, logins, processes
from .bodies import client

# Before a refused password is tried again, while somebody waits and otherwise: many servers lock people out. That it is
# tried at all is for those that refused because something of their own was out of order.
LOGIN_PAUSE, BACKGROUND_LOGIN_PAUSE = timedelta(minutes=5), timedelta(hours=1)
SWEEP_SECONDS = 15.0  # how often idle connections are looked at; they are closed after Pool's idle_seconds

FORGET = "forget"  # the word: the account's password is not to be used any more

_pools: dict[int, Pool] = {}
_opened_with: dict[int, bytes] = {}  # account → the sealed password its pool logs in with
_lock = threading.Lock()
_sweeper: threading.Thread | None = None
_urgent = contextvars.ContextVar("urgent", default=True)


@contextmanager
def lend(account: Account, mailbox: str | None = None, *, timeout: float = 10.0) -> Iterator[Connection]:
    """Lend a connection of `account`, one with `mailbox` selected if there is one.

    Args:
        timeout: seconds to wait for a free connection.

    Raises:
        ProtocolError: sorted by what to do (`protocol.errors`); the account's state is updated before it leaves.
    """
    with noting(account), _pool(account).lend(mailbox, timeout=timeout, urgent=_urgent.get()) as imap:
        yield imap


@contextmanager
def noting(account: Account) -> Iterator[None]:
    """Around whatever speaks to the account's server: how it answers is written on the account.

    Raises:
        LoginNeeded: the password was refused a moment ago. Whatever comes from inside.
    """
    if account.state == Account.State.LOGIN_NEEDED and _is_refused(account):
        raise logins.needed(account)
    try:
        with doctor.noting_failures(account.pk):
            yield
    except LoginNeeded as error:
        _note_refusal(account)
        note_state(account, Account.State.LOGIN_NEEDED, error.detail or error.sentence)
        raise
    except Busy:
        raise
    except TryAgain as error:
        since = error.since if isinstance(error, breaker.ServerAway) else None
        note_state(account, Account.State.AWAY, error.detail or error.sentence, since)
        raise
    note_state(account, Account.State.OK, "")


def adopt(account: Account, connection: Connection) -> None:
    """Give a connection that has just logged in (sign-in) to the account's pool: the first page needs no other."""
    _pool(account).adopt(connection)


@contextmanager
def background() -> Iterator[None]:
    """For work that nobody waits for at a page: who does goes first, and may have more than the steady number."""
    token = _urgent.set(False)
    try:
        yield
    finally:
        _urgent.reset(token)


def forget(account: Account) -> None:
    """Close the account's connections, in every process: signed out, new password, removed."""
    _close(account.pk)
    processes.tell(FORGET, account.pk)


def note_state(account: Account, state: Account.State, detail: str, since: datetime | None = None) -> None:
    """Write on the account how its server answers, if that is news.

    Args:
        since: when it began, if that wasn't just now.
    """
    if account.state == state:
        return
    account.state, account.state_detail, account.state_since = state, detail[:500], since or timezone.now()
    news = (
        Account.objects.filter(pk=account.pk)
        .exclude(state=state)
        .update(state=state, state_detail=account.state_detail, state_since=account.state_since)
    )
    if news:
        changes.publish(account.pk, kind="state")


def log_in(
    server: Server,
    login: Login,
    *,
    timeout: float = 10.0,
    compressed: bool = True,
    renew: Callable[[], Login] | None = None,
) -> Connection:
    """Log in when the turn comes. The connection is the caller's.

    Args:
        timeout: seconds to wait for the turn.
        compressed, renew: see `connect`.

    Raises:
        ProtocolError: `Busy` and `breaker.ServerAway` among them.
    """
    with breaker.trying(server):
        budget.await_log_in(server, urgent=_urgent.get(), timeout=timeout)
        # How long the way to the server's greeting takes differs, most of all when all come at once. And a connection
        # that broke logs in again by itself.
        turn = partial(budget.await_log_in, server, urgent=True, timeout=timeout, sending=True)
        return connect(server, login, compressed=compressed, turn=turn, renew=renew)


def _is_refused(account: Account) -> bool:
    """Whether the stored password was refused so short a time ago that it is not tried again."""
    refused_at = account.state_since or timezone.now()
    try:
        if noted := client.get(f"refused:{account.pk}"):
            refused_at = datetime.fromtimestamp(float(noted), UTC)
    except redis.RedisError:
        pass  # then the first refusal has to do for the last
    return timezone.now() - refused_at < (LOGIN_PAUSE if _urgent.get() else BACKGROUND_LOGIN_PAUSE)


def _note_refusal(account: Account) -> None:
    with suppress(redis.RedisError):
        client.set(f"refused:{account.pk}", time.time(), ex=BACKGROUND_LOGIN_PAUSE)


def _pool(account: Account) -> Pool:
    """The account's pool in this process, made when first asked for and after each change of the password."""
    sealed = bytes(account.credential)
    with _lock:
        pool = _pools.get(account.pk)
        if pool is not None and _opened_with[account.pk] != sealed:
            _aside(pool.close)
            pool = None
        if pool is None:
            share = budget.share(account)
            pool = _pools[account.pk] = Pool(partial(_connect, account.pk), cap=share.most, gate=share)
            _opened_with[account.pk] = sealed
            _start_sweeper()
        return pool


def _connect(account_id: int) -> Connection:
    """Log in with what the account says now, not when the pool was made."""
    account = Account.objects.select_related("provider").get(pk=account_id)
    began = time.monotonic()
    renew = partial(logins.login_of, account) if account.provider.by_oauth else None
    connection = logins.using(account, lambda login: log_in(account.provider.imap, login, renew=renew))
    doctor.note_log_in(account_id, time.monotonic() - began, connection.capabilities)
    return connection


def _close(account_id: int) -> None:
    with _lock:
        pool = _pools.pop(account_id, None)
        _opened_with.pop(account_id, None)
    if pool:
        pool.close()


def _give_way(account_id: int) -> None:
    with _lock:
        pool = _pools.get(account_id)
    if pool:
        pool.give_way()


def _aside(call: Callable[..., None], *arguments: object) -> None:
    """Hanging up takes a moment, which neither the keeper nor who waits at a page has."""
    threading.Thread(target=call, args=arguments, name="pool-close", daemon=True).start()


def _start_sweeper() -> None:
    """Keep one thread per process that closes what lies idle while nobody asks."""
    global _sweeper  # noqa: PLW0603  one per process, by its nature
    if _sweeper is None or not _sweeper.is_alive():
        _sweeper = threading.Thread(target=_sweep, name="pool-sweeper", daemon=True)
        _sweeper.start()


def _sweep() -> None:
    pause = threading.Event()
    while not pause.wait(SWEEP_SECONDS):
        with _lock:
            pools = list(_pools.values())
        for pool in pools:
            pool.close_idle()


processes.hear(budget.YIELD, _give_way)
processes.hear(FORGET, partial(_aside, _close))
