"""Remote images in Chromium: by a person's word, by way of us; the window itself asks nobody else (T2, T3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visits, wait_until
from tests.browser.mail import Mail, deliver, read
from tests.internet import Internet, internet
from tests.message.test_images import newsletter
from tests.reader import make_account
from tests.servers import MailUser
from webmail.models import TrustedSender
from webmail.store import bodies

IMAGES = (
    '<p><img src="http://cdn.example/loaf.jpg" alt="A loaf" width="320" height="200"></p>'
    '<table width="100%"><tr><td background="http://pics.example/oven.png" height="80" bgcolor="#eeeeee">From the oven'
    '</td></tr></table><p style="background:#ddd url(http://pics.example/oven.png)">Dear Alice</p>'
    '<img src="http://gone.example/away.png" alt="Gone">'
    '<img src="http://news.example/open/AbCdEf0123456789" width=1 height=1>'
)
SHOWN = """(() => {
  const page = document.querySelector(".message-frame")?.contentDocument;
  const loaf = page?.querySelector("img[alt='A loaf']");
  return Boolean(loaf?.complete && loaf.naturalWidth === 320);
})()"""
BLOCKED = """(() => {
  const page = document.querySelector(".message-frame")?.contentDocument;
  return page?.readyState === "complete" && page.URL !== "about:blank" && !page.querySelector("img[src]");
})()"""


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Internet]:
    bodies.client.flushdb()
    with internet(monkeypatch, tmp_path) as net:
        net.picture("/loaf.jpg", "JPEG", (320, 200))
        net.picture("/oven.png", "PNG", (64, 64))
        yield net


@pytest.fixture
def mail(visits: Visits, mailbox_user: Callable[..., MailUser], net: Internet) -> Mail:
    """Two newsletters of one sender."""
    user = mailbox_user()
    letters = [newsletter(IMAGES).replace(b"Bread for beginners", b"Bread %d" % number) for number in (1, 2)]
    deliver(user, letters)
    return read(make_account(user))


def asked(net: Internet) -> list[str]:
    return sorted(f"{each.host}{each.path}" for each in net.asked)


def show(page: Page) -> None:
    page.get_by_role("button", name="Show images").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_shown_once(visits: Visits, mail: Mail, net: Internet, scripts: bool) -> None:
    page = visits.open(mail.account.user, path=mail.path_of("Bread 1"), scripts=scripts)
    expect(page.get_by_text("3 remote images were not loaded")).to_be_visible()
    wait_until(page, BLOCKED)
    assert asked(net) == []
    show(page)
    expect(page.get_by_text("3 remote images are shown")).to_be_visible()
    wait_until(page, SHOWN)
    assert asked(net) == ["cdn.example/loaf.jpg", "gone.example/away.png", "pics.example/oven.png"]
    page.goto(mail.path_of("Bread 2"))
    wait_until(page, BLOCKED)
    page.goto(mail.path_of("Bread 1"))
    wait_until(page, SHOWN)
    assert len(net.asked) == 3, "a second look asks nobody"
    page.get_by_role("button", name="Hide").click()
    expect(page.get_by_text("3 remote images were not loaded")).to_be_visible()
    wait_until(page, BLOCKED)


@pytest.mark.parametrize("scripts", [True, False])
def test_always(visits: Visits, mail: Mail, scripts: bool) -> None:
    page = visits.open(mail.account.user, path=mail.path_of("Bread 1"), scripts=scripts)
    page.get_by_text("Always show", exact=True).click()
    page.get_by_role("button", name="From everybody at bakery.example").click()
    expect(page.get_by_text("You always show those from bakery.example.")).to_be_visible()
    wait_until(page, SHOWN)
    page.goto(mail.path_of("Bread 2"))
    wait_until(page, SHOWN)
    page.goto("/settings/#images")
    page.get_by_role("button", name="Remove bakery.example").click()
    expect(page.get_by_text("Images from bakery.example are no longer shown without asking.")).to_be_visible()
    assert not TrustedSender.objects.exists()


def test_the_keyboard_stays_where_it_was(visits: Visits, mail: Mail) -> None:
    page = visits.open(mail.account.user, path=mail.path_of("Bread 1"))
    page.get_by_role("button", name="Show images").focus()
    page.keyboard.press("Enter")
    wait_until(page, SHOWN)
    wait_until(page, "document.activeElement.closest('.images, .message-scroll') !== null")


def test_never(visits: Visits, mail: Mail, net: Internet) -> None:
    page = visits.open(mail.account.user, path="/settings/#images")
    page.get_by_label("Never load them").check()
    expect(page.locator("#images output")).to_have_text("Saved")
    page.goto(mail.path_of("Bread 1"))
    expect(page.get_by_text("your settings say never")).to_be_visible()
    expect(page.get_by_role("button", name="Show images")).to_have_count(0)
    assert net.asked == []
