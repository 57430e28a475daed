"""axe-core finds nothing on any page: as it is by day and by night, at a desk and on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page

from tests.browser.conftest import Visits
from tests.browser.mail import Mail
from tests.browser.pages import LOOKS, Look, go, windows
from webmail.models import Account, User

AXE = (Path(settings.BASE_DIR) / "node_modules/axe-core/axe.min.js").read_text()
# The mail in the frame is its author's, and the frame is tested as the element that it is.
RUN = """async (rules) => {
  const options = { iframes: false, resultTypes: ["violations"] };
  if (rules) options.runOnly = { type: "rule", values: rules };
  const { violations } = await axe.run(document, options);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, any, all, none }) =>
    `${id}: ${html.slice(0, 160)} ${[...any, ...all, ...none].map((check) => check.message).join(" ").slice(0, 260)}`));
}"""
COLOURS = ["color-contrast", "link-in-text-block"]


@pytest.mark.parametrize("size", ["wide", "phone"])
def test_every_page(visits: Visits, mail: Mail, admin: User, size: str) -> None:
    pages = windows(visits, mail, admin, size=size)
    assert _examine(visits, pages, LOOKS, mail) == {}


@pytest.mark.parametrize("state", [Account.State.AWAY, Account.State.LOGIN_NEEDED])
def test_an_account_in_trouble(visits: Visits, mail: Mail, admin: User, state: Account.State) -> None:
    Account.objects.update(state=state, state_detail="Connection refused")
    looks = {name: LOOKS[name] for name in ("mailbox", "mailbox, sidebar", "settings", "account", "panel, accounts")}
    assert _examine(visits, windows(visits, mail, admin), looks, mail) == {}


def _examine(visits: Visits, pages: dict[str, Page], looks: dict[str, Look], mail: Mail) -> dict[str, list[str]]:
    """What axe finds on these pages, the second time in the dark."""
    found = {}
    for name, look in looks.items():
        page = pages[look.who]
        go(visits, page, look, mail)
        page.evaluate(AXE)
        problems = _run(page)
        page.emulate_media(color_scheme="dark")
        problems += [f"dark: {problem}" for problem in _run(page, COLOURS)]
        page.emulate_media(color_scheme="light")
        if problems:
            found[name] = problems
    return found


def _run(page: Page, rules: list[str] | None = None) -> list[str]:
    problems: Any = page.evaluate(RUN, rules)
    return list(problems)
