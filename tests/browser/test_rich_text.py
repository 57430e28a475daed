"""Writing with formatting: a designed mail answered with its looks and pictures, and back to plain text."""

from __future__ import annotations

import base64
import email
import email.policy
import io
import re
import time
from pathlib import Path
from urllib.parse import unquote

from PIL import Image
from playwright.sync_api import Locator, Page, expect

from bench.faulty_smtp import running
from tests.browser.conftest import Visits, wait_until
from tests.browser.mail import deliver, read
from tests.servers import MailUser
from webmail.demo.certificates import ensure_certificates
from webmail.models import Account, Draft, Submission
from webmail.models.provider import Provider
from webmail.store import outbox, sending
from webmail.store.letters import letter_of

HTML = (
    '<table><tr><td style="color: #c00"><b>Fresh bread</b><img src="cid:loaf@demo.test" alt="Loaf"></td></tr></table>'
    '<p>At nine.<img src="https://images.example/banner.png" alt="Banner"></p>'
    '<img src="https://news.example/open/AbCdEf0123456789" width="1" height="1">'
)


def _picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (2, 2), "teal").save(file, "PNG")
    return file.getvalue()


PICTURE = _picture()


def test_a_designed_mail_is_answered_with_its_looks(visits: Visits, mail_user: MailUser, account: Account) -> None:
    Provider.objects.filter(pk=account.provider_id).update(smtp_host="127.0.0.1", smtp_port=2525)
    deliver(mail_user, [_designed()])
    mail = read(account)
    page = visits.open(account.user, path=mail.path_of("Bread"))
    page.keyboard.press("r")
    rich = page.get_by_role("textbox", name="Message with formatting")
    # The quote looks as it did; its picture is shown from here, that of another host is not asked for.
    expect(rich.locator("blockquote td")).to_have_css("color", "rgb(204, 0, 0)")
    wait_until(page, "document.querySelector('.rich img[alt=Loaf]')?.naturalWidth === 2")
    assert rich.get_by_alt_text("Banner").get_attribute("src") is None
    expect(rich).to_be_focused()
    # Who looks at a picture has typed nothing.
    rich.get_by_alt_text("Loaf").click()
    assert page.locator("compose-form").get_attribute("data-unsaved") is None
    page.keyboard.press("Control+Home")
    page.keyboard.type("Like this one?")
    _paste_picture(rich, PICTURE)
    expect(rich.locator("img[alt='pasted.png']")).to_be_visible()
    page.keyboard.type(" Or two.")
    # What Squire puts back keeps its looks and pictures.
    page.get_by_role("button", name="Bold").click()
    page.keyboard.type("!")
    page.keyboard.press("Control+z")
    expect(rich.locator("blockquote td")).to_have_css("color", "rgb(204, 0, 0)")
    _until_saved(page, "Or two.")
    draft = Draft.objects.get()
    assert 'src="https://images.example/banner.png"' in draft.html
    assert "data-src" not in draft.html
    assert _shape(draft) == [
        "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png", "image/png",
    ]  # fmt: skip
    text = letter_of(_whole(draft))[1].message.decode()
    assert "Like this one?" in text
    # In plain text the words stay, quoted.
    page.get_by_role("button", name="Plain text").click()
    page.get_by_role("button", name="Make it plain text").click()
    area = page.get_by_role("textbox", name="Message", exact=True)
    expect(area).to_have_value(re.compile(r"Like this one\?.*\n> Fresh bread", re.DOTALL))
    _until_saved(page, "")
    draft.refresh_from_db()
    assert _shape(draft) == ["text/plain"]
    # And with formatting again the quote is one.
    page.get_by_role("button", name="Format", exact=True).click()
    expect(rich.locator("blockquote").first).to_contain_text("Fresh bread")


