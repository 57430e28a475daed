"""After an act: where the focus is, what is said, how it is taken back, and the order in which the server hears it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visits, wait_until
from tests.browser.mail import ATTACHMENTS, NEWSLETTER, PLAIN, Mail
from tests.browser.test_acts import done, pick, subjects
from tests.browser.test_reading import expect_open, row_of
from tests.servers import MailUser


def says(page: Page, words: str) -> None:
    """One toast is there, and it says this."""
    expect(page.locator(".toast")).to_have_text([re.compile(f"^{re.escape(words)}(Undo|Activity)?×$")])


def test_undo_goes_back_step_by_step(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    pick(page, "Letter 1", "Letter 2")
    page.locator(".bar").get_by_role("button", name="Archive").click()
    says(page, "Archived 2 messages")
    expect(row_of(page, "Letter 3").locator("a")).to_be_focused()
    row_of(page, NEWSLETTER).click()
    expect_open(page, mail, NEWSLETTER)
    page.keyboard.press("#")
    says(page, "Deleted a message")
    expect_open(page, mail, PLAIN)

    # The last one first; what was open is open again, and what came back has the focus.
    page.get_by_role("button", name="Undo").click()
    says(page, "Undone: deleted a message")
    expect_open(page, mail, NEWSLETTER)
    expect(row_of(page, NEWSLETTER).locator("a")).to_be_focused()
    page.keyboard.press("u")
    expect(row_of(page, NEWSLETTER).locator("a")).to_be_focused()
    page.keyboard.press("z")
    says(page, "Undone: archived 2 messages")
    expect(row_of(page, "Letter 2").locator("a")).to_be_focused()
    page.keyboard.press("z")
    says(page, "Nothing to undo here.")
    done(mail)
    assert len(subjects(mail_user, "INBOX")) == 6


def test_the_focus_stays_in_the_page(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    pick(page, PLAIN)
    more = page.locator(".bar summary")
    more.click()
    page.locator(".bar .menu").get_by_role("button", name="Flag", exact=True).click()
    says(page, "Flagged a message")
    expect(more).to_be_focused()
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".toast")).to_have_count(0)
    assert not page.evaluate("document.activeElement === document.body")
    page.locator(".pick-page > input").check()
    page.locator(".pick-page > input").uncheck()
    expect(page.locator(".bar")).to_be_hidden()
    wait_until(page, "document.activeElement.matches('.row > a')")

    # What changes nothing can't be undone.
    row_of(page, PLAIN).locator("a").focus()
    page.keyboard.press("Shift+U")
    says(page, "Marked a message as unread")
    expect(page.locator(".toast .do")).to_have_count(0)
    # Words that somebody points at stay.
    page.clock.install()
    page.keyboard.press("s")
    says(page, "Cleared the flag of a message")
    page.locator(".toast").hover()
    page.clock.fast_forward(9000)
    says(page, "Cleared the flag of a message")
    page.mouse.move(5, 5)
    page.clock.fast_forward(2000)
    expect(page.locator(".toast")).to_have_count(0)


def test_the_end_of_a_row(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    """What can be done to the row under the mouse stands at its end."""
    page = visits.open(mail.account.user, path=mail.path)
    page.mouse.move(500, 300)
    wait_until(page, "document.querySelector('link[href*=acts]') !== null")
    for name, act in (("Letter 1", "Archive"), ("Letter 2", "Delete"), (PLAIN, "Mark read"), (PLAIN, "Mark unread")):
        row = row_of(page, name)
        row.hover()
        row.locator(".row-acts").get_by_title(act).click()
    expect(row_of(page, PLAIN)).to_have_class(re.compile("unread"))
    expect(page.locator(".subject")).to_have_count(0)
    done(mail)
    assert subjects(mail_user, "Archive") == ["Letter 1"]
    assert subjects(mail_user, "Trash") == ["Letter 2"]
    assert len(subjects(mail_user, "INBOX", "UNSEEN")) == 4


def test_the_server_hears_acts_in_their_order(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    held: list[Route] = []
    page.route("**/act/", lambda route: route.continue_() if held else held.append(route))
    row_of(page, ATTACHMENTS).locator("a").focus()
    page.keyboard.press("s")
    wait_until(page, "document.querySelectorAll('.star').length === 1")
    # A list that is drawn meanwhile, and knows nothing of it.
    page.evaluate("document.querySelector('mail-panes').fetchList()")
    expect(page.locator(".star")).to_have_count(1)
    page.keyboard.press("s")
    page.keyboard.press("e")
    page.wait_for_timeout(300)
    assert mail.account.jobs.count() == 0
    held[0].continue_()
    says(page, "Archived a message")
    assert [job.act for job in mail.account.jobs.order_by("sequence")] == ["flag", "unflag", "archive"]
    done(mail)
    assert subjects(mail_user, "Archive", "UNFLAGGED") == [ATTACHMENTS]

    # Whoever leaves the page leaves none behind.
    held.clear()
    row_of(page, PLAIN).locator("a").focus()
    page.keyboard.press("s")
    wait_until(page, "document.querySelectorAll('.star').length === 1")
    page.keyboard.press("e")
    page.unroute("**/act/")
    page.goto("/settings/")
    expect(page.get_by_role("heading", name="Settings", exact=True)).to_be_visible()
    page.wait_for_timeout(500)
    assert mail.account.jobs.order_by("-sequence").values_list("act", flat=True)[0] == "archive"
