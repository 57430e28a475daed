"""The frame that holds an HTML mail: as high as the mail, no wider than the pane, and closed to the page around."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visits, wait_until
from tests.browser.mail import NEWSLETTER, Mail, deliver, read
from tests.chromium import Sinkhole
from tests.message.letters import letter
from tests.reader import make_account
from tests.servers import MailUser
from webmail.models import Account

PARAGRAPH = "<p>Dear Alice, the harbour is quiet today and the bread is in the oven.</p>"
DESIGNS = {
    "short": PARAGRAPH,
    "long": PARAGRAPH * 150,
    "wide": f"<table width=700 bgcolor=#eeeeee><tr><td width=700>{PARAGRAPH * 20}</td></tr></table>",
    "full height": f"<table height='100%' width='100%'><tr><td>{PARAGRAPH * 30}</td></tr></table>",
    "margins": f"<body style='margin:40px'><div style='margin-bottom:90px'>{PARAGRAPH}</div></body>",
    "floats": f"<div style='float:left;width:300px;height:900px;background:#eeeeee'>{PARAGRAPH}</div>",
}
# The frame ends where the mail in it ends, give or take its margins: nothing to scroll, and no air to scroll through.
SNUG = """(() => {
  const frame = document.querySelector(".message-frame");
  const page = frame?.contentDocument;
  if (!page?.body || page.URL === "about:blank") return false;
  const ends = [...page.body.querySelectorAll("*")].map((each) => each.getBoundingClientRect().bottom);
  const end = Math.max(...ends) + page.defaultView.scrollY;
  const { scrollHeight, scrollWidth } = page.scrollingElement;
  return frame.clientHeight >= end && frame.clientHeight <= end + 160
    && scrollHeight <= frame.clientHeight + 1 && scrollWidth <= frame.clientWidth + 1;
})()"""
HEIGHT = "document.querySelector('.message-frame').clientHeight"


@pytest.fixture
def designs(visits: Visits, mailbox_user: Callable[..., MailUser]) -> Mail:
    """One mail for each of DESIGNS."""
    user = mailbox_user()
    deliver(user, [_html(name, body) for name, body in DESIGNS.items()])
    return read(make_account(user))


@pytest.mark.parametrize("size", ["wide", "tablet", "phone"])
def test_as_high_as_the_mail(visits: Visits, designs: Mail, size: str) -> None:
    page = visits.open(designs.account.user, size=size)
    for name in DESIGNS:
        page.goto(designs.path_of(name))
        wait_until(page, SNUG)


def test_it_follows_the_window(visits: Visits, designs: Mail) -> None:
    page = visits.open(designs.account.user, path=designs.path_of("wide"))
    wait_until(page, SNUG)
    before = page.evaluate(HEIGHT)
    page.set_viewport_size({"width": 760, "height": 900})
    wait_until(page, f"{SNUG} && {HEIGHT} !== {before}")
    page.set_viewport_size({"width": 1440, "height": 900})
    wait_until(page, f"{SNUG} && Math.abs({HEIGHT} - {before}) <= 2")


def test_from_one_to_the_next_in_the_pane(visits: Visits, designs: Mail) -> None:
    page = visits.open(designs.account.user, path=designs.path)
    for name in reversed(DESIGNS):
        page.locator(".row", has=page.get_by_text(name, exact=True)).click()
        expect(page.locator(".subject")).to_have_text(name)
        wait_until(page, SNUG)
    assert page.evaluate("document.querySelectorAll('iframe').length") == 1


def test_a_link_opens_a_window_that_knows_nothing_of_ours(
    visits: Visits, sinkhole: Sinkhole, mailbox_user: Callable[..., MailUser]
) -> None:
    user = mailbox_user()
    deliver(user, [_html("A link", f"{PARAGRAPH}<p><a href=http://harbour.example/tides?a=1>Tides</a></p>")])
    mail = read(make_account(user))
    page = visits.open(mail.account.user, path=mail.path_of("A link"))
    asked: list[dict[str, str]] = []

    def answer(route: Route) -> None:
        asked.append(route.request.headers)
        route.fulfill(body="<title>Tides</title>", content_type="text/html")

    page.context.route("http://harbour.example/**", answer)
    with page.expect_popup() as waiting:
        page.frame_locator(".message-frame").get_by_text("Tides").click()
    other = waiting.value
    expect(other).to_have_title("Tides")
    assert other.evaluate("[opener, document.referrer]") == [None, ""]
    assert "referer" not in asked[0]
    assert "cookie" not in asked[0]
    expect(page).to_have_url(re.compile(mail.path_of("A link")))
    other.close()
    visits.forgive("^a request to http://harbour.example/")
    sinkhole.forget()


def test_the_frame_by_itself_leads_to_the_message(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=f"{mail.path_of(NEWSLETTER)}frame/")
    expect(page).to_have_url(re.compile(f"{mail.path_of(NEWSLETTER)}$"))
    expect(page.frame_locator(".message-frame").locator("h1")).to_have_text("Bread")


def test_inline_images_are_shown_and_remote_ones_are_not(visits: Visits, mail: Mail, account: Account) -> None:
    page = visits.open(account.user, path=mail.path_of(NEWSLETTER))
    loaf = page.frame_locator(".message-frame").get_by_alt_text("Loaf")
    expect(loaf).to_have_js_property("complete", True)
    expect(loaf).to_have_js_property("naturalWidth", 1)
    sources = page.frame_locator(".message-frame").locator("img[src]")
    expect(sources).to_have_count(1)


def test_on_paper_there_is_the_message_alone(visits: Visits, designs: Mail) -> None:
    page = visits.open(designs.account.user, path=designs.path_of("long"))
    wait_until(page, SNUG)
    page.emulate_media(media="print")
    expect(page.locator(".subject")).to_be_visible()
    expect(page.locator(".message-frame")).to_be_visible()
    for part in (".list", ".sidebar", ".top", ".message-bar"):
        expect(page.locator(part).first).to_be_hidden()
    assert _pages_of(page) >= 3, "a long mail is printed whole"


def _pages_of(page: Page) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf()))


def _html(subject: str, body: str) -> bytes:
    message = letter(subject)
    message.set_content(body, subtype="html")
    return bytes(message)
