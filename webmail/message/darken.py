"""The switch between white and dark paper for mail that brings its own colours; remembered for the person."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from webmail.requests import PersonRequest

from .forms import DarkenForm
from .views import look_up


@login_required
@require_POST
def darken(request: PersonRequest, pk: int) -> HttpResponse:
    """Choose the paper, and show the message on it."""
    message = look_up(request, pk)
    form = DarkenForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("No such paper.")
    form.save(request.user)
    # It was seen as designed, whatever the person prefers and however large it is.
    return redirect(f"{reverse('message', args=[message.pk])}?plain=0")
