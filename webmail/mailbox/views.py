"""The mailbox page and its fragment; asking for a fresh look at the server, or for a comparison of everything."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from webmail import tasks
from webmail.models import Mailbox, Message
from webmail.protocol.errors import ProtocolError
from webmail.requests import PersonRequest
from webmail.store import sync
from webmail.store.by_sender import list_page
from webmail.store.comparing import Differences
from webmail.store.cursors import read_query
from webmail.store.listing import title_of
from webmail.store.sidebar import Accounts, accounts_of, find_mailbox, sidebar
from webmail.store.words import count

RECHECK = timedelta(seconds=10)  # an opened mailbox that was checked less than this ago is not checked again


def look_up(request: PersonRequest, pk: int) -> tuple[Accounts, Mailbox]:
    """The person's accounts, and the mailbox with this key among them, or a 404."""
    accounts = accounts_of(request.user)
    mailbox = find_mailbox(accounts, pk)
    if mailbox is None:
        raise Http404
    return accounts, mailbox


@login_required
@require_GET
def show(request: PersonRequest, pk: int) -> HttpResponse:
    """A page of the list; with htmx only the list."""
    accounts, mailbox = look_up(request, pk)
    page = list_page(request.user, mailbox, read_query(request.GET.dict()), current=_open_beside(request))
    context = {
        "page": page,
        "sidebar": sidebar(request.user, accounts, pk),
        "waiting": accounts.waiting_words,
        "message": None,
        "open": _open_message(request),
        "due": _wake(mailbox) and not page.newer,
    }
    return render(request, "mailbox/_list.html" if request.htmx else "mailbox/page.html", context)


@login_required
@require_POST
def check(request: PersonRequest, pk: int) -> HttpResponse:
    """Look at the server now, because the person asked to; what it says is on the account if it fails."""
    accounts, mailbox = look_up(request, pk)
    try:
        sync.refresh(mailbox)
    except ProtocolError:
        mailbox.account.refresh_from_db()
    if not request.htmx:
        return redirect("mailbox", pk=pk)
    page = list_page(request.user, mailbox, read_query(request.GET.dict()))
    context = {
        "page": page,
        "sidebar": sidebar(request.user, accounts, pk),
        "waiting": accounts.waiting_words,
        "message": None,
    }
    return render(request, "mailbox/_list.html", context)


@login_required
@require_POST
def reconcile(request: PersonRequest, pk: int) -> HttpResponse:
    """Compare all of the mailbox's index with the server, because the person asked to, and say what differed."""
    _, mailbox = look_up(request, pk)
    try:
        level, said = messages.SUCCESS, _differences_in_words(sync.reconcile(mailbox))
    except ProtocolError as error:
        level, said = messages.ERROR, f"{error.sentence} Nothing was compared."
    said = f"{title_of(mailbox)}: {said}"
    if request.htmx:
        return HttpResponse(said, content_type="text/plain; charset=utf-8")
    messages.add_message(request, level, said)
    if request.POST.get("from") == "doctor":
        return redirect("account-doctor", pk=mailbox.account_id)
    return redirect("mailbox", pk=pk)


def _differences_in_words(found: Differences) -> str:
    if not found.total:
        return "compared with the server, and nothing differed."
    parts = (
        (found.appeared, "missing here"),
        (found.vanished, "no longer there"),
        (found.flags, "marked otherwise"),
    )
    said = ", ".join(f"{count(number)} {what}" for number, what in parts if number)
    return f"compared with the server: {said}. All of it is right now."


def _wake(mailbox: Mailbox) -> bool:
    """Have a worker bring the mailbox up to date, unless that was done a moment ago; whether there is news to come."""
    listed_at = mailbox.account.listed_at
    if listed_at is None or timezone.now() - listed_at > RECHECK:
        tasks.enqueue(tasks.list_mailboxes, mailbox.account_id)
    if mailbox.checked_at is not None and timezone.now() - mailbox.checked_at < RECHECK:
        return False
    tasks.enqueue(tasks.refresh_mailbox, mailbox.pk)
    return True


def _open_beside(request: PersonRequest) -> int | None:
    """The key of the message that is open beside the list, as the page says when it fetches its list anew."""
    key = request.GET.get("open", "")
    return int(key) if key.isascii() and key.isdigit() else None


def _open_message(request: PersonRequest) -> dict[str, object] | None:
    """How that message is flagged now, for the pane it is open in; only its key where it is no longer there."""
    pk = _open_beside(request)
    if pk is None:
        return None
    shown = Message.objects.for_user(request.user).filter(pk=pk, mailbox__isnull=False)
    found = shown.values("seen", "flagged").first()
    return {"pk": pk, "gone": True} if found is None else {"pk": pk, "unread": not found["seen"], **found}
