"""`GET /live/` as an ASGI application of its own, beside Django's.

Django would keep a thread, and with it a database connection, for each stream as long as it is open. Here a stream that
waits is three small tasks and nothing else. What it says is JSON in unnamed events (HTML §9.2):

    {"account": 3, "mailbox": 14, "kind": "messages"}     see `store.changes`
    {"kind": "all"}      some may have been missed: fetch everything that is shown
    {"kind": "beat"}     nothing happened; the connection is alive
    {"kind": "end"}      the session has ended

A reconnect means only that the page fetches anew: events have no ids, and `Last-Event-ID` says nothing to us.
"""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.security import SecurityMiddleware

from webmail.headers import HeadersMiddleware

from . import watchers
from .streams import Stream, TooMany, hub

BEAT_SECONDS = 25.0
LAST_WORDS_SECONDS = 1.0  # for a browser that takes nothing any more, when its stream ends
# Milliseconds until a browser comes back: apart from one another, for after a restart they all do.
SOONEST, LATEST = 500, 4000

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request for the stream; returns when either side has had enough."""
    request = ASGIRequest(scope, io.BytesIO())
    refusal, stream = await _open(request)
    if stream is None:
        await _answer(request, refusal, send)
        return
    telling = asyncio.create_task(_tell(request, stream, send))
    leaving = asyncio.create_task(_until_gone(receive))
    over = asyncio.create_task(_until_over(stream, telling))
    try:
        await asyncio.wait({telling, leaving, over}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        hub.close(stream)
        for task in (telling, leaving, over):
            task.cancel()
        await asyncio.gather(telling, leaving, over, return_exceptions=True)


async def _open(request: ASGIRequest) -> tuple[HttpResponse, Stream | None]:
    """The stream, or what is said instead of it."""
    refuse = HttpResponse("Sign in first.", status=403, content_type="text/plain")
    try:
        request.get_host()
    except DisallowedHost:
        return HttpResponse("Unknown host.", status=400, content_type="text/plain"), None
    # As for forms: a page elsewhere has no business here, whatever cookies its browser sends along.
    if request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
        return refuse, None
    try:
        watcher = await hub.ask(watchers.admit, request)
        return refuse, await hub.open(watcher) if watcher else None
    except TooMany:
        return HttpResponse("Too many pages are open.", status=429, content_type="text/plain"), None
    except DatabaseError:
        return HttpResponse("Try again in a minute.", status=503, content_type="text/plain"), None


async def _tell(request: ASGIRequest, stream: Stream, send: Send) -> None:
    """Everything that the stream says, from the first header to the last word."""
    response = HttpResponse(content_type="text/event-stream; charset=utf-8")
    response["X-Accel-Buffering"] = "no"  # for a proxy that is nginx
    # What comes next on this connection may be for another server: it is not used again.
    response["Connection"] = "close"
    await send(_start(_dressed(request, response)))
    await send(_body(f"retry: {random.randint(SOONEST, LATEST)}\n\n"))  # noqa: S311  spreads load, keeps no secret
    while not stream.over.is_set():
        facts = await stream.take(BEAT_SECONDS)
        if stream.over.is_set():
            break
        await send(_body("".join(f"data: {fact}\n\n" for fact in facts or ['{"kind":"beat"}'])))
    await send(_body('data: {"kind":"end"}\n\n', more=False))


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _until_over(stream: Stream, telling: asyncio.Task[None]) -> None:
    """Return soon after the stream is over, though the browser may take no more of it."""
    await stream.over.wait()
    await asyncio.wait({telling}, timeout=LAST_WORDS_SECONDS)


async def _answer(request: ASGIRequest, response: HttpResponse, send: Send) -> None:
    dressed = _dressed(request, response)
    await send(_start(dressed))
    await send({"type": "http.response.body", "body": response.content})


def _dressed(request: ASGIRequest, response: HttpResponse) -> HttpResponseBase:
    """With the headers that every answer of the product has."""

    def answer(_: HttpRequest) -> HttpResponseBase:
        return HeadersMiddleware(lambda _: response)(request)

    dressed = SecurityMiddleware(answer)(request)
    assert isinstance(dressed, HttpResponseBase)
    return dressed


def _start(response: HttpResponseBase) -> dict[str, Any]:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
    return {"type": "http.response.start", "status": response.status_code, "headers": headers}


def _body(text: str, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": text.encode(), "more_body": more}
