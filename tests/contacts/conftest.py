"""Alice keeps an address book."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.cast import client_of


@pytest.fixture
def browser(alice) -> Client:
    return client_of(alice)
