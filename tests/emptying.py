"""How the tables are emptied behind a test that commits: row by row, of which there are few.

Django's `flush` truncates all 35 tables, for which PostgreSQL makes some 200 files anew, and then has the content types
and permissions written down again. These two stay as the migrations left them.
"""

from __future__ import annotations

import functools

from django.db import connections
from django.test import TransactionTestCase

_KEPT = {"django_content_type", "auth_permission"}


def install() -> None:
    """From now on every test that commits ends like this, those of pytest-django included."""
    TransactionTestCase._fixture_teardown = _empty  # type: ignore[attr-defined]


def _empty(case: TransactionTestCase) -> None:
    for alias in case._databases_names(include_mirrors=False):  # type: ignore[attr-defined]
        # In one transaction: keys that lead nowhere are looked for at its end, so that the order is all the same.
        connections[alias].ops.execute_sql_flush(_orders(alias))


@functools.cache
def _orders(alias: str) -> list[str]:
    connection = connections[alias]
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False))
    return [f"DELETE FROM {connection.ops.quote_name(table)}" for table in sorted(tables - _KEPT)]
