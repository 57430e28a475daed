"""A draft begun from a message: reply, reply to all, reply to the list, forward, edit as new."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from webmail.models import Message, User
from webmail.protocol.reply import Kind
from webmail.requests import PersonRequest
from webmail.store import answering, drafts

from .forms import MAX_KEY, way_back

# How answers are written; None: as the mail that is answered.
_FORMS = {User.Writes.AS_ANSWERED: None, User.Writes.RICH: True, User.Writes.PLAIN: False}


def look_up(request: PersonRequest, pk: int) -> Message:
    """The person's message with all that answering it needs, or a 404."""
    rows = Message.objects.for_user(request.user).select_related("mailbox", "account__provider", "account__user")
    return get_object_or_404(rows, pk=pk, mailbox__isnull=False)


@login_required
@require_POST
def begin(request: PersonRequest, pk: int) -> HttpResponse:
    """Begin a draft from a message of the person, and open it."""
    message = look_up(request, pk)
    kind = request.POST.get("kind", "")
    if kind not in list(Kind):
        return HttpResponseBadRequest("Unknown.", content_type="text/plain")
    key = request.POST.get("idem_key", "")[:MAX_KEY] or uuid.uuid4().hex
    drafts.forget_untouched(request.user)
    is_html = None if kind == Kind.EDIT_DRAFT else _FORMS[User.Writes(request.user.writes)]
    begun = answering.begin(
        request.user, message, Kind(kind), form_key=key, is_html=is_html, is_signed=True,
        languages=request.headers.get("Accept-Language", ""),
    )  # fmt: skip
    for sentence in begun.left_out:
        messages.warning(request, sentence)
    back = urlencode({"back": way_back(request)})
    return redirect(f"{reverse('draft', args=[begun.draft.id])}?{back}")
