"""The mailboxes themselves: make, nest, rename, delete, subscribe, empty, and give them colours."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webmail import tasks
from webmail.models import Account, Job, Mailbox
from webmail.protocol.errors import Refused
from webmail.requests import PersonRequest
from webmail.store import activity, colours, jobs, mailbox_acts, space, words
from webmail.store.sidebar import full_title_of, tree_of

from .forms import EmptyForm, NameForm


@login_required
@require_safe
def show(request: PersonRequest, pk: int) -> HttpResponse:
    """All mailboxes of an account, with what can be done to each."""
    return _page(request, _account(request, pk))


@login_required
@require_safe
def room(request: PersonRequest, pk: int) -> HttpResponse:
    """What takes the room: how full it is, the largest messages, who sent most, which mailboxes hold most."""
    account = _account(request, pk)
    if space.is_quota_due(account):
        tasks.enqueue(tasks.list_mailboxes, pk)
    context = {"account": account, "space": space.page(request.user, account), "section": "accounts"}
    return render(request, "mailbox/space.html", context)


@login_required
@require_POST
def create(request: PersonRequest, pk: int) -> HttpResponse:
    """Make a mailbox, at the top or inside another."""
    account = _account(request, pk)
    form = NameForm(request.POST, tree_of(account))
    if not form.is_valid():
        return _page(request, account, form=form, status=422)
    try:
        job = mailbox_acts.record_create(account, form.wanted_title, inside=form.wanted_place, idem_key=form.idem_key)
    except mailbox_acts.BadName as error:
        form.add_error("title", error.sentence)
        return _page(request, account, form=form, status=422)
    return _recorded(request, job)


@login_required
@require_POST
def rename(request: PersonRequest, pk: int) -> HttpResponse:
    """Give a mailbox another name or another place, and all inside it with it."""
    mailbox = _mailbox(request, pk)
    form = NameForm(request.POST, tree_of(mailbox.account))
    if not form.is_valid():
        return _refused(request, mailbox, form.sentence)
    try:
        job = mailbox_acts.record_rename(mailbox, form.wanted_title, inside=form.wanted_place, idem_key=form.idem_key)
    except mailbox_acts.BadName as error:
        return _refused(request, mailbox, error.sentence)
    colours.follow(mailbox, job.arguments["name"])
    return _recorded(request, job)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: PersonRequest, pk: int) -> HttpResponse:
    """Ask, with its messages counted; then the mailbox is deleted with all of them."""
    mailbox = _mailbox(request, pk)
    inside = [each for each in tree_of(mailbox.account) if _is_inside(each, mailbox)]
    if request.method != "POST":
        context = {
            "mailbox": mailbox,
            "title": full_title_of(mailbox),
            "total": words.count(mailbox.exists),
            "inside": inside,
        }
        return render(request, "mailbox/delete.html", context)
    try:
        job = mailbox_acts.record_remove(mailbox, idem_key=_key(request))
    except mailbox_acts.BadName as error:
        return _refused(request, mailbox, error.sentence)
    return _recorded(request, job)


@login_required
@require_POST
def subscribe(request: PersonRequest, pk: int) -> HttpResponse:
    """Show the mailbox in programs that go by subscriptions, or don't."""
    mailbox = _mailbox(request, pk)
    job = mailbox_acts.record_subscribe(mailbox, on=request.POST.get("on") == "1", idem_key=_key(request))
    return _recorded(request, job)


@login_required
@require_POST
def colour(request: PersonRequest, pk: int) -> HttpResponse:
    """Give the mailbox a colour, or take it away."""
    mailbox = _mailbox(request, pk)
    colours.choose(mailbox, request.POST.get("colour", ""))
    return redirect("mailboxes", pk=mailbox.account_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def empty(request: PersonRequest, pk: int) -> HttpResponse:
    """Ask, then delete for good what is in the trash or the junk mailbox, as the question counted it."""
    mailbox = _mailbox(request, pk)
    if mailbox.role not in ("trash", "junk"):
        raise Http404
    if request.method != "POST":
        context = {"mailbox": mailbox, "title": full_title_of(mailbox), "total": words.count(mailbox.exists)}
        return render(request, "mailbox/empty.html", context)
    form = EmptyForm(request.POST)
    if not form.is_valid():
        return _refused(request, mailbox, "Ask again: the page was incomplete.")
    try:
        job = jobs.record_empty(mailbox, below=form.cleaned_data["below"], idem_key=_key(request))
    except Refused as error:
        return _refused(request, mailbox, error.sentence)
    return _recorded(request, job)


def _account(request: PersonRequest, pk: int) -> Account:
    return get_object_or_404(Account.objects.for_user(request.user).select_related("provider"), pk=pk)


def _mailbox(request: PersonRequest, pk: int) -> Mailbox:
    return get_object_or_404(Mailbox.objects.for_user(request.user).select_related("account__provider"), pk=pk)


def _page(request: PersonRequest, account: Account, *, form: NameForm | None = None, status: int = 200) -> HttpResponse:
    mailboxes = tree_of(account)
    context: dict[str, Any] = {
        "account": account,
        "lines": [
            {
                "mailbox": each,
                "title": full_title_of(each),
                "name": each.path[-1],
                "above": next((other.pk for other in mailboxes if _is_just_inside(each, other)), ""),
                "total": words.messages(each.exists),
                "colour": account.colours.get(each.name, ""),
            }
            for each in mailboxes
        ],
        "form": form or NameForm(None, mailboxes),
        "places": [(each.pk, full_title_of(each)) for each in mailboxes],
        "colours": colours.COLOURS.items(),
        "section": "accounts",
    }
    return render(request, "mailbox/mailboxes.html", context, status=status)


def _recorded(request: PersonRequest, job: Job) -> HttpResponse:
    tasks.enqueue(tasks.work, job.account_id)
    messages.success(request, f"{activity.what(job)}: it is being done.", extra_tags=f"undo {job.pk}")
    return redirect("mailboxes", pk=job.account_id)


def _refused(request: PersonRequest, mailbox: Mailbox, sentence: str) -> HttpResponse:
    messages.warning(request, sentence)
    return redirect("mailboxes", pk=mailbox.account_id)


def _key(request: PersonRequest) -> str:
    return NameForm.key_of(request.POST)


def _is_inside(mailbox: Mailbox, above: Mailbox) -> bool:
    return bool(above.delimiter) and mailbox.name.startswith(above.name + above.delimiter)


def _is_just_inside(mailbox: Mailbox, above: Mailbox) -> bool:
    return _is_inside(mailbox, above) and mailbox.path[:-1] == above.path
