"""“Test connection”: the steps of a connection, on a page that fills in while they are taken.

The page is sent piece by piece as the steps finish, so it needs no script and no second request. Nothing that was
typed for the test is stored, and the password is on no page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from webmail.models import Account, Provider
from webmail.protocol import oauth
from webmail.protocol.errors import ProtocolError
from webmail.protocol.probe import iter_probe, iter_probe_smtp
from webmail.protocol.types import Login, Server, Step
from webmail.store import grants, logins

if TYPE_CHECKING:
    from .site import PanelAdmin

WHOLE_SECONDS = 90.0  # a test that takes longer stops after the step it is at; each step has a deadline of its own
_MARK = "<!-- steps -->"


class LoginForm(forms.Form):
    """An address and password for one test of a provider."""

    address = forms.EmailField(
        required=False, max_length=254, help_text="Empty: the test stops before the log-in.", label="Mail address"
    )
    password = forms.CharField(
        required=False,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Used for this test only; it isn't stored.",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("password") and not data.get("address") and "address" not in self.errors:
            self.add_error("address", "Type the address that this password belongs to.")
        if data.get("address") and not data.get("password"):
            self.add_error("password", "Type the password of this address, or leave both empty.")
        return data


@dataclass(frozen=True, slots=True)
class Trial:
    """One server to test: `probe` takes the steps. `whole`: all that can be tested is."""

    title: str
    server: Server
    probe: Callable[[], Iterator[Step]]
    whole: bool


@sensitive_post_parameters()
def provider_page(request: HttpRequest, panel: PanelAdmin, pk: int) -> HttpResponseBase:
    """Test a provider's servers: GET asks for a log-in (which may be left out), POST takes the steps."""
    provider = Provider.objects.filter(pk=pk).first()
    form = LoginForm(request.POST if request.method == "POST" else None)
    by_oauth = provider is not None and provider.by_oauth  # whose accounts are tested, each with its own permission
    context = _context(panel, request, provider, {"form": None if by_oauth else form})
    if request.method != "POST" or not (by_oauth or form.is_valid()):
        return render(request, "admin/test_connection.html", context, status=200 if not form.errors else 422)
    assert provider is not None
    if by_oauth:
        return _stream(request, context, _trials(provider, None))
    address, password = form.cleaned_data["address"], form.cleaned_data["password"]
    login = Login(provider.login_name(address), password) if address else None
    return _stream(request, context, _trials(provider, login))


def account_page(request: HttpRequest, panel: PanelAdmin, pk: int) -> HttpResponseBase:
    """Test an account's servers with what it logs in with: GET offers it, POST takes the steps."""
    account = Account.objects.select_related("provider").filter(pk=pk).first()
    context = _context(panel, request, account, {})
    if request.method != "POST":
        return render(request, "admin/test_connection.html", context)
    assert account is not None
    try:
        login = logins.login_of(account)
    except ProtocolError as error:
        advice = (
            "The account's owner connects it, in their settings or by signing in."
            if account.provider.by_oauth
            else "Type the password into the account's page and save."
        )
        name = "Permission" if account.provider.by_oauth else "Stored password"
        step = Step(name, False, 0.0, error.detail or error.sentence, advice)
        return _stream(request, context, _trials(account.provider, None), before=step)
    return _stream(request, context, _trials(account.provider, login))


def _context(
    panel: PanelAdmin, request: HttpRequest, row: Provider | Account | None, extra: dict[str, Any]
) -> dict[str, Any]:
    """What the page says, for a `row` that this person may change.

    Raises:
        Http404: there is no such row. PermissionDenied: the person may not change it.
    """
    if row is None:
        raise Http404("There is no such row.")
    if not panel.has_change_permission(request, row):
        raise PermissionDenied
    return {
        **panel.admin_site.each_context(request),
        "title": f"Test connection: {row}",
        "opts": panel.opts,
        "row": row,
        "row_url": reverse(f"admin:webmail_{panel.opts.model_name}_change", args=[row.pk]),
        "servers": [trial.server for trial in _trials(row if isinstance(row, Provider) else row.provider, None)],
        **extra,
    }


def _trials(provider: Provider, login: Login | None) -> list[Trial]:
    imap, smtp = provider.imap, provider.smtp
    trials = [Trial("Reading mail (IMAP)", imap, partial(iter_probe, imap, login), login is not None)]
    if provider.smtp_host:
        sender = None if provider.smtp_open else login
        whole = login is not None or provider.smtp_open
        trials.append(Trial("Sending mail (SMTP)", smtp, partial(iter_probe_smtp, smtp, sender), whole))
    if provider.by_oauth:
        with suppress(ProtocolError):  # not set up yet: the form says so
            client = grants.client_of(provider)
            trials.append(Trial("Signing in (OAuth)", client.place, partial(oauth.iter_probe, client), True))
    return trials


def _stream(
    request: HttpRequest, context: dict[str, Any], trials: Sequence[Trial], before: Step | None = None
) -> HttpResponse | StreamingHttpResponse:
    """The page, with its steps sent as they finish."""
    page = render_to_string("admin/test_connection.html", {**context, "running": True}, request)
    head, _, tail = page.partition(_MARK)

    def pieces() -> Iterator[str]:
        yield head
        yield from _steps(trials, before)
        yield tail

    response = StreamingHttpResponse(pieces())
    response["X-Accel-Buffering"] = "no"  # nginx would hold the steps back until the last one
    return response


def _steps(trials: Sequence[Trial], before: Step | None) -> Iterator[str]:
    """The lists of steps as HTML, each trial with its verdict."""
    started = time.monotonic()
    if before:
        yield _html("group", title="Before connecting", server=None)
        yield _html("step", step=before)
        yield _html("verdict", step=before)
    for trial in trials:
        yield _html("group", title=trial.title, server=trial.server)
        last: Step | None = None
        for step in _taken(trial):
            last = step
            yield _html("step", step=step)
            if time.monotonic() - started > WHOLE_SECONDS:
                last = Step("Time", False, 0.0, f"Stopped after {WHOLE_SECONDS:.0f} seconds.", "Try again later.")
                yield _html("step", step=last)
                break
        yield _html("verdict", step=last, login=trial.whole)


def _taken(trial: Trial) -> Iterator[Step]:
    """The steps of `trial`; what the probe didn't turn into a step becomes one, as the page is under way already."""
    try:
        yield from trial.probe()
    except ProtocolError as error:
        yield Step("Connection", False, 0.0, error.detail or error.sentence, error.sentence if error.detail else "")


def _html(part: str, **values: Any) -> str:
    return render_to_string("admin/_test_part.html", {"part": part, **values})
