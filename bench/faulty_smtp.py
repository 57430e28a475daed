"""A submission server (aiosmtpd) that fails as it is told, a fault a connection, and knows what it has taken."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import re
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from webmail.demo.layout import HOST, free_port

# Where the connection is cut. At "end-taken" and "end-lost" the message has come whole and no answer is given.
CUTS = ("greeting", "ehlo", "auth", "mail", "rcpt", "data", "middle", "end-taken", "end-lost")
TEMPORARY = ("451-mail", "451-rcpt", "451-data", "451-end")
PERMANENT = ("550-rcpt", "554-end", "size", "no-starttls")
OTHERS = ("slow",)
FAULTS = (*CUTS, *TEMPORARY, *PERMANENT, *OTHERS)

_MESSAGE_ID = re.compile(rb"^Message-ID: <([^>]+)>", re.MULTILINE)
_STARTED = 30.0  # seconds that it may take to listen


@dataclass
class Sink:
    """What the server has seen.

    Attributes:
        taken: how often each Message-ID was taken, whatever was answered.
        silent: when (monotonic) a whole message got no answer, by Message-ID.
        used: how often each fault happened.
        letters: sender, recipients and octets of each message that was taken.
    """

    port: int
    ca_pem: str
    taken: Counter[str] = field(default_factory=Counter)
    silent: dict[str, float] = field(default_factory=dict)
    used: Counter[str] = field(default_factory=Counter)
    letters: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)  # the next connection gets the last

    def plan(self, faults: Iterable[str]) -> None:
        """What the connections to come will meet, in this order; then they meet nothing."""
        self.faults[:0] = reversed(list(faults))

    async def handle_DATA(self, server: Any, _session: Session, envelope: Envelope) -> str:
        """Take the message, or what the connection's fault makes of it."""
        content = envelope.content
        assert isinstance(content, bytes)
        found = _MESSAGE_ID.search(content)
        name = found[1].decode() if found else "?"
        fault = server.fault
        if fault in ("451-end", "554-end"):
            return server.failed(f"{fault[:3]} 4.3.0 not this one")
        if fault != "end-lost":
            self.taken[name] += 1
            self.letters.append((envelope.mail_from or "", list(envelope.rcpt_tos), content))
        if fault in ("end-taken", "end-lost"):
            self.silent[name] = time.time()
            await server.cut()
        return "250 2.0.0 taken"


class _FaultySmtp(SMTP):
    """One connection."""

    def __init__(self, sink: Sink, *arguments: Any, **more: Any) -> None:
        super().__init__(sink, *arguments, **more)
        self.sink = sink
        self.fault: str | None = None

    def connection_made(self, transport: Any) -> None:
        if self.fault is None:  # else it is the same connection, inside TLS now
            self.fault = self.sink.faults.pop() if self.sink.faults else ""
            if self.fault == "no-starttls":
                self.tls_context = None
                self.failed("")
            if self.fault == "size":
                self.data_size_limit = 100
                self.failed("")
            if self.fault == "greeting":
                self.failed("")
                transport.abort()
                return
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.session is not None:  # cut before the greeting it has none
            super().connection_lost(error)

    def failed(self, answer: str) -> str:
        """Note that the fault has happened."""
        self.sink.used[self.fault or ""] += 1
        return answer

    async def cut(self) -> None:
        """Cut the connection without a word."""
        self.failed("")
        self.transport.abort()
        await asyncio.sleep(3600)  # until asyncio ends this connection's task

    async def _meet(self, step: str) -> bool:
        """What happens at a step; whether the command was answered already."""
        if self.fault == step:
            await self.cut()
        if self.fault == "slow":
            self.failed("")
            await asyncio.sleep(0.3)
        if self.fault in (f"451-{step}", f"550-{step}"):
            await self.push(self.failed(f"{self.fault[:3]} 4.3.0 not now"))
            return True
        return False

    async def smtp_EHLO(self, hostname: str) -> None:
        await self._meet("ehlo")
        await super().smtp_EHLO(hostname)

    async def smtp_AUTH(self, arg: str) -> None:
        await self._meet("auth")
        await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:
        if not await self._meet("mail"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        if not await self._meet("rcpt"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str | None) -> None:
        if await self._meet("data"):
            return
        if self.fault == "middle":
            await self.push("354 go on")
            await self._reader.read(50)
            await self.cut()
        await super().smtp_DATA(arg)


@contextlib.contextmanager
def running(certificates: Any) -> Any:
    """A server on a free port with STARTTLS, in a thread of its own; yields its `Sink`."""
    sink = Sink(free_port(), certificates.ca.read_text())
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd warns of its own past with each log-in
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificates.certificate, certificates.key)
    loop = asyncio.new_event_loop()
    listening, stopped = threading.Event(), asyncio.Event()

    async def serve() -> None:
        speak = functools.partial(
            _FaultySmtp,
            sink,
            hostname="demo.test",
            authenticator=lambda *_: AuthResult(success=True),
            tls_context=tls,
            require_starttls=False,
            enable_SMTPUTF8=True,
            loop=loop,
        )
        server = await loop.create_server(speak, HOST, sink.port)
        async with server:
            listening.set()
            await stopped.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    if not listening.wait(_STARTED):
        raise RuntimeError("the submission server did not listen")
    try:
        yield sink
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(_STARTED)
