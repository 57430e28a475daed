"""Every job of a person: what, how many, when, how far; and taking it back."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from webmail import tasks
from webmail.models import Job
from webmail.requests import PersonRequest, next_of
from webmail.store import activity, acts, undoing
from webmail.store.kinds.kind import CannotUndo

MOST = 50  # jobs of one act: one for each mailbox that its messages lay in


@login_required
@require_safe
def show(request: PersonRequest) -> HttpResponse:
    """A page of them, newest first; for a script only the list, to bring it up to date."""
    found = activity.page(request.user, request.GET.get("after", ""))
    context = {"activity": found, "after": request.GET.get("after", "")}
    return render(request, "jobs/_acts.html" if request.htmx else "jobs/activity.html", context)


@login_required
@require_safe
def refusals(request: PersonRequest) -> HttpResponse:
    """What was just refused, for a page that has heard of it."""
    return JsonResponse({"refused": activity.refusals(request.user)})


@login_required
@require_POST
def undo(request: PersonRequest) -> HttpResponse:
    """Take back the jobs named, the last first. A script gets JSON: the words to say, and which mailbox to look at."""
    jobs = _named(request)
    key = (request.POST.get("idem_key") or uuid.uuid4().hex)[:40]
    for number, job in enumerate(reversed(jobs)):
        try:
            undoing.undo(job, key if number == 0 else f"{key}-{number}")
        except CannotUndo as error:
            return _answer(request, jobs, error.sentence, done=False)
        tasks.enqueue(tasks.work, job.account_id)
    return _answer(request, jobs, acts.undone(jobs))


@login_required
@require_POST
def retry(request: PersonRequest) -> HttpResponse:
    """Try jobs again that were refused, given up, or wait for their next try."""
    jobs = _named(request)
    tried = [undoing.retry(job) for job in jobs]
    if not all(tried):
        return _answer(
            request, jobs, "That can't be tried again: it was done, or what it was about is gone.", done=False
        )
    for job in jobs:
        tasks.enqueue(tasks.work, job.account_id)
    return _answer(request, jobs, "It is tried again")


@login_required
@require_POST
def cancel(request: PersonRequest) -> HttpResponse:
    """Cancel jobs that wait. What is under way already goes on."""
    jobs = _named(request)
    cancelled = [undoing.cancel(job) for job in jobs]
    if not all(cancelled):
        return _answer(request, jobs, "That is under way already, or done. It can be undone afterwards.", done=False)
    return _answer(request, jobs, "Cancelled")


def _named(request: PersonRequest) -> list[Job]:
    """The person's jobs with the keys in the form, all of them or a 404."""
    keys = []
    for key in " ".join(request.POST.getlist("job")).split()[:MOST]:
        try:
            keys.append(uuid.UUID(key))
        except ValueError as error:
            raise Http404 from error
    rows = Job.objects.for_user(request.user).select_related("account", "mailbox", "target")
    jobs = list(rows.filter(pk__in=keys).order_by("sequence"))
    if not jobs or len(jobs) != len(set(keys)):
        raise Http404
    return jobs


def _answer(request: PersonRequest, jobs: Sequence[Job], words: str, *, done: bool = True) -> HttpResponse:
    if request.htmx:
        if not done:
            return HttpResponse(words, status=409, content_type="text/plain; charset=utf-8")
        return JsonResponse({"words": words}, status=202)
    (messages.success if done else messages.warning)(request, words)
    return redirect(next_of(request, "activity"))
