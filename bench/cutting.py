"""A TCP proxy that cuts connections, each after a random number of bytes or all at once, or plays a dead server;
and counts them and the log-ins that pass.
"""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import threading
import time
from collections.abc import Sequence

_CHUNK = 1 << 16


class CuttingProxy:
    """Listens on a free port of 127.0.0.1 and passes everything on to `port`.

    Args:
        port: of the server behind it.
        seed: of the random numbers.
        share: how many connections of 100 are cut by themselves. least, most: after how many bytes, of both directions.
        hidden: capabilities that clients don't hear of.

    Attributes:
        away: nobody is let through. cuts, peak: how many were cut; how many were open at once.
        log_ins: when each log-in passed, in seconds of `time.monotonic`.
    """

    def __init__(
        self,
        port: int,
        *,
        seed: int = 1,
        share: int = 0,
        least: int = 0,
        most: int = 200_000,
        hidden: Sequence[bytes] = (),
    ) -> None:
        self.share = share
        self.away = False
        self.cuts = self.peak = 0
        self.log_ins: list[float] = []
        self._to = port
        self._hidden = tuple(hidden)
        self._random = random.Random(seed)
        self._span = (least, most)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_all(self) -> int:
        """Cut every connection where it stands; return how many there were."""
        with self._lock:
            now = list(self._open)
            self.cuts += len(now)
        for client in now:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        return len(now)

    def close(self) -> None:
        """Take no more connections and cut those that are open."""
        self._listener.close()
        self.cut_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.away:
                client.close()
                continue
            doomed = self._random.randrange(100) < self.share
            after = self._random.randint(*self._span) if doomed else None
            threading.Thread(target=self._pass_on, args=(client, after), daemon=True).start()

    def _pass_on(self, client: socket.socket, after: int | None) -> None:
        """Pass on both ways until an end closes, or `after` bytes have passed."""
        with client:
            try:
                server = socket.create_connection(("127.0.0.1", self._to), timeout=10)
            except OSError:
                return  # the server is down: so are we
            with server:
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._open.add(client)
                    self.peak = max(self.peak, len(self._open))
                try:
                    self._shovel(client, server, after)
                except OSError:
                    return
                finally:
                    with self._lock:
                        self._open.discard(client)

    def _shovel(self, client: socket.socket, server: socket.socket, left: int | None) -> None:
        with selectors.PollSelector() as ready:  # hundreds of people have more than the 1,024 that select() can count
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in ready.select():
                    end, other = key.fileobj, key.data
                    data = end.recv(_CHUNK)
                    if not data:
                        return
                    if end is server and b"CAPABILITY " in data:
                        for word in self._hidden:
                            data = data.replace(b" " + word, b"")
                    if end is client and (b" AUTHENTICATE " in data or b" LOGIN " in data):
                        self.log_ins.append(time.monotonic())
                    if left is not None and len(data) >= left:
                        other.sendall(data[:left])
                        self.cuts += 1
                        return
                    left = None if left is None else left - len(data)
                    other.sendall(data)
