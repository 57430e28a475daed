"""What went wrong, as a page with one clear sentence: no exception of ours ever becomes a bare error 500."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from webmail.protocol.errors import NoSuchMailbox, NoSuchMessage, ProtocolError, TryAgain, UidValidityChanged
from webmail.store.reading import NotThere

_log = logging.getLogger(__name__)


class FailuresMiddleware:
    """Turns what `store` raises into an answer: 404 for what is gone, 503 for what may work later, 502 for the rest."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Called by Django with what a view raised; None leaves it to Django."""
        if isinstance(error, NotThere):
            return _page(request, 404, "Not found", "This message has no such part.")
        if isinstance(error, NoSuchMessage | NoSuchMailbox | UidValidityChanged):
            return _page(request, 404, "No longer there", error.sentence)
        if isinstance(error, ProtocolError):
            _log.warning("%s: %s", request.path, error)
            status = 503 if isinstance(error, TryAgain) else 502
            return _page(request, status, "The mail server could not help", error.sentence)
        if isinstance(error, DatabaseError):
            _log.exception("%s: database", request.path)
            return _page(request, 503, "Back in a moment", "Our database can't be reached. Please try again shortly.")
        return None


def _page(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    context = {"title": title, "sentence": sentence, "what_is_safe": "Nothing was changed and nothing is lost."}
    return render(request, "error.html", context, status=status)
