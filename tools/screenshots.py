"""`python -m tools.screenshots`: pictures of every kind of page, for the README and for judging the look.

Start `make run` first: they show the demo. Those listed in `KEPT` go to docs/screenshots, those of `MAILS` to mails in
there; `--all` takes each page at three widths in both themes, which is what to look at after a change of style.
"""

from __future__ import annotations

import argparse
import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
QUALITY = 82

SIZES: dict[str, ViewportSize] = {
    "wide": {"width": 1440, "height": 900},
    "tablet": {"width": 820, "height": 1180},
    "phone": {"width": 390, "height": 844},
}
THEMES = ("light", "dark")

# What is committed: page, size, theme.
KEPT = (
    ("sign-in", "wide", "light"),
    ("sign-in", "phone", "dark"),
    ("mailbox", "wide", "light"),
    ("mailbox", "wide", "dark"),
    ("mailbox", "tablet", "light"),
    ("mailbox", "phone", "light"),
    ("mailbox", "phone", "dark"),
    ("plain", "wide", "light"),
    ("plain", "phone", "light"),
    ("newsletter", "wide", "light"),
    ("newsletter", "wide", "dark"),
    ("newsletter", "phone", "light"),
    ("attachments", "wide", "dark"),
    ("attachments", "tablet", "light"),
    ("empty", "wide", "light"),
    ("settings", "wide", "light"),
    ("settings", "phone", "dark"),
    ("source", "wide", "light"),
    ("error", "wide", "light"),
    ("admin", "wide", "light"),
)
# Demo messages by the words of their subject.
SUBJECTS = {
    "plain": "The plotter is eating the drawings again",
    "newsletter": "Bread for beginners",
    "attachments": "Flat at Sailmakers",
}

# Twelve kinds of mail, by the words of their subject: size and theme of each picture.
MAILS = {
    "invitation": ("Design review: the ramp", "wide", "light"),
    "cancelled": ("Cancelled: Yoga", "phone", "light"),
    "delivery-failure": ("Undelivered Mail Returned", "wide", "light"),
    "magazine": ("Harbour & Hull 212", "phone", "light"),
    "advertisement": ("Two days only: 20 % off rain", "wide", "dark"),
    "receipt": ("It's on its way (order K-20417)", "phone", "light"),
    "bill": ("Your bill for November", "wide", "light"),
    "forwarded": ("Fwd: Fwd: Packing list", "tablet", "light"),
    "quotes": ("Re: Summer: who is away when", "wide", "light"),
    "arabic": ("دعوة إلى معرض", "wide", "light"),
    "russian": ("Чертежи понтонов", "phone", "dark"),
    "mailing-list": ("[tidetable] 0.10 release plan", "tablet", "dark"),
}
PAGES = 8  # of the list that are looked through for them


def main() -> None:
    """Take the pictures and say where they are."""
    arguments = _arguments()
    wanted = [(page, size, theme) for page, size, theme in _matrix() if arguments.all or (page, size, theme) in KEPT]
    arguments.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
        addresses = _addresses(browser, arguments.base)
        for size in SIZES:
            for theme in THEMES:
                pages = [page for page, *view in wanted if view == [size, theme]]
                _take(browser, arguments, pages, addresses, size, theme)
        _take_mails(browser, arguments, addresses["mailbox"])
        browser.close()
    print(f"{len(wanted) + len(MAILS)} pictures in {arguments.out}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="http://127.0.0.1:8000", help="address of the running demo")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots", help="where the pictures go")
    parser.add_argument("--all", action="store_true", help="every page at every size in both themes")
    return parser.parse_args()


def _matrix() -> Iterator[tuple[str, str, str]]:
    for page in dict.fromkeys(page for page, *_ in KEPT):
        for size in SIZES:
            for theme in THEMES:
                yield page, size, theme


def _take(
    browser: Browser, arguments: argparse.Namespace, pages: list[str], addresses: dict[str, str], size: str, theme: str
) -> None:
    """Take `pages` at one size in one theme: as a stranger, as alice, as the administrator."""
    for name in [page for page in pages if page == "sign-in"]:
        with _person(browser, arguments.base, size, theme) as page:
            _picture(page, arguments, name, addresses[name], size, theme)
    mail = [page for page in pages if page not in ("sign-in", "admin")]
    if mail:
        with _person(browser, arguments.base, size, theme, "alice@demo.test") as page:
            for name in mail:
                _picture(page, arguments, name, addresses[name], size, theme)
    if "admin" in pages:
        with _person(browser, arguments.base, size, theme, "admin") as page:
            _picture(page, arguments, "admin", addresses["admin"], size, theme)


def _take_mails(browser: Browser, arguments: argparse.Namespace, mailbox: str) -> None:
    """Take the mails of `MAILS`, wherever in alice's inbox they are."""
    (arguments.out / "mails").mkdir(exist_ok=True)
    addresses: dict[str, str] = {}
    with _person(browser, arguments.base, "wide", "light", "alice@demo.test") as page:
        for number in range(1, PAGES + 1):
            page.goto(f"{arguments.base}{mailbox}?page={number}")
            for name, (subject, *_) in MAILS.items():
                link = page.locator(".row > a", has_text=subject)
                if name not in addresses and link.count():
                    addresses[name] = (link.first.get_attribute("href") or "").partition("?")[0]
    for name, (subject, size, theme) in MAILS.items():
        if name not in addresses:
            raise LookupError(f"the demo has no mail about {subject}")
        with _person(browser, arguments.base, size, theme, "alice@demo.test") as page:
            _picture(page, arguments, f"mails/{name}", addresses[name], size, theme)


@contextmanager
def _person(browser: Browser, base: str, size: str, theme: str, name: str = "") -> Iterator[Page]:
    """A window of this size and theme, signed in as `name` unless that is empty."""
    context = browser.new_context(
        viewport=SIZES[size],
        color_scheme="dark" if theme == "dark" else "light",
        has_touch=size != "wide",
        reduced_motion="reduce",
    )
    page = context.new_page()
    if name:
        page.goto(f"{base}/sign-in/")
        page.fill("[name=username]", name)
        page.fill("[name=password]", "demo")
        page.click("main button[type=submit]")
        page.wait_for_load_state("networkidle")
    yield page
    context.close()


def _picture(page: Page, arguments: argparse.Namespace, name: str, address: str, size: str, theme: str) -> None:
    page.goto(f"{arguments.base}{address}")
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    # WebP by the developer tools' protocol: a tenth of Playwright's PNG.
    session = page.context.new_cdp_session(page)
    shot = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    (arguments.out / f"{name}-{size}-{theme}.webp").write_bytes(base64.b64decode(shot["data"]))


def _addresses(browser: Browser, base: str) -> dict[str, str]:
    """Where each page is: looked up in alice's mailboxes as they stand."""
    addresses = {"sign-in": "/sign-in/", "settings": "/settings/", "error": "/message/0/", "admin": "/admin/"}
    with _person(browser, base, "wide", "light", "alice@demo.test") as page:
        addresses["mailbox"] = _path(page.url)
        for name, subject in SUBJECTS.items():
            link = page.locator(".row > a", has_text=subject).last
            addresses[name] = (link.get_attribute("href") or "").partition("?")[0]
        addresses["source"] = f"{addresses['newsletter']}source/"
        trash = page.locator(".mailbox[data-role=trash]").get_attribute("href")
        addresses["empty"] = f"{trash}?filter=flagged"
    return addresses


def _path(url: str) -> str:
    return f"/{url.split('/', 3)[3]}"


if __name__ == "__main__":
    main()
