"""Each odd message of tests/corpus the whole way: delivered to a real server, indexed, in a list, on its page.

All are delivered once into one mailbox and read once; then each is a test of its own that compares what was seen with
the facts beside the message. tests/corpus/README.md says what the facts are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoDbBlocker

from tests.cast import client_of
from tests.odd_mail import MAILS, facts_of
from tests.reader import indexed, make_account
from tests.servers import STRANGERS, MailUser
from webmail.demo.imap_server import ImapServer
from webmail.models import Mailbox
from webmail.store import prefetch

# pytest-django is to make a database, which the tests themselves ask nothing; one worker reads the mail, once.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("corpus")]
ARRIVED = datetime.fromisoformat("2026-11-24T08:00:00+00:00")  # what stands in for a date that can't be read


@dataclass(frozen=True)
class Seen:
    """What a person sees of one message: its row in the list, its page's values, and all words on page and frame."""

    row: Any
    page: Any
    words: str
    frame: str


@pytest.fixture(scope="module")
def seen(
    dovecot: ImapServer, redis_url: str, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> dict[str, Seen]:
    """Everything delivered, indexed, listed and opened; what was seen, by the message's name."""
    user = MailUser(dovecot, STRANGERS[-1])
    uids = _deliver(user)
    with django_db_blocker.unblock():
        try:
            account = make_account(user)
            inbox = indexed(account)
            prefetch.read_previews(inbox, len(MAILS))
            keys = dict(inbox.messages.values_list("uid", "pk"))
            reader = client_of(account.user)
            rows = {row.pk: row for row in _listed(reader, inbox)}
            return {name: _opened(reader, keys[uid], rows[str(keys[uid])]) for name, uid in uids.items()}
        finally:
            call_command("flush", verbosity=0, interactive=False)


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_odd_mail_is_shown(path: Path, seen: dict[str, Seen]) -> None:
    facts, found = facts_of(path), seen[path.stem]
    page = found.page
    assert not page.problem
    subject = facts.subject[:1000] or "(no subject)"
    assert (page.subject, found.row.subject) == (subject, subject)
    name, address = facts.senders[0] if facts.senders else ("", "")
    name = "" if "@" in name and "." in name.rpartition("@")[2] else name  # a name that poses as an address
    assert (page.sender.name, page.sender.address) == (name or address or "(nobody)", address)
    assert found.row.people == page.sender.name
    assert [[person.name, person.address] for person in page.to] == [[n or a, a] for n, a in facts.to]
    assert datetime.fromisoformat(page.iso) == (facts.date or ARRIVED)
    for words in (*facts.text, *facts.page):
        assert " ".join(words.split()) in found.words
    for words in facts.absent:
        assert words not in found.words
    assert [card.name for card in page.attachments] == facts.attachments
    assert [card.title for card in page.cards.messages] == facts.messages
    assert "pwn" not in found.frame


def _deliver(user: MailUser) -> dict[str, int]:
    """Append every message as it stands on the disk, marked as read. Gives UIDs by name."""
    uids = {}
    with user.imap() as client:
        for path in MAILS:
            # imaplib's own `append` mends line ends, which are what some of these messages are about.
            client.literal = path.read_bytes()
            status, answer = client._simple_command("APPEND", "INBOX", r"(\Seen)", '"24-Nov-2026 08:00:00 +0000"')
            assert status == "OK", (path.name, answer)
            uids[path.stem] = int(client.response("APPENDUID")[1][-1].split()[1])
    return uids


def _listed(reader: Client, inbox: Mailbox) -> Iterator[Any]:
    """Every row of every page of the list."""
    query = "?"
    while query:
        page = reader.get(f"/mailbox/{inbox.pk}/{query}").context["page"]
        yield from page.rows
        query = page.older


def _opened(reader: Client, pk: int, row: Any) -> Seen:
    """The message's page and, where it has one, the document of its frame."""
    response = reader.get(f"/message/{pk}/", headers={"HX-Request": "true"})
    assert response.status_code == 200
    page, frame = response.context["message"], ""
    if page.html:
        answer = reader.get(f"/message/{pk}/frame/", headers={"Sec-Fetch-Dest": "iframe"})
        assert answer.status_code == 200
        frame = answer.content.decode()
    return Seen(row, page, _Words.of(response.content.decode(), frame), frame)


class _Words(HTMLParser):
    """Gathers the text of documents, white space collapsed."""

    @classmethod
    def of(cls, *documents: str) -> str:
        gathered: list[str] = []
        for document in documents:
            parser = cls(convert_charrefs=True)
            parser.handle_data = gathered.append  # type: ignore[method-assign]
            parser.feed(document)
            parser.close()
        return " ".join("".join(gathered).split())
