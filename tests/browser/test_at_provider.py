"""To a mail provider and back in Chromium: our policy lets the browser go, its cookie comes back with it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.authorization import Authorization
from tests.browser.conftest import Visits
from webmail.models import Account, Provider

pytestmark = pytest.mark.django_db(transaction=True)


def allow(page: Page, authorization: Authorization, site: str) -> None:
    """The provider's page, at which the person allows it at once."""
    authorization.redirect_uris.add(f"{site}/sign-in/return/")

    def answer(route: Route) -> None:
        where = authorization.authorize(dict(parse_qsl(urlsplit(route.request.url).query)))
        route.fulfill(status=200, content_type="text/html", headers={"Refresh": f"0; url={where}"}, body="Allowed.")

    page.route("**/authorize?*", answer)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_signing_in(visits: Visits, token_provider: Provider, authorization: Authorization, scripts: bool) -> None:
    page = visits.open(scripts=scripts, path="/sign-in/?next=/settings/")
    allow(page, authorization, visits.site)
    page.get_by_label("Address or user name").fill("alice@quay.test")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    assert page.url == f"{visits.site}/settings/"
    account = Account.objects.get()
    # Disconnected, and connected again, on its page.
    page.goto(f"/settings/accounts/{account.pk}/")
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("is disconnected")).to_be_visible()
    page.get_by_role("button", name="Quay Mail").click()
    expect(page.get_by_text("alice@quay.test is connected.")).to_be_visible()
    visits.forgive(r"^a request to https://127\.0\.0\.1:\d+/authorize\?")
