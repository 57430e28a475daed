"""What `ENGINE` names: Django's wrapper, except for how it sees that a kept connection is dead.

Django asks `SELECT 1` before the first query of each request. A server that ended or restarted has closed the
connection, and that can be seen without asking: the socket has something to read while no query is under way.
"""

from __future__ import annotations

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the kept connection still works. Only where the server has said something unasked is it asked."""
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.pgconn.socket, select.POLLIN)
        return not waiting.poll(0) or super().is_usable()
