"""The page by itself: what changes elsewhere is shown, and nothing that the person was at is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visits, wait_until
from tests.browser.live import Site, site, wait_for
from tests.browser.mail import NEWSLETTER, PLAIN, Mail, fill
from tests.chromium import Sinkhole
from tests.reader import letter
from tests.servers import MailUser
from webmail.live.streams import hub
from webmail.models import Account, Session
from webmail.store import changes, sync, working


@pytest.fixture
def live(live_server: object, redis_url: str) -> Iterator[Site]:
    """Pages and streams at one address."""
    with site(str(live_server)) as made:
        yield made


@pytest.fixture
def visits(chrome: Browser, live: Site, sinkhole: Sinkhole) -> Iterator[Visits]:
    """Windows on them."""
    sinkhole.forget()
    visits = Visits(chrome, live.url, sinkhole)
    yield visits
    complaints = visits.complaints
    visits.close()
    assert complaints == []


@pytest.fixture
def mail(visits: Visits, mail_user: MailUser, account: Account) -> Mail:
    return fill(mail_user, account)


def watch(visits: Visits, mail: Mail, path: str = "") -> Page:
    """A window whose stream is open."""
    page = visits.open(mail.account.user, path=path or mail.path)
    wait_for(lambda: hub._streams)
    return page


def deliver(mail: Mail, mail_user: MailUser, number: int, subject: str = "") -> None:
    """New mail, found by whoever looks for it."""
    now = letter(number, subject=subject).replace(b"Tue, 3 Mar 2026", b"Thu, 3 Dec 2099")
    mail_user.append("INBOX", now)
    look(mail)


def look(mail: Mail) -> None:
    sync.refresh(mail.inbox)
    for kind in ("messages", "mailboxes"):
        changes.publish(mail.account.pk, mailbox=mail.inbox.pk, kind=kind)


def test_new_mail_appears_and_everything_else_stays(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    page = watch(visits, mail, mail.path_of(PLAIN))
    expect(page).to_have_title(re.compile(rf"^\(5\) {PLAIN} · "))
    row = page.locator(f"#m{mail.message(NEWSLETTER).pk}")
    row.focus()
    page.evaluate("() => { window.same = document.activeElement }")
    deliver(mail, mail_user, 90, "Just come")
    expect(page.locator(".row").first).to_contain_text("Just come")
    expect(page).to_have_title(re.compile(rf"^\(6\) {PLAIN} · "))
    expect(page.locator(".mailbox[data-role=inbox] .count")).to_have_text("6")
    assert page.evaluate("document.activeElement === window.same && window.same.isConnected")
    expect(row).to_be_focused()
    expect(page.locator(".row > [tabindex='0']")).to_have_count(1)
    expect(page.locator(".row > [aria-current]")).to_have_attribute("id", f"m{mail.message(PLAIN).pk}")
    expect(page.locator("#news")).to_have_text("New message from Bob Novak: Just come")
    wait_until(page, "document.querySelector('link[rel=icon]').href.startsWith('data:image/png')")


def test_where_the_list_is_scrolled_to_stays(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    for number in range(20, 50):
        mail_user.append("INBOX", letter(number))
    look(mail)
    page = watch(visits, mail)
    row = page.locator(f"#m{mail.message('Letter 1').pk}")
    row.scroll_into_view_if_needed()
    page.evaluate("document.querySelector('.list-body').scrollBy(0, -7)")
    before = row.bounding_box()
    deliver(mail, mail_user, 91, "Just come")
    expect(page.locator(".row").first).to_contain_text("Just come")
    assert row.bounding_box() == before


def test_flags_changed_elsewhere_show_in_the_open_message(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    page = watch(visits, mail, mail.path_of(PLAIN))
    message = mail.message(PLAIN)
    with mail_user.imap() as client:
        client.select("INBOX")
        client.uid("STORE", str(message.uid), "+FLAGS", r"(\Flagged)")
        look(mail)
        expect(page.get_by_role("button", name="Remove the flag")).to_be_visible()
        expect(page.locator(f"#m{message.pk} .star")).to_be_visible()
        client.uid("STORE", str(message.uid), "+FLAGS", r"(\Deleted)")
        client.expunge()
    look(mail)
    expect(page.locator(f"#flags-{message.pk}")).to_have_text("Moved or deleted elsewhere")
    expect(page.locator(f"#m{message.pk}")).to_have_count(0)
    expect(page.locator("#reading .message-text")).to_contain_text("I went through the numbers.")


def test_after_a_gap_everything_is_fetched(visits: Visits, live: Site, mail: Mail, mail_user: MailUser) -> None:
    page = watch(visits, mail)
    live.end_streams()
    deliver(mail, mail_user, 92, "While nobody listened")
    live.start_streams()
    expect(page.locator(".row").first).to_contain_text("While nobody listened")
    visits.forgive("live/|ERR_|503")


def test_the_page_follows_the_first_indexing_and_says_what_a_comparison_found(visits: Visits, mail: Mail) -> None:
    lost = mail.message("Letter 1")
    lost.delete()
    mail.inbox.lowest_uid = lost.uid + 1
    mail.inbox.save()
    page = watch(visits, mail)
    expect(page.locator(".list-foot .figures")).to_contain_text("Headers back to")
    assert sync.backfill(mail.inbox) is False
    expect(page.locator(".list-foot .figures")).not_to_contain_text("Headers back to")
    expect(page.locator(".row", has_text="Letter 1")).to_have_count(1)

    mail.message("Letter 2").delete()
    page.locator(".list-acts summary").click()
    page.get_by_role("button", name="Compare with the server").click()
    expect(page.locator("toast-stack")).to_contain_text("compared with the server: 1 missing here")
    expect(page.locator(".row", has_text="Letter 2")).to_have_count(1)


def test_many_tabs_have_one_stream(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    first = watch(visits, mail)
    others = [first.context.new_page() for _ in range(8)]
    for page in others:
        page.goto(mail.path)
    assert len(hub._streams) == 1
    deliver(mail, mail_user, 93, "For all of them")
    # The first is in the background now: its title knows, its list waits until it is looked at.
    for page in (first, *others):
        expect(page).to_have_title(re.compile(r"^\(7\) "))
    first.close()
    wait_for(lambda: len(hub._streams) == 1)
    deliver(mail, mail_user, 94, "After the first had gone")
    expect(others[-1].locator(".row").first).to_contain_text("After the first had gone")


def test_signed_out_elsewhere_the_page_closes(visits: Visits, mail: Mail) -> None:
    page = watch(visits, mail)
    Session.objects.for_user(mail.account.user).delete()
    expect(page).to_have_url(re.compile("/sign-in/"))
    visits.forgive("status of 403")


def test_a_notification_says_who_wrote(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    mail.account.user.notifies = True
    mail.account.user.save()
    page = visits.open(mail.account.user)
    page.context.grant_permissions(["notifications"])
    page.add_init_script(
        "window.shown = []; window.Notification = class { static permission = 'granted';"
        " constructor(title, { body }) { window.shown.push(`${title}: ${body}`); } };"
        " document.hasFocus = () => false;"
    )
    page.goto(mail.path)
    wait_for(lambda: hub._streams)
    expect(page.locator(".row")).to_have_count(6)
    wait_until(page, "performance.getEntriesByType('resource').some(({ name }) => name.includes('/news/'))")
    deliver(mail, mail_user, 95, "Look at this")
    wait_until(page, "window.shown.length > 0")
    assert page.evaluate("window.shown") == ["Bob Novak: Look at this"]


def test_the_browser_asks_when_notifications_are_chosen(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user)
    page.add_init_script(
        "window.asked = 0; window.Notification = class { static permission = 'default';"
        " static async requestPermission() { window.asked += 1; this.permission = 'denied'; } };"
    )
    page.goto("/settings/")
    assert page.evaluate("window.asked") == 0
    page.get_by_text("With a notification").click()
    expect(page.get_by_text("This browser doesn't allow notifications from here.")).to_be_visible()
    expect(page.locator("#preferences output")).to_have_text("Saved")
    assert page.evaluate("window.asked") == 1
    mail.account.user.refresh_from_db()
    assert mail.account.user.notifies


def test_what_is_refused_later_is_said(visits: Visits, mail: Mail, mail_user: MailUser) -> None:
    """The page had shown it as done; the worker hears no, in the server's words."""
    with mail_user.imap() as client:
        client.create("Papers")
    sync.list_mailboxes(mail.account)
    mail.account.mailboxes.filter(role="archive").update(role="")
    mail.account.mailboxes.filter(name="Papers").update(role="archive")
    page = watch(visits, mail)
    page.locator(".row", has_text=PLAIN).locator(".pick").click()
    page.locator(".bar").get_by_role("button", name="Archive").click()
    expect(page.locator(".row:visible")).to_have_count(5)
    with mail_user.imap() as client:
        client.delete("Papers")
    assert not working.work(mail.account.pk)
    expect(page.locator(".toast").last).to_contain_text(
        "Not done: Archive a message. The mailbox it was to be put into no longer exists"
    )
    expect(page.locator(".row:visible")).to_have_count(6)
    page.locator(".toast").last.get_by_role("button", name="Show").click()
    expect(page.locator(".acts > li").first).to_contain_text("Not done")