def test_what_goes_out_has_the_pictures_and_no_report(
    visits: Visits, mail_user: MailUser, account: Account, worker_dir: Path
) -> None:
    """A picture that was dropped among the words, and the quote's own: as octets at the server that takes the mail."""
    deliver(mail_user, [_designed()])
    mail = read(account)
    (worker_dir / "sink").mkdir(exist_ok=True)
    with running(ensure_certificates(worker_dir / "sink")) as sink:
        Provider.objects.filter(pk=account.provider_id).update(
            smtp_host="127.0.0.1", smtp_port=sink.port, smtp_security="starttls", ca_pem=sink.ca_pem
        )
        page = visits.open(account.user, path=mail.path_of("Bread"))
        page.keyboard.press("r")
        rich = page.get_by_role("textbox", name="Message with formatting")
        expect(rich).to_be_focused()
        page.keyboard.type("Like this one? ")
        _drop_picture(rich, PICTURE)
        expect(rich.locator("img[alt='dropped.png']")).to_be_visible()
        _until_saved(page, "dropped.png")
        rich.press("Control+Enter")
        expect(page.get_by_role("dialog")).to_have_count(0)
        submission = Submission.objects.get()
        outbox.send_now(account.user, submission.pk)
        sending.carry_out(submission.pk)
    [(_, to, octets)] = sink.letters
    assert to == ["bob@demo.test"]
    sent = email.message_from_bytes(octets, policy=email.policy.default)
    text, related = sent.iter_parts()
    assert (sent.get_content_type(), text.get_content_type(), related.get_content_type()) == (
        "multipart/alternative", "text/plain", "multipart/related",
    )  # fmt: skip
    html, *pictures = related.iter_parts()
    shown = re.findall(r'src="cid:([^"]+)"', html.get_content())
    assert [f"<{unquote(each)}>" for each in shown] == [each["Content-ID"] for each in pictures[::-1]]
    assert [each.get_content() for each in pictures] == [PICTURE, PICTURE]
    assert "https://images.example/banner.png" in html.get_content()
    assert b"news.example" not in octets


def _drop_picture(rich: Locator, picture: bytes) -> None:
    rich.evaluate(
        """(rich, data) => {
          const octets = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([octets], "dropped.png", { type: "image/png" }));
          const { left, top } = rich.firstElementChild.getBoundingClientRect();
          const at = { clientX: left + 2, clientY: top + 2, dataTransfer, bubbles: true, cancelable: true };
          for (const name of ["dragover", "drop"]) rich.firstElementChild.dispatchEvent(new DragEvent(name, at));
        }""",
        base64.b64encode(picture).decode(),
    )


def _designed() -> bytes:
    return (
        b"From: Bob Novak <bob@demo.test>\r\nTo: alice@demo.test\r\nSubject: Bread\r\nMessage-ID: <bread@demo.test>\r\n"
        b"Date: Thu, 1 Oct 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/related; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n'
        + HTML.encode()
        + b"\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <loaf@demo.test>\r\nContent-Disposition: inline\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(PICTURE) + b"\r\n--b--\r\n"
    )


def _paste_picture(rich: Locator, picture: bytes) -> None:
    rich.evaluate(
        """(rich, data) => {
          const octets = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
          const clipboardData = new DataTransfer();
          clipboardData.items.add(new File([octets], "pasted.png", { type: "image/png" }));
          rich.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        base64.b64encode(picture).decode(),
    )


def _until_saved(page: Page, words: str) -> None:
    deadline = time.monotonic() + 20
    while words not in (draft := Draft.objects.get()).html or bool(words) != draft.is_html:
        assert time.monotonic() < deadline, draft.html
        page.wait_for_timeout(100)


def _whole(draft: Draft) -> Draft:
    draft.to = "bob@demo.test"
    return draft


def _shape(draft: Draft) -> list[str]:
    parsed = email.message_from_bytes(letter_of(_whole(draft))[1].message, policy=email.policy.default)
    return [part.get_content_type() for part in parsed.walk()]
