"""Accounts that are allowed at their provider: connecting one, disconnecting it, and coming back from there."""

from __future__ import annotations

import logging
import re

from django.contrib import auth, messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from webmail import tasks
from webmail.models import Account, Provider, User
from webmail.protocol.errors import LoginNeeded, ProtocolError
from webmail.protocol.oauth import GrantEnded, Tokens
from webmail.requests import PersonRequest
from webmail.store import adding, flows, signing_in
from webmail.store.flows import Flow, Purpose

from ..arriving import TOO_MANY, let_in
from ..forms import SignInForm
from ..leaving import leave
from .mail_accounts import look_up

log = logging.getLogger(__name__)

TOO_LATE = "This sign-in took longer than ten minutes, was finished already, or began in another browser."
_WORD = re.compile(r"[a-z_]{1,60}")


@login_required
@require_POST
def connect(request: PersonRequest, pk: int) -> HttpResponse:
    """Send the account's owner to the provider."""
    account = look_up(request, pk)
    if not account.provider.by_oauth:
        return redirect("account", pk=pk)
    try:
        return leave(request, account.provider, Purpose.CONNECT, account.address, account=account)
    except ProtocolError as error:
        messages.error(request, error.sentence)
        return redirect("account", pk=pk)


@login_required
@require_POST
def disconnect(request: PersonRequest, pk: int) -> HttpResponse:
    """Forget what the owner has allowed."""
    account = look_up(request, pk)
    if account.provider.by_oauth:
        adding.disconnect(account)
        log.info("Account %s disconnected by its owner", account.pk)
        messages.success(request, f"{account.address} is disconnected. You can end the permission at the provider too.")
    return redirect("account", pk=pk)


@sensitive_variables("tokens")
@require_GET
def come_back(request: HttpRequest) -> HttpResponse:
    """Where every provider sends people back to. Does nothing without a state that began in this very session."""
    flow = flows.take(request.session.session_key, request.GET.get("state", "")[:200])
    if flow is None or flow.owner != (request.user.pk or 0):
        return render(request, "accounts/too_late.html", {"sentence": TOO_LATE}, status=400)
    provider = get_object_or_404(Provider, pk=flow.provider)
    if "error" in request.GET:
        return _not_done(request, flow, provider, _refusal(request.GET["error"], provider))
    try:
        tokens = flows.redeem(flow, request.GET.get("code", ""))
        if flow.purpose is Purpose.SIGN_IN:
            return _sign_in(request, flow, provider, tokens)
        assert isinstance(request.user, User)
        if flow.purpose is Purpose.CONNECT:
            return _connected(request, request.user, flow, provider, tokens)
        return _added(request, request.user, flow, provider, tokens)
    except GrantEnded:
        return _not_done(request, flow, provider, f"{provider.name} did not confirm it. Try again.")
    except LoginNeeded:
        return _not_done(request, flow, provider, _wrong_mailbox(flow, provider))
    except ProtocolError as error:
        log.warning("Coming back from provider %s: %s", provider.pk, error)
        return _not_done(request, flow, provider, error.sentence)


def _sign_in(request: HttpRequest, flow: Flow, provider: Provider, tokens: Tokens) -> HttpResponse:
    user = auth.authenticate(request, username=flow.address, token=tokens)
    if user is not None:
        log.info("Account of user %s connected at sign-in", user.pk)
        return let_in(request, user, flow.address, flow.wanted)
    if getattr(request, "sign_in_limited", False):
        return _not_done(request, flow, provider, TOO_MANY, 429)
    problem = getattr(request, "sign_in_problem", None)
    return _not_done(request, flow, provider, problem.sentence if problem else _wrong_mailbox(flow, provider))


def _connected(request: HttpRequest, user: User, flow: Flow, provider: Provider, tokens: Tokens) -> HttpResponse:
    mine = Account.objects.for_user(user).filter(provider=provider).select_related("provider")
    account = get_object_or_404(mine, pk=flow.account)
    check = adding.mend(account, tokens)
    if not check.reads:
        return _not_done(request, flow, provider, _failure(check, flow, provider))
    return _done(request, account, check, "connected")


def _added(request: HttpRequest, user: User, flow: Flow, provider: Provider, tokens: Tokens) -> HttpResponse:
    check, account = adding.add(user, flow.address, tokens)
    if account is None:
        return _not_done(request, flow, provider, _failure(check, flow, provider))
    return _done(request, account, check, "added")


def _done(request: HttpRequest, account: Account, check: adding.Check, what: str) -> HttpResponse:
    log.info("Account %s %s by its owner", account.pk, what)
    tasks.enqueue(tasks.list_mailboxes, account.pk)
    if check.smtp and not check.sends:
        words = f"{account.address} is {what}, but sending would not work yet: {check.smtp[-1].detail}"
        messages.warning(request, words)
    else:
        messages.success(request, f"{account.address} is {what}.")
    return redirect("account", pk=account.pk)


def _not_done(request: HttpRequest, flow: Flow, provider: Provider, sentence: str, status: int = 200) -> HttpResponse:
    """The page the person came from, with what is wrong."""
    if flow.purpose is Purpose.SIGN_IN:
        form = SignInForm(initial={"username": flow.address}, elsewhere=signing_in.is_anybody_elsewhere())
        context = {"form": form, "next": flow.wanted, "problem": sentence}
        return render(request, "accounts/sign_in.html", context, status=status)
    messages.error(request, sentence)
    if flow.purpose is Purpose.CONNECT:
        return redirect("account", pk=flow.account)
    return redirect("account-add")


def _refusal(code: str, provider: Provider) -> str:
    if code == "access_denied":
        return f"You did not allow it at {provider.name}, so nothing has changed."
    word = f" ({code})" if _WORD.fullmatch(code) else ""
    return f"{provider.name} refused{word}. If it stays so, tell your administrator."


def _failure(check: adding.Check, flow: Flow, provider: Provider) -> str:
    last = check.imap[-1]
    if last.name == "Log in":
        return _wrong_mailbox(flow, provider)
    return f"The mail server of {provider.name} could not be used: {last.detail or last.advice}"


def _wrong_mailbox(flow: Flow, provider: Provider) -> str:
    return f"{provider.name} let you in, but not to the mailbox {flow.address}. Sign in there as this address."
