"""The odd mail of tests/corpus in Chromium: nothing in it runs, asks anybody, moves a page or leaves a frame.

Every sixteenth mail is opened, and every fourth of those in all its views; ALL_CORPUS=1 opens each one in each.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visits
from tests.browser.frames import BATCH, FRAMES, LEFT_OVER, MARKED_UP, SETTLED_MS, Ran
from tests.browser.mail import Mail, read
from tests.chromium import Sinkhole
from tests.internet import Internet, internet
from tests.odd_mail import MAILS
from tests.reader import make_account
from tests.servers import MailUser
from webmail.models import Message
from webmail.store import bodies, remote

ALL = "ALL_CORPUS" in os.environ
TAKEN = MAILS if ALL else MAILS[::16]
VIEWS = ("", "source/", "headers/", "print/")


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Internet]:
    """What the product itself would reach, on loopback."""
    with internet(monkeypatch, tmp_path) as net:
        yield net


@pytest.fixture
def odd(visits: Visits, mailbox_user: Callable[..., MailUser], net: Internet) -> Mail:
    """Somebody who got them all."""
    bodies.client.flushdb()
    user = mailbox_user()
    with user.imap() as client:
        for path in TAKEN:
            client.literal = path.read_bytes()  # imaplib's own `append` mends line ends
            status, answer = client._simple_command("APPEND", "INBOX")
            assert status == "OK", (path.name, answer)
    return read(make_account(user))


def test_every_page_with_scripts(visits: Visits, odd: Mail, net: Internet) -> None:
    page = visits.open(odd.account.user)
    ran = Ran(page.context)
    for number in range(-(-len(TAKEN) // 50)):
        _look(page, f"{odd.path}?page={number + 1}")
    for number, message in enumerate(odd.inbox.messages.order_by("uid")):
        for view in VIEWS if ALL or number % 4 == 0 else VIEWS[:1]:
            _look(page, f"/message/{message.pk}/{view}")
        assert (ran, visits.complaints, len(page.context.pages)) == ([], [], 1), message.subject
    assert net.asked == []


def test_every_page_without_scripts(visits: Visits, odd: Mail, net: Internet) -> None:
    page = visits.open(odd.account.user, scripts=False)
    for message in odd.inbox.messages.order_by("uid"):
        path = f"/message/{message.pk}/"
        page.goto(path)
        assert page.url.endswith(path)
        expect(page.locator("h1.subject")).to_be_visible()
        assert (visits.complaints, len(page.context.pages)) == ([], 1), message.subject
    assert net.asked == []


def test_every_frame_and_with_remote_images(visits: Visits, odd: Mail, net: Internet, sinkhole: Sinkhole) -> None:
    messages = list(odd.inbox.messages.select_related("mailbox", "account__provider").order_by("uid"))
    page = visits.open(odd.account.user)
    ran = Ran(page.context)
    framed = _framed(page, messages)
    assert len(framed) > len(TAKEN) // 20
    _look(page, f"/message/{framed[0].pk}/")
    _show(page, framed)
    assert (ran, visits.complaints, net.asked, sinkhole.visits) == ([], [], [], 0)
    for message in framed:
        assert remote.show_once(message, "")
    _show(page, framed)
    assert (ran, visits.complaints, sinkhole.visits, len(page.context.pages)) == ([], [], 0, 1)
    for asked in net.asked:
        assert not {"cookie", "referer"} & {name.lower() for name in asked.fields}, asked


def _look(page: Page, path: str) -> None:
    """Open a page: it stays where it is, no mail left markup in it, and in its frame is nothing that may not be."""
    page.goto(path)
    assert page.url.endswith(path)
    assert [found for frame in page.frames for found in frame.evaluate(MARKED_UP)] == [], path
    assert [found for frame in page.frames[1:] for found in frame.evaluate(LEFT_OVER)] == [], path


def _framed(page: Page, messages: Sequence[Message]) -> list[Message]:
    """Those that are shown in a frame."""
    return [
        message
        for message in messages
        if page.request.get(f"/message/{message.pk}/frame/", headers={"Sec-Fetch-Dest": "iframe"}).ok
    ]


def _show(page: Page, messages: Sequence[Message]) -> None:
    """All of these frames, many at a time, in the page that is open."""
    start = page.url
    for first in range(0, len(messages), BATCH):
        page.evaluate(FRAMES, [[f"/message/{each.pk}/frame/" for each in messages[first : first + BATCH]], True])
        page.wait_for_timeout(SETTLED_MS)
        assert page.url == start
        assert [found for frame in page.frames[1:] for found in frame.evaluate(LEFT_OVER)] == []
