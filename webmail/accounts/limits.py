"""How often a password may be tried. Only a try that is under every limit reaches a hash or a mail server.

A try is written down as a failure *before* the password is looked at and struck out again when it was right, so
a thousand tries at the same time can't slip through between the counting and the writing. django-axes calls us
(`AXES_HANDLER`) and owns the table, its `AccessFailureLog`; its pages in the admin panel show the rows.

Someone else's guesses must not lock the owner out: a browser that once signed in as this person carries a signed
cookie, and for it the limit per name does not hold (security T12).
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, NamedTuple

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessFailureLog
from django.conf import settings
from django.core import signing
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from webmail.protocol.mail_address import normalise

from . import clients

log = logging.getLogger(__name__)


class Limit(NamedTuple):
    """So many failures within that time."""

    failures: int
    window: timedelta


PER_NAME_AND_CLIENT = Limit(5, timedelta(minutes=15))
PER_CLIENT_MINUTE = Limit(10, timedelta(minutes=1))
PER_CLIENT_DAY = Limit(50, timedelta(days=1))
PER_NAME = Limit(100, timedelta(days=1))
KEPT = timedelta(days=30)  # how long failures can be looked at in the admin panel

DEVICE_COOKIE = "device" if settings.INSECURE_HTTP else "__Host-device"
_DEVICE_AGE = timedelta(days=400)  # the longest a browser keeps a cookie
_DEVICE_NAMES = 8  # people who share one browser
_SALT = "webmail.accounts.device"


class Handler(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    """What django-axes asks before and tells after each sign-in."""

    def is_allowed(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Whether this try may look at a password. Called once a try, by AxesStandaloneBackend."""
        name = counted_name((credentials or {}).get("username") or "")
        client = clients.network_of(request)
        exempt = _is_known_device(request, name)
        if _is_over(name, client, exempt):
            request.sign_in_limited = True  # type: ignore[attr-defined]  # read by the view
            log.warning("Sign-in refused by the limits, client %s", client)
            return False
        attempt = AccessFailureLog.objects.create(
            username=name,
            ip_address=client,
            user_agent=clients.user_agent_of(request),
            http_accept="",
            path_info=request.path_info[:255],
        )
        if _is_over(name, client, exempt, own=1):
            attempt.delete()
            request.sign_in_limited = True  # type: ignore[attr-defined]
            return False
        request.sign_in_attempt = attempt  # type: ignore[attr-defined]
        return True

    def user_login_failed(
        self, sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        """The try was written down already: only log it."""
        if request is not None and not getattr(request, "sign_in_limited", False):
            log.info("Sign-in failed, client %s", clients.address_of(request))

    def user_logged_in(self, sender: object, request: HttpRequest, user: Any, **kwargs: Any) -> None:
        """Strike out the try and the failures of this person from here; forget what is old."""
        attempt = getattr(request, "sign_in_attempt", None)
        if attempt is not None:
            AccessFailureLog.objects.filter(username=attempt.username, ip_address=attempt.ip_address).delete()
        AccessFailureLog.objects.filter(attempt_time__lt=timezone.now() - KEPT).delete()
        super().user_logged_in(sender, request, user, **kwargs)

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """How many tries for this name failed in the last day, from anywhere."""
        name = counted_name((credentials or {}).get("username") or "")
        since = timezone.now() - PER_NAME.window
        return int(AccessFailureLog.objects.filter(username=name, attempt_time__gte=since).count())

    def reset_attempts(
        self, *, ip_address: str | None = None, username: str | None = None, ip_or_username: bool = False
    ) -> int:
        """Let them try again: `manage.py axes_reset`, `axes_reset_username NAME`, `axes_reset_ip ADDRESS`."""
        which = Q()
        if username is not None:
            which = Q(username=counted_name(username))
        if ip_address is not None:
            which = which | Q(ip_address=ip_address) if ip_or_username else which & Q(ip_address=ip_address)
        count, _ = AccessFailureLog.objects.filter(which).delete()
        return int(count)


def pardon(request: HttpRequest) -> None:
    """Strike out this request's try: no password was looked at, because the provider's own server was away."""
    attempt = getattr(request, "sign_in_attempt", None)
    if attempt is not None:
        AccessFailureLog.objects.filter(pk=attempt.pk).delete()


def counted_name(name: str) -> str:
    """The one spelling under which tries for a name are counted."""
    try:
        return normalise(name)
    except ValueError:
        return name.strip().casefold()[:255]


def remember_device(request: HttpRequest, response: HttpResponse, name: str) -> None:
    """Let this browser sign in as `name` later, whatever others guess meanwhile."""
    mark = _mark(counted_name(name))
    marks = [mark, *(known for known in _known_marks(request) if known != mark)][:_DEVICE_NAMES]
    response.set_cookie(
        DEVICE_COOKIE,
        signing.dumps(marks, salt=_SALT),
        max_age=_DEVICE_AGE,
        secure=not settings.INSECURE_HTTP,
        httponly=True,
        samesite="Lax",
    )


def _is_over(name: str, client: str | None, exempt: bool, own: int = 0) -> bool:
    """Whether a limit is reached, or passed when `own` try is among the rows already."""
    now = timezone.now()
    by_name, by_client = Q(username=name), Q(ip_address=client) if client else Q(ip_address__isnull=True)

    def since(limit: Limit) -> Q:
        return Q(attempt_time__gte=now - limit.window)

    counts = AccessFailureLog.objects.filter(by_name | by_client, since(PER_NAME)).aggregate(
        pair=Count("pk", filter=by_name & by_client & since(PER_NAME_AND_CLIENT)),
        minute=Count("pk", filter=by_client & since(PER_CLIENT_MINUTE)),
        day=Count("pk", filter=by_client & since(PER_CLIENT_DAY)),
        name=Count("pk", filter=by_name & since(PER_NAME)),
    )
    return (
        counts["pair"] - own >= PER_NAME_AND_CLIENT.failures
        or counts["minute"] - own >= PER_CLIENT_MINUTE.failures
        or counts["day"] - own >= PER_CLIENT_DAY.failures
        or (not exempt and counts["name"] - own >= PER_NAME.failures)
    )


def _is_known_device(request: HttpRequest, name: str) -> bool:
    return _mark(name) in _known_marks(request)


def _known_marks(request: HttpRequest) -> list[str]:
    try:
        marks = signing.loads(request.COOKIES.get(DEVICE_COOKIE, ""), salt=_SALT, max_age=_DEVICE_AGE)
    except signing.BadSignature:
        return []
    return [mark for mark in marks if isinstance(mark, str)]


def _mark(name: str) -> str:
    """`name` so that the cookie doesn't tell a later user of the browser who used it before."""
    return salted_hmac(_SALT, name).hexdigest()[:32]
