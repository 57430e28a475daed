"""Acting on mail in the browser, while another program looks at the server."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visits, wait_until
from tests.browser.mail import ATTACHMENTS, NEWSLETTER, PLAIN, Mail, deliver, read
from tests.browser.test_reading import expect_open, row_of
from tests.reader import letter
from tests.servers import MailUser
from webmail.models import Account
from webmail.store import working
from webmail.store.slices import PAGE

HELD_MS = 120


def subjects(mail_user: MailUser, mailbox: str, what: str = "ALL") -> list[str]:
    """The subjects in a mailbox as another program finds them, sorted."""
    with mail_user.imap() as client:
        client.select(f'"{mailbox}"', readonly=True)
        found = client.search(None, what)[1][0].decode().replace(" ", ",")
        if not found:
            return []
        answers = client.fetch(found, "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
    return sorted(each[1].decode().partition(":")[2].strip() for each in answers if isinstance(each, tuple))


def done(mail: Mail) -> None:
    """What was recorded so far is done on the server."""
    assert not working.work(mail.account.pk)


def pick(page: Page, *names: str) -> None:
    for name in names:
        row_of(page, name).locator(".pick").click()
    expect(page.locator(".picked")).to_have_text(f"{len(names)} selected")


def test_archive_delete_and_undo(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    pick(page, "Letter 1", "Letter 2")
    page.locator(".bar").get_by_role("button", name="Archive").click()
    expect(page.locator(".toast")).to_contain_text("Archived 2 messages")
    expect(page.locator(".row")).to_have_count(4)
    expect(page.locator(".bar")).to_be_hidden()
    done(mail)
    assert subjects(mail_user, "Archive") == ["Letter 1", "Letter 2"]

    page.keyboard.press("z")
    expect(page.locator(".toast").last).to_contain_text("Undone")
    done(mail)
    assert subjects(mail_user, "Archive") == []
    page.get_by_role("button", name="Check for new mail").click()
    expect(page.locator(".row")).to_have_count(6)

    # The open message goes, the next one opens, and the keys say the same as the buttons.
    row_of(page, NEWSLETTER).click()
    expect_open(page, mail, NEWSLETTER)
    page.keyboard.press("#")
    expect_open(page, mail, PLAIN)
    expect(row_of(page, NEWSLETTER)).to_have_count(0)
    expect(page.locator(".toast").last).to_contain_text("Deleted a message")
    page.keyboard.press("!")
    expect_open(page, mail, "Letter 3")
    page.goto("/jobs/")
    junk = page.locator(".acts > li", has_text="Report a message as junk")
    expect(junk).to_contain_text("Waiting")
    done(mail)
    expect(junk).to_contain_text("Done")
    assert subjects(mail_user, "Trash") == [NEWSLETTER]
    assert subjects(mail_user, "Junk") == [PLAIN]
    assert subjects(mail_user, "INBOX") == ["Letter 1", "Letter 2", "Letter 3", ATTACHMENTS]


def test_keys_ranges_and_everything(visits: Visits, account: Account, mail_user: MailUser) -> None:
    deliver(mail_user, [letter(number, subject=f"No. {number:02}") for number in range(PAGE + 3)])
    mail = read(account)
    page = visits.open(account.user, path=mail.path)
    first = page.locator(".row > a").first
    first.focus()
    page.keyboard.press("x")
    expect(page.locator(".picked")).to_have_text("1 selected")
    page.keyboard.press("s")
    expect(page.locator(".row .star")).to_have_count(1)
    page.locator(".pick").nth(4).click(modifiers=["Shift"])
    expect(page.locator(".picked")).to_have_text("5 selected")
    page.keyboard.press("Escape")
    expect(page.locator(".bar")).to_be_hidden()
    page.keyboard.press("*")
    page.keyboard.press("a")
    expect(page.locator(".picked")).to_have_text(f"{PAGE} selected")
    page.get_by_label(f"All {PAGE + 3}").check()
    expect(page.locator(".picked")).to_have_text(f"All {PAGE + 3}")
    page.keyboard.press("Shift+I")
    expect(page.locator(".row.unread")).to_have_count(0)
    expect(page.locator(".toast").last).to_contain_text(f"Marked {PAGE + 3} messages as read")
    done(mail)
    assert len(subjects(mail_user, "INBOX", "SEEN")) == PAGE + 3
    assert subjects(mail_user, "INBOX", "FLAGGED") == [f"No. {PAGE + 2:02}"]


def test_move_by_dialog_menu_and_drag(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    page.mouse.move(500, 300)
    row_of(page, "Letter 1").locator("a").focus()
    page.keyboard.press("v")
    page.get_by_role("combobox", name="Mailbox").fill("arch")
    expect(page.get_by_role("option")).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.locator(".toast").last).to_contain_text("Moved a message to Archive")
    expect(row_of(page, "Letter 1")).to_have_count(0)

    row_of(page, "Letter 2").click(button="right")
    page.get_by_role("menuitem", name="Move to…").click()
    page.get_by_role("combobox", name="Mailbox").fill("Summer")
    page.get_by_role("option", name="Make “Summer”").click()
    expect(page.locator(".toast").last).to_contain_text("Moved a message to Summer")

    pick(page, PLAIN, "Letter 3")
    row_of(page, PLAIN).locator("a").drag_to(page.locator(".mailbox[data-role=archive]"))
    expect(page.locator(".toast").last).to_contain_text("Moved 2 messages to Archive")
    done(mail)
    assert subjects(mail_user, "Archive") == [PLAIN, "Letter 1", "Letter 3"]
    assert subjects(mail_user, "Summer") == ["Letter 2"]


def test_a_refusal_brings_the_rows_back(visits: Visits, mail: Mail) -> None:
    mail.account.mailboxes.filter(role="archive").update(role="")
    page = visits.open(mail.account.user, path=mail.path)
    pick(page, PLAIN)
    page.locator(".bar").get_by_role("button", name="Archive").click()
    expect(page.locator(".toast")).to_contain_text("no mailbox for archived mail")
    expect(page.locator(".row:visible")).to_have_count(6)
    visits.forgive("status of 409")


def test_on_a_phone(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    page = visits.open(mail.account.user, path=mail.path, size="phone")
    wait_until(page, "document.querySelector('link[href*=acts]') !== null")
    swipe(page, row_of(page, "Letter 1").locator("a"), 220)
    expect(page.locator(".toast").last).to_contain_text("Archived a message")
    swipe(page, row_of(page, "Letter 2").locator("a"), -220)
    expect(page.locator(".toast").last).to_contain_text("Deleted a message")
    row_of(page, PLAIN).locator("a").tap()
    expect(page.locator(".subject")).to_have_text(PLAIN)
    page.locator(".message-bar").get_by_role("button", name="Archive").tap()
    expect(page.locator("#list")).to_be_visible()
    expect(page.locator(".row:visible")).to_have_count(3)
    # Not far enough: it goes back to its place.
    swipe(page, row_of(page, "Letter 3").locator("a"), 40)
    expect(page.locator(".row[data-swipe]")).to_have_count(0)
    expect(page.locator(".row:visible")).to_have_count(3)
    done(mail)
    assert subjects(mail_user, "Archive") == [PLAIN, "Letter 1"]
    assert subjects(mail_user, "Trash") == ["Letter 2"]


def test_without_scripts(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    page = visits.open(mail.account.user, path=mail.path, scripts=False)
    for name in ("Letter 1", "Letter 2"):
        row_of(page, name).locator(".pick").click()
    page.locator(".bar").get_by_role("button", name="Move to…").click()
    page.get_by_label("Mailbox", exact=True).select_option("Archive")
    page.get_by_role("button", name="Move").click()
    expect(page.locator(".said")).to_contain_text("Moved 2 messages to Archive")
    done(mail)
    assert subjects(mail_user, "Archive") == ["Letter 1", "Letter 2"]
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".said")).to_contain_text("Undone")
    done(mail)
    assert subjects(mail_user, "Archive") == []


def swipe(page: Page, row: Locator, by: int) -> None:
    """A finger that moves sideways over a row, and is still before it is lifted.

    Lifted while it moves, it leaves a momentum behind, and Chromium takes the next tap for the wish to end that: no
    click comes of it.
    """
    box = row.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    finger = page.context.new_cdp_session(page)
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 11):
        points = [{"x": x + by * step / 10, "y": y}]
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    page.wait_for_timeout(HELD_MS)
    finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
