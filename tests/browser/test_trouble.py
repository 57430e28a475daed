"""When the server fails or the connection goes, what is on the screen stays there and a sentence says so."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visits
from tests.browser.mail import NEWSLETTER, PLAIN, Mail
from tests.browser.test_reading import UNREAD, expect_open, row_of
from webmail.mailbox import views as mailbox_views
from webmail.message import views as message_views
from webmail.models import Session
from webmail.protocol.errors import ConnectionFailed

SORRY = "The server could not do that just now. What you see is as it was; try again in a minute."
OFFLINE = "No connection. What you see stays as it was."
# The browser and htmx say in the console that a request failed.
MEANT = r"^console: (Failed to load resource|htmx: htmx:error: Failed to fetch)"

Break = Callable[[], None]


@pytest.fixture(params=[500, 503])
def breaks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Break:
    """A function after which every list, message and change of a flag is answered with this status."""

    def fail(*arguments: object, **how: object) -> None:
        raise ConnectionFailed if request.param == 503 else RuntimeError("the test broke it")

    def break_all() -> None:
        monkeypatch.setattr(mailbox_views, "list_page", fail)
        monkeypatch.setattr(message_views, "message_page", fail)
        monkeypatch.setattr(message_views.jobs, "record_flags", fail)

    return break_all


def test_the_server_fails(visits: Visits, mail: Mail, breaks: Break) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    row_of(page, PLAIN).click()
    expect_open(page, mail, PLAIN)
    address = page.url
    breaks()
    row_of(page, NEWSLETTER).click()
    _expect_toast(page, SORRY)
    expect_open(page, mail, PLAIN)
    expect(page.locator(".message-text")).to_be_visible()
    expect(page.locator(".skeleton")).to_have_count(0)
    expect(page.locator("#reading")).to_have_attribute("aria-busy", "false")
    expect(row_of(page, NEWSLETTER)).to_have_class(UNREAD)

    page.get_by_label("Filter").get_by_text("Unread").click()
    _expect_toast(page, SORRY)
    expect(page.locator(".row")).to_have_count(6)
    expect(page.locator("#list")).to_have_attribute("aria-busy", "false")
    page.get_by_role("button", name="Check for new mail").click()
    _expect_toast(page, SORRY)
    expect(page.locator(".row")).to_have_count(6)

    # Shown as done at once, and taken back.
    page.get_by_role("button", name="Flag", exact=True).click()
    _expect_toast(page, SORRY)
    expect(row_of(page, PLAIN).locator(".star")).to_have_count(0)
    expect(page.get_by_role("button", name="Flag", exact=True)).to_be_visible()
    page.get_by_role("button", name="Mark unread").click()
    _expect_toast(page, SORRY)
    expect(row_of(page, PLAIN)).not_to_have_class(UNREAD)
    assert page.url == address
    visits.forgive(MEANT)


def test_the_connection_goes_and_comes_back(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    row_of(page, PLAIN).click()
    expect_open(page, mail, PLAIN)
    address = page.url
    page.context.set_offline(True)
    row_of(page, NEWSLETTER).click()
    _expect_toast(page, OFFLINE)
    expect_open(page, mail, PLAIN)
    page.keyboard.press("u")
    _expect_toast(page, OFFLINE)
    expect_open(page, mail, PLAIN)
    page.keyboard.press("s")
    _expect_toast(page, "No connection. Nothing was changed; try again when you are back online.")
    expect(row_of(page, PLAIN).locator(".star")).to_have_count(0)
    assert page.url == address
    visits.forgive(MEANT)

    page.context.set_offline(False)
    page.keyboard.press("s")
    expect(row_of(page, PLAIN).locator(".star")).to_be_visible()
    row_of(page, NEWSLETTER).click()
    expect_open(page, mail, NEWSLETTER)


def test_a_phone_stays_where_it_is(visits: Visits, mail: Mail, breaks: Break) -> None:
    page = visits.open(mail.account.user, path=mail.path, size="phone")
    breaks()
    page.locator(".row > a", has_text=PLAIN).tap()
    _expect_toast(page, SORRY)
    expect(page.locator(".list-body")).to_be_visible()
    expect(page).to_have_url(re.compile(f"{mail.path}$"))
    visits.forgive(MEANT)


def test_a_phone_whose_transition_comes_late(visits: Visits, mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message fails between the moment its pane was wanted and the moment the transition shows it."""

    def fail_slowly(*arguments: object) -> None:
        time.sleep(0.3)
        raise ConnectionFailed

    page = visits.open(mail.account.user, path=mail.path, size="phone")
    page.evaluate("() => { document.startViewTransition = (change) => { setTimeout(change, 800); }; }")
    monkeypatch.setattr(message_views, "message_page", fail_slowly)
    page.locator(".row > a", has_text=PLAIN).tap()
    _expect_toast(page, SORRY)
    page.wait_for_timeout(1000)
    expect(page.locator(".list-body")).to_be_visible()
    visits.forgive(MEANT)


def test_signed_out_meanwhile(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path_of(PLAIN))
    Session.objects.all().delete()
    page.get_by_role("button", name="Flag", exact=True).click()
    # The form's token went with the session.
    _expect_toast(page, "The page was open too long and has expired. Reload it and try again.")
    expect(row_of(page, PLAIN).locator(".star")).to_have_count(0)
    # The sign-in page comes into the window, not into a pane, and knows the way back.
    row_of(page, NEWSLETTER).click()
    expect(page).to_have_url(re.compile(r"/sign-in/\?next="))
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    visits.forgive(MEANT)


def test_a_message_that_is_gone(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    mail.message(PLAIN).delete()
    row_of(page, PLAIN).click()
    _expect_toast(page, "That is no longer here. It was moved or deleted elsewhere.")
    expect(page).to_have_url(re.compile(f"{mail.path}$"))
    visits.forgive(MEANT)


def _expect_toast(page: Page, words: str) -> None:
    """This sentence, and only it; then it is dismissed."""
    toast = page.locator(".toast")
    expect(toast).to_have_count(1)
    expect(toast).to_have_text(f"{words}×")
    toast.get_by_role("button", name="Dismiss").click()
    expect(toast).to_have_count(0)
