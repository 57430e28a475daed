"""A kept connection that the server closed is noticed before it is used."""

from __future__ import annotations

import pytest
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_connection_that_was_ended_is_not_usable() -> None:
    other: BaseDatabaseWrapper = connections.create_connection("default")
    other.connect()
    assert other.is_usable()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [other.connection.info.backend_pid])
            cursor.execute("SELECT pg_sleep(0.2)")
        assert not other.is_usable()
        other.close()
        other.connect()
    assert other.is_usable()
    other.close()


def test_words_of_the_server_are_no_death() -> None:
    """Something unasked may be a notice: then the connection is asked, and lives."""
    other: BaseDatabaseWrapper = connections.create_connection("default")
    other.connect()
    if connection.vendor == "postgresql":
        with other.cursor() as cursor:
            cursor.execute("LISTEN words")
        with connection.cursor() as cursor:
            cursor.execute("NOTIFY words")
            cursor.execute("SELECT pg_sleep(0.2)")
    assert other.is_usable()
    other.close()
