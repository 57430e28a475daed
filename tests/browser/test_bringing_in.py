"""Files of mail sent up from the browser: how far it is, and going on after the page was left."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Route, expect

from tests.browser.conftest import Visits, wait_until
from tests.browser.mail import Mail
from tests.browser.test_acts import done
from tests.reader import letter

PIECES = 3


def test_an_upload_goes_on_after_a_reload(visits: Visits, mail: Mail, tmp_path: Path) -> None:
    file = tmp_path / "large.eml"
    file.write_bytes(letter(9, subject="A large one", body="x" * (PIECES * 2**20 - 2**19)))
    page = visits.open(mail.account.user, path=f"{mail.path}import/")
    sent: list[str] = []

    def pass_two(route: Route) -> None:
        if route.request.method == "POST":
            if len(sent) == 2:
                return route.abort()
            sent.append(route.request.url)
        return route.continue_()

    page.route("**/import/piece/**", pass_two)
    page.get_by_label("Files", exact=True).and_(page.locator("input")).set_input_files(file)
    page.get_by_role("button", name="Import").click()
    expect(page.locator(".far .figures")).to_contain_text("The connection is lost.")
    assert len(sent) == 2
    assert 0.6 < page.locator("progress").evaluate("bar => bar.value") < 1
    context = page.context
    page.close()
    sent.clear()
    page = context.new_page()
    page.on("request", lambda request: sent.append(request.url) if "number=" in request.url else None)
    page.goto(f"{mail.path}import/")
    page.get_by_label("Files", exact=True).and_(page.locator("input")).set_input_files(file)
    page.get_by_role("button", name="Import").click()
    wait_until(page, "location.pathname === '/jobs/'")
    visits.forgive("Failed to load resource")
    assert [url.partition("number=")[2] for url in sent] == [str(PIECES - 1)], "what was there isn't sent again"
    done(mail)
    assert mail.inbox.messages.filter(subject="A large one").count() == 1
