"""What a person says to a read receipt that is asked of them."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from webmail import tasks
from webmail.requests import PersonRequest
from webmail.store import reading, receipts
from webmail.store.cursors import read_query
from webmail.store.paths import inline_root
from webmail.store.showing import message_page

from .views import look_up


@login_required
@require_POST
def receipt(request: PersonRequest, pk: int) -> HttpResponse:
    """Send it, or never ask about this message again; with htmx the message as it is then."""
    message = look_up(request, pk)
    act = request.POST.get("act", "")
    if act == "refuse":
        receipts.refuse(message)
    elif act == "send":
        read = reading.body(message, inline_root(message))
        receipts.send(request.user, message, read.envelope, read.header)
        tasks.enqueue(tasks.sweep_outbox)
    else:
        return HttpResponseBadRequest("Unknown choice.")
    tasks.enqueue(tasks.work, message.account_id)
    query = read_query(request.GET.dict())
    if not request.htmx:
        return redirect("message", pk=pk)
    message.refresh_from_db()
    shown = message_page(request.user, message, inline_root(message), among=query)
    return render(request, "message/_message.html", {"message": shown, "page": {"query": query.replace()}})
