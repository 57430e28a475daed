"""Acting on messages of a list: recorded, shown at once, carried out by a worker. What lacks something is asked for."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from webmail import tasks
from webmail.models import Mailbox
from webmail.requests import PersonRequest, next_of
from webmail.store import acts
from webmail.store.cursors import Query, read_query
from webmail.store.sidebar import full_title_of, targets_of

from .forms import ActForm
from .views import look_up


@login_required
@require_POST
def act(request: PersonRequest, pk: int) -> HttpResponse:
    """Do to the chosen messages what was asked. A script gets JSON: the words to say, and the jobs for Undo."""
    accounts, mailbox = look_up(request, pk)
    query = read_query(request.GET.dict())
    form = ActForm(request.POST, accounts[mailbox.account])
    if not form.is_valid():
        return _refuse(request, mailbox, query, form.sentence)
    groups = form.groups(request.user, mailbox, query)
    if form.lacks:
        return _ask(request, mailbox, query, form)
    if acts.is_for_good(groups, form.order) and not form.cleaned_data["sure"]:
        return _ask(request, mailbox, query, form)
    try:
        recorded = acts.carry_out(mailbox, groups, form.order)
    except acts.CannotAct as error:
        return _refuse(request, mailbox, query, error.sentence)
    tasks.enqueue(tasks.work, mailbox.account_id)
    words, undoable = acts.past(recorded), [str(job.pk) for job in recorded if acts.is_undoable(job)]
    if request.htmx:
        return JsonResponse({"words": words, "jobs": undoable}, status=202)
    messages.success(request, words, extra_tags=f"undo {' '.join(undoable)}" if undoable else "")
    return redirect(next_of(request, _back(mailbox, query)))


@login_required
@require_GET
def targets(request: PersonRequest, pk: int) -> HttpResponse:
    """The mailboxes that messages of this one can go to: what the dialog of a script shows."""
    _, mailbox = look_up(request, pk)
    return render(request, "mailbox/_targets.html", {"targets": _targets(mailbox)})


def _ask(request: PersonRequest, mailbox: Mailbox, query: Query, form: ActForm) -> HttpResponse:
    """A page that asks for what lacks: where to, with what word, or whether one is sure."""
    context = {
        "mailbox": mailbox,
        "query": query.replace(),
        "form": form,
        "keys": form.keys,
        "act": form.cleaned_data["act"],
        "targets": _targets(mailbox),
    }
    return render(request, "mailbox/ask.html", context)


def _targets(mailbox: Mailbox) -> list[tuple[int, str, str, bool]]:
    """Key, title, role, and whether it was used lately; those first."""
    recent = acts.recent_targets(mailbox)
    found = {each.pk: each for each in targets_of(mailbox.account) if each.pk != mailbox.pk}
    first = [found.pop(key) for key in recent if key in found]
    return [
        (each.pk, full_title_of(each), each.role, here)
        for here, those in ((True, first), (False, found.values()))
        for each in those
    ]


def _refuse(request: PersonRequest, mailbox: Mailbox, query: Query, sentence: str) -> HttpResponse:
    if request.htmx:
        return HttpResponse(sentence, status=409, content_type="text/plain; charset=utf-8")
    messages.warning(request, sentence)
    return redirect(next_of(request, _back(mailbox, query)))


def _back(mailbox: Mailbox, query: Query) -> str:
    return f"/mailbox/{mailbox.pk}/{query.replace()}"
