"""Files of a message in Chromium: they go up by themselves, once, and what can't is said."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visits, expect_saved
from tests.browser.mail import Mail
from webmail.models import Draft, Provider

WORDS = "It leaves at nine."
FILES = (("plan.txt", 9), ("big.bin", 300_000), ("none.txt", 0), ("plan.txt", 9))


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
    expect_saved(page)
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
