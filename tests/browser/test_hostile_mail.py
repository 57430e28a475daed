"""Nothing in a mail runs, asks for anything from elsewhere, or moves the page it is shown in (T1, T2, T4).

The HTML is held by two walls, the sanitiser and the frame with its policy: both together, and each with the other taken
away. Everything else in a mail is only letters.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import carriers
from tests.browser.conftest import Visits
from tests.browser.frames import BATCH, FRAMES, MARKED_UP, PRESSABLE, SETTLED_MS, Ran, press_everything
from tests.browser.mail import Mail, deliver, read
from tests.browser.payloads import FIELDS, FRAMED, LOADS, RUNS, TEXTS
from tests.chromium import Sinkhole
from tests.reader import make_account
from tests.servers import MailUser
from webmail import headers
from webmail.demo.imap_server import ImapServer
from webmail.models import User
from webmail.protocol.html import Washed
from webmail.store import bodies, reading

MAILBOXES = (
    "<img src=x onerror=pwn()>",
    '"onmouseover=pwn() autofocus x="',
    "'onfocus=pwn() autofocus x='",
    "<svg onload=pwn()>",
    "<script>pwn()<script>",
)


@pytest.fixture(scope="module")
def target(_strangers: Iterator[str], dovecot: ImapServer) -> MailUser:
    """Somebody who got one mail for each payload."""
    user = MailUser(dovecot, next(_strangers))
    deliver(user, [carriers.framed(number, payload) for number, payload in enumerate(FRAMED)])
    return user


@pytest.fixture
def framed(visits: Visits, target: MailUser) -> Mail:
    """Their mail, indexed."""
    bodies.client.flushdb()
    return read(make_account(target))


@pytest.fixture(params=["both", "the frame alone", "the sanitiser alone"])
def walls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both walls, then each without the other."""
    if request.param == "the frame alone":
        # Not https: the sinkhole could not tell what is asked for.
        monkeypatch.setattr(reading.html, "wash", lambda html, **_: Washed(html.replace("https:", "http:")))
    if request.param == "the sanitiser alone":
        monkeypatch.setitem(headers.FRAME, "Content-Security-Policy", "default-src * data: 'unsafe-inline'")
    return str(request.param)


def test_html_by_itself(visits: Visits, framed: Mail, sinkhole: Sinkhole, walls: str) -> None:
    keys = _keys(framed)
    page = visits.open(framed.account.user, path=f"/message/{keys[-1]}/")
    ran = Ran(page.context)
    start = page.url
    for batch in _batches(keys, walls):
        _show(page, batch, walls)
        assert (sinkhole.requests, ran, page.url, len(page.context.pages)) == ([], [], start, 1), batch
        # No policy keeps Chromium from opening connections ahead of time, for <link rel=preconnect> or for a frame that
        # it then refuses to load. Nothing goes through them, and that there are none is the sanitiser's to see to.
        assert sinkhole.visits == 0 or walls == "the frame alone", batch
    if walls == "the frame alone":
        # It is heard: what it refuses is an error in the console, or a request that was not sent.
        assert len(visits.complaints) > 100
        assert [
            complaint for complaint in visits.complaints if not complaint.startswith(("console", "a request"))
        ] == []
        visits.let_go(page)


def test_html_with_everything_pressed(visits: Visits, framed: Mail, walls: str) -> None:
    keys = [key for key, payload in zip(_keys(framed), FRAMED, strict=True) if PRESSABLE.search(payload)]
    assert len(keys) > 70
    page = visits.open(framed.account.user, path=f"/message/{keys[-1]}/")
    ran = Ran(page.context)
    start = page.url
    for batch in _batches(keys, walls):
        _show(page, batch, walls)
        # A link asks for its own host, in a window of its own. That window may do nothing to this one.
        press_everything(page, len(batch))
        assert (ran, page.url) == ([], start), batch
    assert [complaint for complaint in visits.complaints if not complaint.startswith(("console", "a request"))] == []
    assert User.objects.get(pk=framed.account.user_id).theme == User.Theme.SYSTEM
    answer = page.goto("/settings/")
    assert answer is not None
    assert answer.request.redirected_from is None, "somebody signed out"
    visits.let_go(page)


