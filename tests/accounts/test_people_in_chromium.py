"""Signing in and out and the settings in a real browser, with scripts and without; what stays behind on the way out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from webmail.models import User


@contextmanager
def browsing(site: str, *, scripts: bool = True) -> Iterator[tuple[Page, list[str]]]:
    """A page in Chromium, and what it complained of; no row is to be touched from here while it is open."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        page = browser.new_context(java_script_enabled=scripts, base_url=site).new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
        yield page, complaints
        browser.close()


def sign_in(page: Page, address: str, password: str = "demo") -> None:
    page.goto("/sign-in/")
    page.fill("[name=username]", address)
    page.fill("[name=password]", password)
    page.click("form >> text=Sign in")


def sign_out(page: Page) -> None:
    page.goto("/settings/")
    page.click("button.me")
    page.click("#me >> text=Sign out")
    page.wait_for_url("**/sign-in/")


@pytest.fixture
def site(live_server, alice, bob, redis_url) -> str:
    """The product, with alice and bob."""
    return live_server.url


@pytest.mark.parametrize("scripts", [True, False])
def test_from_the_door_to_the_inbox(site, scripts):
    with browsing(site, scripts=scripts) as (page, complaints):
        sign_in(page, "alice@demo.test", "wrong")
        expect(page.locator(".error")).to_contain_text("don't go together")
        sign_in(page, "alice@demo.test")
        page.wait_for_url("**/mailbox/**")
        assert complaints == []


def test_nothing_of_hers_comes_back_after_signing_out(site):
    """T14: neither Back nor the next person in the same browser meets a private page."""
    with browsing(site) as (page, _):
        sign_in(page, "alice@demo.test")
        page.wait_for_url("**/mailbox/**")
        hers = page.url
        sign_out(page)
        page.go_back()
        page.wait_for_url("**/sign-in/?next=**")
        assert "alice@demo.test" not in page.content()
        sign_in(page, "bob@demo.test")
        page.wait_for_url("**/mailbox/**")
        answer = page.goto(hers)
        assert answer is not None
        assert answer.status == 404
        while page.url != "about:blank" and page.go_back():
            assert "alice@demo.test" not in page.content()


def test_a_preference_is_saved_as_it_is_changed(site):
    with browsing(site) as (page, complaints):
        sign_in(page, "alice@demo.test")
        page.wait_for_url("**/mailbox/**")
        page.goto("/settings/")
        expect(page.get_by_role("button", name="Save preferences")).to_be_hidden()
        page.get_by_label("Dark").check()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        expect(page.locator("#preferences output")).to_have_text("Saved")
        assert complaints == []
    assert User.objects.get(username="alice@demo.test").theme == "dark"


def test_a_preference_without_scripts(site):
    with browsing(site, scripts=False) as (page, _):
        sign_in(page, "alice@demo.test")
        page.goto("/settings/")
        page.get_by_label("Dark").check()
        page.get_by_role("button", name="Save preferences").click()
        expect(page.locator(".notice")).to_contain_text("Your preferences are saved")
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_adding_an_account_says_that_it_is_being_checked(site):
    with browsing(site) as (page, _):
        sign_in(page, "alice@demo.test")
        page.wait_for_url("**/mailbox/**")
        page.goto("/settings/accounts/add/")
        page.get_by_label("Mail address").fill("bob@demo.test")
        page.get_by_label("Mail password").fill("wrong")
        # The answer never comes.
        page.evaluate("() => { document.querySelector('busy-form form').onsubmit = () => false }")
        button = page.locator("busy-form [type=submit]")
        button.click()
        expect(button).to_have_text("Checking…")
        expect(button).to_have_attribute("aria-busy", "true")
