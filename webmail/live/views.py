"""What a page asks for when it hears of news; and the stream's address where no stream can be."""

from __future__ import annotations

from dataclasses import asdict

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from webmail.requests import PersonRequest
from webmail.store.news import news_of
from webmail.store.outbox_page import needs_attention
from webmail.store.sidebar import accounts_of


@login_required
@require_GET
def news(request: PersonRequest) -> HttpResponse:
    """How many are unread, and what came since the look that `since` remembers: for titles and notifications.

    And how many messages of the outbox need the person.
    """
    news = asdict(news_of(accounts_of(request.user), request.GET.get("since", "")))
    return JsonResponse(news | {"attention": needs_attention(request.user)})


@require_GET
def stream(request: HttpRequest) -> HttpResponse:
    """What a server of pages says when the stream is asked of it: the process `live` has it (see `entrance`).

    A thread for each stream would soon leave none for pages. 204 tells the browser to stop asking (HTML §9.2.3); the
    page then looks for news by itself now and then.
    """
    return HttpResponse(status=204 if request.user.is_authenticated else 403)
