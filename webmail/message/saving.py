"""Saving an attachment in a mailbox: a small form, and a job."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from webmail import tasks
from webmail.protocol.errors import Forbidden
from webmail.requests import PersonRequest
from webmail.store import enclosed, jobs
from webmail.store.sidebar import targets_of

from .forms import SaveForm
from .views import look_up


@login_required
@require_http_methods(["GET", "POST"])
def save(request: PersonRequest, pk: int, section: str) -> HttpResponse:
    """Ask in which mailbox; then it is recorded, and a worker does it. A script gets a sentence to show."""
    message = look_up(request, pk)
    item = enclosed.find(message, section)
    form = SaveForm(request.POST if request.method == "POST" else None, targets_of(message.account))
    if form.is_valid():
        try:
            jobs.record_append(message, item, form.target, idem_key=form.cleaned_data["idem_key"])
        except Forbidden as error:
            form.add_error("mailbox", error.sentence)
        else:
            tasks.enqueue(tasks.work, message.account_id)
            if request.htmx:
                sentence = f"{item.name} is being saved to {form.target_title}."
                return HttpResponse(sentence, status=202, content_type="text/plain; charset=utf-8")
            return redirect("message", pk=pk)
    context = {"message_row": message, "file": item, "form": form}
    template = "message/_save.html" if request.htmx else "message/save.html"
    return render(request, template, context, status=400 if form.is_bound else 200)
