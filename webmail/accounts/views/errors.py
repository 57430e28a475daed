"""Every failure as a page: what happened, what is safe, what to do.

The pages of a broken server (500, 503) are drawn without the request: reading the person may be what failed.
"""

from __future__ import annotations

import logging

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
from webmail.store.reading import NotThere

log = logging.getLogger(__name__)

_GONE = (NoSuchMailbox, NoSuchMessage, UidValidityChanged)
_RETRY_SECONDS = "30"


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: Django's handler."""
    return _page(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: Django's handler. PermissionDenied("A sentence.") is shown to the person."""
    return _page(request, 403, sentence=str(exception) if exception else "")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: Django's handler. The exception's words are a developer's, and not shown."""
    return _page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: Django's handler."""
    return _page(None, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without its token, or from another site (`settings.CSRF_FAILURE_VIEW`)."""
    return _page(
        request,
        403,
        sentence="This page was open for too long, or the request did not come from it. Go back, reload the page "
        "and try again.",
    )


def page_for(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    """The page for an exception that a view let go, or None where it is a bug and Django's to handle."""
    if isinstance(exception, DatabaseError):
        log.error("The database failed: %s", exception)
        return _unavailable(None)
    if isinstance(exception, NotThere):
        return _page(request, 404, sentence="The message has no such part.")
    if isinstance(exception, _GONE):
        return _page(request, 404, sentence=exception.sentence)
    if isinstance(exception, LoginNeeded):
        return _page(
            request,
            503,
            sentence="The mail server asks for your password again.",
            action=f"{reverse('settings')}#accounts",
            action_label="Enter the password",
        )
    if isinstance(exception, TryAgain):
        return _unavailable(request, exception.sentence)
    if isinstance(exception, ProtocolError):
        log.warning("A mail server: %s", exception)
        return _page(request, 502, template="503.html", sentence=exception.sentence)
    return None


def _unavailable(request: HttpRequest | None, sentence: str = "") -> HttpResponse:
    response = _page(request, 503, sentence=sentence, action=request.get_full_path() if request else "/")
    response["Retry-After"] = _RETRY_SECONDS
    return response


def _page(
    request: HttpRequest | None,
    status: int,
    *,
    template: str = "",
    sentence: str = "",
    action: str = "/",
    action_label: str = "",
) -> HttpResponse:
    again = action_label or ("Try again" if action != "/" else "Back to your mail")
    context = {
        "brand": settings.BRAND,
        "theme": "system",
        "sentence": sentence,
        "action": action,
        "action_label": again,
    }
    return HttpResponse(render_to_string(template or f"{status}.html", context, request), status=status)
