"""Coming in, landing and going out."""

from __future__ import annotations

from django.contrib import auth
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webmail import headers
from webmail.models import Account, Provider
from webmail.protocol.errors import ProtocolError, TryAgain
from webmail.protocol.mail_address import normalise
from webmail.requests import PersonRequest
from webmail.store import keys, pools, signing_in
from webmail.store.flows import Purpose
from webmail.store.listing import landing

from .. import sessions
from ..arriving import TOO_MANY, let_in
from ..forms import NO_PASSWORD, SignInForm
from ..leaving import leave

LOOK_AGAIN_SECONDS = 5
NO_MATCH = "This address or user name and this password don't go together."


@login_required
@require_safe
def home(request: PersonRequest) -> HttpResponse:
    """To the inbox of the first account; to the settings where there is none, or where only its owner can mend it.

    Where the server is busy or away and nothing was ever read of it, a page says so and looks again by itself.
    """
    try:
        mailbox = landing(request.user)
    except TryAgain as error:
        waiting = {"sentence": error.sentence, "seconds": LOOK_AGAIN_SECONDS}
        response = render(request, "accounts/waiting.html", waiting)
        response.headers["Refresh"] = str(LOOK_AGAIN_SECONDS)
        return response
    except ProtocolError:
        mailbox = None  # the account's state says why, and the settings show it
    if mailbox is None:
        return HttpResponseRedirect(f"{resolve_url('settings')}#accounts")
    return redirect("mailbox", pk=mailbox.pk)


@sensitive_post_parameters("password")
@sensitive_variables("password", "form")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """One form for mail passwords and local ones."""
    if request.method != "POST":
        if request.user.is_authenticated:
            return redirect(_wanted(request))
        # The session that comes with the form's token isn't worth a day.
        request.session.set_expiry(sessions.ANONYMOUS_SECONDS)
        initial = {"username": request.GET.get("name", "")[:254]}
        return _form(request, SignInForm(initial=initial, elsewhere=signing_in.is_anybody_elsewhere()))
    form = SignInForm(request.POST, elsewhere=signing_in.is_anybody_elsewhere())
    if not form.is_valid():
        return _form(request, form)
    name, password = form.cleaned_data["username"], form.cleaned_data["password"]
    provider = _elsewhere(name)
    if not password and provider is None:
        form.add_error("password", NO_PASSWORD)
        return _form(request, form)
    # Somebody whose provider asks for the password may have one of this product's own.
    user = auth.authenticate(request, username=name, password=password) if password else None
    if user is not None:
        return let_in(request, user, name, _wanted(request))
    if provider is None or getattr(request, "sign_in_limited", False):
        return _refuse(request, form)
    try:
        return leave(request, provider, Purpose.SIGN_IN, normalise(name), wanted=_wanted(request))
    except ProtocolError as error:
        form.add_error(None, error.sentence)
        return _form(request, form, 503)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session. With the person's last one their connections to mail servers are closed too."""
    if request.user.is_authenticated:
        user = request.user
        last = not sessions.has_others(user, request.session.session_key)
        auth.logout(request)
        if last:
            for account in Account.objects.for_user(user):
                pools.forget(account)
    response = redirect("sign-in")
    response.headers["Clear-Site-Data"] = headers.CLEAR_AT_SIGN_OUT
    return response


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """The keys and what they do: one's own, or the usual ones for who isn't signed in."""
    person = request.user if request.user.is_authenticated else None
    return render(request, "help.html", {"keys": keys.sheet_of(person)})


def _elsewhere(name: str) -> Provider | None:
    """The provider at which whoever types this name signs in."""
    try:
        return signing_in.elsewhere(normalise(name))
    except ValueError:
        return None


def _refuse(request: HttpRequest, form: SignInForm) -> HttpResponse:
    """The form again with what is wrong; the same for somebody we know and somebody we don't."""
    form.ask_password_again()
    if getattr(request, "sign_in_limited", False):
        form.add_error(None, TOO_MANY)
        return _form(request, form, 429)
    problem = getattr(request, "sign_in_problem", None)
    if problem is None:
        form.add_error("password", NO_MATCH)
    else:
        form.add_error(problem.field or None, problem.sentence)
    return _form(request, form)


def _form(request: HttpRequest, form: SignInForm, status: int = 200) -> HttpResponse:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return render(request, "accounts/sign_in.html", {"form": form, "next": wanted}, status=status)


def _wanted(request: HttpRequest) -> str:
    """Where the person wanted to go before they were asked to sign in, as long as it is here (T20)."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return resolve_url("home")
