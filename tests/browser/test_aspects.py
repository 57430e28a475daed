"""Other looks at a message in Chromium: larger text, plain text, paper, all mail of a sender, and where links go."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visits, wait_until
from tests.browser.mail import ATTACHMENTS, NEWSLETTER, PLAIN, Mail, deliver, read
from tests.browser.test_frame import HEIGHT, SNUG
from tests.browser.test_reading import expect_open, row_of
from tests.message.letters import letter
from tests.reader import make_account
from tests.servers import MailUser
from webmail.models import User

_TALL = "document.querySelector('.message-frame').getBoundingClientRect().height"
_ZOOM = "document.querySelector('.message-body').currentCSSZoom"


@pytest.fixture
def links(visits: Visits, mailbox_user: Callable[..., MailUser]) -> Mail:
    """One message with an honest link and two that mislead, one of which would hide what is said of it."""
    message = letter("Links")
    message.set_content(
        "<style>small { display: none !important; font-size: 0 !important }</style><p>"
        '<a href="https://studio.example/a">Honest</a> <a href="https://evil.example/">https://bank.example</a> '
        '<a href="https://bank.example@evil.example/" title="https://bank.example/">Bank</a></p>',
        subtype="html",
    )
    user = mailbox_user()
    deliver(user, [bytes(message)])
    return read(make_account(user))


def test_larger_text_is_seen_at_once_and_remembered(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path_of(NEWSLETTER))
    wait_until(page, SNUG)
    assert page.evaluate(_ZOOM) == 1
    before = page.evaluate(_TALL)
    with page.expect_response(re.compile("text-size")):
        page.keyboard.press("+")
    with page.expect_response(re.compile("text-size")):
        page.keyboard.press("+")
    assert page.evaluate(_ZOOM) == 1.5
    wait_until(page, f"{SNUG} && {_TALL} > {before} * 1.2")
    page.keyboard.press("+")  # there is nothing larger
    row_of(page, PLAIN).click()
    expect_open(page, mail, PLAIN)
    assert page.evaluate(_ZOOM) == 1.5
    with page.expect_response(re.compile("text-size")):
        page.keyboard.press("-")
    page.reload()
    assert page.evaluate(_ZOOM) == pytest.approx(1.2)
    assert User.objects.get(pk=mail.account.user.pk).text_size == 2


def test_by_the_menu_it_stays_open(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path_of(PLAIN))
    page.locator(".message-bar summary").click()
    for _ in range(2):
        with page.expect_response(re.compile("text-size")):
            page.get_by_role("button", name="Smaller text").click()
            page.get_by_role("button", name="Larger text").click()
    expect(page.get_by_role("button", name="Larger text")).to_be_visible()


def test_plain_text_and_back(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    row_of(page, NEWSLETTER).click()
    expect_open(page, mail, NEWSLETTER)
    page.keyboard.press("t")
    expect(page.locator(".message-text")).to_contain_text("Dear Alice, bread.")
    expect(page.locator(".message-frame")).to_have_count(0)
    expect(row_of(page, NEWSLETTER).locator("a")).to_have_attribute("aria-current", "true")
    page.keyboard.press("t")
    wait_until(page, SNUG)
    page.keyboard.press("j")
    expect_open(page, mail, PLAIN)


def test_all_mail_of_a_sender(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path_of(PLAIN))
    page.locator(".message-bar summary").click()
    page.get_by_role("link", name="All mail with Bob Novak").click()
    expect(page.locator("#list-title")).to_have_text("bob@demo.test")
    page.get_by_role("link", name="From this sender").click()
    expect(page).to_have_url(re.compile(r"\?from=bob@demo\.test$"))
    expect(page.locator(".row")).to_have_count(6)
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page.locator("#reading .subject")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?from=bob@demo\.test$"))
    first = page.locator("#reading .subject").text_content()
    page.keyboard.press("j")
    expect(page.locator("#reading .subject")).not_to_have_text(first or "")
    page.get_by_role("link", name="All in Inbox").click()
    expect(page.locator("#list-title")).to_have_text("Inbox")


def test_paper(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=f"{mail.path_of(NEWSLETTER)}print/")
    wait_until(page, SNUG)
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".subject")).to_be_visible()
    expect(page.locator(".facts")).to_contain_text("bob@demo.test")
    expect(page.locator(".paper-bar")).to_be_hidden()
    expect(page.locator(".top, .sidebar, .list")).to_have_count(0)


@pytest.mark.parametrize("size", ["wide", "phone"])
def test_with_scripts_off(visits: Visits, mail: Mail, size: str) -> None:
    page = visits.open(mail.account.user, path=mail.path_of(NEWSLETTER), scripts=False, size=size)
    menu = page.locator(".message-bar summary")
    menu.click()
    page.get_by_role("button", name="Larger text").click()
    expect(page.locator(".message-body")).to_have_attribute("data-size", "2")
    menu.click()
    page.get_by_role("link", name="Show as plain text").click()
    expect(page.locator(".message-text")).to_contain_text("Dear Alice, bread.")
    menu.click()
    page.get_by_role("link", name="Print").click()
    expect(page.locator(".message-text")).to_contain_text("Dear Alice, bread.")
    page.get_by_role("link", name="Back to the message").click()
    menu.click()
    page.get_by_role("link", name="All headers").click()
    expect(page.get_by_role("row", name="Subject")).to_contain_text(NEWSLETTER)
    page.get_by_role("link", name="Back to the message").click()
    menu.click()
    page.get_by_role("link", name="All mail with Bob Novak").click()
    page.locator(".row > a", has_text=ATTACHMENTS).click()
    expect(page.locator(".subject")).to_have_text(ATTACHMENTS)
    expect(page).to_have_url(re.compile("with=bob@demo.test"))


def test_where_links_go(visits: Visits, links: Mail) -> None:
    page = visits.open(links.account.user, path=links.path_of("Links"))
    frame = page.frame_locator(".message-frame")
    expect(frame.get_by_role("link", name="Honest")).to_have_attribute("title", "https://studio.example/a")
    expect(frame.get_by_role("link", name="Bank", exact=True)).to_have_attribute("title", "https://evil.example/")
    marks = frame.get_by_text("(goes to evil.example)")
    expect(marks).to_have_count(2)
    for mark in marks.all():
        expect(mark).to_be_visible()
        expect(mark).to_have_css("font-size", "12px")
    facts = page.locator(".mail-facts")
    facts.get_by_text("2 links go elsewhere than they say").click()
    expect(facts).to_contain_text("“https://bank.example” goes to evil.example.")


def test_height_follows_the_size(visits: Visits, mail: Mail) -> None:
    """The frame's own measure stays that of its content, whatever the text is enlarged to."""
    page = visits.open(mail.account.user, path=mail.path_of(NEWSLETTER))
    wait_until(page, SNUG)
    before = page.evaluate(HEIGHT)
    for _ in range(2):
        page.keyboard.press("-")
    wait_until(page, f"{SNUG} && Math.abs({HEIGHT} - {before}) < {before}")
