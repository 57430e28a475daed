"""Attachments in Chromium: cards that complete themselves, the dialog by mouse and key, saving, and all of it without
scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visits
from tests.browser.mail import Mail, deliver, read
from tests.message.test_files import PAPER, PHOTO, RATES, message_with
from tests.servers import MailUser
from webmail import tasks
from webmail.models import Account, Job, Message
from webmail.store import working

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mail(visits: Visits, mail_user: MailUser, account: Account) -> Mail:
    """An inbox with one message that has three attachments."""
    with mail_user.imap() as client:
        client.create("Papers")
    deliver(mail_user, [message_with(PHOTO, PAPER, RATES, subject="Files")])
    return read(account)


@pytest.fixture
def message(mail: Mail) -> Message:
    return mail.message("Files")


@pytest.fixture
def look(visits: Visits, mail: Mail) -> Callable[..., Page]:
    def open_it(**how: bool) -> Page:
        return visits.open(mail.account.user, path=mail.path_of("Files"), **how)

    return open_it


def test_thumbnails_come_without_a_reload(look: Callable[..., Page], message: Message) -> None:
    page = look()
    expect(page.locator(".card-file")).to_have_count(3)
    expect(page.locator(".card-file img")).to_have_count(0)
    page.locator(".card-file summary").first.click()
    tasks.prepare_attachments(message.pk)
    expect(page.locator(".card-file img")).to_have_count(2)
    expect(page.locator(".card-file details[open]")).to_have_count(1)
    assert page.locator(".card-file img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") > 30


def test_the_dialog_by_key(look: Callable[..., Page]) -> None:
    page = look()
    first = page.get_by_role("link", name="harbour.jpg")
    first.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("harbour.jpg")
    expect(dialog.locator(".preview-stage")).to_be_focused()
    assert "1 of 3" in dialog.inner_text()
    page.keyboard.press("j")  # means nothing here
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("heading")).to_have_text("plan.pdf")
    expect(dialog.get_by_alt_text("Page 6")).to_be_attached()
    page.keyboard.press("ArrowRight")
    expect(dialog.locator("pre")).to_contain_text("Město;Kč")
    assert dialog.locator("script").count() == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(dialog.get_by_role("heading")).to_have_text("plan.pdf")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(first).to_be_focused()
    first.click()
    expect(dialog.get_by_role("heading")).to_have_text("harbour.jpg")
    dialog.get_by_role("link", name="Back to the message").click()
    expect(dialog).to_be_hidden()


def test_saving_in_a_mailbox(look: Callable[..., Page], message: Message) -> None:
    page = look()
    card = page.locator(".card-file").nth(1)
    card.locator("summary").click()
    card.get_by_role("link", name="Save to a mailbox").click()
    page.get_by_label("Save in").select_option("Papers")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("plan.pdf is being saved to Papers.")
    expect(card.locator(".file-saved")).to_have_text("Being saved to Papers…")
    working.work(message.account_id)
    expect(card.locator(".file-saved")).to_have_text("Saved to Papers.")
    assert Job.objects.filter(kind="append", state="done").count() == 1


def test_without_scripts(look: Callable[..., Page], message: Message) -> None:
    tasks.prepare_attachments(message.pk)
    page = look(scripts=False)
    expect(page.locator(".card-file img")).to_have_count(2)
    page.get_by_role("link", name="harbour.jpg").click()
    expect(page.get_by_role("heading")).to_have_text("harbour.jpg")
    page.get_by_role("link", name="Next attachment").click()
    expect(page.get_by_alt_text("Page 1", exact=True)).to_be_visible()
    page.get_by_role("link", name="Save plan.pdf to a mailbox").click()
    page.get_by_label("Save in").select_option("Papers")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".card-file").nth(1).locator(".file-saved")).to_have_text("Being saved to Papers…")
