"""Files of mail brought into a mailbox: sent up whole by the form, or in pieces by its script."""

from __future__ import annotations

from itertools import count

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from webmail import tasks
from webmail.models import Mailbox, Upload
from webmail.protocol.errors import ProtocolError
from webmail.requests import PersonRequest
from webmail.store import jobs, uploads, words
from webmail.store.listing import title_of
from webmail.store.sidebar import full_title_of, targets_of

from .forms import ImportForm
from .views import look_up


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: PersonRequest, pk: int) -> HttpResponse:
    """The form; sent, it records that what came with it, or before it in pieces, goes into a mailbox."""
    _, mailbox = look_up(request, pk)
    form = ImportForm(request.POST if request.method == "POST" else None, targets_of(mailbox.account), mailbox)
    if request.method != "POST":
        return _page(request, mailbox, form)
    if form.data.get("act") == "cancel":
        for upload in Upload.objects.filter(account=mailbox.account, form_key=form.key, job=None):
            uploads.drop(upload)
        return redirect("mailbox-import", pk=pk)
    if not form.is_valid():
        return _refuse(request, mailbox, form, form.sentence)
    try:
        files = form.cleaned_data["sent"] or _take_whole(request, mailbox, form)
        upload = uploads.begin(mailbox.account, form.key)
        uploads.close(upload, files)
        job = jobs.record_import(upload, form.target, seen=form.cleaned_data["seen"])
    except ProtocolError as error:
        return _refuse(request, mailbox, form, error.sentence)
    tasks.enqueue(tasks.work, job.account_id)
    what = "The file is" if len(files) == 1 else f"{words.count(len(files))} files are"
    sentence = f"{what} here. The messages go into {title_of(form.target)} now: you can leave this page."
    messages.success(request, sentence, extra_tags=f"undo {job.pk}")
    if request.htmx:
        return JsonResponse({"go": "/jobs/"}, status=202)
    return redirect("activity")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def take(request: PersonRequest, pk: int) -> HttpResponse:
    """A piece of a file, as the request's body; asked, how many of each are here, for whoever goes on after a break."""
    _, mailbox = look_up(request, pk)
    key = request.GET.get("key", "")
    if request.method != "POST":
        return JsonResponse(uploads.here(mailbox.account, key))
    file, number = (request.GET.get(name, "") for name in ("file", "number"))
    if not (0 < len(key) <= 64 and all(each.isascii() and each.isdigit() and len(each) < 8 for each in (file, number))):
        return HttpResponse("This is no piece of a file.", status=400, content_type="text/plain")
    try:
        uploads.take(uploads.begin(mailbox.account, key), int(file), int(number), request.body)
    except ProtocolError as error:
        return HttpResponse(error.sentence, status=409, content_type="text/plain; charset=utf-8")
    return HttpResponse(status=204)


def _take_whole(request: PersonRequest, mailbox: Mailbox, form: ImportForm) -> list[tuple[str, int]]:
    """The files that came with the form."""
    upload = uploads.begin(mailbox.account, form.key)
    if upload.job_id is not None:  # sent twice
        return [(str(name), int(size)) for name, size in upload.files]
    sent = [file for file in request.FILES.getlist("files") if isinstance(file, UploadedFile)]
    for at, file in enumerate(sent):
        file.seek(0)
        for number in count():
            piece = file.read(uploads.PIECE)
            if not piece:
                break
            uploads.take(upload, at, number, piece)
    return [(file.name or "", file.size or 0) for file in sent]


def _refuse(request: PersonRequest, mailbox: Mailbox, form: ImportForm, sentence: str) -> HttpResponse:
    if request.htmx:
        return HttpResponse(sentence, status=409, content_type="text/plain; charset=utf-8")
    return _page(request, mailbox, form, error=sentence, status=422)


def _page(
    request: PersonRequest, mailbox: Mailbox, form: ImportForm, *, error: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "mailbox": mailbox,
        "title": full_title_of(mailbox),
        "form": form,
        "room": uploads.room(mailbox.account),
        "room_words": words.size(uploads.room(mailbox.account)),
        "piece": uploads.PIECE,
        "most": uploads.MOST_FILES,
        "error": error,
        "section": "accounts",
    }
    return render(request, "mailbox/import.html", context, status=status)
