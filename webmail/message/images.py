"""Remote images: a person's word that they may be shown, and the images themselves, by way of us.

The room's one law: the word is given by a form of ours, never by an address that somebody could make one follow.
"""

from __future__ import annotations

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from webmail.headers import attachment_policy
from webmail.protocol.errors import TryAgain
from webmail.requests import PersonRequest
from webmail.store import reading, remote, trust
from webmail.store.cursors import read_query
from webmail.store.paths import inline_root
from webmail.store.showing import message_page

from .views import look_up


class ShowForm(forms.Form):
    """Show the images of this message, of its sender or of the sender's domain; or ask again from now on."""

    show = forms.ChoiceField(choices=[(each, each) for each in ("once", "address", "domain", "ask")])


@login_required
@require_POST
def show(request: PersonRequest, pk: int, section: str = "") -> HttpResponse:
    """Keep the person's word and show the message, or the one inside it at `section`, anew."""
    message = look_up(request, pk)
    form = ShowForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("Unknown choice.")
    body = reading.body(message, inline_root(message), inside=section)
    decision = remote.decide(request.user, message, body, section)
    what = form.cleaned_data["show"]
    if what == "ask":
        if decision.standing.allowed is not None:
            trust.forget(request.user, decision.standing.allowed.pk)
        remote.hide(message, section)
    elif what == "once":
        if not remote.show_once(message, section):
            raise TryAgain("Images can't be fetched at the moment.")
    elif not trust.allow(request.user, decision.standing, what):
        return HttpResponseBadRequest("Not for this sender.")
    query = read_query(request.GET.dict())
    if not request.htmx:
        is_plain = request.user.prefer_plain or (body.frame is not None and body.frame.cut)
        page = reverse("message-inside", args=[pk, section]) if section else reverse("message", args=[pk])
        # Who sees it as HTML now wants to see it so again.
        return redirect(f"{page}{query.replace(plain='0' if is_plain else '')}")
    shown = message_page(request.user, message, inline_root(message), section, as_plain=False, among=query)
    context = {"message": shown, "page": {"query": query.replace()}, "answered": True}
    return render(request, "message/_message.html", context)


@login_required
@require_GET
@attachment_policy
def image(request: PersonRequest, pk: int, token: str, section: str = "") -> HttpResponse:
    """One remote image, as we drew it anew; a placeholder where it can't be had."""
    kind, octets = remote.image(look_up(request, pk), token, section)
    response = HttpResponse(octets, content_type=kind)
    response["Content-Disposition"] = "inline"
    return response
