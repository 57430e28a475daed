"""`make run` and docker-compose.yml start the product with the same commands; only the environment differs."""

from __future__ import annotations

import pytest

from tests.deploy.compose import procfile, read_compose


@pytest.mark.parametrize("name", ["web", "live", "worker", "beat", "watch"])
def test_same_command(name: str) -> None:
    assert procfile()[name].split() == read_compose().services[name].command


def test_nothing_of_the_product_is_missing_in_either() -> None:
    demo_only = {"front", "redis", "imap", "smtp"}
    assert set(procfile()) - demo_only <= set(read_compose().services)
