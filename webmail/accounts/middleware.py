"""What every request of a signed-in person needs: their time zone, and a session that lives on while it is used.

The room's one law: no query of its own. The session brings its user along, and is only read where the browser has one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from webmail.failures import csrf_failure
from webmail.models import User
from webmail.store import polling
from webmail.store.listing import zone_of

from . import sessions  # noqa: F401  connects the receiver that notes where a session began

log = logging.getLogger(__name__)


class UserMiddleware(AuthenticationMiddleware):
    """Django's own with one query less: `request.user` is the one that came with the session."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _user_of(request))  # type: ignore[assignment]  # as Django does


class PersonMiddleware:
    """Activates the person's time zone and keeps the session alive, writing it at most every five minutes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.session.get(SESSION_KEY) is None or not request.user.is_authenticated:
            return self.get_response(request)
        if request.session.is_stale:  # type: ignore[attr-defined]  # our own SessionStore
            request.session.modified = True
            polling.note_visit(request.user)
        with timezone.override(zone_of(request.user)):
            return self.get_response(request)


class SameSiteCsrfMiddleware(CsrfViewMiddleware):
    """Django's check of token and Origin, and before it what the browser itself says about where a request began."""

    def process_view(
        self, request: HttpRequest, callback: Callable[..., Any], callback_args: Any, callback_kwargs: Any
    ) -> Any:
        unsafe = request.method not in {"GET", "HEAD", "OPTIONS", "TRACE"}
        if unsafe and not getattr(callback, "csrf_exempt", False):
            # "none" is the person's own doing (RFC draft Fetch Metadata §2.3); a browser without it sends nothing.
            site = request.headers.get("Sec-Fetch-Site", "none")
            if site not in {"same-origin", "none"}:
                log.warning("Refused: Sec-Fetch-Site is %.20r: %s", site, request.path)
                return csrf_failure(request)
        return super().process_view(request, callback, callback_args, callback_kwargs)


def _user_of(request: HttpRequest) -> User | AnonymousUser:
    """Who is signed in. Whatever is not plain (a hash made with an older key, a new password) is left to Django."""
    session = request.session
    signed_in = session.get(SESSION_KEY)  # reads the session, and its user with it
    user: User | None = session.user  # type: ignore[attr-defined]  # our own SessionStore
    if (
        user is not None
        and str(user.pk) == signed_in
        and user.is_active
        and session.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        and constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
    ):
        return user
    found: User | AnonymousUser = get_user(request)
    return found
