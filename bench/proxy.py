"""A TCP proxy in front of an IMAP server that counts what passes: commands, and the round trips a client waited for."""

from __future__ import annotations

import re
import select
import socket
import threading
from dataclasses import dataclass, field

_COMMAND = re.compile(rb"[A-Za-z0-9.]+ ((?:UID )?[A-Za-z]+)")
_CHUNK = 1 << 18


@dataclass
class Counts:
    """What passed since the last `take`.

    Attributes:
        commands: IMAP commands, in order; lines inside literals that look like one are counted too.
        round_trips: bursts of the client that came after something from the server: what it waited for.
    """

    commands: list[str] = field(default_factory=list)
    round_trips: int = 0


class CountingProxy:
    """Listens on a free port of 127.0.0.1 and passes everything on to `port`. Plain text only."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._lock = threading.Lock()
        self._counts = Counts()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def take(self) -> Counts:
        """Return the counts and begin anew."""
        with self._lock:
            counts, self._counts = self._counts, Counts()
        return counts

    def close(self) -> None:
        """Take no more connections; those that are open end with their ends."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._to))
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server_spoke, rest = False, b""
        with client, server:
            while True:
                readable, _, _ = select.select([client, server], [], [])
                for end in readable:
                    try:
                        data = end.recv(_CHUNK)
                        if not data:
                            return
                        if end is client:
                            # Counted before it is passed on: the answer can't overtake the count.
                            rest = self._count(rest + data, server_spoke)
                            server_spoke = False
                            server.sendall(data)
                        else:
                            server_spoke = True
                            client.sendall(data)
                    except OSError:
                        return

    def _count(self, data: bytes, server_spoke: bool) -> bytes:
        *lines, rest = data.split(b"\r\n")
        found = [match[1].decode().upper() for match in map(_COMMAND.match, lines) if match]
        with self._lock:
            self._counts.commands += found
            self._counts.round_trips += server_spoke
        return rest[-4096:]
