"""With scripts switched off the product is all there: links and forms do everything."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visits
from tests.browser.mail import ATTACHMENTS, NEWSLETTER, PLAIN, Mail, deliver, read
from tests.message import letters
from tests.reader import letter
from tests.servers import PASSWORD, MailUser
from webmail.models import Account
from webmail.store import working
from webmail.store.slices import PAGE


@pytest.mark.parametrize("size", ["wide", "phone"])
def test_a_visit_from_beginning_to_end(visits: Visits, mail: Mail, mail_user: MailUser, size: str) -> None:
    page = visits.open(path="/", scripts=False, size=size)
    page.get_by_label("address").fill(mail_user.address)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".row.unread")).to_have_count(6)

    page.locator(".row > a", has_text=PLAIN).click()
    expect(page.locator(".subject")).to_have_text(PLAIN)
    expect(page.locator(".message-text")).to_contain_text("I went through the numbers.")
    expect(page.locator(".row.unread")).to_have_count(5)
    page.locator(".envelope summary").click()
    expect(page.locator(".facts")).to_contain_text("carol@demo.test")

    page.get_by_role("button", name="Flag", exact=True).click()
    expect(page.locator(".subject")).to_have_text(PLAIN)
    expect(page.get_by_role("button", name="Remove the flag")).to_be_visible()
    page.locator(".message-bar summary").click()
    page.get_by_role("link", name="View source").click()
    expect(page.locator(".source")).to_contain_text(f"Subject: {PLAIN}")
    page.get_by_role("link", name="Back to the message").click()
    page.get_by_role("button", name="Mark unread").click()
    expect(page).to_have_url(re.compile(mail.path))
    expect(page.locator(".row.unread")).to_have_count(6)
    expect(page.locator(".row", has_text=PLAIN).locator(".star")).to_be_visible()
    working.work(mail.account.pk)
    with mail_user.imap() as client:
        client.select("INBOX", readonly=True)
        assert client.search(None, "UNSEEN FLAGGED")[1] == [b"4"]

    if size == "wide":
        page.locator("button.me").click()
    else:
        page.get_by_role("button", name="You").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in/"))
    page.goto(mail.path)
    expect(page).to_have_url(re.compile("/sign-in/"))


def test_html_in_its_frame(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path_of(NEWSLETTER), scripts=False)
    frame = page.frame_locator(".message-frame")
    expect(frame.locator("h1")).to_have_text("Bread")
    expect(frame.get_by_alt_text("Loaf")).to_be_visible()
    expect(page.locator(".message")).to_contain_text("1 remote image was not loaded")
    box = page.locator(".message-frame").bounding_box()
    assert box is not None
    assert box["height"] > 300, "without a script to measure it the frame has a height of its own"


def test_attachments_are_downloaded(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path_of(ATTACHMENTS), scripts=False)
    pdf, evil = page.locator(".card-file").all()
    pdf.locator("summary").click()
    with page.expect_download() as waiting:
        pdf.get_by_role("link", name="Download").click()
    assert waiting.value.suggested_filename == "plán nábřeží.pdf"
    assert waiting.value.path().read_bytes() == b"%PDF-1.4 plan"
    evil.locator("summary").click()
    with page.expect_download() as waiting:
        evil.get_by_role("link", name="Download").click()
    assert "/" not in waiting.value.suggested_filename
    assert waiting.value.path().read_bytes().startswith(b"<script>")
    page.locator(".message-bar summary").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download the original").click()
    assert waiting.value.suggested_filename == "Plans.eml"
    assert b"Subject: Plans" in waiting.value.path().read_bytes()
    expect(page.locator(".subject")).to_have_text(ATTACHMENTS)


def test_pages_filters_and_orders(visits: Visits, account: Account, mail_user: MailUser) -> None:
    count = PAGE + 7
    deliver(mail_user, [*(letter(number, subject=f"No. {number:02}") for number in range(count)), letters.plain()])
    mail = read(account)
    page = visits.open(account.user, path=mail.path, scripts=False)
    rows = page.locator(".row b")
    expect(rows).to_have_count(PAGE)
    expect(rows.first).to_have_text(PLAIN)
    page.get_by_role("link", name="Next page").click()
    expect(rows).to_have_count(count + 1 - PAGE)
    expect(rows.last).to_have_text("No. 00")
    page.locator(".row > a").last.click()
    expect(page.locator(".subject")).to_have_text("No. 00")
    expect(rows.last).to_have_text("No. 00")
    expect(page.locator(".row.unread")).to_have_count(count - PAGE)
    page.get_by_role("link", name="Previous page").click()
    expect(rows.first).to_have_text(PLAIN)

    page.get_by_label("Filter").get_by_text("Unread").click()
    expect(page.locator(".list-foot")).to_contain_text(f"of {count}")
    page.locator(".list-head summary").click()
    page.get_by_label("Sort by").get_by_text("Subject").first.click()
    expect(page).to_have_url(re.compile("filter=unread.*sort=subject|sort=subject.*filter=unread"))
    expect(rows.first).to_have_text(PLAIN)
    page.get_by_label("Filter").get_by_text("With attachment").click()
    expect(page.locator(".list-body .blank")).to_be_visible()
    page.get_by_label("Filter").get_by_text("All").click()

    mail_user.append("INBOX", letter(999, subject="A last word"))
    page.get_by_role("button", name="Check for new mail").click()
    expect(rows.first).to_have_text("A last word")


def test_settings(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path="/settings/", scripts=False)
    page.get_by_label("Compact").check()
    page.get_by_label("Your name").fill("Alice Adams")
    page.get_by_role("button", name="Save preferences").click()
    expect(page.locator(".notice")).to_contain_text("saved")
    page.goto(mail.path)
    expect(page.locator(".rows")).to_have_attribute("data-density", "compact")
    page.locator(".top theme-switch button").click()
    page.goto("/settings/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    mail.account.user.refresh_from_db()
    assert (mail.account.user.density, mail.account.user.theme) == ("compact", "dark")


def test_the_mailboxes_on_a_phone(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path, scripts=False, size="phone")
    page.get_by_role("button", name="Mailboxes").click()
    page.locator(".mailbox", has_text="Archive").click()
    expect(page.locator("#list-title")).to_have_text("Archive")
    expect(page.locator(".list-body .blank")).to_be_visible()
