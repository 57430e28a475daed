"""Signatures and templates are written as a message is: with a toolbar, beside their plain words, and seen before."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visits
from tests.browser.mail import Mail
from webmail.models import Identity, Template
from webmail.store import identities


def test_a_template_is_written_with_a_toolbar_and_looked_at(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path="/settings/templates/")
    page.get_by_label("Name", exact=True).fill("Ferry")
    rich = page.get_by_role("textbox", name="Words", exact=True)
    rich.click()
    page.keyboard.type("Dear , at ")
    page.keyboard.press("Control+b")
    page.keyboard.type("nine")
    page.keyboard.press("Home")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    # One stop for Tab, arrows within.
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Bold")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("button", name="Clear formatting")).to_be_focused()
    page.get_by_role("button", name="First name").click()
    expect(rich).to_have_text("Dear {first_name}, at nine")
    page.get_by_text("As plain text").click()
    area = page.get_by_role("textbox", name="Words as plain text")
    expect(area).to_have_value("Dear {first_name}, at nine")
    page.get_by_text("Preview").click()
    shown = page.locator(".as-sent figure")
    expect(shown.first.locator("b")).to_have_text("nine")
    expect(shown.last.locator("pre")).to_have_text("Dear Bob, at nine")
    # In step until somebody writes it anew.
    rich.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(".")
    expect(area).to_have_value("Dear {first_name}, at nine.")
    area.press("Control+End")
    page.keyboard.type(" Your ")
    page.get_by_role("button", name="My name").click()
    rich.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("!")
    expect(shown.first).to_contain_text("nine.!")
    expect(area).to_have_value("Dear {first_name}, at nine. Your {my_name}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Ferry", exact=True)).to_be_visible()
    row = Template.objects.get()
    assert row.text == "Dear {first_name}, at nine. Your {my_name}"
    assert row.html == "<div>Dear {first_name}, at&nbsp;<b>nine.!</b></div>"


def test_a_signature_that_nobody_touches_stays_as_it_is(visits: Visits, mail: Mail) -> None:
    html = "<p>Alice<br>Quay  4</p>"
    row = identities.save(
        mail.account, address=mail.account.address, signature_text="Alice,  Quay 4", signature_html=html
    )
    page = visits.open(mail.account.user, path=f"/settings/identities/{row.pk}/")
    expect(page.get_by_role("textbox", name="Signature", exact=True)).to_contain_text("Quay")
    page.get_by_text("Preview").click()
    expect(page.locator(".as-sent pre")).to_contain_text("Alice,  Quay 4")
    page.get_by_label("In answers it stands").select_option(label="Below the quote")
    expect(page.locator(".as-sent pre")).to_contain_text("-- \nAlice,  Quay 4")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    row.refresh_from_db()
    assert (row.signature_text, row.signature_html) == ("Alice,  Quay 4", html)
    assert row.signature_place == Identity.Place.BELOW
    # What somebody wrote themselves can follow again.
    page.goto(f"/settings/identities/{row.pk}/")
    page.get_by_text("As plain text").click()
    page.get_by_role("button", name="Make them from those above").click()
    expect(page.get_by_role("textbox", name="Signature as plain text")).to_have_value("Alice\nQuay 4")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    row.refresh_from_db()
    assert row.signature_text == "Alice\nQuay 4"


def test_links_and_what_is_pasted(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path="/settings/identities/")
    rich = page.get_by_role("textbox", name="Signature", exact=True)
    rich.click()
    page.keyboard.type("Alice, ")
    page.keyboard.press("Control+k")
    page.keyboard.type("quay.example")
    page.keyboard.press("Enter")
    # Who writes on writes behind it; its address can be changed where the cursor is in it.
    page.keyboard.type(" and more")
    expect(rich).to_have_text("Alice, quay.example and more")
    link = rich.get_by_role("link", name="quay.example", exact=True)
    link.dblclick()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Control+k")
    expect(page.get_by_label("Address of the link")).to_have_value("https://quay.example")
    page.get_by_label("Address of the link").fill("alice@quay.example")
    page.keyboard.press("Enter")
    expect(link).to_have_attribute("href", "mailto:alice@quay.example")
    page.keyboard.press("Control+End")
    page.keyboard.press("Enter")
    rich.evaluate(
        """(rich) => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text/html", "<h3>Harbour</h3><table><tr><td>Pier</td><td><b>4</b></td></tr></table>");
          rich.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
          const files = new DataTransfer();
          files.items.add(new File(["x"], "quay.png", { type: "image/png" }));
          rich.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
        }"""
    )
    page.get_by_role("button", name="All right").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    row = Identity.objects.get()
    assert row.signature_text == "Alice, quay.example <alice@quay.example> and more\nHarbour\nPier 4"
