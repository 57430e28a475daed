"""Sending a message on as it is: whoever gets it sees it as if it had come from its author."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect as go_to
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from webmail.models import Message
from webmail.protocol.errors import ProtocolError
from webmail.requests import PersonRequest
from webmail.store import outbox
from webmail.store.letters import NotReady

from .answers import look_up
from .forms import MAX_KEY
from .outgoing import say_sent, wake


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def redirect(request: PersonRequest, pk: int) -> HttpResponse:
    """Ask whom it is for, and send it."""
    message = look_up(request, pk)
    if request.method != "POST":
        return _page(request, message)
    key = request.POST.get("idem_key", "")[:MAX_KEY] or uuid.uuid4().hex
    undo = request.user.undo_seconds
    to = request.POST.get("to", "")
    try:
        sent = outbox.redirect(request.user, message, from_address="", to=to, form_key=key, undo=undo)
    except NotReady as error:
        return _page(request, message, " ".join(sentence for _, sentence in error.problems))
    except ProtocolError as error:
        return _page(request, message, error.sentence)
    wake(sent)
    say_sent(request, sent, undo)
    return go_to("message", pk=message.pk)


def _page(request: PersonRequest, message: Message, problem: str = "") -> HttpResponse:
    context = {"message_row": message, "to": request.POST.get("to", ""), "problem": problem}
    return render(request, "compose/redirect.html", context, status=422 if problem else 200)
