"""The request that views of signed-in people get, for the type checker; and where they go on to."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails

from webmail.models import User


def next_of(request: HttpRequest, default: str) -> str:
    """The page of ours to go on to that a form names (`next`); `default` where it names none, or another site's."""
    wanted = request.POST.get("next", "")
    inside = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if wanted.startswith("/") and inside else default


class PersonRequest(HttpRequest):
    """A request behind `login_required`: `user` is a person, `htmx` says whether a fragment is wanted."""

    user: User
    htmx: HtmxDetails
