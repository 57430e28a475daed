"""The request that views of signed-in people get, for the type checker."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from webmail.models import User


class PersonRequest(HttpRequest):
    """A request behind `login_required`: `user` is a person, `htmx` says whether a fragment is wanted."""

    user: User
    htmx: HtmxDetails