def test_the_payloads_are_live(visits: Visits, sinkhole: Sinkhole) -> None:
    """The counter-proof: in a page without any wall many of them run, and many ask for something from elsewhere."""
    payloads = (*RUNS, *LOADS)[::2]
    page = visits.open()
    ran = Ran(page.context)

    def bare(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        body = payloads[int(name)].replace("https:", "http:") if name.isdecimal() else ""
        route.fulfill(body=body, content_type="text/html; charset=utf-8", status=404 if name == "x" else 200)

    page.route(f"{visits.site}/**", bare)
    page.goto("/bare/")
    addresses = [f"/bare/{number}" for number in range(len(payloads))]
    for first in range(0, len(addresses), BATCH):
        _show(page, addresses[first : first + BATCH], "none")
    assert len(set(ran)) >= 20
    assert len(sinkhole.requests) >= 20
    visits.let_go(page)


def test_everything_that_is_text(visits: Visits, mailbox_user: Callable[..., MailUser], sinkhole: Sinkhole) -> None:
    """In subjects, names, addresses, attachments' names, mailboxes' names and plain text markup is only letters."""
    user = mailbox_user()
    chunks = [TEXTS[start : start + 12] for start in range(0, len(TEXTS), 12)]
    deliver(user, [carriers.texts(chunk) for chunk in chunks])
    with user.imap() as client:
        for name in MAILBOXES:
            status, answer = client.create(client._quote(name))
            assert status == "OK", answer
    mail = read(make_account(user))
    page = visits.open(mail.account.user)
    ran = Ran(page.context)

    def look(path: str = "") -> None:
        if path:
            page.goto(path)
        assert [found for frame in page.frames for found in frame.evaluate(MARKED_UP)] == []
        assert (ran, visits.complaints) == ([], [])

    look(mail.path)
    expect(page.locator(".row")).to_have_count(len(chunks))
    expect(page.locator(".mailbox", has_text=MAILBOXES[0])).to_be_visible()
    expect(page.locator(".row b").last).to_contain_text(TEXTS[0])
    for link in page.locator(".row > a").all():
        link.click()
        expect(page.locator(".subject")).to_have_text((link.locator("b").text_content() or "").strip())
        look()
    for message in mail.inbox.messages.order_by("uid")[:3]:
        look(f"/message/{message.pk}/")
        page.locator(".envelope summary").click()
        page.emulate_media(media="print")
        look()
        page.emulate_media(media="screen")
        look(f"/message/{message.pk}/source/")
    for mailbox in mail.account.mailboxes.filter(name__in=MAILBOXES):
        look(f"/mailbox/{mailbox.pk}/")
    look("/settings/")
    assert sinkhole.visits == 0


def test_everything_everywhere(visits: Visits, mailbox_user: Callable[..., MailUser], sinkhole: Sinkhole) -> None:
    """A few payloads in every field and part that can carry one: `bench.payloads` has them all."""
    user = mailbox_user()
    some = (*TEXTS[::12], *FIELDS[::3])
    deliver(user, [carriers.everywhere(some[start : start + 9]) for start in range(0, len(some), 9)])
    mail = read(make_account(user))
    page = visits.open(mail.account.user)
    ran = Ran(page.context)
    for message in mail.inbox.messages.order_by("uid"):
        begin = f"/message/{message.pk}/"
        for path in (begin, f"{begin}source/", f"{begin}headers/", f"{begin}print/"):
            page.goto(path)
            assert [found for frame in page.frames for found in frame.evaluate(MARKED_UP)] == [], path
        assert (ran, visits.complaints, sinkhole.visits) == ([], [], 0)


def _batches(keys: Sequence[int], walls: str) -> Iterator[list[str]]:
    """The addresses of these messages' frames, some at a time.

    What the sanitiser lets through is tested for each payload in `tests/protocol/test_html.py`; every fourth does here,
    and every second where only the frame holds. ALL_PAYLOADS=1 takes each one.
    """
    step = 2 if walls == "the frame alone" else 4
    chosen = keys if "ALL_PAYLOADS" in os.environ else keys[::step]
    for start in range(0, len(chosen), BATCH):
        yield [f"/message/{pk}/frame/" for pk in chosen[start : start + BATCH]]


def _show(page: Page, addresses: Sequence[str], walls: str) -> None:
    page.evaluate(FRAMES, [addresses, walls in ("both", "the frame alone")])
    page.wait_for_timeout(SETTLED_MS)


def _keys(mail: Mail) -> list[int]:
    """The messages' keys in the order of FRAMED."""
    keys = list(mail.inbox.messages.order_by("uid").values_list("pk", flat=True))
    assert len(keys) == len(FRAMED)
    return keys
