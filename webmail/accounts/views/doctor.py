"""How an account is: what its server offers, how old the index is, what went wrong lately."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from webmail.requests import PersonRequest
from webmail.store.checkup import checkup
from webmail.store.listing import zone_of

from .mail_accounts import look_up


@login_required
@require_safe
def show(request: PersonRequest, pk: int) -> HttpResponse:
    """The page of one account. It asks nothing of the mail server."""
    account = look_up(request, pk)
    context = {"account": account, "checkup": checkup(account, zone_of(request.user)), "section": "accounts"}
    return render(request, "accounts/doctor.html", context)
