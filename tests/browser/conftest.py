"""The product in Chromium: one browser for this folder, a fresh window for each visit, and nobody complains.

A visit that meets an error in the console, a violation of a policy, a dialog or a request to elsewhere fails its test,
unless the test takes it out of `visits.complaints`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from tests.browser.mail import Mail, fill
from tests.cast import client_of
from tests.chromium import PATIENCE_MS, Sinkhole, chromium, watch
from tests.reader import account, mail_user, make_account
from tests.servers import MailUser
from webmail.models import Account, Provider, User
from webmail.store import sync

__all__ = ["account", "mail_user"]

# "zoomed" is the desktop at 200 %.
SIZES = {"wide": (1440, 900), "zoomed": (720, 450), "tablet": (820, 1180), "phone": (390, 844), "small": (320, 640)}
TOUCHED = ("tablet", "phone", "small")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker runs this folder, so that there is one Chromium; another the walk through all pages, which is long."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            name = "pages" if item.path.name == "test_every_page.py" else "chromium"
            item.add_marker(pytest.mark.xdist_group(name))


def wait_until(page: Page, condition: str) -> None:
    """Wait until a JavaScript expression is true. One that can't be worked out, in a frame being loaded, isn't yet.

    Playwright's own `wait_for_function` evaluates it by `eval` in the page, which our policy refuses.
    """
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while True:
        try:
            if page.evaluate(condition):
                return
            last = "false"
        except Error as error:
            last = str(error)
        assert time.monotonic() < deadline, f"never true: {condition} ({last})"
        page.wait_for_timeout(30)


def expect_saved(page: Page) -> None:
    """Not only an earlier state of it: what isn't saved yet would race with the page that comes."""
    expect(page.locator("compose-form[data-unsaved]")).to_have_count(0)
    expect(page.locator(".state")).to_have_text(re.compile(r"^Saved \d\d:\d\d$"))


@pytest.fixture(scope="package")
def sinkhole() -> Iterator[Sinkhole]:
    """Where everything ends that Chromium would send to another host."""
    sinkhole = Sinkhole()
    yield sinkhole
    sinkhole.stop()


@pytest.fixture(scope="package")
def chrome(sinkhole: Sinkhole) -> Iterator[Browser]:
    """The browser."""
    expect.set_options(timeout=PATIENCE_MS)
    with chromium(sinkhole) as chrome:
        yield chrome


class Visits:
    """Opens windows on the product."""

    def __init__(self, browser: Browser, site: str, sinkhole: Sinkhole) -> None:
        self.site = site
        self._browser = browser
        self._sinkhole = sinkhole
        self._watched: dict[BrowserContext, list[str]] = {}

    def open(
        self, user: User | None = None, *, size: str = "wide", scripts: bool = True, dark: bool = False, path: str = ""
    ) -> Page:
        """A window where `user` is signed in, at `path`.

        Args:
            size: a key of SIZES; those in TOUCHED have a finger instead of a mouse.
            scripts: False switches them off.
            path: "" stays at the blank page.
        """
        width, height = SIZES[size]
        context = self._browser.new_context(
            base_url=self.site,
            viewport={"width": width, "height": height},
            has_touch=size in TOUCHED,
            is_mobile=size in ("phone", "small"),
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        self._watched[context] = watch(context, self.site)
        if user is not None:
            session = client_of(user).session.session_key or ""
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.site}])
        page = context.new_page()
        if path:
            answer = page.goto(path)
            assert answer is not None
            assert answer.ok, f"{path}: {answer.status}"
        return page

    @property
    def complaints(self) -> list[str]:
        """What all windows have complained of so far."""
        return [complaint for watched in self._watched.values() for complaint in watched]

    def forgive(self, pattern: str) -> None:
        """Take back what matches: the test made it happen."""
        for watched in self._watched.values():
            watched[:] = [complaint for complaint in watched if not re.search(pattern, complaint)]

    def let_go(self, page: Page) -> None:
        """Close a window in which the test did what nobody may do, and forget what came of it."""
        page.context.close()
        del self._watched[page.context]
        time.sleep(0.1)  # for what was on its way to the sinkhole
        self._sinkhole.forget()

    def close(self) -> None:
        for context in self._watched:
            context.close()


@pytest.fixture
def visits(chrome: Browser, live_server: object, sinkhole: Sinkhole, redis_url: str) -> Iterator[Visits]:
    """Windows on the product; at the end none may have complained, and nobody asked for another host."""
    sinkhole.forget()
    visits = Visits(chrome, str(live_server), sinkhole)
    yield visits
    complaints = visits.complaints
    visits.close()
    assert complaints == []
    assert sinkhole.visits == 0


@pytest.fixture
def mail(visits: Visits, mail_user: MailUser, account: Account) -> Mail:
    """A small inbox of `account`, indexed: see `tests.browser.mail.fill`."""
    return fill(mail_user, account)


@pytest.fixture
def sender(mail: Mail) -> Mail:
    """Mail of somebody who can send."""
    Provider.objects.filter(pk=mail.account.provider_id).update(smtp_host="127.0.0.1", smtp_port=2525)
    return mail


@pytest.fixture
def empty_account(visits: Visits, mailbox_user: Callable[..., MailUser]) -> Account:
    """Somebody else with nothing but an empty inbox."""
    made = make_account(mailbox_user())
    sync.list_mailboxes(made)
    sync.refresh(made.mailboxes.select_related("account__provider").get(role="inbox"))
    return made
