"""Writing in Chromium: nothing typed is lost, a send can be undone, two windows notice one another."""

from __future__ import annotations

import re

from django.utils import timezone
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visits, expect_saved
from tests.browser.mail import PLAIN, Mail
from webmail.models import Draft, Submission
from webmail.store import identities, mirroring, persons, sync, templates

WORDS = "It leaves at nine."


def test_written_saved_read_again_sent_and_taken_back(visits: Visits, sender: Mail) -> None:
    page = visits.open(sender.account.user, path="/write/")
    page.get_by_label("Message", exact=True).fill(WORDS)
    expect_saved(page)
    expect(page).to_have_url(re.compile(r"/write/[0-9a-f-]{36}/"))
    page.reload()
    expect(page.get_by_label("Message", exact=True)).to_have_value(WORDS)
    page.get_by_label("To", exact=True).fill("bob@demo.test")
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator("undo-toast").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("textbox", name="Message", exact=True)).to_have_value(WORDS)
    assert Submission.objects.get().state == Submission.State.CANCELLED


def test_sent_where_nothing_is_left_to_save(visits: Visits, sender: Mail) -> None:
    draft = Draft.objects.create(
        account=sender.account, form_key="a-key", to="bob@demo.test", subject="Ferry", text=WORDS
    )
    page = visits.open(sender.account.user, path=f"/write/{draft.pk}/")
    expect(page.get_by_role("list", name="To, people")).to_have_text("bob@demo.test×")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("undo-toast").get_by_role("button", name="Undo")).to_be_visible()
    assert Submission.objects.get().draft_id == draft.pk


