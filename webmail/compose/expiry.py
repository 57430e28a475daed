"""A form that outlives its session: what was typed comes back with the answer, whatever happened to the session.

Whoever was signed out meanwhile signs in in another window and sends the form again; its token is then of the session
before, so that it comes back once more, with a token of the new one. Nothing is kept for strangers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from webmail.requests import PersonRequest

from .editor import editor, show
from .forms import LetterForm

EXPIRED = "You were signed out and in again while you wrote. Nothing is lost: look it over and press the button again."

_View = Callable[..., HttpResponse]


def keeps_typed(view: _View) -> _View:
    """Decorate a view that the editor's form is sent to: signed out, it answers with the form instead of the door."""
    private = login_required(view)

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST" and not request.user.is_authenticated:
            return _signed_out(request)
        response: HttpResponse = private(request, *args, **kwargs)
        return response

    answer.if_expired = _expired  # type: ignore[attr-defined]  # `failures.csrf_failure` asks for it
    return answer


def _expired(request: HttpRequest) -> HttpResponse:
    """The form has a token of another session."""
    if not request.user.is_authenticated:
        return _signed_out(request)
    person = cast(PersonRequest, request)
    form = LetterForm.of(request)
    page = editor(
        person.user,
        form.values,
        account=form.account,
        form_key=form.form_key,
        back=form.back,
        at=form.at,
        notes=[EXPIRED],
        action=request.path,
        version=form.version,
    )
    return show(person, page, status=403)


def _signed_out(request: HttpRequest) -> HttpResponse:
    form = LetterForm.of(request)
    context = {"form": form, "action": request.path, "sender": request.POST.get("from", "")}
    return render(request, "compose/signed_out.html", context, status=403)
