"""Writing in Chromium: nothing typed is lost, a send can be undone, two windows notice one another."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Visits
from tests.browser.mail import PLAIN, Mail
from webmail.models import Draft, Provider, Submission
from webmail.store import identities, mirroring, persons, sync, templates

WORDS = "It leaves at nine."
FILES = (("plan.txt", 9), ("big.bin", 300_000), ("none.txt", 0), ("plan.txt", 9))


@pytest.fixture
def sender(mail: Mail) -> Mail:
    """Mail of somebody who can send."""
    Provider.objects.filter(pk=mail.account.provider_id).update(smtp_host="127.0.0.1", smtp_port=2525)
    return mail


def test_written_saved_read_again_sent_and_taken_back(visits: Visits, sender: Mail) -> None:
    page = visits.open(sender.account.user, path="/write/")
    page.get_by_label("Message", exact=True).fill(WORDS)
    _expect_saved(page)
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
    _expect_saved(again)


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
    _expect_saved(one)
    two.get_by_label("Message", exact=True).fill("At ten")
    two.get_by_role("button", name="Show theirs").click()
    expect(two.get_by_label("Message", exact=True)).to_have_value("At nine")
    two.get_by_role("button", name="Bring them back").click()
    _expect_saved(two)
    one.get_by_label("Message", exact=True).fill("At eleven")
    one.get_by_role("button", name="Keep mine").click()
    _expect_saved(one)
    two.get_by_label("Message", exact=True).fill("At ten")
    two.get_by_role("button", name="Keep mine").click()
    _expect_saved(two)
    draft.refresh_from_db()
    assert draft.text == "At ten"
    # Sent in one of them: the other is told, and goes on as a message of its own.
    two.get_by_label("To", exact=True).fill("bob@demo.test")
    two.get_by_role("button", name="Send", exact=True).click()
    two.locator("undo-toast").wait_for()
    one.get_by_label("Message", exact=True).fill("At noon")
    one.get_by_role("button", name="Keep this as a new message").click()
    _expect_saved(one)
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
    _expect_saved(page)
    page.reload()
    expect(chips).to_have_text(
        ["bob@demo.test×", "Quay, Dan×", "erin@demo.test×", "Ivy Quay×", "frank@bücher.example×", "grace@demo.test×"]
    )
    page.get_by_text("Cc, Bcc").click()
    expect(page.get_by_role("combobox", name="Cc", exact=True)).to_be_focused()


def test_a_file_goes_up_by_itself(visits: Visits, sender: Mail) -> None:
    page = visits.open(sender.account.user, path="/write/")
    files = page.locator(".files li:not(.waiting)")
    _attach(page, "plan.txt")
    expect(files).to_contain_text("plan.txt")
    page.get_by_role("button", name="Remove plan.txt").click()
    expect(page.locator(".files li")).to_have_count(0)
    # One is long on its way: what is typed meanwhile is saved, and stays so; the one behind it is not wanted any more.
    held: list[Route] = []
    page.route(lambda url: "/write/" in url, lambda route: _hold(route, held))
    _attach(page, "long.bin")
    _attach(page, "wrong.bin")
    page.get_by_label("Message", exact=True).fill(WORDS)
    expect(page.locator("compose-form[data-unsaved]")).to_have_count(0)
    page.get_by_role("button", name="Don't upload wrong.bin").click()
    # It doesn't come through, which is said; and it isn't sent without it unawares.
    held.pop().abort()
    expect(page.locator(".state")).to_contain_text("long.bin is not uploaded yet")
    page.get_by_label("Message", exact=True).press("Control+Enter")
    page.get_by_role("button", name="Wait for it").click()
    page.get_by_role("button", name="Try again to upload long.bin").click()
    page.wait_for_timeout(100)
    # It comes through, but nobody hears so: sent once more, it is there once.
    lost = held.pop()
    assert lost.fetch().ok
    lost.abort()
    page.get_by_role("button", name="Try again to upload long.bin").click()
    page.wait_for_timeout(100)
    held.pop().continue_()
    expect(files).to_have_text(re.compile("long.bin"))
    expect(page.locator(".waiting")).to_have_count(0)
    # One that is stopped has come through all the same: it is taken off.
    _attach(page, "late.bin")
    expect(page.locator(".waiting")).to_have_count(1)
    page.wait_for_timeout(100)
    assert held.pop().fetch().ok  # unheard in the page
    assert Draft.objects.get().files.count() == 2
    page.get_by_role("button", name="Don't upload late.bin").click()
    _until(page, lambda: Draft.objects.get().files.count() == 1)
    visits.forgive("ERR_FAILED")
    draft = Draft.objects.get()
    assert draft.text == WORDS
    assert [file.name for file in draft.files.all()] == ["long.bin"]


def test_what_can_not_be_attached_is_said_until_it_is_read(visits: Visits, sender: Mail) -> None:
    Provider.objects.update(smtp_size_limit=200_000)
    page = visits.open(sender.account.user, path="/write/")
    said = page.locator(".write-said")
    page.get_by_label("Attach files").set_input_files(
        [{"name": name, "mimeType": "text/plain", "buffer": bytes(size)} for name, size in FILES]
    )
    expect(said).to_contain_text("big.bin is not attached. It has 0.3 MB, and 0.1 MB are left in this message.")
    files = page.locator(".files li:not(.waiting)")
    expect(files).to_have_count(3)
    _expect_saved(page)
    expect(said).to_contain_text("big.bin")
    page.get_by_role("button", name="All right").click()
    expect(said).to_be_empty()
    # What is no file any more when it is read, as a folder that was dropped.
    page.locator("form.write").evaluate(
        """(form) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File(["x"], "Fotos"));
          Object.defineProperty(DataTransferItem.prototype, "webkitGetAsEntry", {
            value: () => ({ name: "Fotos", isDirectory: true }), configurable: true });
          form.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }"""
    )
    expect(said).to_contain_text("Fotos is not attached. It is a folder")
    expect(files).to_have_count(3)
    # The keyboard stays among the files.
    page.get_by_role("button", name="Remove none.txt").press("Enter")
    expect(files).to_have_count(2)
    expect(page.get_by_role("button", name="Remove plan.txt").first).to_be_focused()
    page.get_by_role("button", name="Remove plan.txt").last.focus()
    page.locator("compose-form").evaluate(
        "(composer) => composer.begun().then(() => composer.changed()).then(() => composer.save())"
    )
    expect(page.get_by_role("button", name="Remove plan.txt").last).to_be_focused()


def _until(page: Page, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)


def _attach(page: Page, name: str) -> None:
    page.get_by_label("Attach files").set_input_files({"name": name, "mimeType": "text/plain", "buffer": b"plan"})


def _hold(route: Route, held: list[Route]) -> None:
    if "attach" in (route.request.post_data_buffer or b"").decode("latin-1"):
        held.append(route)
    else:
        route.continue_()


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
    _expect_saved(page)
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
    _expect_saved(page)


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
    _expect_saved(page)
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


def _expect_saved(page: Page) -> None:
    """Not only an earlier state of it: what isn't saved yet would race with the page that comes."""
    expect(page.locator("compose-form[data-unsaved]")).to_have_count(0)
    expect(page.locator(".state")).to_have_text(re.compile(r"^Saved \d\d:\d\d$"))


def _paste(field: Locator, text: str) -> None:
    field.evaluate(
        """(field, text) => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text/plain", text);
          field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        text,
    )
