"""A person's mailboxes: adding one after a live check, giving one a new password, removing one."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from webmail import tasks
from webmail.models import Account, Mailbox
from webmail.protocol.errors import ProtocolError
from webmail.protocol.types import Space
from webmail.requests import PersonRequest
from webmail.store import adding, grants, mailbox_rows
from webmail.store.flows import Purpose
from webmail.store.sidebar import targets_of

from ..forms import NO_MAIL_PASSWORD, AddAccountForm, PasswordForm, RolesForm
from ..leaving import leave


@sensitive_post_parameters("password")
@sensitive_variables("form")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: PersonRequest) -> HttpResponse:
    """Add a mailbox. What was checked is shown step by step, whether it worked or not."""
    manual = settings.OPEN_SIGN_IN
    form = AddAccountForm(
        request.POST if request.method == "POST" else None, manual=manual, elsewhere=adding.is_anything_elsewhere()
    )
    context = {"form": form, "manual": manual, "section": "accounts"}
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/add.html", context, status=422 if form.errors else 200)
    data = form.cleaned_data
    try:
        provider = None if form.servers else adding.elsewhere(request.user, data["address"])
        if provider is not None:
            return leave(request, provider, Purpose.ADD, data["address"])
        if not data["password"]:
            form.add_error("password", NO_MAIL_PASSWORD)
            return render(request, "accounts/add.html", context, status=422)
        check, account = adding.add(
            request.user,
            data["address"],
            data["password"],
            servers=form.servers,
            login_name=data.get("login_name", ""),
        )
    except ProtocolError as error:
        form.add_error("address", error.sentence)
        return render(request, "accounts/add.html", context, status=422)
    if account is None:
        return render(request, "accounts/add.html", context | {"check": check}, status=422)
    tasks.enqueue(tasks.list_mailboxes, account.pk)
    return render(request, "accounts/added.html", {"check": check, "account": account, "section": "accounts"})


@sensitive_post_parameters("password")
@sensitive_variables("form")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: PersonRequest, pk: int) -> HttpResponse:
    """One account: its servers, its state, a new password or permission."""
    account = look_up(request, pk)
    if account.provider.by_oauth and request.method == "POST":
        return redirect("account", pk=pk)  # it takes no password
    form = PasswordForm(request.POST if request.method == "POST" else None)
    context = _context(account, form)
    if request.method != "POST" or not form.is_valid():
        return render(request, "accounts/account.html", context, status=422 if form.errors else 200)
    check = adding.mend(account, form.cleaned_data["password"])
    if not check.reads:
        form.add_error("password", "The mail server was not satisfied, so the old password is kept. The steps say why.")
        return render(request, "accounts/account.html", context | {"check": check}, status=422)
    tasks.enqueue(tasks.list_mailboxes, account.pk)
    if not check.smtp or check.sends:
        messages.success(request, f"The password of {account.address} works and is saved.")
        return redirect("account", pk=account.pk)
    context |= {"check": check, "form": PasswordForm()}
    return render(request, "accounts/account.html", context)


@login_required
@require_POST
def roles(request: PersonRequest, pk: int) -> HttpResponse:
    """Keep which mailbox of the account is for what."""
    account = look_up(request, pk)
    form = RolesForm(_own_mailboxes(account), request.POST)
    if not form.is_valid():
        context = _context(account, PasswordForm()) | {"roles": form}
        return render(request, "accounts/account.html", context, status=422)
    mailbox_rows.choose_roles(account, form.chosen)
    messages.success(request, "What your mailboxes are for is saved.")
    return HttpResponseRedirect(f"{resolve_url('account', pk)}#roles-title")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: PersonRequest, pk: int) -> HttpResponse:
    """Ask, then forget the account here. Its mail stays on its server."""
    account = look_up(request, pk)
    if not adding.can_remove(account):
        messages.error(request, "This is the address you sign in with, so it can't be removed.")
        return redirect("account", pk=pk)
    if request.method != "POST":
        context = {"account": account, "section": "accounts", "lost": adding.lost_with(account)}
        return render(request, "accounts/remove.html", context)
    address = account.address
    adding.remove(account)
    messages.success(request, f"{address} is removed. Its mail is untouched on its server.")
    return HttpResponseRedirect(f"{resolve_url('settings')}#accounts")


def _context(account: Account, form: PasswordForm) -> dict[str, object]:
    return {
        "account": account,
        "form": form,
        "roles": RolesForm(_own_mailboxes(account)),
        "section": "accounts",
        "can_remove": adding.can_remove(account),
        "granted_at": grants.granted_at(account) if account.provider.by_oauth else None,
    }


def _own_mailboxes(account: Account) -> list[Mailbox]:
    return [mailbox for mailbox in targets_of(account) if mailbox.space == Space.OWN]


def look_up(request: PersonRequest, pk: int) -> Account:
    """The signed-in person's account with its provider, or a 404."""
    return get_object_or_404(Account.objects.for_user(request.user).select_related("provider"), pk=pk)
