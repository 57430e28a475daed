"""Mailboxes made, renamed, deleted and subscribed to, on Dovecot and on pymap."""

from __future__ import annotations

import pytest

from tests.protocol.people import dial
from tests.servers import MailUser
from webmail.protocol.arranging import _storage
from webmail.protocol.connection import Connection
from webmail.protocol.errors import Forbidden, NoSuchMailbox, Refused
from webmail.protocol.tokens import tokenize
from webmail.protocol.types import Quota


def names(imap: Connection) -> dict[str, bool]:
    """Every mailbox, and whether it is subscribed to."""
    return {info.name: info.subscribed for info in imap.mailboxes()}


def test_made_renamed_and_deleted(imap: Connection) -> None:
    imap.create("Účty")
    assert names(imap)["Účty"]
    imap.rename("Účty", "Úkoly 2026")
    assert "Účty" not in names(imap)
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


def test_how_full_the_account_is(rich: MailUser) -> None:
    imap = dial(rich)
    quota = imap.quota()
    assert quota is not None
    assert 0 <= quota.used < quota.limit == 2 << 30
    imap.close()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b'* QUOTA "" (STORAGE 10 512)', [Quota(10240, 524288)]),
        (b'* QUOTA "User quota" (MESSAGE 5 1000 STORAGE 0 1)', [Quota(0, 1024)]),
        (b'* QUOTA "" (STORAGE 10 0)', []),
        (b'* QUOTA "" ()', []),
        (b'* QUOTA "" (STORAGE ten many MESSAGE)', []),
        (b'* QUOTA "" (STORAGE 99999999999999999999 99999999999999999999)', []),
    ],
)
def test_what_servers_say_of_it(line: bytes, found: list[Quota]) -> None:
    assert _storage(tokenize([line])) == found
