"""Templates: the page where they are written, and one of them filled for a message."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from webmail.models import Template
from webmail.protocol.errors import ProtocolError
from webmail.protocol.signing_off import both_forms
from webmail.requests import PersonRequest
from webmail.store import templates

from .formatted import FormattedField, FormattedForm, WordsField
from .forms import LetterForm


class TemplateForm(FormattedForm):
    """One template. What of it isn't allowed `store.templates.save` says."""

    words, formatted, preview, has_placeholders = "text", "html", "template-preview", True

    name = forms.CharField(max_length=100, error_messages={"required": "Give it a name to find it by."})
    text = WordsField("Words", rows=8)
    html = FormattedField()

    def __init__(self, *args: Any, template: Template | None = None, **kwargs: Any) -> None:
        if template is not None:
            kwargs["initial"] = {"name": template.name, "text": template.text, "html": template.html}
        super().__init__(*args, **kwargs | {"label_suffix": ""})
        self._template = template

    def save(self, request: PersonRequest) -> Template | None:
        """Keep it; None where it can't be, which the form says then."""
        try:
            return templates.save(request.user, template=self._template, **self.cleaned_data)
        except ProtocolError as error:
            self.add_error(None, error.sentence)
            return None


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: PersonRequest) -> HttpResponse:
    """All templates, and a form for another."""
    form = TemplateForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and form.save(request):
        messages.success(request, "Saved.")
        return redirect("templates")
    rows = Template.objects.for_user(request.user)
    context = {"templates": rows, "form": form, "section": "writing"}
    return render(request, "compose/templates.html", context, status=422 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: PersonRequest, pk: int) -> HttpResponse:
    """One template, to be changed or removed."""
    template = get_object_or_404(Template.objects.for_user(request.user), pk=pk)
    if request.POST.get("act") == "remove":
        template.delete()
        messages.success(request, f"“{template.name}” is removed.")
        return redirect("templates")
    form = TemplateForm(request.POST if request.method == "POST" else None, template=template)
    if request.method == "POST" and form.is_valid() and form.save(request):
        messages.success(request, "Saved.")
        return redirect("templates")
    context = {"template": template, "form": form, "section": "writing"}
    return render(request, "compose/template.html", context, status=422 if form.errors else 200)


@login_required
@require_POST
def preview(request: PersonRequest) -> HttpResponse:
    """The template that a form holds: its words as text, and how it looks filled for somebody."""
    words, html = both_forms(request.POST.get("text", ""), request.POST.get("html", ""))
    text, html = templates.example(request.user, words, html)
    return JsonResponse({"words": words, "text": text, "html": html})


@login_required
@require_POST
def filled(request: PersonRequest, pk: int) -> HttpResponse:
    """A template filled for the message that the editor's form holds, in both forms."""
    template = get_object_or_404(Template.objects.for_user(request.user), pk=pk)
    form = LetterForm.of(request)
    text, html = templates.filled(request.user, template, form.values, form.account)
    return JsonResponse({"text": text, "html": html})
