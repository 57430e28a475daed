"""The editor over the mail: opened and closed by keys and buttons, without leaving the list or the message."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visits
from tests.browser.mail import PLAIN, Mail
from webmail.models import Draft, Submission

WORDS = "It leaves at nine."


def test_over_the_list_and_over_a_message(visits: Visits, sender: Mail) -> None:
    page = visits.open(sender.account.user, path=sender.path)
    panel = page.get_by_role("dialog")
    body = panel.get_by_label("Message", exact=True)
    # By key, without leaving the list; the list made anew leaves it alone.
    page.keyboard.press("c")
    expect(panel.get_by_role("combobox", name="To", exact=True)).to_be_focused()
    body.fill(WORDS)
    page.evaluate("document.querySelector('mail-panes').fetchList()")
    expect(panel.locator(".state")).to_have_text(re.compile(r"^Saved \d\d:\d\d$"))
    expect(page).to_have_url(re.compile(f"{sender.path}$"))
    panel.get_by_role("button", name="Minimise").click()
    expect(body).to_be_hidden()
    panel.get_by_role("heading").click()
    expect(body).to_have_value(WORDS)
    # Escape keeps the draft, which the toast opens again.
    body.press("Escape")
    expect(panel).to_have_count(0)
    page.get_by_role("button", name="Open", exact=True).click()
    expect(body).to_have_value(WORDS)
    # Sent from the keyboard: what is missing is said, then it goes; Undo brings it back over the list.
    body.press("Control+Enter")
    expect(panel.locator("#to-error")).to_have_text("Say whom this is for.")
    visits.forgive("status of 422")
    panel.get_by_role("combobox", name="To", exact=True).fill("bob@demo.test")
    body.press("Control+Enter")
    expect(panel).to_have_count(0)
    expect(page.locator("#main")).to_be_focused()  # the toast that opened it is gone
    page.locator("undo-toast").get_by_role("button", name="Undo").click()
    expect(body).to_have_value(WORDS)
    assert Submission.objects.get().state == Submission.State.CANCELLED
    # Thrown away, when one is sure.
    panel.get_by_role("button", name="Discard").click()
    panel.get_by_role("button", name="Throw away").click()
    expect(page.locator(".toast").last).to_contain_text("The draft is thrown away.")
    expect(panel).to_have_count(0)
    assert not Draft.objects.exists()
    # A reply beside the message it answers; another message takes its place, and Escape gives the focus back.
    page.get_by_role("link", name=re.compile(PLAIN)).click()
    expect(page.locator(".subject")).to_have_text(PLAIN)
    page.keyboard.press("r")
    expect(body).to_have_value(re.compile("> I went through the numbers"))
    expect(page.locator(".subject")).to_have_text(PLAIN)
    expect(body).to_be_focused()
    page.get_by_role("link", name="Compose").click()
    expect(panel.get_by_role("heading")).to_have_text("New message")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(page.get_by_role("link", name="Compose")).to_be_focused()
    # A page of its own.
    page.keyboard.press("r")
    panel.get_by_role("button", name="Open as a page").click()
    expect(page).to_have_url(re.compile(r"/write/[0-9a-f-]{36}/"))
    page.get_by_role("link", name="Back").click()
    expect(page.locator(".subject")).to_have_text(PLAIN)
    # Several go on as files, from the list.
    page.goto(sender.path)
    for box in page.locator(".pick").all()[:2]:
        box.click()
    page.locator(".bar summary").click()
    page.get_by_role("button", name="Forward as files").click()
    expect(panel.locator(".files .file-name")).to_have_count(2)
    expect(page).to_have_url(re.compile(f"{sender.path}$"))
    expect(page.locator(".bar details[open]")).to_have_count(0)
