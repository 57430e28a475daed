"""The panel in a real browser: nothing runs into the Content-Security-Policy, and nothing needs a script."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page, sync_playwright

from tests.admin.test_panel_access import HOSTILE, LISTS, OTHERS
from tests.cast import client_of, person, provider_on
from webmail.models import Account, User


@contextmanager
def browsing(site: str, session: str, *, scripts: bool) -> Iterator[tuple[Page, list[str]]]:
    """A page in Chromium where the administrator is signed in, and what it complained of."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        context = browser.new_context(java_script_enabled=scripts, base_url=site)
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}])
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append("a script ran"), dialog.dismiss()))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if "Content Security Policy" in message.text or "Trusted" in message.text
                else None
            ),
        )
        yield page, complaints
        browser.close()


@pytest.fixture
def session(live_server, admin, dovecot) -> str:
    """The administrator's session, and a person whose every word is HTML; all rows come before the browser."""
    alice = person("alice@demo.test", provider_on(dovecot))
    User.objects.filter(pk=alice.pk).update(first_name=HOSTILE)
    Account.objects.update(login_name="", state=Account.State.AWAY, state_detail=HOSTILE)
    return client_of(admin).session.session_key


def test_no_page_runs_into_the_policy(live_server, session):
    account = Account.objects.get()
    pages = [reverse(f"admin:{name}") for name in (*LISTS, *OTHERS)]
    pages += [reverse("admin:webmail_account_change", args=[account.pk])]
    pages += [reverse("admin:webmail_user_change", args=[account.user_id])]
    with browsing(live_server.url, session, scripts=True) as (page, complaints):
        for address in pages:
            answer = page.goto(address)
            assert answer is not None
            assert answer.status == 200, address
        page.goto(reverse("admin:webmail_user_changelist"))
        page.check("#action-toggle")
        assert page.inner_text(".action-counter").startswith("2 of 2")
        assert complaints == []


@pytest.mark.parametrize("width", [390, 820])
def test_no_page_is_wider_than_the_screen(live_server, session, width):
    account = Account.objects.get()
    pages = [reverse(f"admin:{name}") for name in (*LISTS, *OTHERS)]
    pages += [reverse("admin:webmail_account_change", args=[account.pk])]
    pages += [reverse("admin:webmail_user_change", args=[account.user_id])]
    with browsing(live_server.url, session, scripts=True) as (page, _):
        page.set_viewport_size({"width": width, "height": 844})
        for address in pages:
            page.goto(address)
            wide = page.evaluate("Math.max(...[...document.querySelectorAll('.page')].map(e => e.scrollWidth))")
            assert wide <= width, address


def test_a_connection_test_without_scripts(live_server, session):
    account = Account.objects.get()
    with browsing(live_server.url, session, scripts=False) as (page, _):
        page.goto(reverse("admin:webmail_account_change", args=[account.pk]))
        page.click("text=Test connection")
        page.click("main button")
        page.wait_for_selector("text=Everything works.")
        assert page.locator(".steps > li[data-state=done]").count() == 7
        assert page.locator(".steps > li[data-state=running]:visible").count() == 0
