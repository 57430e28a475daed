"""Fixtures for every test: real servers, started once per process when first asked for.

A missing server fails the test that needs it; nothing is skipped. The cast with rows in the database (`alice`, `bob`,
`mallory`) is in `tests/cast.py`.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings

from tests import emptying
from tests.authorization import Authorization, authorization_server
from tests.cast import (  # noqa: F401  fixtures
    _connections_end_with_the_test,
    admin,
    alice,
    bob,
    hers,
    mallory,
    provider,
    token_provider,
)
from tests.servers import STRANGERS, USERS, MailUser
from webmail.demo.certificates import ensure_certificates
from webmail.demo.imap_server import ImapServer, start_dovecot, start_pymap
from webmail.demo.redis_server import RedisServer, start_redis
from webmail.demo.smtp_server import SmtpServer, start_smtp
from webmail.protocol import guard

LONG = {"test_faults.py", "test_run.py", "test_supervisor.py", "test_typing.py"}

# The same examples in every run, so that no build fails by a throw of the dice; HYPOTHESIS_PROFILE=default throws them.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_configure(config: pytest.Config) -> None:
    """Make the directory that `tests.settings` names; the run's first process removes it in the end.

    Refusals of addresses don't take their time: `test_guard` holds them to it with a clock of its own.
    """
    guard.REFUSAL_SECONDS = 0.0
    emptying.install()
    worker = Path(settings.WORKER_DIR)
    # A Dovecot started by root runs as another user and has to pass through.
    (worker / "static").mkdir(mode=0o711, parents=True, exist_ok=True)
    for path in (worker.parent, worker):
        path.chmod(0o711)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        config.add_cleanup(lambda: shutil.rmtree(worker.parent, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs long and mostly waits comes first, lest one worker be left alone with it in the end."""
    items.sort(key=lambda item: item.path.name not in LONG)


def pytest_collection_finish() -> None:
    """The collected tests stay to the end: the garbage collector need not walk through all of them again and again."""
    gc.freeze()


@pytest.fixture(scope="session")
def worker_dir() -> Path:
    """This process's temporary directory, short enough for unix sockets."""
    return Path(settings.WORKER_DIR)


@pytest.fixture(scope="session")
def dovecot(worker_dir: Path) -> Iterator[ImapServer]:
    """The rich IMAP server, with every address of `tests.servers.USERS`."""
    server = start_dovecot(_directory(worker_dir / "dovecot"), USERS)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _authorization(worker_dir: Path) -> Iterator[Authorization]:
    with authorization_server(_directory(worker_dir / "authorization")) as server:
        yield server


@pytest.fixture
def authorization(_authorization: Authorization) -> Authorization:
    """The authorization server whose tokens `token_dovecot` takes, as it is at first."""
    _authorization.reset()
    return _authorization


@pytest.fixture(scope="session")
def token_dovecot(_authorization: Authorization, worker_dir: Path) -> Iterator[ImapServer]:
    """A Dovecot that takes access tokens (XOAUTH2, OAUTHBEARER) as well as passwords."""
    directory = _directory(worker_dir / "tokens")
    server = start_dovecot(directory, USERS, introspection_url=_authorization.introspection_url)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def pymap(worker_dir: Path) -> Iterator[ImapServer]:
    """The poorest IMAP server, with the same addresses."""
    server = start_pymap(_directory(worker_dir / "pymap"), USERS)
    yield server
    server.stop()


@pytest.fixture(params=["dovecot", "pymap"])
def imap_server(request: pytest.FixtureRequest) -> ImapServer:
    """Each of the two in turn: for what must work everywhere."""
    server: ImapServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture(scope="session")
def smtp_server(dovecot: ImapServer, worker_dir: Path) -> Iterator[SmtpServer]:
    """A submission server that delivers to the people of `dovecot`."""
    certificates = ensure_certificates(_directory(worker_dir / "smtp"))
    server = start_smtp(dovecot.port, USERS, certificates)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_server(worker_dir: Path) -> Iterator[RedisServer]:
    """This process's Redis, which `settings.REDIS_URL` names."""
    server = start_redis(worker_dir)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_url(redis_server: RedisServer) -> str:
    """The URL of this process's Redis."""
    return redis_server.url


@pytest.fixture(scope="session")
def _strangers() -> Iterator[str]:
    return iter(STRANGERS)


@pytest.fixture
def mailbox_user(_strangers: Iterator[str], request: pytest.FixtureRequest) -> Callable[..., MailUser]:
    """A function that gives somebody whose mailbox nobody has touched, on Dovecot unless told otherwise."""

    def fresh(server: ImapServer | None = None) -> MailUser:
        return MailUser(server or request.getfixturevalue("dovecot"), next(_strangers))

    return fresh


def _directory(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    return path
