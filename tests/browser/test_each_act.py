"""Every act that `test_acts` leaves out, in as few pages as can be, each seen on the server by another program."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import SIZES, Visits
from tests.browser.mail import Mail, deliver
from tests.browser.test_acts import done, pick, subjects
from tests.browser.test_every_page import AXE, OVER, RUN_AXE
from tests.browser.test_reading import row_of
from tests.reader import letter
from tests.servers import MailUser
from webmail.store import sync

ONE = "Letter 1"


def test_flags_labels_copies_and_junk(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    page = visits.open(mail.account.user, path=mail.path)
    for name, said, what, found in (
        ("Flag", "Flagged a message", "FLAGGED", [ONE]),
        ("Clear the flag", "Cleared the flag of a message", "FLAGGED", []),
        ("Mark read", "Marked a message as read", "SEEN", [ONE]),
        ("Mark unread", "Marked a message as unread", "SEEN", []),
    ):
        choose(page, name)
        said_and_done(page, mail, said)
        assert subjects(mail_user, "INBOX", what) == found, name
    for name, button, said, found in (
        ("Label…", "Label", "Labelled a message Crew", [ONE]),
        ("Take a label off…", "Take off", "Took Crew off a message", []),
    ):
        choose(page, name)
        page.get_by_role("textbox", name="Label").or_(page.get_by_role("combobox", name="Label")).fill("Crew")
        page.get_by_role("button", name=button, exact=True).click()
        said_and_done(page, mail, said)
        assert subjects(mail_user, "INBOX", "KEYWORD Crew") == found, name
    choose(page, "Copy to…")
    page.get_by_role("combobox", name="Mailbox").fill("arch")
    page.keyboard.press("Enter")
    said_and_done(page, mail, "Copied a message to Archive")
    assert (subjects(mail_user, "Archive"), ONE in subjects(mail_user, "INBOX")) == ([ONE], True)
    choose(page, "Report as junk")
    said_and_done(page, mail, "Reported a message as junk")
    assert subjects(mail_user, "Junk") == [ONE]
    page.locator(".mailbox[data-role=junk]").click()
    expect(page.locator("#list-title")).to_have_text("Junk")
    choose(page, "Not junk")
    said_and_done(page, mail, "Reported a message as not junk")
    assert (subjects(mail_user, "Junk"), ONE in subjects(mail_user, "INBOX")) == ([], True)


def test_what_is_gone_for_good(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    deliver(mail_user, [letter(number) for number in (11, 12, 13)], "Trash")
    trash = mail.account.mailboxes.select_related("account__provider").get(role="trash")
    sync.refresh(trash)
    page = visits.open(mail.account.user, path=f"/mailbox/{trash.pk}/")
    pick(page, "Letter 11")
    page.locator(".bar").get_by_role("button", name="Delete for good").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete for good").click()
    said_and_done(page, mail, "Deleted a message for good")
    assert subjects(mail_user, "Trash") == ["Letter 12", "Letter 13"]
    page.goto(f"/mailbox/{trash.pk}/empty/")
    expect(page.locator(".card")).to_contain_text("All 2 messages in it are gone for ever")
    page.get_by_role("button", name="Empty it").click()
    expect(page.locator(".said")).to_contain_text("Empty Trash")
    done(mail)
    assert subjects(mail_user, "Trash") == []


def test_mailboxes_themselves(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    page = visits.open(mail.account.user, path=f"/mailbox/of/{mail.account.pk}/")
    page.get_by_label("Name", exact=True).first.fill("Crew")
    page.get_by_role("button", name="Make it").click()
    done(mail)
    assert "Crew" in listed(mail_user)
    line(page, "Crew").get_by_label("Name").fill("Team")
    page.evaluate(AXE)
    for size in ("phone", "tablet", "wide"):
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        assert (page.evaluate(OVER), page.evaluate(RUN_AXE, None)) == ([], []), size
    line(page, "Crew").get_by_role("button", name="Rename").click()
    expect(page.locator(".said")).to_contain_text("Rename the mailbox Crew to Team")
    done(mail)
    assert {"Crew", "Team"} & listed(mail_user) == {"Team"}
    page.reload()
    assert "Team" in listed(mail_user, subscribed=True)
    line(page, "Team").get_by_role("button", name="Unsubscribe").click()
    done(mail)
    assert "Team" not in listed(mail_user, subscribed=True)
    deliver(mail_user, [letter(21)], "Team")
    line(page, "Team").get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".said")).to_contain_text("Delete the mailbox Team")
    done(mail)
    assert "Team" not in listed(mail_user)


def test_files_of_mail_are_brought_in(visits: Visits, mail: Mail, mail_user: MailUser, tmp_path: Path) -> None:
    """In pieces by the script, whole without; a piece that doesn't get through is sent again."""
    files = [tmp_path / name for name in ("one.eml", "two.mbox")]
    files[0].write_bytes(letter(31, body="x" * 1_200_000))
    files[1].write_bytes(b"From bob@demo.test Tue Mar  3 14:02:00 2026\n" + letter(32) + b"\nFrom nobody\n")
    page = visits.open(mail.account.user, path=mail.path)
    page.locator(".list-acts summary").click()
    page.get_by_role("link", name="Import mail…").click()
    page.get_by_label("Files", exact=True).set_input_files(files)
    page.get_by_label("Into").select_option("Archive")
    page.route("**/piece/?*number=*", lambda route: route.abort(), times=1)
    page.get_by_role("button", name="Import").click()
    expect(page.locator(".figures")).to_have_text("The connection is lost. It goes on by itself.")
    expect(page.locator(".acts > li").first).to_contain_text("Import mail into Archive")
    visits.forgive("net::ERR_FAILED|Failed to load resource")
    done(mail)
    expect(page.locator(".acts > li").first).to_contain_text("Import 2 messages into Archive")
    expect(page.locator(".acts > li").first).to_contain_text("Done")
    assert subjects(mail_user, "Archive", "SEEN") == ["Letter 31", "Letter 32"]

    plain = visits.open(mail.account.user, path=f"{mail.path}import/", scripts=False)
    plain.get_by_label("Files", exact=True).set_input_files(files[1])
    plain.get_by_role("button", name="Import").click()
    done(mail)
    assert "Letter 32" in subjects(mail_user, "INBOX")
    plain.reload()
    plain.locator(".acts > li").first.get_by_role("button", name="Undo").click()
    done(mail)
    assert "Letter 32" not in subjects(mail_user, "INBOX")


def choose(page: Page, name: str) -> None:
    """The act of this name in the menu of the bar, for the one letter."""
    row = row_of(page, ONE)
    if not row.locator(".pick input").is_checked():
        row.locator(".pick").click()
    expect(page.locator(".bar")).to_be_visible()
    page.locator(".bar summary").click()
    page.locator(".bar .menu").get_by_role("button", name=name, exact=True).click()


def said_and_done(page: Page, mail: Mail, words: str) -> None:
    expect(page.locator(".toast").last).to_contain_text(words)
    done(mail)


def line(page: Page, name: str) -> Locator:
    """A mailbox among all, opened."""
    found = page.locator(".managed").filter(has=page.locator("summary b", has_text=name))
    if not found.get_by_role("button", name="Save the colour").is_visible():
        found.locator("summary").click()
    return found


def listed(mail_user: MailUser, *, subscribed: bool = False) -> set[str]:
    """The mailboxes as another program finds them."""
    with mail_user.imap() as client:
        _, lines = client.lsub() if subscribed else client.list()
    return {each.decode().rpartition(" ")[2].strip('"') for each in lines if isinstance(each, bytes)}
