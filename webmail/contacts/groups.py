"""Groups: people who are written to together."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from webmail.models import ContactGroup
from webmail.protocol.errors import ProtocolError
from webmail.protocol.recipients import field_text, read
from webmail.requests import PersonRequest
from webmail.store import contact_groups

from .forms import GroupForm
from .views import GONE, page


@login_required
@require_POST
def add(request: PersonRequest) -> HttpResponse:
    """Make a group."""
    form = GroupForm(request.POST)
    return redirect("people") if _save(request, form) else page(request, group_form=form, status=422)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: PersonRequest, pk: int) -> HttpResponse:
    """One group: who is in it; or take it away, which leaves its people."""
    group = get_object_or_404(ContactGroup, user=request.user, pk=pk)
    if request.method != "POST":
        members = field_text(contact_groups.members(group))
        form = GroupForm(initial={"name": group.name, "members": members})
        return render(request, "contacts/group.html", {"group": group, "form": form})
    if request.POST.get("act") == "remove":
        members = field_text(contact_groups.members(group))
        group.delete()
        request.session[GONE] = {"name": group.name, "members": members}
        return redirect("people")
    form = GroupForm(request.POST)
    if _save(request, form, group):
        return redirect("people")
    return render(request, "contacts/group.html", {"group": group, "form": form}, status=422)


def _save(request: PersonRequest, form: GroupForm, group: ContactGroup | None = None) -> bool:
    if not form.is_valid():
        return False
    typed = read(form.cleaned_data["members"])
    if typed.problems:
        form.add_error("members", typed.problems[0].sentence)
        return False
    try:
        contact_groups.save_of(request.user, form.cleaned_data["name"], typed.addresses, group=group)
    except ProtocolError as error:
        form.add_error("name" if isinstance(error, contact_groups.TakenName) else "members", error.sentence)
        return False
    messages.success(request, "Saved.")
    return True
