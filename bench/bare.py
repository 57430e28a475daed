"""The least a Django view can do to show a mailbox page: no middleware, no session, no query; the same templates and
the same 50 rows, ready in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template
from django.test import override_settings

from webmail.models import Mailbox, User
from webmail.store.cursors import Query
from webmail.store.listing import mailbox_page
from webmail.store.sidebar import accounts_of, sidebar


def page_context(user: User, mailbox: Mailbox) -> dict[str, object]:
    """Everything that the mailbox page's templates print."""
    return {
        "page": mailbox_page(user, mailbox, Query()),
        "sidebar": sidebar(user, accounts_of(user), mailbox.pk),
        "message": None,
        "message_root": "/message/",
        "mailbox_root": "/mailbox/",
        "brand": "Webmail",
        "person": user,
        "theme": user.theme,
        "csrf_token": "x" * 64,
    }


def bare_application(context: dict[str, object]) -> Callable[..., Any]:
    """A WSGI application that answers every GET with that page."""
    template = get_template("mailbox/page.html")

    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(template.render(context))

    with override_settings(MIDDLEWARE=[]):
        handler = WSGIHandler()
    vars(handler)["_middleware_chain"] = view  # in place of the URL resolver too: nothing is left to take away
    return handler
