"""Every act that `test_acts` leaves out, in as few pages as can be, each seen on the server by another program."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visits
from tests.browser.mail import Mail, deliver
from tests.browser.test_acts import done, pick, subjects
from tests.reader import letter
from tests.servers import MailUser
from webmail.store import sync


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
