"""Leaving the mailing list that a message came from: what would happen is said first, and done by a form."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from webmail import tasks
from webmail.requests import PersonRequest
from webmail.store import reading, unsubscribing
from webmail.store.paths import inline_root

from .views import look_up


@login_required
@require_http_methods(["GET", "POST"])
def unsubscribe(request: PersonRequest, pk: int) -> HttpResponse:
    """Say how the list can be left; then leave it. A script gets the sentence to show."""
    message = look_up(request, pk)
    read = reading.body(message, inline_root(message))
    if request.method == "POST":
        way = request.POST.get("way", "")
        done, sentence = unsubscribing.leave(message, read.envelope, read.header, way)
        tasks.enqueue(tasks.sweep_outbox)
        if request.htmx:
            return HttpResponse(sentence, status=200 if done else 409, content_type="text/plain; charset=utf-8")
        (messages.success if done else messages.warning)(request, sentence)
        return redirect("message" if done else "message-unsubscribe", pk=pk)
    offer = unsubscribing.offer_of(message, read.envelope, read.header)
    template = "message/_unsubscribe.html" if request.htmx else "message/unsubscribe.html"
    return render(request, template, {"message_row": message, "offer": offer})
