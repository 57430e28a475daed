"""One address for the pages and the event stream. `python -m webmail.demo.front` is the `front` line of the Procfile.

A browser asks one origin for both, and two servers answer: gunicorn, whose threads a stream would use up, and uvicorn.
In a deployment Caddy stands before them (deploy/Caddyfile); this does as much of that as one machine needs. It reads
requests just far enough to know where they go and where the next one begins, and passes every octet on as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from dataclasses import dataclass

from webmail.demo.layout import HOST

LIVE = "/live/"  # what uvicorn answers; as in the Caddyfile
MOST_HEAD = 64 * 1024  # octets of a request's head
AT_ONCE = 64 * 1024
PATIENCE_SECONDS = 15.0  # with a server that is being started again

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)
_UNBOUNDED = re.compile(rb"\r\n(transfer-encoding|upgrade):", re.IGNORECASE)
_AWAY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 10\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Front:
    """Passes requests on to the server of pages or to that of the stream, both on this machine."""

    pages_port: int
    live_port: int

    async def listen(self, port: int) -> asyncio.Server:
        """Start to listen on a port of 127.0.0.1."""
        return await asyncio.start_server(self._serve, HOST, port, limit=MOST_HEAD, backlog=256)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a browser: its requests one after the other, each to where it belongs."""
        server: _Server | None = None
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                port = self._port_of(head)
                if server is None or server.port != port:
                    if server is not None:
                        server.close()
                    server = await _Server.reach(port, writer)
                server.writer.write(head)
                if _UNBOUNDED.search(head):
                    await _pass_on(reader, server.writer, None)
                    return
                length = _LENGTH.search(head)
                await _pass_on(reader, server.writer, int(length[1]) if length else 0)
        except TimeoutError:
            writer.write(_AWAY)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            return  # the browser left, or sends what is no request
        finally:
            if server is not None:
                server.close()
            writer.close()

    def _port_of(self, head: bytes) -> int:
        target = head.split(b" ", 2)[1:2]
        return self.live_port if target and target[0].startswith(LIVE.encode()) else self.pages_port


class _Server:
    """A connection to a server, and the task that passes on what it answers. It ends as that connection does."""

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.port, self.writer, self._reader = port, writer, reader

    @classmethod
    async def reach(cls, port: int, browser: asyncio.StreamWriter) -> _Server:
        """Connect, waiting for a server that is just being started. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    server = cls(port, *await asyncio.open_connection(HOST, port))
                    break
                except ConnectionError:
                    await asyncio.sleep(0.1)
        server._answering = asyncio.create_task(server._answer(browser))
        return server

    def close(self) -> None:
        """Let go of it; what it would still say is not heard."""
        self._answering.cancel()
        self.writer.close()

    async def _answer(self, browser: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await _pass_on(self._reader, browser, None)
        browser.close()

    _answering: asyncio.Task[None]


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, length: int | None) -> None:
    """Pass `length` octets on, or all until the end where it is None."""
    while length is None or length > 0:
        data = await reader.read(AT_ONCE if length is None else min(AT_ONCE, length))
        if not data:
            return
        writer.write(data)
        await writer.drain()
        if length is not None:
            length -= len(data)


async def _run() -> None:
    ports = (int(os.environ[name]) for name in ("PORT", "UVICORN_PORT"))  # gunicorn's and uvicorn's
    async with await Front(*ports).listen(int(os.environ["FRONT_PORT"])) as server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run())
