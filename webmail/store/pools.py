"""One pool of IMAP connections for each account in this process, and what their failures say about the account.

A connection is only ever lent inside `with`. Whether the server answered, wanted another password or was away is
written on the account, once per change, so that every page can say so without asking the server.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone

from webmail.models import Account
from webmail.protocol.connection import Connection, connect
from webmail.protocol.errors import Busy, LoginNeeded, TryAgain
from webmail.protocol.pool import Pool
from webmail.protocol.types import Login

from . import credentials

LOGIN_PAUSE = timedelta(minutes=5)  # before a refused password is tried again: many servers lock people out
SWEEP_SECONDS = 60.0  # how often idle connections are looked at; they are closed after Pool's idle_seconds

_pools: dict[int, Pool] = {}
_lock = threading.Lock()
_sweeper: threading.Thread | None = None


@contextmanager
def lend(account: Account, mailbox: str | None = None, *, timeout: float = 10.0) -> Iterator[Connection]:
    """Lend a connection of `account`, one with `mailbox` selected if there is one.

    Args:
        timeout: seconds to wait for a free connection.

    Raises:
        ProtocolError: sorted by what to do (`protocol.errors`); the account's state is updated before it leaves.
    """
    refused_at = account.state_since if account.state == Account.State.LOGIN_NEEDED else None
    if refused_at and timezone.now() - refused_at < LOGIN_PAUSE:
        raise LoginNeeded
    try:
        with _pool(account).lend(mailbox, timeout=timeout) as imap:
            yield imap
    except LoginNeeded as error:
        note_state(account, Account.State.LOGIN_NEEDED, error.detail or error.sentence)
        raise
    except Busy:
        raise
    except TryAgain as error:
        note_state(account, Account.State.AWAY, error.detail or error.sentence)
        raise
    note_state(account, Account.State.OK, "")


def adopt(account: Account, connection: Connection) -> None:
    """Give a connection that has just logged in (sign-in) to the account's pool: the first page needs no other."""
    _pool(account).adopt(connection)


def forget(account: Account) -> None:
    """Close the account's connections in this process: signed out, new password, removed."""
    with _lock:
        pool = _pools.pop(account.pk, None)
    if pool:
        pool.close()


def note_state(account: Account, state: Account.State, detail: str) -> None:
    """Write on the account how its server answers, if that is news."""
    if account.state == state:
        return
    account.state, account.state_detail, account.state_since = state, detail[:500], timezone.now()
    Account.objects.filter(pk=account.pk).exclude(state=state).update(
        state=state, state_detail=account.state_detail, state_since=account.state_since
    )


def _pool(account: Account) -> Pool:
    """The account's pool in this process, made when first asked for."""
    with _lock:
        pool = _pools.get(account.pk)
        if pool is None:
            pool = _pools[account.pk] = Pool(lambda: _connect(account.pk), cap=account.provider.connection_cap)
            _start_sweeper()
        return pool


def _connect(account_id: int) -> Connection:
    """Log in with what the account says now, not when the pool was made."""
    account = Account.objects.select_related("provider").get(pk=account_id)
    return connect(account.provider.imap, Login(account.imap_login_name, credentials.unseal(account)))


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
