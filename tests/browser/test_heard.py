"""What a screen reader makes of the pages: landmarks, headings in order, rows that say first what matters, and a voice
for what happens.
"""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visits
from tests.browser.mail import ATTACHMENTS, NEWSLETTER, PLAIN, Mail
from tests.browser.test_reading import expect_open, row_of

# The accessibility tree as text, a line a thing: "- heading "Inbox" [level=1]".
HEADING = re.compile(r'- heading "(.*)" \[level=(\d)\]')


def test_the_landmarks_of_the_mailbox(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    tree = page.locator("body").aria_snapshot()
    for landmark in (
        "- banner:",
        '- navigation "Mailboxes":',
        "- main:",
        '- region "Inbox":',
        '- navigation "Filter":',
        '- navigation "Pages"',
        '- region "Message":',
    ):
        assert tree.count(landmark) == 1, landmark
    assert '- link "Inbox 6 unread"' in tree
    # What is only drawn is not read out: nothing without a name can be pressed.
    assert not re.search(r"- (?:button|link)(?::|$)", tree, re.MULTILINE), tree


@pytest.mark.parametrize("what", ["", PLAIN, NEWSLETTER, ATTACHMENTS], ids=["list", "plain", "newsletter", "files"])
def test_headings_go_down_step_by_step(visits: Visits, mail: Mail, what: str) -> None:
    page = visits.open(mail.account.user, path=mail.path_of(what) if what else mail.path)
    pane = page.locator("#reading" if what else "#list")
    levels = [int(level) for _, level in HEADING.findall(pane.aria_snapshot())]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels


def test_a_row_says_first_what_matters(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    name = _name_of(page, ATTACHMENTS)
    order = ["Unread", "Bob Novak", ATTACHMENTS, "Attachment", ":"]  # the time of day
    places = [name.index(word) for word in order]
    assert places == sorted(places), name
    row_of(page, ATTACHMENTS).click()
    expect_open(page, mail, ATTACHMENTS)
    expect(row_of(page, ATTACHMENTS).locator("a")).to_have_attribute("aria-current", "true")
    assert "Unread" not in _name_of(page, ATTACHMENTS)


def test_the_open_message_is_an_article_of_its_own_name(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path_of(PLAIN))
    article = page.get_by_role("article", name=PLAIN)
    tree = article.aria_snapshot()
    for said in (f'- heading "{PLAIN}" [level=1]', "bob@demo.test", "to Alice, Carol", "I went through the numbers"):
        assert said in tree, said
    page.goto(mail.path_of(NEWSLETTER))
    expect(page.get_by_title("Message body")).to_be_visible()


def test_what_happens_is_said(visits: Visits, mail: Mail) -> None:
    """A live region is in the page from the beginning, and a failure speaks through it."""
    page = visits.open(mail.account.user, path=mail.path_of(PLAIN))
    voice = page.get_by_role("status").and_(page.locator("toast-stack"))
    expect(voice).to_have_attribute("aria-live", "polite")
    page.context.set_offline(True)
    page.keyboard.press("s")
    expect(voice).to_contain_text("No connection")
    page.close()
    visits.forgive(r"^console: (Failed to load resource|htmx: htmx:error)|dynamically imported module")


def test_nothing_moves_for_who_asked_for_that(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path, size="phone")
    page.emulate_media(reduced_motion="reduce")
    page.locator(".row > a", has_text=PLAIN).tap()
    expect_open(page, mail, PLAIN)
    moving = page.evaluate(
        "document.getAnimations().filter((each) => each.effect.getComputedTiming().endTime > 20).length"
    )
    assert moving == 0


def _name_of(page: Page, subject: str) -> str:
    """The accessible name of a row's link."""
    found = re.search(r'- link "([^"]*)"', row_of(page, subject).aria_snapshot())
    assert found is not None
    return found[1]
