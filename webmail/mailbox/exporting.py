"""A mailbox or chosen messages as a file to keep."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from webmail.downloads import download
from webmail.headers import attachment_policy
from webmail.protocol import text
from webmail.requests import PersonRequest
from webmail.store import exporting
from webmail.store.cursors import read_query
from webmail.store.listing import title_of

from .forms import ExportForm
from .views import look_up


@login_required
@require_POST
@attachment_policy
def export(request: PersonRequest, pk: int) -> HttpResponseBase:
    """The rows chosen (`m`), or `all` that match the list, as an mbox or a zip of .eml files; streamed."""
    _, mailbox = look_up(request, pk)
    form = ExportForm(request.POST)
    if not form.is_valid():
        return HttpResponse("Choose a format: mbox or zip.", status=400, content_type="text/plain")
    groups = form.groups(request.user, mailbox, read_query(request.GET.dict()))
    if not groups:
        return redirect("mailbox", pk=pk)
    kind = form.cleaned_data["format"]
    name = text.clean_filename(f"{title_of(mailbox)}.{kind}")
    return download(name, exporting.export(groups, kind))
