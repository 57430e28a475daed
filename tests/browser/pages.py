"""Every kind of page there is, for the tests that look at all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visits
from tests.browser.mail import ATTACHMENTS, NEWSLETTER, PLAIN, Mail
from webmail.models import ContactCard, Provider, Submission, User

LATER = datetime(2040, 1, 1, tzinfo=UTC)

# A window has its new size or theme at once, what is in it with the next frame but one, and colours fade over: those
# that are inherited begin when their parents' have ended.
DRAWN = """async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  // What goes round for as long as something lasts has no end.
  const ending = () => document.getAnimations().filter((each) => each.effect.getComputedTiming().endTime < Infinity);
  const later = new Promise((done) => setTimeout(done, 5000));
  for (let round = 0; round < 50 && ending().length; round++)
    await Promise.race([later, Promise.allSettled(ending().map((each) => each.finished))]);
}"""


def _nothing(page: Page) -> None:
    pass


@dataclass(frozen=True)
class Look:
    """One page in one state.

    Args:
        who: "alice", "admin", or "" for nobody.
        status: what the page answers.
        act: brings the page into the state; called once it is loaded.
    """

    path: Callable[[Mail], str]
    who: str = "alice"
    status: int = 200
    act: Callable[[Page], None] = _nothing


def _outbox(mail: Mail) -> str:
    """With a message in each state that is shown."""
    missed = [["carol@demo.test", "given up", "452 4.2.2 Mailbox full"], ["bob@demo.test", "accepted", "250 ok"]]
    for state in set(Submission.State) - {Submission.State.CANCELLED}:
        mail.account.submissions.get_or_create(
            idem_key=state, message_id=f"{state}@demo.test", state=state, subject=f"Ferry, {state}", size=100,
            recipients=missed, attempts=1, error="The mail server did not take it.", not_before=LATER, send_after=LATER,
        )  # fmt: skip
    return "/outbox/"


def _open_menu(page: Page) -> None:
    page.locator("[popovertarget=me]:visible").first.click()
    expect(page.locator("#me")).to_be_visible()


def _open_sort(page: Page) -> None:
    page.locator(".list-head summary").click()
    expect(page.get_by_label("Sort by")).to_be_visible()


def _open_facts(page: Page) -> None:
    page.locator(".envelope summary").click()
    expect(page.locator(".facts")).to_be_visible()


def _open_more(page: Page) -> None:
    page.locator(".message-bar summary").click()
    expect(page.get_by_role("link", name="All headers")).to_be_visible()


def _open_raw_header(page: Page) -> None:
    page.locator(".header-raw summary").click()
    expect(page.locator(".header-raw .source")).to_be_visible()


def _open_images(page: Page) -> None:
    page.locator(".images-where summary").click()
    page.locator(".images .drop summary").click()
    expect(page.locator(".images .menu")).to_be_visible()


def _open_sheet(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def _open_sidebar(page: Page) -> None:
    button = page.locator("[popovertarget=sidebar]:visible")
    if button.count():
        button.first.click()
    expect(page.locator("#sidebar")).to_be_visible()


def _open_file_menu(page: Page) -> None:
    page.locator(".card-file summary").last.click()
    expect(page.get_by_role("link", name="Save to a mailbox").last).to_be_visible()


def _open_preview(page: Page) -> None:
    page.locator(".card-file .file-name").last.click()
    expect(page.get_by_role("dialog").locator("pre")).to_be_visible()


def _open_leaving(page: Page) -> None:
    page.get_by_role("link", name="Unsubscribe").click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Unsubscribe")).to_be_visible()


def _open_panel(page: Page) -> None:
    page.locator("[data-write][value=reply]:visible").first.click()
    expect(page.locator("compose-form .chip")).to_be_visible()


def _open_later(page: Page) -> None:
    page.locator(".send summary").click()
    expect(page.get_by_label("At a time of your own")).to_be_visible()


def _open_options(page: Page) -> None:
    page.locator("summary", has_text="Options").click()
    expect(page.get_by_label("Ask for a read receipt")).to_be_visible()


def _open_formats(page: Page) -> None:
    page.locator("[data-format]").click()
    expect(page.get_by_role("toolbar")).to_be_visible()


def _open_redirect(page: Page) -> None:
    page.get_by_label("To", exact=True).fill("Bob Novak <bob@demo.test>, nobody, ")
    expect(page.locator(".chip.wrong")).to_be_visible()


def _add_somebody(page: Page) -> None:
    page.get_by_label("Mail address").fill("carol@demo.test")
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator(".people").get_by_role("checkbox").first.check()
    expect(page.get_by_role("button", name="Merge")).to_be_visible()


def _a_person(mail: Mail) -> str:
    """Somebody with another of the same name, and what came with their card; made when first asked for."""
    for address in ("bob@demo.test", "bob@home.test"):
        found, is_new = mail.account.user.contacts.get_or_create(key=address, address=address, name="Bob Novák")
        if is_new:
            ContactCard.objects.create(contact=found, lines="TITLE:Harbour master\nADR:;;Quay 1;Bern;;;CH")
    return f"/people/{found.pk}/"


def _open_sender(page: Page) -> None:
    page.locator(".from a").click()
    expect(page.get_by_role("dialog").get_by_role("link", name="Write")).to_be_visible()


def _open_fields(page: Page) -> None:
    page.locator(".more-lines summary").click()
    expect(page.get_by_label("Bcc", exact=True)).to_be_visible()


def _raise_toast(page: Page) -> None:
    page.evaluate("document.dispatchEvent(new CustomEvent('toast', { detail: { words: 'Moved to Archive' } }))")
    expect(page.locator(".toast")).to_be_visible()


def _select(page: Page) -> None:
    for box in page.locator(".pick").all()[:2]:
        box.click()
    page.locator(".bar summary").click()
    expect(page.locator(".bar .menu")).to_be_visible()


def _ask_where_to(page: Page) -> None:
    page.locator(".pick").first.click()
    page.locator(".bar").get_by_role("button", name="Move to…").click()
    expect(page.get_by_role("option", name="Archive")).to_be_visible()


def _ask_by_page(page: Page) -> None:
    """As the form does it without scripts."""
    page.evaluate("""() => {
      const form = document.querySelector("#acts");
      form.querySelector(".pick > input").checked = true;
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "act", value: "move" }));
      form.submit();
    }""")
    expect(page.get_by_label("Or a new mailbox")).to_be_visible()


def _open_a_mailbox(page: Page) -> None:
    page.locator(".managed summary", has_text="Archive").click()
    expect(page.get_by_role("button", name="Rename").and_(page.locator(":visible"))).to_be_visible()


def _open_keys(page: Page) -> None:
    page.locator("#keys summary").click()
    expect(page.get_by_label("Archive", exact=True).first).to_be_visible()


def _sign_in_wrongly(page: Page) -> None:
    page.get_by_label("address").fill("somebody@demo.test")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".error")).to_be_visible()


def _to_connect(mail: Mail) -> str:
    """The page of an account whose owner has to sign in at the provider; made when first asked for."""
    provider, _ = Provider.objects.get_or_create(name="Quay Mail", sign_in_by="oauth", imap_host="imap.quay.test")
    account, _ = mail.account.user.accounts.get_or_create(
        provider=provider, address="alice@quay.test", state="login_needed", state_detail="Sign in at Quay Mail again."
    )
    return f"/settings/accounts/{account.pk}/"


def _open_looks(page: Page) -> None:
    page.get_by_text("As plain text").click()
    page.get_by_text("Preview").click()
    expect(page.locator(".as-sent pre")).to_be_visible()


LOOKS = {
    "sign-in": Look(lambda _: "/sign-in/", who=""),
    "sign-in refused": Look(lambda _: "/sign-in/", who="", act=_sign_in_wrongly),
    "mailbox": Look(lambda mail: mail.path),
    "mailbox, menu": Look(lambda mail: mail.path, act=_open_menu),
    "mailbox, orders": Look(lambda mail: mail.path, act=_open_sort),
    "mailbox, sidebar": Look(lambda mail: mail.path, act=_open_sidebar),
    "mailbox, sheet of keys": Look(lambda mail: mail.path, act=_open_sheet),
    "mailbox, toast": Look(lambda mail: mail.path, act=_raise_toast),
    "mailbox, selection": Look(lambda mail: mail.path, act=_select),
    "mailbox, where to": Look(lambda mail: mail.path, act=_ask_where_to),
    "mailbox, where to as a page": Look(lambda mail: mail.path, act=_ask_by_page),
    "mailboxes": Look(lambda mail: f"/mailbox/of/{mail.account.pk}/", act=_open_a_mailbox),
    "delete a mailbox": Look(lambda mail: f"/mailbox/{mail.account.mailboxes.get(role='archive').pk}/delete/"),
    "space": Look(lambda mail: f"/mailbox/of/{mail.account.pk}/space/"),
    "import": Look(lambda mail: f"{mail.path}import/"),
    "empty mailbox": Look(lambda mail: f"{mail.path}?filter=flagged"),
    "plain message": Look(lambda mail: mail.path_of(PLAIN), act=_open_facts),
    "newsletter": Look(lambda mail: mail.path_of(NEWSLETTER)),
    "newsletter, images": Look(lambda mail: mail.path_of(NEWSLETTER), act=_open_images),
    "newsletter, leaving": Look(lambda mail: mail.path_of(NEWSLETTER), act=_open_leaving),
    "leaving a list": Look(lambda mail: f"{mail.path_of(NEWSLETTER)}unsubscribe/"),
    "attachments": Look(lambda mail: mail.path_of(ATTACHMENTS)),
    "attachments, menu": Look(lambda mail: mail.path_of(ATTACHMENTS), act=_open_file_menu),
    "attachments, dialog": Look(lambda mail: mail.path_of(ATTACHMENTS), act=_open_preview),
    "preview": Look(lambda mail: f"{mail.path_of(ATTACHMENTS)}preview/3/"),
    "preview that can't be": Look(lambda mail: f"{mail.path_of(ATTACHMENTS)}preview/2/"),
    "activity": Look(lambda _: "/jobs/"),
    "save in a mailbox": Look(lambda mail: f"{mail.path_of(ATTACHMENTS)}save/2/"),
    "message, menu": Look(lambda mail: mail.path_of(PLAIN), act=_open_more),
    "plain text of HTML": Look(lambda mail: f"{mail.path_of(NEWSLETTER)}?plain=1"),
    "all mail of a sender": Look(lambda mail: f"{mail.path}?from=bob@demo.test"),
    "all headers": Look(lambda mail: f"{mail.path_of(NEWSLETTER)}headers/", act=_open_raw_header),
    "print": Look(lambda mail: f"{mail.path_of(NEWSLETTER)}print/"),
    "source": Look(lambda mail: f"{mail.path_of(NEWSLETTER)}source/"),
    "mailbox, writing": Look(lambda mail: mail.path_of(PLAIN), act=_open_panel),
    "write": Look(lambda _: "/write/"),
    "write, later": Look(lambda _: "/write/", act=_open_later),
    "write, formatting": Look(lambda _: "/write/", act=_open_formats),
    "write, all fields": Look(lambda _: "/write/", act=_open_fields),
    "outbox": Look(_outbox),
    "write, options": Look(lambda _: "/write/", act=_open_options),
    "templates": Look(lambda _: "/settings/templates/", act=_open_looks),
    "redirect": Look(lambda mail: mail.path_of(PLAIN).replace("message", "write/redirect"), act=_open_redirect),
    "identities": Look(lambda _: "/settings/identities/"),
    "address book": Look(lambda _: "/people/", act=_add_somebody),
    "person": Look(_a_person),
    "message, its sender": Look(lambda mail: mail.path_of(PLAIN), act=_open_sender),
    "settings": Look(lambda _: "/settings/", act=_open_keys),
    "add account": Look(lambda _: "/settings/accounts/add/"),
    "account": Look(lambda mail: f"/settings/accounts/{mail.account.pk}/"),
    "account, to connect": Look(_to_connect),
    "doctor": Look(lambda mail: f"/settings/accounts/{mail.account.pk}/doctor/"),
    "help": Look(lambda _: "/help/"),
    "not found": Look(lambda _: "/message/0/", status=404),
    "not found, signed out": Look(lambda _: "/nowhere/", who="", status=404),
    "panel": Look(lambda _: "/admin/", who="admin"),
    "panel, accounts": Look(lambda _: "/admin/webmail/account/", who="admin"),
    "panel, doctor": Look(lambda mail: f"/admin/webmail/account/{mail.account.pk}/doctor/", who="admin"),
    "panel, provider": Look(lambda _: "/admin/webmail/provider/add/", who="admin"),
}


def windows(visits: Visits, mail: Mail, admin: User, **how: Any) -> dict[str, Page]:
    """A window for each of those who see a page of LOOKS, by their names there. `how` goes to `Visits.open`."""
    people = {"": None, "alice": mail.account.user, "admin": admin}
    return {who: visits.open(user, **how) for who, user in people.items()}


def go(visits: Visits, page: Page, look: Look, mail: Mail) -> None:
    """Bring this page, in its state, into a window."""
    answer = page.goto(look.path(mail))
    assert answer is not None
    assert answer.status == look.status
    if look.status >= 400:
        visits.forgive(f"^console: .*status of {look.status}")
    look.act(page)
    page.evaluate(DRAWN)
