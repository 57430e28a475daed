"""What is held is kept while the work goes on, whatever happens to the database in between."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError

from webmail.store.renewing import renewing

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_database_that_was_restarted_is_asked_again() -> None:
    renewed = threading.Event()
    answers = iter([DatabaseError("the server closed the connection")])

    def renew() -> bool:
        for error in answers:
            raise error
        renewed.set()
        return True

    with renewing(renew, 0.01):
        assert renewed.wait(10)


def test_what_was_lost_is_not_renewed_again() -> None:
    calls: list[int] = []
    lost = threading.Event()

    def renew() -> bool:
        calls.append(1)
        lost.set()
        return False

    with renewing(renew, 0.01):
        assert lost.wait(10)
    assert calls == [1]
