"""Every page at every size, under a mouse and under a finger, by day and by night.

Nothing is wider than the window, what a finger touches is as large as a finger, and axe-core finds nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import SIZES, Visits
from tests.browser.mail import ATTACHMENTS, PLAIN, Mail, read
from tests.browser.pages import DRAWN, LOOKS, Look, go, windows
from tests.servers import MailUser
from webmail.models import Account, User

AXE = (Path(settings.BASE_DIR) / "node_modules/axe-core/axe.min.js").read_text()
AXE_AT, DARK_AT = ("wide", "phone"), "wide"  # colours are the same at every size
CORPUS = Path(settings.BASE_DIR) / "tests" / "corpus"
CARDS = ("calendar-request", "contact-3.0", "report-of-postfix", "receipt-that-it-was-shown", "smime-detached",
         "digest-with-defaults", "tnef", "pgp-signed-inline")  # fmt: skip
COLOURS = ["color-contrast", "link-in-text-block"]
# The mail in the frame is its author's, and the frame is tested as the element that it is.
RUN_AXE = """async (rules) => {
  const options = { iframes: false, resultTypes: ["violations"] };
  if (rules) options.runOnly = { type: "rule", values: rules };
  const { violations } = await axe.run(document, options);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, any, all, none }) =>
    `${id}: ${html.slice(0, 160)} ${[...any, ...all, ...none].map((check) => check.message).join(" ").slice(0, 260)}`));
}"""
# What is wider than the window, or can be scrolled sideways, or pressed but not reached.
OVER = """() => {
  const over = [];
  // A strip that is meant to be moved sideways, such as the filters or a table of the panel.
  const strip = (element) => {
    for (let at = element.parentElement; at && !at.matches("[class*=scroll], .page, .list-body"); at = at.parentElement)
      if (["auto", "scroll"].includes(getComputedStyle(at).overflowX) && at.scrollWidth > at.clientWidth) return at;
  };
  const root = document.scrollingElement;
  if (root.scrollWidth > innerWidth) over.push(`the page: ${root.scrollWidth}`);
  for (const box of document.querySelectorAll(".page, .list-body, .message-scroll, .sidebar-scroll, dialog, .menu"))
    if (box.clientWidth && box.scrollWidth > box.clientWidth) over.push(`${box.className}: ${box.scrollWidth}`);
  for (const control of document.querySelectorAll("a, button, summary, input, select")) {
    const { left, right, width } = control.getBoundingClientRect();
    const seen = control.checkVisibility({ checkVisibilityCSS: true }) && width > 1;
    if (seen && !strip(control) && (left < -1 || right > innerWidth + 1))
      over.push(`out of reach: ${control.outerHTML.slice(0, 120)} ${Math.round(left)}–${Math.round(right)}`);
  }
  return over;
}"""
# Controls under 44 px either way; links in a sentence are as high as their line.
SMALL = """() => [...document.querySelectorAll("a, button, summary, select, input")].flatMap((control) => {
  if (!control.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true })) return [];
  if (control.matches(".skip") || getComputedStyle(control).display === "inline") return [];
  // A small button or tick whose label is pressed with it.
  const target = control.matches("[type=radio], [type=checkbox]") ? control.closest("label") ?? control : control;
  // Some have a larger, unseen box over them to be pressed on.
  const own = target.getBoundingClientRect();
  const over = getComputedStyle(target, "::after");
  const [width, height] = ["width", "height"].map((side) =>
    Math.max(own[side], (over.position === "absolute" && parseFloat(over[side])) || 0));
  return width >= 43.5 && height >= 43.5 ? [] : [
    `${Math.round(width)}×${Math.round(height)} ${control.outerHTML.replace(/<svg.*<\\/svg>/, "").slice(0, 140)}`];
})"""


@pytest.mark.parametrize("sizes", [("wide", "zoomed"), ("tablet", "phone", "small")], ids=["mouse", "finger"])
def test_every_page(visits: Visits, mail: Mail, admin: User, sizes: tuple[str, ...]) -> None:
    pages = windows(visits, mail, admin, size=sizes[0])
    found = [f"{name}: {each}" for name in LOOKS for each in _examine(visits, pages, name, mail, sizes)]
    assert "\n".join(found) == ""


@pytest.mark.parametrize("state", [Account.State.AWAY, Account.State.LOGIN_NEEDED])
def test_an_account_in_trouble(visits: Visits, mail: Mail, admin: User, state: Account.State) -> None:
    Account.objects.update(state=state, state_detail="Connection refused")
    pages = windows(visits, mail, admin, size="wide")
    names = ("mailbox", "mailbox, sidebar", "settings", "account", "panel, accounts")
    found = [f"{name}: {each}" for name in names for each in _examine(visits, pages, name, mail, ("wide",))]
    assert "\n".join(found) == ""


@pytest.mark.parametrize("sizes", [("wide",), ("tablet", "phone", "small")], ids=["mouse", "finger"])
def test_every_card(visits: Visits, account: Account, mail_user: MailUser, sizes: tuple[str, ...]) -> None:
    """Invitations, contacts, reports, signatures, messages inside: what mail brings beside its text."""
    for path in (CORPUS / f"{name}.eml" for name in CARDS):
        mail_user.append("INBOX", path.read_bytes())
    mail = read(account)
    pages = windows(visits, mail, account.user, size=sizes[0])
    found = []
    for name, message in zip(CARDS, mail.inbox.messages.order_by("uid"), strict=True):
        look = Look(lambda _, pk=message.pk: f"/message/{pk}/")
        found += [f"{name}: {each}" for each in _examine_look(visits, pages["alice"], look, mail, sizes)]
    assert "\n".join(found) == ""


def test_a_phone_shows_one_pane(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path, size="phone")
    _expect_pane(page, "list")
    page.locator(".row > a", has_text=PLAIN).tap()
    _expect_pane(page, "reading")
    page.locator("[data-back]").tap()
    _expect_pane(page, "list")
    expect(page.locator(".row > a", has_text=PLAIN)).to_be_focused()
    page.locator(".row > a", has_text=ATTACHMENTS).tap()
    _expect_pane(page, "reading")
    page.go_back()
    _expect_pane(page, "list")


def test_back_from_a_message_that_is_slow_to_come(visits: Visits, mail: Mail) -> None:
    """A phone shows that it is on its way: Back leads to the list, and it doesn't come after all."""
    page = visits.open(mail.account.user, path=mail.path, size="phone")
    held: list[Route] = []
    page.route("**/message/*/**", lambda route: held.append(route))  # noqa: PLW0108  Playwright marks what it is given
    for _ in range(2):
        page.locator(".row > a", has_text=PLAIN).tap()
        _expect_pane(page, "reading")
        expect(page).to_have_url(re.compile("/message/"))
        page.go_back()
        _expect_pane(page, "list")
        expect(page).to_have_url(re.compile(f"{mail.path}$"))
    for each in held:
        each.continue_()
    page.wait_for_timeout(500)
    _expect_pane(page, "list")
    page.unroute("**/message/*/**")
    page.locator(".row > a", has_text=PLAIN).tap()
    _expect_pane(page, "reading")


