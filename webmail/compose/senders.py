"""The page of identities: as whom a person writes, with name, reply address and signature."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from webmail.models import Account, Identity, User
from webmail.protocol.errors import ProtocolError
from webmail.protocol.signing_off import both_forms
from webmail.requests import PersonRequest
from webmail.store import identities, signed

from .formatted import FormattedField, FormattedForm, WordsField


class IdentityForm(FormattedForm):
    """One identity. What of it isn't allowed `store.identities.save` says."""

    words, formatted, preview = "signature_text", "signature_html", "identity-preview"

    account = forms.TypedChoiceField(coerce=int)
    address = forms.CharField(
        label="From address", max_length=254, error_messages={"required": "Enter the address you write as."}
    )
    name = forms.CharField(max_length=200, required=False, help_text="As those you write to see it.")
    reply_to = forms.CharField(
        label="Answers go to", max_length=500, required=False, help_text="Leave it empty for the address itself."
    )
    signature_text = WordsField("Signature", rows=4)
    signature_html = FormattedField()
    is_below = forms.TypedChoiceField(
        label="In answers it stands",
        choices=[("", "Above the quote"), ("1", "Below the quote")],
        coerce=bool,
        required=False,
        empty_value="",
    )
    is_default = forms.BooleanField(label="Write as this unless I choose another", required=False)

    def __init__(self, user: User, *args: Any, identity: Identity | None = None, **kwargs: Any) -> None:
        if identity is not None:
            kwargs["initial"] = {
                "account": identity.account_id,
                "address": identity.address,
                "name": identity.name,
                "reply_to": identity.reply_to,
                "signature_text": identity.signature_text,
                "signature_html": identity.signature_html,
                "is_below": "1" if identity.signature_place == Identity.Place.BELOW else "",
                "is_default": identity.is_default,
            }
        super().__init__(*args, **kwargs | {"label_suffix": ""})
        self._identity = identity
        accounts = Account.objects.for_user(user).select_related("provider")
        if identity is not None:
            accounts = accounts.filter(pk=identity.account_id)
        self._accounts = {account.pk: account for account in accounts}
        field = self.fields["account"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(account.pk, account.address) for account in self._accounts.values()]
        if all(account.provider.signature or account.provider.signature_html for account in self._accounts.values()):
            for name in ("signature_text", "signature_html"):
                self.fields[name].disabled = True
                self.fields[name].help_text = "Your administrator has set one signature for everybody."
        if len(self._accounts) == 1:
            field.widget = forms.HiddenInput()
            field.initial = next(iter(self._accounts))
            own = self._accounts[field.initial].address
            if not Identity.objects.for_user(user).filter(address__iexact=own).exists():
                self.fields["address"].initial = own

    def save(self) -> Identity | None:
        """Keep it; None where it can't be, which the form says then."""
        data = dict(self.cleaned_data)
        try:
            return identities.save(self._accounts[data.pop("account")], identity=self._identity, **data)
        except ProtocolError as error:
            self.add_error("address", error.sentence)
            return None


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: PersonRequest) -> HttpResponse:
    """All identities, and a form for another."""
    if request.method == "POST":
        form = IdentityForm(request.user, request.POST)
        if form.is_valid() and form.save():
            messages.success(request, "Saved.")
            return redirect("identities")
        return _page(request, form, 422)
    return _page(request, IdentityForm(request.user))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: PersonRequest, pk: int) -> HttpResponse:
    """One identity, to be changed or removed."""
    identity = get_object_or_404(Identity.objects.for_user(request.user), pk=pk)
    if request.method != "POST":
        return _form(request, identity, IdentityForm(request.user, identity=identity))
    if request.POST.get("act") == "remove":
        identities.remove(identity)
        messages.success(request, f"You don't write as {identity.address} any more.")
        return redirect("identities")
    form = IdentityForm(request.user, request.POST, identity=identity)
    if form.is_valid() and form.save():
        messages.success(request, "Saved.")
        return redirect("identities")
    return _form(request, identity, form, 422)


@login_required
@require_POST
def preview(request: PersonRequest) -> HttpResponse:
    """The signature that a form holds: its words as text, and how an answer looks with it."""
    text, html = both_forms(request.POST.get("signature_text", ""), request.POST.get("signature_html", ""))
    is_below = bool(request.POST.get("is_below"))
    sender = identities.Sender(0, None, "", signature_text=text, signature_html=html, is_below=is_below)
    answer_text, answer_html = signed.example(sender)
    return JsonResponse({"words": text, "text": answer_text, "html": answer_html})


def _page(request: PersonRequest, form: IdentityForm, status: int = 200) -> HttpResponse:
    rows = Identity.objects.for_user(request.user).select_related("account")
    context = {"identities": rows, "form": form, "section": "writing"}
    return render(request, "compose/identities.html", context, status=status)


def _form(request: PersonRequest, identity: Identity, form: IdentityForm, status: int = 200) -> HttpResponse:
    context = {"identity": identity, "form": form, "section": "writing"}
    return render(request, "compose/identity.html", context, status=status)
