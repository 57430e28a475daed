"""Every failure as a page: what happened in one sentence, what is safe, what to do. None becomes a bare error.

The pages of a broken server (500, and a database that is away) are drawn without the request: reading who is signed in
may be the very thing that failed.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from webmail.protocol.errors import (
    LoginNeeded,
    NoSuchMailbox,
    NoSuchMessage,
    ProtocolError,
    TryAgain,
    UidValidityChanged,
)
from webmail.store.grants import SignInAgain
from webmail.store.reading import NotThere

_log = logging.getLogger(__name__)

_RETRY_SECONDS = "30"


class FailuresMiddleware:
    """Turns what `store` raises into an answer: 404 for what is gone, 503 for what may work later, 502 for the rest."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Called by Django with what a view raised; None leaves it to Django."""
        if isinstance(error, NotThere):
            return _page(request, 404, "This message has no such part.")
        if isinstance(error, NoSuchMessage | NoSuchMailbox | UidValidityChanged):
            return _page(request, 404, error.sentence)
        if isinstance(error, LoginNeeded):
            there = isinstance(error, SignInAgain)
            return _page(
                request,
                503,
                error.sentence if there else "The mail server asks for your password again.",
                action=f"{reverse('settings')}#accounts",
                action_label="Sign in" if there else "Enter the password",
            )
        if isinstance(error, ProtocolError):
            _log.warning("%s: %s", request.path, error)
            later = isinstance(error, TryAgain)
            return _again(request, 503 if later else 502, error.sentence)
        if isinstance(error, DatabaseError):
            return _database_away(error)
        return None


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: Django's handler."""
    return _page(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: Django's handler. PermissionDenied("A sentence.") is shown to the person."""
    return _page(request, 403, str(exception) if exception else "")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: Django's handler. The exception's words are a developer's, and not shown."""
    return _page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: Django's handler, also for what happens outside of views, such as reading the session."""
    error = sys.exc_info()[1]
    if isinstance(error, DatabaseError):
        return _database_away(error)
    return _page(None, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without its token or from another site (`settings.CSRF_FAILURE_VIEW`).

    A view that people write in for long has `if_expired`, which answers with all that they wrote; never what another
    site sends.
    """
    if_expired = getattr(getattr(request.resolver_match, "func", None), "if_expired", None)
    if if_expired is not None and request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin":
        answer: HttpResponse = if_expired(request)
        return answer
    return _page(
        request,
        403,
        "This page was open for too long, or the request did not come from it. Go back, reload the page and try again.",
    )


def _database_away(error: DatabaseError) -> HttpResponse:
    _log.error("The database: %s", error)
    return _again(None, 503, "")


def _again(request: HttpRequest | None, status: int, sentence: str) -> HttpResponse:
    """A page whose way on is the same address once more."""
    again = request.get_full_path() if request is not None and request.method == "GET" else "/"
    response = _page(request, status, sentence, action=again, action_label="Try again")
    response["Retry-After"] = _RETRY_SECONDS
    return response


def _page(
    request: HttpRequest | None, status: int, sentence: str = "", *, action: str = "", action_label: str = ""
) -> HttpResponse:
    """The page of `status`; its own words where `sentence` is empty."""
    context = {
        "brand": settings.BRAND,
        "theme": "system",
        "sentence": sentence,
        "action": action,
        "action_label": action_label,
    }
    template = "503.html" if status == 502 else f"{status}.html"
    return HttpResponse(render_to_string(template, context, request), status=status)
