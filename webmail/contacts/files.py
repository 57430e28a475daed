"""The address book as a file: taken in, and given away."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_POST, require_safe

from webmail.headers import attachment_policy
from webmail.requests import PersonRequest
from webmail.store import address_book

from .forms import FileForm
from .views import page


@login_required
@require_POST
def take(request: PersonRequest) -> HttpResponse:
    """Read a file of vCards; the page says what was taken, and what was not and why, by its line."""
    form = FileForm(request.POST, request.FILES, label_suffix="")
    if not form.is_valid():
        return page(request, file_form=form, status=422)
    imported = address_book.read_file(request.user, form.cleaned_data["file"].read())
    return page(request, imported=imported)


@login_required
@require_safe
@attachment_policy
def give(request: PersonRequest) -> HttpResponseBase:
    """All people as vCards: version 4, or with `?version=3.0` what older programs read."""
    version = "3.0" if request.GET.get("version") == "3.0" else "4.0"
    book = address_book.write_file(request.user, version=version)
    response = StreamingHttpResponse(book, content_type="text/vcard; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="people.vcf"'
    return response
