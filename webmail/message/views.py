"""The message page, its source, and its flags."""

from __future__ import annotations

import uuid
from dataclasses import replace
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect

from webmail import tasks
from webmail.models import Message
from webmail.protocol.errors import ProtocolError
from webmail.protocol.types import Flag
from webmail.requests import PersonRequest
from webmail.store import acts, jobs, reading, receipts, slices
from webmail.store.by_sender import list_page
from webmail.store.cursors import Query, read_query
from webmail.store.draft_copies import draft_of
from webmail.store.paths import inline_root
from webmail.store.showing import MessagePage, message_page
from webmail.store.sidebar import accounts_of, find_mailbox, sidebar

from .forms import FlagForm


def look_up(request: PersonRequest, pk: int) -> Message:
    """The signed-in person's message with all that reading it needs, or a 404."""
    messages = Message.objects.for_user(request.user).select_related("mailbox", "account__provider")
    return get_object_or_404(messages, pk=pk, mailbox__isnull=False)


def wants_plain(request: PersonRequest) -> bool | None:
    """Whether HTML is to be shown as plain text, as the address says; None where it doesn't say."""
    return {"1": True, "0": False}.get(request.GET.get("plain", ""))


@login_required
@require_GET
def show(request: PersonRequest, pk: int) -> HttpResponse:
    """The message; with htmx only the message, else beside its mailbox's list. Opening it marks it as read.

    One that is the copy of a draft leads to the draft.
    """
    message = look_up(request, pk)
    query = read_query(request.GET.dict())
    if written := draft_of(message):
        address = f"{reverse('draft', args=[written])}?{urlencode({'back': f'/mailbox/{message.mailbox_id}/'})}"
        return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
    shown = message_page(request.user, message, inline_root(message), as_plain=wants_plain(request), among=query)
    if shown.files.preparing:
        tasks.enqueue(tasks.prepare_attachments, message.pk)
    if shown.receipt and shown.receipt.may_go_by_itself and _is_opened_by_person(request):
        shown = _with_receipt_sent(request, message, shown)
    may_mark = message.mailbox is not None and not message.mailbox.read_only
    if may_mark and not message.seen and not shown.problem and _is_opened_by_person(request):
        _record(message, Flag.SEEN, True, uuid.uuid4().hex)
        shown = replace(shown, unread=False)
    if request.htmx:
        # Its links lead back to the list it was opened from.
        return render(request, "message/_message.html", {"message": shown, "page": {"query": query.replace()}})
    return _beside_list(request, message, shown)


@login_required
@require_GET
def inside(request: PersonRequest, pk: int, section: str) -> HttpResponse:
    """A message, or what a container holds, inside the message: shown like any other, but it has no flags."""
    message = look_up(request, pk)
    shown = message_page(request.user, message, inline_root(message), section, as_plain=wants_plain(request))
    if request.htmx:
        query = read_query(request.GET.dict()).replace()
        return render(request, "message/_message.html", {"message": shown, "page": {"query": query}})
    return _beside_list(request, message, shown)


@login_required
@require_POST
def flag(request: PersonRequest, pk: int) -> HttpResponse:
    """Set or clear a flag: recorded, shown at once, carried out by a worker."""
    message = acts.to_flag(request.user, pk)
    if message is None:
        raise Http404
    form = FlagForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("Unknown flag.")
    _record(message, Flag(form.cleaned_data["flag"]), form.cleaned_data["on"] == "1", form.cleaned_data["idem_key"])
    if request.htmx:
        return HttpResponse(status=202)
    return redirect("mailbox", pk=message.mailbox_id) if form.leaves_message else redirect("message", pk=pk)


@login_required
@require_GET
def source(request: PersonRequest, pk: int) -> HttpResponse:
    """The message as it came, as text."""
    message = look_up(request, pk)
    text, whole = reading.source(message)
    return render(request, "message/source.html", {"message_row": message, "source": text, "whole": whole})


def _beside_list(request: PersonRequest, message: Message, shown: MessagePage) -> HttpResponse:
    accounts = accounts_of(request.user)
    mailbox = find_mailbox(accounts, message.mailbox_id or 0)
    assert mailbox is not None
    query = read_query(request.GET.dict())
    if query.is_first and not query.sender:
        number = slices.page_number(mailbox, message, query)
        query = Query(query.sort, query.descending, query.only, page=number if number > 1 else 0)
    context = {
        "page": list_page(request.user, mailbox, query, current=message.pk),
        "sidebar": sidebar(request.user, accounts, mailbox.pk),
        "waiting": accounts.waiting_words,
        "message": shown,
    }
    return render(request, "message/page.html", context)


def _with_receipt_sent(request: PersonRequest, message: Message, shown: MessagePage) -> MessagePage:
    """Send the receipt about which the person doesn't want to be asked; where that fails they are."""
    read = reading.body(message, inline_root(message))
    try:
        receipts.send(request.user, message, read.envelope, read.header, by_itself=True)
    except ProtocolError:
        return shown
    tasks.enqueue(tasks.sweep_outbox)
    tasks.enqueue(tasks.work, message.account_id)
    return replace(shown, receipt=None)


def _record(message: Message, which: Flag, on: bool, idem_key: str) -> None:
    add, remove = ((which,), ()) if on else ((), (which,))
    jobs.record_flags([message], add=add, remove=remove, idem_key=idem_key)
    tasks.enqueue(tasks.work, message.account_id)


def _is_opened_by_person(request: PersonRequest) -> bool:
    """False for a look from another site or ahead of time: a GET from elsewhere has no side effect (T11)."""
    from_us = request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
    return from_us and "prefetch" not in request.headers.get("Sec-Purpose", "")
