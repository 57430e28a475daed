"""On the way to a provider: a page that leads there by itself.

Not a redirect: the pages' policy (`form-action`) lets the answer to a form lead nowhere else, and the provider's own
addresses, which go on from one host to the next, can't be listed in it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from webmail.models import Account, Provider
from webmail.store import flows
from webmail.store.flows import Flow, Purpose


def leave(
    request: HttpRequest,
    provider: Provider,
    purpose: Purpose,
    address: str,
    *,
    account: Account | None = None,
    wanted: str = "",
) -> HttpResponse:
    """The page "Continue at PROVIDER".

    Args:
        address: of the mailbox, normalised. account: what is connected. wanted: the page of ours to go on to.

    Raises:
        oauth.SetUpWrongly, TryAgain: see `flows.begin`.
    """
    flow = Flow(
        purpose=purpose,
        provider=provider.pk,
        address=address,
        redirect_uri=request.build_absolute_uri(reverse("provider-return")),
        owner=request.user.pk or 0,
        account=account.pk if account is not None else 0,
        wanted=wanted,
    )
    if request.session.session_key is None:
        request.session.create()
    assert request.session.session_key is not None
    url = flows.begin(flow, provider, request.session.session_key)
    context = {"provider": provider, "url": url, "host": urlsplit(url).hostname, "address": address}
    response = render(request, "accounts/continue.html", context)
    response.headers["Refresh"] = f"0; url={url}"
    return response
