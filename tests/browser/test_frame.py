"""The frame that holds an HTML mail: as high as the mail, no wider than the pane, and closed to the page around."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visits
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
# Height of the frame, and where the last thing in it ends; whether anything in it has to be scrolled.
MEASURE = """() => {
  const frame = document.querySelector(".message-frame");
  const page = frame?.contentDocument;
  if (!page?.body) return { height: 0, end: 1, scrolls: true, sideways: true };
  const ends = [...page.body.querySelectorAll("*")].map((each) => each.getBoundingClientRect().bottom);
  return {
    height: frame.clientHeight,
    end: Math.max(...ends) + page.defaultView.scrollY,
    scrolls: page.scrollingElement.scrollHeight > frame.clientHeight + 1,
    sideways: page.scrollingElement.scrollWidth > frame.clientWidth + 1,
  };
}"""
FITS = f"({MEASURE})().height >= ({MEASURE})().end && !({MEASURE})().scrolls"


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
        page.wait_for_function(FITS)
        found = page.evaluate(MEASURE)
        assert found["height"] <= found["end"] + 160, f"{name}: nothing but air below {found}"
        assert not found["sideways"], f"{name}: {found}"
        if name == "short":
            assert found["height"] < 200
        if name == "long":
            assert found["height"] > 2000


def test_it_follows_the_window(visits: Visits, designs: Mail) -> None:
    page = visits.open(designs.account.user, path=designs.path_of("wide"))
    page.wait_for_function(FITS)
    before = page.evaluate(MEASURE)["height"]
    page.set_viewport_size({"width": 760, "height": 900})
    page.wait_for_function(f"() => {FITS} && !({MEASURE})().sideways")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.wait_for_function(f"() => {FITS} && Math.abs(({MEASURE})().height - {before}) < 40")


def test_from_one_to_the_next_in_the_pane(visits: Visits, designs: Mail) -> None:
    page = visits.open(designs.account.user, path=designs.path)
    for name in reversed(DESIGNS):
        page.locator(".row", has=page.get_by_text(name, exact=True)).click()
        expect(page.locator("#subject")).to_have_text(name)
        page.wait_for_function(FITS)
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
    page.wait_for_function(FITS)
    page.emulate_media(media="print")
    expect(page.locator("#subject")).to_be_visible()
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
