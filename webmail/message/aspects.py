"""Other looks at a message: all of its header, the whole of it for paper, its text larger or smaller."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from webmail.requests import PersonRequest
from webmail.store.header_table import header_table
from webmail.store.paths import inline_root
from webmail.store.showing import message_page

from .forms import TextSizeForm
from .views import look_up, wants_plain


@login_required
@require_GET
def headers(request: PersonRequest, pk: int) -> HttpResponse:
    """Every field of the header, decoded, and the block as it came."""
    message = look_up(request, pk)
    return render(request, "message/headers.html", {"message_row": message, "table": header_table(message)})


@login_required
@require_GET
def paper(request: PersonRequest, pk: int) -> HttpResponse:
    """The message alone, with its whole header and a list of its attachments: a page to be printed."""
    message = look_up(request, pk)
    shown = message_page(request.user, message, inline_root(message), as_plain=wants_plain(request))
    return render(request, "message/print.html", {"message": shown})


@login_required
@require_POST
def text_size(request: PersonRequest, pk: int) -> HttpResponse:
    """Make the text of messages larger or smaller, for this person from now on."""
    message = look_up(request, pk)
    form = TextSizeForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("Unknown size.")
    form.save(request.user)
    return HttpResponse(status=204) if request.htmx else redirect("message", pk=message.pk)