def test_a_reply_by_key_goes_back_to_the_message(visits: Visits, sender: Mail) -> None:
    page = visits.open(sender.account.user, path=sender.path_of(PLAIN))
    page.keyboard.press("r")
    body = page.get_by_role("textbox", name="Message", exact=True)
    expect(body).to_have_value(re.compile("> I went through the numbers"))
    # Chips: the page's scripts are there, and hear the key.
    expect(page.get_by_role("list", name="To, people")).to_have_text("Bob Novak×")
    body.press("Control+Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator(".subject")).to_have_text(PLAIN)
    assert Submission.objects.get().marks == "answered"


def test_what_the_server_has_not_lies_in_the_browser(visits: Visits, sender: Mail) -> None:
    page = visits.open(sender.account.user, path="/write/")
    page.context.set_offline(True)
    page.get_by_label("Message", exact=True).fill(WORDS)
    expect(page.locator(".state")).to_contain_text("kept in this browser")
    page.close()
    visits.forgive("ERR_INTERNET_DISCONNECTED|/write/")
    again = page.context.new_page()
    page.context.set_offline(False)
    again.goto("/write/")
    again.get_by_role("button", name="Bring them back").click()
    expect(again.get_by_label("Message", exact=True)).to_have_value(WORDS)
    expect_saved(again)


def test_over_the_keyboard_of_a_phone(visits: Visits, sender: Mail) -> None:
    """A low window: the foot stays in sight, and where one types is above it."""
    page = visits.open(sender.account.user, size="phone", path="/write/")
    page.set_viewport_size({"width": 390, "height": 470})
    page.get_by_label("To", exact=True).fill("bob@demo.test, carol@elsewhere.example, dan@elsewhere.example,")
    words = page.get_by_label("Message", exact=True)
    words.press_sequentially("attached\n" * 20)
    expect(page.locator(".hints > li").first).to_be_visible()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_in_viewport(ratio=1)
    words.press_sequentially("here")
    last, foot = words.bounding_box(), page.locator(".write-foot").bounding_box()
    assert last
    assert foot
    assert 0 < foot["y"] - (last["y"] + last["height"]) + 16 < 50


def test_two_windows_notice_one_another(visits: Visits, sender: Mail) -> None:
    draft = Draft.objects.create(account=sender.account, form_key="a-key", subject="Ferry")
    one, two = (visits.open(sender.account.user, path=f"/write/{draft.pk}/") for _ in range(2))
    one.get_by_label("Message", exact=True).fill("At nine")
    expect_saved(one)
    two.get_by_label("Message", exact=True).fill("At ten")
    two.get_by_role("button", name="Show theirs").click()
    expect(two.get_by_label("Message", exact=True)).to_have_value("At nine")
    two.get_by_role("button", name="Bring them back").click()
    expect_saved(two)
    one.get_by_label("Message", exact=True).fill("At eleven")
    one.get_by_role("button", name="Keep mine").click()
    expect_saved(one)
    two.get_by_label("Message", exact=True).fill("At ten")
    two.get_by_role("button", name="Keep mine").click()
    expect_saved(two)
    draft.refresh_from_db()
    assert draft.text == "At ten"
    # Sent in one of them: the other is told, and goes on as a message of its own.
    two.get_by_label("To", exact=True).fill("bob@demo.test")
    two.get_by_role("button", name="Send", exact=True).click()
    two.locator("undo-toast").wait_for()
    one.get_by_label("Message", exact=True).fill("At noon")
    one.get_by_role("button", name="Keep this as a new message").click()
    expect_saved(one)
    assert Draft.objects.exclude(pk=draft.pk).get().text == "At noon"
    visits.forgive("status of 409")


def test_recipients_are_chips(visits: Visits, sender: Mail) -> None:
    persons.save(sender.account.user, "carol@demo.test", persons.Facts("Carol Quay"))
    page = visits.open(sender.account.user, path="/write/")
    to = page.get_by_role("combobox", name="To", exact=True)
    chips = page.get_by_role("list", name="To, people").get_by_role("listitem")
    truth = page.locator("input[name=to]")
    # Typed, and completed.
    to.press_sequentially('"Quay, Dan" <dan@demo.test>, ')
    expect(chips).to_have_text("Quay, Dan×")
    to.press("Backspace")
    page.keyboard.press("Backspace")
    to.press_sequentially("bob@demo.test, car")
    expect(page.get_by_role("option", name="Carol Quay")).to_be_visible()
    to.press("Enter")
    expect(chips).to_have_count(2)
    expect(truth).to_have_value("bob@demo.test, Carol Quay <carol@demo.test>")
    expect(page.locator(".suggested > li")).to_have_count(0)
    # Pasted: quotes, a group, a spreadsheet's line, letters that are not ASCII, blanks and lines between; somebody who
    # is there already.
    crew = "Quay, Dan <dan@demo.test>, Crew: erin@demo.test, bob@demo.test; BOB@demo.test"
    _paste(to, f"{crew}\nIvy Quay\tivy@demo.test\nfrank@bücher.example grace@demo.test, heidi@")
    expect(chips).to_have_count(8)
    expect(chips.nth(2)).to_have_text("Quay, Dan×")
    expect(page.locator("#to-error")).to_contain_text("the part after the @ is missing")
    expect(page.get_by_role("status").filter(has_text="the part after the @ is missing")).to_be_attached()
    # One is mended: Backspace goes to it, Enter opens it.
    to.press("Backspace")
    expect(chips.last.get_by_role("button", name="heidi@", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(to).to_have_value("heidi@")
    page.keyboard.press("End")
    page.keyboard.type("demo.test")
    page.keyboard.press("Tab")
    expect(page.locator("#to-error")).to_be_hidden()
    # Two go.
    page.get_by_role("button", name="Remove Carol Quay").click()
    to.press("Backspace")
    page.keyboard.press("Backspace")
    expect(chips).to_have_count(6)
    expect(truth).to_have_value(
        'bob@demo.test, "Quay, Dan" <dan@demo.test>, erin@demo.test, Ivy Quay <ivy@demo.test>, frank@bücher.example, '
        "grace@demo.test"
    )
    expect_saved(page)
    page.reload()
    expect(chips).to_have_text(
        ["bob@demo.test×", "Quay, Dan×", "erin@demo.test×", "Ivy Quay×", "frank@bücher.example×", "grace@demo.test×"]
    )
    page.get_by_text("Cc, Bcc").click()
    expect(page.get_by_role("combobox", name="Cc", exact=True)).to_be_focused()


def test_with_formatting_and_back(visits: Visits, sender: Mail) -> None:
    page = visits.open(sender.account.user, path="/write/")
    page.get_by_label("Message", exact=True).fill("At nine")
    page.get_by_role("button", name="Format", exact=True).click()
    rich = page.locator(".rich")
    expect(rich).to_have_text("At nine")
    rich.press("Control+a")
    page.get_by_role("button", name="Bold").click()
    expect(rich.locator("b")).to_have_text("At nine")
    rich.press("Control+z")
    expect(rich.locator("b")).to_have_count(0)
    rich.press("Control+a")
    page.get_by_role("button", name="Bold").click()
    expect(rich.locator("b")).to_have_text("At nine")
    expect_saved(page)
    assert Draft.objects.get().is_html
    page.reload()
    expect(rich.locator("b")).to_have_text("At nine")
    # It is asked before anything is lost, be it one line through the words.
    rich.press("Control+a")
    page.get_by_role("button", name="Bold").click()
    rich.press("Control+Shift+7")
    expect(rich.locator("s")).to_have_text("At nine")
    page.get_by_role("button", name="Plain text").click()
    page.get_by_role("button", name="Make it plain text").click()
    expect(page.locator("textarea")).to_have_value("At nine")


def test_a_draft_in_the_list_opens_its_editor(visits: Visits, sender: Mail) -> None:
    draft = Draft.objects.create(account=sender.account, form_key="a-key", subject="Ferry", copy_at=timezone.now())
    mirroring.mirror(draft.pk)
    box = sender.account.mailboxes.select_related("account__provider").get(role="drafts")
    sync.refresh(box)
    # Over the list where there is room, and back to its row.
    page = visits.open(sender.account.user, path=f"/mailbox/{box.pk}/")
    page.locator(".row > a").click()
    panel = page.get_by_role("dialog")
    expect(panel.get_by_label("Subject")).to_have_value("Ferry")
    expect(page).to_have_url(re.compile(rf"/mailbox/{box.pk}/$"))
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(page.locator(".row > a")).to_be_focused()
    expect(page.locator(".row > [aria-current]")).to_have_count(0)
    # On a phone as a page.
    phone = visits.open(sender.account.user, path=f"/mailbox/{box.pk}/", size="phone")
    phone.locator(".row > a").click()
    expect(phone).to_have_url(re.compile(rf"/write/{draft.pk}/"))
    expect(phone.get_by_label("Subject")).to_have_value("Ferry")
    phone.get_by_role("link", name="Back").click()
    expect(phone).to_have_url(re.compile(rf"/mailbox/{box.pk}/"))


def test_sent_on_to_people_of_the_address_book(visits: Visits, sender: Mail) -> None:
    persons.save(sender.account.user, "carol@demo.test", persons.Facts("Carol Quay"))
    page = visits.open(sender.account.user, path=sender.path_of(PLAIN).replace("message", "write/redirect"))
    to = page.get_by_role("combobox", name="To")
    expect(to).to_be_focused()
    page.keyboard.type("car")
    expect(page.get_by_role("option", name="Carol Quay")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="1 suggestion")).to_be_attached()
    page.keyboard.press("Enter")
    page.keyboard.type("heidi@")
    page.get_by_role("button", name="Send on").click()
    expect(page.locator("#to-error")).to_contain_text("the part after the @ is missing")
    visits.forgive("status of 422")
    page.get_by_role("button", name="Remove heidi@").click()
    page.get_by_role("button", name="Send on").click()
    expect(page.locator(".subject")).to_have_text(PLAIN)
    expect(page.locator("undo-toast").get_by_role("button")).to_contain_text("Undo")
    assert Submission.objects.get().recipients == [["carol@demo.test", "", ""]]


def test_a_template_goes_where_the_cursor_is(visits: Visits, sender: Mail) -> None:
    templates.save(
        sender.account.user, name="Ferry", text="Dear {first_name}, at nine.", html="<b>Dear {first_name}</b>"
    )
    page = visits.open(sender.account.user, path="/write/?to=Bob+Novak+<bob@demo.test>")
    area = page.get_by_label("Message", exact=True)
    area.fill("PS: bring bread")
    area.press("Home")
    area.press("Control+.")
    expect(page.get_by_role("button", name="Ferry")).to_be_focused()
    page.keyboard.press("Enter")
    expect(area).to_have_value("Dear Bob, at nine.PS: bring bread")
    page.keyboard.press("Control+z")
    expect(area).to_have_value("PS: bring bread")
    page.keyboard.press("Control+Shift+z")
    expect(area).to_have_value("Dear Bob, at nine.PS: bring bread")
    page.get_by_role("button", name="Format", exact=True).click()
    expect(page.locator(".rich")).to_be_focused()
    page.locator(".rich").press("Control+.")
    expect(page.get_by_role("button", name="Ferry")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".rich b")).to_have_text("Dear Bob")
    page.keyboard.press("Control+z")
    expect(page.locator(".rich b")).to_have_count(0)
    page.keyboard.press("Control+Shift+z")
    expect(page.locator(".rich b")).to_have_text("Dear Bob")
    expect_saved(page)


def test_another_sender_has_another_signature(visits: Visits, sender: Mail) -> None:
    address = sender.account.address
    html = "<div>Alice</div><div><i>Harbour office</i></div>"
    identities.save(sender.account, address=address, signature_html=html, is_default=True)
    shop = address.replace("@", "+shop@")
    identities.save(sender.account, address=shop, signature_text="Chandlery", signature_html="<b>Chandlery</b>")
    page = visits.open(sender.account.user, path="/write/")
    area = page.get_by_label("Message", exact=True)
    expect(area).to_have_value("\n\n-- \nAlice\nHarbour office")
    page.get_by_label("From").select_option(label=shop)
    expect(area).to_have_value("\n\n-- \nChandlery")
    area.fill("At nine\n\n-- \nChandlery")
    page.get_by_label("From").select_option(label=address)
    expect(area).to_have_value("At nine\n\n-- \nAlice\nHarbour office")
    page.get_by_role("button", name="Format", exact=True).click()
    rich = page.locator(".rich")
    # The formatted one takes the place of the plain one.
    expect(rich.locator("i")).to_have_text("Harbour office")
    expect(rich).not_to_contain_text("--")
    page.get_by_label("From").select_option(label=shop)
    expect(rich.locator("b")).to_have_text("Chandlery")
    expect(rich).not_to_contain_text("Harbour office")
    expect_saved(page)
    assert "<b>Chandlery</b>" in Draft.objects.get().html
    # What somebody changed stays.
    rich.locator("b").evaluate("(bold) => { bold.textContent = 'My own words'; }")
    page.get_by_label("From").select_option(label=address)
    expect(rich).to_contain_text("My own words")


def test_without_scripts_it_is_a_form(visits: Visits, sender: Mail) -> None:
    page = visits.open(sender.account.user, scripts=False, path="/write/")
    page.get_by_label("To", exact=True).fill("bob@demo.test, nobody")
    page.get_by_label("Message", exact=True).fill(WORDS)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#to-error")).to_contain_text("it has no @")
    expect(page.get_by_label("Message", exact=True)).to_have_value(WORDS)
    page.get_by_label("To", exact=True).fill("bob@demo.test")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value(WORDS)
    visits.forgive("status of 422")


def _paste(field: Locator, text: str) -> None:
    field.evaluate(
        """(field, text) => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text/plain", text);
          field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        text,
    )
