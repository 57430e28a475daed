"""The address book, a person of it, and whom the first letters mean."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webmail.models import Contact
from webmail.requests import PersonRequest
from webmail.store import by_sender, completion, contact_groups, people, persons
from webmail.store.chips import chips_of_each
from webmail.store.cursors import Query

from .acts import forgotten, moment
from .forms import FileForm, GroupForm, PersonForm

MAX_TYPED = 200
GONE = "group_gone"  # in the session: the group that was taken away just now


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: PersonRequest) -> HttpResponse:
    """Everybody, or those that are looked for; and a form for somebody new."""
    if request.method == "POST":
        form = PersonForm(request.POST)
        if form.is_valid() and form.save(request.user):
            messages.success(request, "Saved.")
            return redirect("people")
        return page(request, form=form, status=422)
    return page(request)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: PersonRequest, pk: int) -> HttpResponse:
    """One person, to be changed or forgotten."""
    contact = get_object_or_404(Contact.objects.for_user(request.user).select_related("of"), pk=pk)
    if contact.of is not None:
        return redirect("person", pk=contact.of.pk)
    if request.method != "POST":
        return _person(request, contact, PersonForm(contact=contact))
    if request.POST.get("act") == "forget":
        return forgotten(persons.forget(request.user, [contact.pk]), reverse("people"))
    form = PersonForm(request.POST, contact=contact)
    if form.is_valid() and form.save(request.user):
        messages.success(request, "Saved.")
        return redirect("people")
    return _person(request, contact, form, 422)


@login_required
@require_safe
def mail(request: PersonRequest, pk: int) -> HttpResponse:
    """All mail with this person, in the account that has any."""
    contact = get_object_or_404(Contact.objects.for_user(request.user), pk=pk)
    place = by_sender.place_of(request.user, contact.address)
    if place is None:
        return redirect("home")
    query = Query(sender=contact.address, mutual=True).replace()
    return redirect(reverse("mailbox", args=[place.pk]) + query)


@login_required
@require_safe
def complete(request: PersonRequest) -> HttpResponse:
    """Whom the letters typed so far may mean, the most used first."""
    found = completion.complete(request.user, request.GET.get("q", "")[:MAX_TYPED])
    return JsonResponse({"people": [{"text": each.text, "label": each.label, "detail": each.detail} for each in found]})


@login_required
@require_POST
def read(request: PersonRequest) -> HttpResponse:
    """What pieces of a field of recipients are, for the chips that a script shows of them."""
    return JsonResponse({"read": chips_of_each(request.POST.getlist("piece"))})


def page(
    request: PersonRequest,
    *,
    form: PersonForm | None = None,
    file_form: FileForm | None = None,
    group_form: GroupForm | None = None,
    imported: object = None,
    status: int = 200,
) -> HttpResponse:
    """The address book with its forms."""
    given = request.GET
    query = given.get("q", "")[:MAX_TYPED].strip()
    asked = given.get("page", "")
    number = max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    shown = given.get("show", "") if given.get("show", "") in people.SHOWN else ""
    order = given.get("sort", "") if given.get("sort", "") in people.ORDERS else "name"
    chosen = {"q": query, "show": shown, "sort": order if order != "name" else ""}

    def link(**changed: str) -> str:
        values = {name: value for name, value in (chosen | changed).items() if value}
        return f"{request.path_info if request.method != 'POST' else reverse('people')}?{urlencode(values)}"

    at = moment(given.get("forgotten", ""))
    context = {
        "book": people.book(request.user, query, shown=shown, order=order, page=number - 1),
        "number": number,
        "chosen": chosen,
        "filters": [(name, link(show=key), key == shown) for key, name in people.SHOWN.items()],
        "orders": [(key, name, key == order) for key, name in people.ORDERS.items()],
        "here": link(page=str(number) if number > 1 else ""),
        "newer": link(page=str(number - 1)),
        "older": link(page=str(number + 1)),
        "forgotten": at and persons.forgotten_at(request.user, at),
        "at": given.get("forgotten", ""),
        "groups": contact_groups.groups(request.user),
        "gone": request.session.pop(GONE, None),
        "form": form or PersonForm(),
        "file_form": file_form or FileForm(label_suffix=""),
        "group_form": group_form or GroupForm(),
        "imported": imported,
    }
    return render(request, "contacts/people.html", context, status=status)


def _person(request: PersonRequest, contact: Contact, form: PersonForm, status: int = 200) -> HttpResponse:
    context = {
        "contact": contact,
        "form": form,
        "addresses": [contact, *contact.others.filter(forgotten_at=None).order_by("pk")],
        "groups": contact_groups.of_person(contact),
        "kept": persons.details(contact),
        "namesakes": persons.namesakes(request.user, contact),
    }
    return render(request, "contacts/person.html", context, status=status)
