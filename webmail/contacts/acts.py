"""What is done to people chosen from the address book, all at once; and taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from webmail.models import Contact
from webmail.requests import PersonRequest, next_of, numbers
from webmail.store import contact_groups, persons

MOST = 200  # people of one act; a page shows fewer


@login_required
@require_POST
def act(request: PersonRequest) -> HttpResponse:
    """Keep, join, forget or bring back those who were chosen, write to them, or put them into a group."""
    name = request.POST.get("act", "")
    chosen = numbers(request.POST.getlist("person")[:MOST])
    if name == "restore":
        back = persons.restore(request.user, at=moment(request.POST.get("at", "")), contact_ids=chosen)
        messages.success(request, f"{_counted(back)} back in your address book.")
    elif name not in _ACTS:
        return HttpResponseBadRequest("Unknown act.")
    elif not chosen:
        messages.warning(request, "Choose somebody first.")
    else:
        return _ACTS[name](request, chosen)
    return _back(request)


def forgotten(at: datetime, path: str) -> HttpResponse:
    """The address book, which offers to bring those back that were forgotten just then."""
    return redirect(f"{path}{'&' if '?' in path else '?'}{urlencode({'forgotten': at.isoformat()})}")


def moment(text: str) -> datetime | None:
    """The moment in a link that `forgotten` made; None where it is none."""
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _write(request: PersonRequest, chosen: list[int]) -> HttpResponse:
    return redirect(f"{reverse('write')}?{urlencode({'person': chosen}, doseq=True)}")


def _keep(request: PersonRequest, chosen: list[int]) -> HttpResponse:
    messages.success(request, f"{_counted(persons.keep(request.user, chosen))} now in your address book.")
    return _back(request)


def _forget(request: PersonRequest, chosen: list[int]) -> HttpResponse:
    return forgotten(persons.forget(request.user, chosen), next_of(request, reverse("people")))


def _merge(request: PersonRequest, chosen: list[int]) -> HttpResponse:
    merged = persons.merge(request.user, chosen)
    if merged is None:
        messages.warning(request, "Choose two people or more who are one.")
        return _back(request)
    messages.success(request, f"Now one: {merged.name or merged.address}.")
    return redirect("person", pk=merged.pk)


def _join(request: PersonRequest, chosen: list[int]) -> HttpResponse:
    name = request.POST.get("group", "").strip()
    keys = Contact.objects.for_user(request.user).filter(pk__in=chosen).values_list("key", flat=True)
    if not name:
        messages.warning(request, "Say which group, or the name of a new one.")
    elif contact_groups.join(request.user, name, keys):
        messages.success(request, f"Added to {name[:100]}.")
    else:
        messages.warning(request, f"There can be {contact_groups.MAX_GROUPS} groups at most.")
    return _back(request)


_ACTS = {"write": _write, "keep": _keep, "forget": _forget, "merge": _merge, "join": _join}


def _counted(number: int) -> str:
    return "1 person is" if number == 1 else f"{number} people are"


def _back(request: PersonRequest) -> HttpResponse:
    return redirect(next_of(request, reverse("people")))
