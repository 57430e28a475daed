"""Every page fits every screen, and what a finger touches is as large as a finger."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SIZES, Visits
from tests.browser.mail import ATTACHMENTS, PLAIN, Mail
from tests.browser.pages import LOOKS, go, windows
from webmail.models import User

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


@pytest.mark.parametrize("size", SIZES)
def test_every_page_fits(visits: Visits, mail: Mail, admin: User, size: str) -> None:
    pages = windows(visits, mail, admin, size=size)
    over = {}
    for name, look in LOOKS.items():
        go(visits, pages[look.who], look, mail)
        if found := pages[look.who].evaluate(OVER):
            over[name] = found
    assert _told(over) == ""


def test_targets_are_as_large_as_a_finger(visits: Visits, mail: Mail, admin: User) -> None:
    pages = windows(visits, mail, admin, size="phone")
    small = {}
    for name, look in LOOKS.items():
        if look.who != "admin":
            go(visits, pages[look.who], look, mail)
            if found := pages[look.who].evaluate(SMALL):
                small[name] = found
    assert _told(small) == ""


def test_a_phone_shows_one_pane(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path, size="phone")
    _expect_pane(page, "list")
    page.locator(".row > a", has_text=PLAIN).tap()
    _expect_pane(page, "reading")
    page.locator("[data-back]").tap()
    _expect_pane(page, "list")
    page.locator(".row > a", has_text=ATTACHMENTS).tap()
    _expect_pane(page, "reading")
    page.go_back()
    _expect_pane(page, "list")


def _expect_pane(page: Page, name: str) -> None:
    for each in ("list", "reading"):
        expect(page.locator(f"#{each}")).to_be_visible(visible=each == name)


def _told(found: dict[str, list[str]]) -> str:
    return "\n".join(f"{name}: {each}" for name, all_ in found.items() for each in all_)
