"""What a pool holds open, counted where it connects."""

from __future__ import annotations

import threading

from tests.protocol.scripted import LOGIN
from webmail.protocol.connection import Connection, connect
from webmail.protocol.types import Server


class Held:
    """Counts what its pool holds open. A server still sees connections that were hung up a moment ago."""

    def __init__(self, server: Server) -> None:
        self.most = 0
        self._server = server
        self._lock = threading.Lock()
        self._opening = 0
        self._made: list[Connection] = []

    def connect(self) -> Connection:
        with self._lock:
            self._opening += 1
            self.most = max(self.most, self._opening + sum(not each.broken for each in self._made))
        connection = connect(self._server, LOGIN)
        with self._lock:
            self._opening -= 1
            self._made.append(connection)
        return connection