def _expect_pane(page: Page, name: str) -> None:
    for each in ("list", "reading"):
        expect(page.locator(f"#{each}")).to_be_visible(visible=each == name)


def _examine(visits: Visits, pages: dict[str, Page], name: str, mail: Mail, sizes: Sequence[str]) -> list[str]:
    look = LOOKS[name]
    return _examine_look(visits, pages[look.who], look, mail, sizes)


def _examine_look(visits: Visits, page: Page, look: Look, mail: Mail, sizes: Sequence[str]) -> list[str]:
    """What is wrong with one page at these sizes, each in words that say where."""
    width, height = SIZES[sizes[0]]
    page.set_viewport_size({"width": width, "height": height})
    go(visits, page, look, mail)
    page.evaluate(AXE)
    found = []
    for size in sizes:
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(DRAWN)
        found += [f"{size}, {each}" for each in _over(page)]
        if size == "phone" and look.who != "admin":
            found += [f"{size}, small: {each}" for each in page.evaluate(SMALL)]
        if size in AXE_AT:
            found += [f"{size}, {each}" for each in page.evaluate(RUN_AXE, None)]
        if size == DARK_AT:
            page.emulate_media(color_scheme="dark")
            page.evaluate(DRAWN)
            found += [f"{size}, dark, {each}" for each in page.evaluate(RUN_AXE, COLOURS)]
            page.emulate_media(color_scheme="light")
    return found


def _over(page: Page) -> list[str]:
    """What is wider than the window once the page has settled, which takes some frames after a resize."""
    over: list[str] = page.evaluate(OVER)
    deadline = time.monotonic() + 5
    while over and time.monotonic() < deadline:
        page.wait_for_timeout(200)
        over = page.evaluate(OVER)
    return over
