"""The request that views of signed-in people get, for the type checker; where they go on to; what follows an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.core.handlers.wsgi import WSGIRequest
from django.core.signals import request_finished
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails

from webmail import tasks
from webmail.models import User


def next_of(request: HttpRequest, default: str) -> str:
    """The page of ours to go on to that a form names (`next`); `default` where it names none, or another site's."""
    wanted = request.POST.get("next", "")
    inside = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if wanted.startswith("/") and inside else default


def numbers(texts: Iterable[str]) -> list[int]:
    """Those of `texts`, from a form or a link, that can be rows' keys."""
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19]


class PersonRequest(HttpRequest):
    """A request behind `login_required`: `user` is a person, `htmx` says whether a fragment is wanted."""

    user: User
    htmx: HtmxDetails


class WakeAfterAnswerMiddleware:
    """Workers are woken when the answer is out: they share its processors.

    A process that dies in between wakes nobody; the sweeper does. A stream ends late, so nothing waits for it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        request_finished.connect(tasks.let_go, dispatch_uid="wake-after-answer")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if isinstance(request, WSGIRequest):  # else it may end in another thread
            tasks.hold()
        response = self.get_response(request)
        if response.streaming:
            tasks.let_go()
        return response
