"""Mailboxes made, renamed, deleted and subscribed to, on Dovecot and on pymap."""

from __future__ import annotations

import pytest

from tests.protocol.people import dial
from tests.servers import MailUser
from webmail.protocol.connection import Connection
from webmail.protocol.errors import Forbidden, NoSuchMailbox, Refused


def names(imap: Connection) -> dict[str, bool]:
    """Every mailbox, and whether it is subscribed to."""
    return {info.name: info.subscribed for info in imap.mailboxes()}


def test_made_renamed_and_deleted(imap: Connection) -> None:
    imap.create("Účty")
    assert names(imap)["Účty"]
    imap.rename("Účty", "Úkoly 2026")
    assert "Účty" not in names(imap)
    assert names(imap)["Úkoly 2026"]
    imap.select("Úkoly 2026")
    imap.delete("Úkoly 2026")
    assert "Úkoly 2026" not in names(imap)
    assert imap.usable


def test_one_inside_another(rich: MailUser) -> None:
    imap = dial(rich)
    imap.create("Projects/2026/Ferry")
    assert {"Projects/2026", "Projects/2026/Ferry"} <= names(imap).keys()
    imap.rename("Projects", "Work")
    assert "Work/2026/Ferry" in names(imap)
    imap.close()


def test_subscriptions(imap: Connection) -> None:
    imap.create("Lists")
    imap.unsubscribe("Lists")
    assert not names(imap)["Lists"]
    imap.subscribe("Lists")
    assert names(imap)["Lists"]


def test_what_is_refused(imap: Connection) -> None:
    imap.create("Lists")
    with pytest.raises(Refused):
        imap.create("Lists")
    with pytest.raises(Refused):
        imap.delete("Nowhere at all")
    with pytest.raises(Refused):
        imap.rename("Nowhere at all", "Here")
    assert imap.usable


def test_the_words_of_a_refusal(rich: MailUser) -> None:
    imap = dial(rich)
    imap.create("Lists")
    with pytest.raises(Refused, match="name already"):
        imap.create("Lists")
    with pytest.raises(NoSuchMailbox):
        imap.delete("Nowhere at all")
    imap.close()


def test_the_inbox_stays(imap: Connection) -> None:
    before = imap.commands
    with pytest.raises(Forbidden):
        imap.delete("inbox")
    with pytest.raises(Forbidden):
        imap.rename("Inbox", "Elsewhere")
    assert imap.commands == before
