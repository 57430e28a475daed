"""Whoever wrote a message, or got it, as a card: whether they are known, and what can be done about them."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from webmail.models import Contact
from webmail.protocol import domains, senders
from webmail.protocol.mail_address import normalise
from webmail.protocol.recipients import field_text
from webmail.protocol.types import Address
from webmail.requests import PersonRequest
from webmail.store import by_sender, identities, persons, words
from webmail.store.cursors import Query


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def card(request: PersonRequest) -> HttpResponse:
    """The card of `?address=` and `?name=`; or put them into the address book. A script gets the sentence to show."""
    given = request.POST if request.method == "POST" else request.GET
    person = Address(persons.clean_name(given.get("name", "")[:1000]), given.get("address", "")[:254])
    try:
        key = normalise(person.address)
    except ValueError:
        return HttpResponseBadRequest("This is not a mail address.")
    known = Contact.objects.for_user(request.user).filter(key=key).select_related("of").first()
    if request.method == "POST":
        if known is None or known.collected:
            known = persons.save(
                request.user, person.address, persons.Facts(person.name or (known and known.name) or "")
            )
        sentence = f"{known.name or domains.shown_address(known.address)} is in your address book."
        if request.htmx:
            return HttpResponse(sentence, content_type="text/plain; charset=utf-8")
        messages.success(request, sentence)
        return redirect("person", pk=known.of_id or known.pk)
    shown = domains.shown_address(key)
    name = senders.shown_name(person) or (known.name if known else "")
    place = by_sender.place_of(request.user, key)
    context = {
        "name": "" if name == shown else name,
        "known_as": known.name if known and known.name not in ("", name) else "",
        "address": shown,
        "hue": words.hue(key),
        "initial": words.initial(name or shown),
        "person": known and (known.of or known),
        "is_kept": known is not None and not known.collected,
        "is_own": key in identities.own_addresses(request.user),
        "write": f"{reverse('write')}?{urlencode({'to': field_text([Address('' if name == shown else name, key)])})}",
        "mail": reverse("mailbox", args=[place.pk]) + Query(sender=key, mutual=True).replace() if place else "",
        "given": {"name": person.name, "address": person.address},
    }
    template = "contacts/_sender.html" if request.htmx else "contacts/sender.html"
    return render(request, template, context)
