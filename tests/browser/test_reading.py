"""Reading in the three panes: the message comes, the address and the counts follow, and back is back."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visits
from tests.browser.mail import ATTACHMENTS, NEWSLETTER, PLAIN, Mail
from tests.servers import PASSWORD, MailUser
from webmail.store import working

UNREAD = re.compile(r"\bunread\b")


def row_of(page: Page, subject: str) -> Locator:
    return page.locator(".row", has=page.get_by_text(subject, exact=True))


def expect_open(page: Page, mail: Mail, subject: str) -> None:
    """The message is in the reading pane, its row is marked, and the address is its own."""
    expect(page.locator("#reading .subject")).to_have_text(subject)
    expect(page).to_have_url(re.compile(rf"{mail.path_of(subject)}(\?.*)?$"))
    expect(page).to_have_title(re.compile(rf"^(\(\d+\) )?{subject} · "))
    expect(row_of(page, subject).locator("a")).to_have_attribute("aria-current", "true")
    expect(page.locator(".row > [aria-current]")).to_have_count(1)


def expect_unread(page: Page, count: int) -> None:
    """The list's head, the sidebar and the rows agree."""
    expect(page.locator(".list-title .count")).to_have_text(str(count))
    expect(page.locator(".mailbox[aria-current] .count")).to_have_text(str(count))
    expect(page.locator(".row.unread")).to_have_count(count)


def test_from_the_door_to_the_newest_message(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    page = visits.open(path="/")
    expect(page).to_have_url(re.compile("/sign-in/"))
    page.get_by_label("address").fill(mail_user.address)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile(mail.path))
    expect(page.locator(".row")).to_have_count(6)
    page.locator(".row > a").first.click()
    expect_open(page, mail, ATTACHMENTS)
    expect(page.locator(".card-file")).to_have_count(2)


def test_a_message_opens_beside_the_list_and_counts_as_read(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    expect_unread(page, 6)
    page.evaluate("() => { window.same = true }")
    row_of(page, PLAIN).click()
    expect_open(page, mail, PLAIN)
    expect(page.locator(".message-text")).to_contain_text("I went through the numbers.")
    expect(row_of(page, PLAIN)).not_to_have_class(UNREAD)
    expect(page.locator(".list-title .count")).to_have_text("5")
    expect_unread(page, 5)
    assert page.evaluate("window.same"), "the page was loaded anew"
    assert not working.work(mail.account.pk)
    with mail_user.imap() as client:
        client.select("INBOX", readonly=True)
        assert client.search(None, "SEEN")[1] == [b"4"]

    page.reload()
    expect_open(page, mail, PLAIN)
    expect_unread(page, 5)


def test_back_and_forward(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    row_of(page, PLAIN).click()
    expect_open(page, mail, PLAIN)
    row_of(page, NEWSLETTER).click()
    expect_open(page, mail, NEWSLETTER)
    page.go_back()
    expect_open(page, mail, PLAIN)
    expect_unread(page, 4)
    page.go_back()
    expect(page).to_have_url(re.compile(f"{mail.path}$"))
    expect(page.locator(".row")).to_have_count(6)
    expect(page.locator("message-view")).to_have_count(0)
    expect(page.locator(".row > [aria-current]")).to_have_count(0)
    expect_unread(page, 4)
    page.go_forward()
    expect_open(page, mail, PLAIN)
    # What the scripts put in place is there after going back, too: the message's forms answer, and the rows open.
    page.keyboard.press("s")
    expect(row_of(page, PLAIN).locator(".star")).to_be_visible()
    row_of(page, ATTACHMENTS).click()
    expect_open(page, mail, ATTACHMENTS)


def test_flagging_and_marking_unread(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path_of(PLAIN))
    expect_unread(page, 5)
    page.get_by_role("button", name="Flag", exact=True).click()
    expect(row_of(page, PLAIN).locator(".star")).to_be_visible()
    page.get_by_role("button", name="Remove the flag").click()
    expect(row_of(page, PLAIN).locator(".star")).to_have_count(0)
    page.get_by_role("button", name="Mark unread").click()
    expect_unread(page, 6)
    page.get_by_role("button", name="Mark read").click()
    expect_unread(page, 5)
    with page.expect_response(re.compile("/flag/")):
        page.get_by_role("button", name="Flag", exact=True).click()
    working.work(mail.account.pk)
    page.reload()
    expect_unread(page, 5)
    expect(row_of(page, PLAIN).locator(".star")).to_be_visible()


def test_the_list_follows_its_links(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path_of(PLAIN))
    page.get_by_label("Filter").get_by_text("Unread").click()
    expect(page).to_have_url(re.compile(rf"{mail.path}\?.*filter=unread"))
    expect(page.locator(".row")).to_have_count(5)
    expect(page.locator("message-view")).to_have_count(0)
    page.locator(".list-head summary").click()
    page.get_by_label("Sort by").get_by_text("Subject").first.click()
    expect(page).to_have_url(re.compile("sort=subject"))
    shown = page.locator(".row b")
    expect(shown).to_have_count(5)
    expect(shown.first).to_have_text(NEWSLETTER)
    # A message opened from this list comes back to this list.
    shown.nth(1).click()
    expect(page.locator(".subject")).to_have_text("Letter 1")
    expect(page.locator(".row b")).to_have_count(5)
    page.keyboard.press("u")
    expect(page).to_have_url(re.compile("sort=subject"))
    expect(page.locator(".row b")).to_have_count(4)
    page.locator(".row b").nth(1).click()
    expect(page.locator(".subject")).to_have_text("Letter 2")
    page.reload()
    expect(page).to_have_url(re.compile("filter=unread.*sort=subject|sort=subject.*filter=unread"))
    expect(page.locator(".subject")).to_have_text("Letter 2")
