"""Everything by keyboard: the keys of the sheet, the order of Tab, and a focus that can be seen wherever it is."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visits
from tests.browser.mail import ATTACHMENTS, FILLERS, NEWSLETTER, PLAIN, Mail
from tests.browser.test_reading import expect_open, expect_unread, row_of
from tests.reader import letter
from tests.servers import MailUser

# What the focused element shows for it: the ring, or for the seam a line of its own.
SHOWN = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const style = getComputedStyle(at);
  const line = getComputedStyle(at, "::before");
  const box = at.getBoundingClientRect();
  return {
    name: `${at.tagName.toLowerCase()} ${at.ariaLabel ?? at.textContent.trim().replace(/\\s+/g, " ").slice(0, 40)}`,
    ring: style.boxShadow.includes("rgb") || style.boxShadow.includes("oklch") || parseFloat(style.outlineWidth) > 0,
    seam: at.matches(".seam") && line.opacity === "1",
    visible: at.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && box.width > 0 && box.height > 0
      && box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight,
    row: at.matches(".row > a"),
  };
}"""


def test_through_the_messages(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    # None is open: j and k go along the rows.
    page.keyboard.press("j")
    expect(row_of(page, ATTACHMENTS).locator("a")).to_be_focused()
    page.keyboard.press("j")
    expect(row_of(page, NEWSLETTER).locator("a")).to_be_focused()
    page.keyboard.press("k")
    expect(row_of(page, ATTACHMENTS).locator("a")).to_be_focused()
    expect(page.locator("message-view")).to_have_count(0)
    page.keyboard.press("Enter")
    expect_open(page, mail, ATTACHMENTS)
    # One is open: j and k go from message to message, and the focus stays on the row.
    page.keyboard.press("j")
    expect_open(page, mail, NEWSLETTER)
    page.keyboard.press("j")
    expect_open(page, mail, PLAIN)
    expect(row_of(page, PLAIN).locator("a")).to_be_focused()
    page.keyboard.press("k")
    expect_open(page, mail, NEWSLETTER)
    # Also from within the message's frame.
    page.frame_locator(".message-frame").locator("h1").click()
    page.keyboard.press("j")
    expect_open(page, mail, PLAIN)
    page.keyboard.press("u")
    expect(page).to_have_url(re.compile(f"{mail.path}$"))
    expect(page.locator("message-view")).to_have_count(0)
    expect_unread(page, FILLERS)
    # Back in the list one goes on from where one was.
    expect(page.locator(".row > [aria-current]")).to_have_count(0)
    expect(row_of(page, PLAIN).locator("a")).to_be_focused()
    page.keyboard.press("o")
    expect_open(page, mail, PLAIN)


def test_arrows_home_and_end(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    page.locator(".row > a").first.focus()
    steps = (("ArrowDown", NEWSLETTER), ("End", "Letter 1"), ("ArrowDown", "Letter 1"), ("Home", ATTACHMENTS))
    for key, subject in steps:
        page.keyboard.press(key)
        expect(row_of(page, subject).locator("a")).to_be_focused()
    expect(page.locator(".row > a[tabindex='0']")).to_have_count(1)


def test_held_down_it_ends_at_the_last(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path_of(ATTACHMENTS))
    for _ in range(12):
        page.keyboard.press("j")
    expect_open(page, mail, "Letter 1")
    # What was asked for in between and overtaken has left nothing behind.
    expect(page.locator("message-view")).to_have_count(1)
    expect(page.locator(".skeleton")).to_have_count(0)
    expect(page.locator("#reading")).to_have_attribute("aria-busy", "false")


def test_flag_and_unread(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path_of(PLAIN))
    page.keyboard.press("s")
    expect(row_of(page, PLAIN).locator(".star")).to_be_visible()
    page.keyboard.press("s")
    expect(row_of(page, PLAIN).locator(".star")).to_have_count(0)
    page.keyboard.press("Shift+U")
    expect_unread(page, 6)
    page.keyboard.press("Shift+U")
    expect_unread(page, 6)


def test_going_places(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    page = visits.open(mail.account.user, path=f"{mail.path}?filter=flagged")
    expect(page.locator(".blank").first).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("i")
    expect(page).to_have_url(re.compile(f"{mail.path}$"))
    expect(page.locator(".row")).to_have_count(6)
    mail_user.append("INBOX", letter(99, subject="Just in"))
    page.keyboard.press(".")
    expect(page.locator(".row")).to_have_count(7)
    expect(row_of(page, "Just in")).to_be_visible()
    row_of(page, PLAIN).click()
    expect_open(page, mail, PLAIN)
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page).to_have_url(re.compile("/settings/"))
    page.go_back()
    expect_open(page, mail, PLAIN)
    expect(page.locator(".star:visible"), "the s of g s flagged nothing").to_have_count(0)


def test_the_sheet_of_keys(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    row = page.locator(".row > a").first
    row.focus()
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Help and keys")
    expect(sheet).to_be_visible()
    expect(sheet.get_by_text("Next message")).to_be_visible()
    expect(page).to_have_url(re.compile(f"{mail.path}$"))
    # A dialog is modal: Tab stays in it or in the browser.
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(row).to_be_focused()
    page.keyboard.press("j")
    expect(row_of(page, NEWSLETTER).locator("a")).to_be_focused()
    # Asked for a second time it is there at once.
    page.keyboard.press("?")
    expect(sheet).to_be_visible()


def test_keys_in_a_field_are_letters(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    page.keyboard.press("Control+j")
    page.keyboard.press("Alt+k")
    expect(page.locator("message-view")).to_have_count(0)
    expect(page.locator(".row > a:focus")).to_have_count(0)


def test_the_skip_link(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    assert page.evaluate(SHOWN)["visible"]
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("!!document.activeElement.closest('#main')")


@pytest.mark.parametrize("where", ["mailbox", "message", "settings", "sign-in"])
def test_the_focus_can_be_seen_all_the_way(visits: Visits, mail: Mail, where: str) -> None:
    paths = {"mailbox": mail.path, "message": mail.path_of(ATTACHMENTS)}
    user = None if where == "sign-in" else mail.account.user
    page = visits.open(user, path=paths.get(where, f"/{where}/"))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.reload()
        stops = walk(page)
        assert len(stops) > 1
        unseen = [stop["name"] for stop in stops if not stop["visible"] or not (stop["ring"] or stop["seam"])]
        assert unseen == [], scheme
        assert sum(stop["row"] for stop in stops) == (where in ("mailbox", "message")), "the rows are one stop"


def walk(page: Page) -> list[dict[str, object]]:
    """What has the focus after each Tab, from the top of the page until it is left."""
    stops = []
    for _ in range(80):
        page.keyboard.press("Tab")
        stop = page.evaluate(SHOWN)
        if stop is None:
            return stops
        stops.append(stop)
    raise AssertionError(f"Tab never left the page: {[stop['name'] for stop in stops]}")
