"""A draft begun from a message: reply, reply to all, reply to the list, forward, edit as new; from several: forward."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from webmail.models import Message, User
from webmail.protocol.reply import Kind
from webmail.requests import PersonRequest, numbers
from webmail.store import answering, drafts

from .forms import MAX_KEY, way_back

MOST_AT_ONCE = 50  # messages that one draft carries
# How answers are written; None: as the mail that is answered.
_FORMS = {User.Writes.AS_ANSWERED: None, User.Writes.RICH: True, User.Writes.PLAIN: False}


def look_up(request: PersonRequest, pk: int) -> Message:
    """The person's message with all that answering it needs, or a 404."""
    return get_object_or_404(_messages(request), pk=pk)


@login_required
@require_POST
def begin(request: PersonRequest, pk: int) -> HttpResponse:
    """Begin a draft from a message of the person, and open it."""
    message = look_up(request, pk)
    kind = request.POST.get("kind", "")
    if kind not in list(Kind):
        return HttpResponseBadRequest("Unknown.", content_type="text/plain")
    return _begun(request, message, Kind(kind), key=request.POST.get("idem_key", "")[:MAX_KEY])


@login_required
@require_POST
def begin_several(request: PersonRequest) -> HttpResponse:
    """Begin a draft that carries the messages chosen (`m`) as files, oldest first, and open it."""
    rows = _messages(request).filter(pk__in=numbers(request.POST.getlist("m"))).order_by("date", "pk")
    chosen = list(rows[: MOST_AT_ONCE + 1])
    if not chosen:
        messages.warning(request, "Choose the messages first.")
        return redirect(way_back(request))
    if len(chosen) > MOST_AT_ONCE:
        messages.warning(request, f"The oldest {MOST_AT_ONCE} are attached: more can't go at once.")
    first, *others = chosen[:MOST_AT_ONCE]
    return _begun(request, first, Kind.FORWARD_ATTACHED, also=others)


def _messages(request: PersonRequest) -> QuerySet[Message]:
    rows = Message.objects.for_user(request.user).select_related("mailbox", "account__provider", "account__user")
    return rows.filter(mailbox__isnull=False)


def _begun(
    request: PersonRequest, message: Message, kind: Kind, *, key: str = "", also: Sequence[Message] = ()
) -> HttpResponse:
    drafts.forget_untouched(request.user)
    is_html = None if kind == Kind.EDIT_DRAFT else _FORMS[User.Writes(request.user.writes)]
    begun = answering.begin(
        request.user, message, kind, form_key=key or uuid.uuid4().hex, is_html=is_html, is_signed=True,
        languages=request.headers.get("Accept-Language", ""), also=also,
    )  # fmt: skip
    for sentence in begun.left_out:
        messages.warning(request, sentence)
    back = urlencode({"back": way_back(request)})
    return redirect(f"{reverse('draft', args=[begun.draft.id])}?{back}")
