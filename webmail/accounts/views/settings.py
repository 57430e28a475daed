"""The settings page: accounts, preferences, sessions, and the password of those who have one here."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from webmail.models import Account, TrustedSender
from webmail.requests import PersonRequest
from webmail.store import trust
from webmail.store.sidebar import sidebar

from .. import sessions
from ..forms import ForgetForm, KeysForm, PreferencesForm


@login_required
@require_safe
def show(request: PersonRequest) -> HttpResponse:
    """All sections on one page."""
    return _page(request)


@login_required
@require_POST
def preferences(request: PersonRequest) -> HttpResponse:
    """Save the preferences that were sent, one or all. With htmx (or a script's fetch) the answer is a word."""
    form = PreferencesForm(request.POST, instance=request.user)
    if not form.fields:
        return HttpResponseBadRequest("Nothing to save.", content_type="text/plain")
    if not form.is_valid():
        if request.htmx:
            return render(request, "accounts/_saved.html", {"form": form}, status=422)
        request.user.refresh_from_db()  # the form has put what is wrong on it
        return _page(request, preferences_form=form, status=422)
    form.save()
    if request.htmx:
        return render(request, "accounts/_saved.html", {"form": form})
    messages.success(request, "Your preferences are saved.")
    return _back("preferences")


@login_required
@require_POST
def keys(request: PersonRequest) -> HttpResponse:
    """Save which key does what; with `reset` all are the usual ones again."""
    if "reset" in request.POST:
        request.user.keys = {}
        request.user.save(update_fields=["keys"])
        messages.success(request, "All keys are the usual ones again.")
        return _back("keys")
    form = KeysForm(request.user, request.POST)
    if not form.is_valid():
        return _page(request, keys_form=form, status=422)
    form.save()
    messages.success(request, "Your keys are saved.")
    return _back("keys")


@login_required
@require_POST
def end_session(request: PersonRequest) -> HttpResponse:
    """End the session that `handle` names, or with `handle=others` all but this one."""
    handle = request.POST.get("handle", "")
    if handle == "others":
        count = sessions.end_others(request.user, request.session.session_key)
        messages.success(request, f"Signed out of {count} other browser{'' if count == 1 else 's'}.")
    elif sessions.end(request.user, handle):
        messages.success(request, "That browser is signed out.")
    else:
        messages.warning(request, "That browser was signed out already.")
    return _back("sessions")


@login_required
@require_POST
def forget_sender(request: PersonRequest) -> HttpResponse:
    """Ask again about the remote images of a sender or domain."""
    form = ForgetForm(request.POST)
    name = trust.forget(request.user, form.cleaned_data["pk"]) if form.is_valid() else ""
    if name:
        messages.success(request, f"Images from {name} are no longer shown without asking.")
    else:
        messages.warning(request, "That was removed already.")
    return _back("images")


@sensitive_post_parameters()
@sensitive_variables("form")
@login_required
@require_POST
def password(request: PersonRequest) -> HttpResponse:
    """Change the local password. Every other session ends: they were begun with the old one."""
    if not request.user.has_usable_password():
        messages.error(request, "You sign in with your mail password: change it where your mail is.")
        return _back("accounts")
    form = PasswordChangeForm(request.user, request.POST)
    if not form.is_valid():
        return _page(request, password_form=form, status=422)
    form.save()
    update_session_auth_hash(request, request.user)
    sessions.end_others(request.user, request.session.session_key)
    messages.success(request, "Your password is changed, and every other browser is signed out.")
    return _back("password")


def _page(
    request: PersonRequest,
    *,
    preferences_form: PreferencesForm | None = None,
    password_form: PasswordChangeForm | None = None,
    keys_form: KeysForm | None = None,
    status: int = 200,
) -> HttpResponse:
    user = request.user
    found = Account.objects.for_user(user).select_related("provider").prefetch_related("mailboxes")
    accounts = {account: list(account.mailboxes.all()) for account in found}
    # A form that was refused holds only what was sent; the page shows all of it.
    form = PreferencesForm(instance=user)
    context = {
        "accounts": list(zip(accounts, sidebar(user, accounts), strict=True)),
        "form": form,
        "refused": preferences_form,
        "keys_form": keys_form or KeysForm(user),
        "trusted": TrustedSender.objects.for_user(user),
        "sessions": sessions.of(user, request.session.session_key),
        "password_form": (password_form or PasswordChangeForm(user)) if user.has_usable_password() else None,
    }
    return render(request, "accounts/settings.html", context, status=status)


def _back(section: str) -> HttpResponse:
    return HttpResponseRedirect(f"{resolve_url('settings')}#{section}")
