"""The paper of an HTML mail: white as its author meant it, the theme's where it has no colours, or dark on demand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Frame, Page, expect

from tests.browser.conftest import Visits, wait_until
from tests.browser.mail import Mail, deliver, read
from tests.message.letters import letter
from tests.reader import make_account
from tests.servers import MailUser

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
COLOURED = {
    "a shop": (
        '<body bgcolor="#ffffff" text="#333333" link="#1155cc"><table width="100%" bgcolor="#f4f4f4"><tr><td>'
        '<h1 style="color:#0a0a0a;background:linear-gradient(to right,#fff,#ffd400)">Sale</h1>'
        '<p style="color:rgba(0,0,0,.6)">Grey words <a href="https://shop.example/">and a link</a></p>'
        '<table><tr><td bgcolor="#1a56c4" style="border:1px solid #ccc"><a style="color:#fff;text-decoration:none" '
        'href="https://shop.example/">Buy</a></td>'
        '<td style="background:#c00 url(cid:x) no-repeat;color:white">50 %</td>'
        '<td style="background-color:rgb(255,240,0)"><font color="#888">new</font></td></tr></table>'
        f'<img width="20" height="20" alt="Dot" src="data:image/png;base64,{DOT}"></td></tr></table>'
    ),
    "a style block": (
        "<style>body{background:#fafafa;color:#222}.card{background:white;color:hsl(210,20%,40%);opacity:.6}"
        ".foot{background:#111;color:#999}@media (min-width:1px){.note{color:navy;background:lightyellow}}</style>"
        '<div class="card">A card<p class="note">and a note</p></div><div class="foot">the end</div>'
    ),
    "from Outlook": (
        "<style>p.MsoNormal{margin:0;font-family:Calibri;color:windowtext}</style><body lang=EN-GB link=blue>"
        '<p class="MsoNormal"><span style="color:#1F497D">Dear Alice</span>, <span style="background:yellow;'
        'mso-highlight:yellow">important</span> <span style="color:black">words</span></p>'
    ),
}
PLAIN = {
    "a letter": "<div dir=ltr>Dear Alice, <b>the ferry</b> leaves <a href='https://ferry.example/'>at ten</a>.</div>"
}

# The smallest contrast (WCAG 2.2) of any text with what it stands on, and how many texts there are.
CONTRAST = """() => {
  const paint = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const pixel = (colour, under) => {
    paint.fillStyle = under; paint.fillRect(0, 0, 1, 1);
    paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
    return paint.getImageData(0, 0, 1, 1).data;
  };
  const light = (data) => [0.2126, 0.7152, 0.0722].reduce((sum, share, at) => {
    const value = data[at] / 255;
    return sum + share * (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  }, 0);
  const under = (element) => {
    for (; element; element = element.parentElement) {
      const { backgroundColor, backgroundImage } = getComputedStyle(element);
      const stops = backgroundImage.match(/rgba?\\([^)]*\\)/g);
      if (stops) return stops;
      const over = ["#f0f", "#0f0"].map((below) => pixel(backgroundColor, below)[1]);
      if (over[0] !== 0 || over[1] !== 255) return [backgroundColor];
    }
    return ["#fff"];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let least = 99, count = 0;
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility({ opacityProperty: true })) continue;
    count++;
    for (const ground of under(element)) {
      const pair = [light(pixel(getComputedStyle(element).color, ground)), light(pixel(ground, "#fff"))];
      least = Math.min(least, (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05));
    }
  }
  return [least, count];
}"""
GROUND = "getComputedStyle(document.documentElement).backgroundColor"
DARK_GROUND = "oklch(0.218 0.013 262)"


@pytest.fixture
def coloured(visits: Visits, mailbox_user: Callable[..., MailUser]) -> Mail:
    """One mail for each of COLOURED and PLAIN."""
    user = mailbox_user()
    deliver(user, [_html(name, body) for name, body in (COLOURED | PLAIN).items()])
    return read(make_account(user))


def body_of(page: Page) -> Frame:
    """The frame of the mail, once it is there."""
    wait_until(page, "document.querySelector('.message-frame')?.contentDocument?.readyState === 'complete'")
    frame = page.frames[1]
    frame.wait_for_selector("body", state="attached")
    return frame


def test_coloured_mail_is_darkened_on_demand_and_it_is_remembered(visits: Visits, coloured: Mail) -> None:
    user = coloured.account.user
    page = visits.open(user, dark=True, path=coloured.path_of("a shop"))
    expect(page.frame_locator(".message-frame").get_by_text("Grey words")).to_have_css("color", "rgba(0, 0, 0, 0.6)")
    page.get_by_label("More", exact=True).click()
    page.get_by_role("button", name="Show on dark paper").click()
    expect(page.frame_locator(".message-frame").get_by_text("Grey words")).not_to_have_css(
        "color", "rgba(0, 0, 0, 0.6)"
    )
    for name in COLOURED:
        page.goto(coloured.path_of(name))
        frame = body_of(page)
        least, count = frame.evaluate(CONTRAST)
        assert count >= 3, name
        assert least >= 4.5, (name, least)
        assert frame.evaluate("[...document.querySelectorAll('*')].every((e) => getComputedStyle(e).filter === 'none')")
    page.get_by_label("More", exact=True).click()
    page.get_by_role("button", name="Show on white paper").click()
    user.refresh_from_db()
    assert not user.darken_mail


def test_the_switch_works_without_scripts(visits: Visits, coloured: Mail) -> None:
    page = visits.open(coloured.account.user, dark=True, scripts=False, path=coloured.path_of("a shop"))
    page.get_by_label("More", exact=True).click()
    with page.expect_navigation():
        page.get_by_role("button", name="Show on dark paper").click()
    page.get_by_label("More", exact=True).click()
    expect(page.get_by_role("button", name="Show on white paper")).to_be_visible()


def test_in_the_light_there_is_nothing_to_darken(visits: Visits, coloured: Mail) -> None:
    page = visits.open(coloured.account.user, path=coloured.path_of("a shop"))
    page.get_by_label("More", exact=True).click()
    expect(page.get_by_role("link", name="View source")).to_be_visible()
    expect(page.get_by_role("button", name="Show on dark paper")).to_be_hidden()


@pytest.mark.parametrize("dark", [False, True])
def test_a_letter_without_colours_follows_the_theme(visits: Visits, coloured: Mail, dark: bool) -> None:
    page = visits.open(coloured.account.user, dark=dark, path=coloured.path_of("a letter"))
    frame = body_of(page)
    least, count = frame.evaluate(CONTRAST)
    assert count == 5
    assert least >= 4.5
    assert (frame.evaluate(GROUND) == DARK_GROUND) is dark


def test_it_follows_the_theme_at_once(visits: Visits, coloured: Mail) -> None:
    page = visits.open(coloured.account.user, path=coloured.path_of("a letter"))
    assert body_of(page).evaluate(GROUND) == "rgb(255, 255, 255)"
    page.locator("theme-switch button").click()
    ground = (
        "getComputedStyle(document.querySelector('.message-frame').contentDocument.documentElement).backgroundColor"
    )
    wait_until(page, f"{ground} === '{DARK_GROUND}'")


def _html(subject: str, body: str) -> bytes:
    message = letter(subject)
    message.set_content(body, subtype="html")
    return bytes(message)


def test_a_change_of_theme_fades_nothing(visits: Visits, coloured: Mail) -> None:
    page = visits.open(coloured.account.user, path=coloured.path)
    page.emulate_media(reduced_motion="no-preference")
    fading = """async () => {
        const begun = [];
        document.addEventListener("transitionrun", (event) => begun.push(event.propertyName));
        document.querySelector("theme-switch button").click();
        for (let frame = 0; frame < 4; frame++) await new Promise(requestAnimationFrame);
        return [begun.filter((name) => name.includes("color")).length, document.documentElement.dataset];
    }"""
    begun, state = page.evaluate(fading)
    assert begun == 0
    assert state == {"theme": "dark"}
