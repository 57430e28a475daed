"""The whole deployment, started once for the tests of this directory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy import stores
from tests.deploy.machine import Machine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker runs this folder, so that there is one deployment."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("deployment"))


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """PostgreSQL, Redis and the demo's Dovecot run; the product does not yet."""
    # Not below the run's own directory: its path has to be short enough for sockets.
    directory = Path(tempfile.mkdtemp(prefix="webmail-deploy-"))
    directory.chmod(0o711)
    here = Machine(directory)
    try:
        stores.start_postgres(here)
        stores.start_redis(here)
        yield here
    finally:
        here.stop_all()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def demo_certificate(machine: Machine) -> str:
    """The demo's Dovecot runs; this is the certificate to trust, as PEM."""
    return stores.start_dovecot(machine).read_text()
