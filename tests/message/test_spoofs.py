"""However a sender is spelt, his real address is seen and nothing unseen is: list, message, print, headers (T21)."""

from __future__ import annotations

import html
import re
import unicodedata

import pytest
from django.test import Client

from tests.message.spoofs import REAL, SPOOFS, Spoof
from tests.servers import MailUser
from webmail.models import Account, Mailbox, Message
from webmail.store import sync

pytestmark = pytest.mark.django_db(transaction=True)
# What a page may hold of Unicode's controls and formats: line ends, and joiners inside the scripts that need them.
_HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff]")


def test_there_are_enough_of_them() -> None:
    assert len(SPOOFS) >= 150


def test_the_real_address_is_seen_everywhere(
    reader: Client, account: Account, mail_user: MailUser, inbox: Mailbox
) -> None:
    for number, spoof in enumerate(SPOOFS):
        mail_user.append("INBOX", _mail(number, spoof))
    sync.refresh(inbox)
    inbox.refresh_from_db()
    rows = _rows(reader, inbox)
    messages = {message.subject: message for message in account.messages.all()}
    assert len(messages) == len(rows) == len(SPOOFS)
    for number, spoof in enumerate(SPOOFS):
        subject = f"Spoof {number}"
        _check(rows[subject], spoof)
        for page in _pages(reader, messages[subject]):
            _check(page, spoof)


def _mail(number: int, spoof: Spoof) -> bytes:
    return (
        b"From: " + spoof.raw + b"\r\nTo: Alice <alice@demo.test>\r\nSubject: Spoof " + str(number).encode()
        + b"\r\nDate: Tue, 3 Mar 2026 14:02:00 +0100\r\n\r\nHello.\r\n"
    )  # fmt: skip


def _rows(reader: Client, inbox: Mailbox) -> dict[str, str]:
    """The markup of every row of the list, by its subject."""
    found: dict[str, str] = {}
    for page in range(1, len(SPOOFS) // 50 + 2):
        shown = reader.get(f"/mailbox/{inbox.pk}/", {"page": page}).content.decode()
        for row in re.findall(r'<li class="row.*?</li>', shown, re.DOTALL):
            found[re.search(r"<b>(.*?)</b>", row)[1]] = row  # type: ignore[index]
    return found


def _pages(reader: Client, message: Message) -> list[str]:
    shown = reader.get(f"/message/{message.pk}/", headers={"HX-Request": "true"}).content.decode()
    others = (reader.get(f"/message/{message.pk}/{name}/").content.decode() for name in ("print", "headers"))
    return [shown, *others]


def _check(shown: str, spoof: Spoof) -> None:
    text = html.unescape(shown)
    assert spoof.real in text, spoof
    hidden = _HIDDEN.search(text)
    assert hidden is None, (spoof, hidden)
    assert not any(unicodedata.category(letter) == "Cs" for letter in text)
    # A name that is an address stands nowhere as who the mail is from.
    for who in re.findall(r'class="who"[^>]*>(.*?)</span>|class="from"><b>(.*?)</b>', text):
        assert "demo.test" not in "".join(who) or REAL not in spoof.real, spoof
