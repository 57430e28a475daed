"""Messages that another client moves: their rows go with them, so that links to them stay."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.reader import letter
from tests.servers import MailUser
from webmail.demo.imap_server import ImapServer
from webmail.models import Account, Mailbox, Message
from webmail.protocol.connection import Connection
from webmail.store import pools, sync

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mail_user(mailbox_user: Callable[..., MailUser], imap_server: ImapServer) -> MailUser:
    """Somebody with three letters and an empty mailbox, on each of the two servers."""
    user = mailbox_user(imap_server)
    with user.imap() as client:
        client.create("Kept")
    for number in range(1, 4):
        user.append("INBOX", letter(number))
    return user


@pytest.fixture
def kept(inbox: Mailbox) -> Mailbox:
    """The second mailbox; both are read."""
    sync.refresh(inbox)
    mailbox = inbox.account.mailboxes.select_related("account__provider").get(name="Kept")
    sync.refresh(mailbox)
    return mailbox


def move(user: MailUser, number: int, target: str) -> None:
    with user.imap() as client:
        client.select("INBOX")
        client.copy(str(number), target)
        client.store(str(number), "+FLAGS", "(\\Deleted \\Flagged)")
        client.expunge()


def keys(account: Account) -> dict[str, int]:
    return dict(Message.objects.filter(account=account, mailbox__isnull=False).values_list("subject", "pk"))


@pytest.mark.parametrize("first", ["INBOX", "Kept"])
def test_a_moved_message_keeps_its_row_whichever_mailbox_is_looked_at_first(
    inbox: Mailbox, kept: Mailbox, mail_user: MailUser, first: str
) -> None:
    before = keys(inbox.account)
    move(mail_user, 2, "Kept")
    for mailbox in sorted((inbox, kept), key=lambda mailbox: mailbox.name != first):
        sync.refresh(mailbox)
    assert keys(inbox.account) == before
    row = kept.messages.get()
    assert (row.subject, row.unlinked_at) == ("Letter 2", None)
    assert row.uid == kept.uidnext - 1
    assert not Message.objects.filter(mailbox=None).exists()


def test_a_look_at_the_account_finds_it_too(inbox: Mailbox, kept: Mailbox, mail_user: MailUser) -> None:
    before = keys(inbox.account)
    move(mail_user, 1, "Kept")
    sync.look(inbox.account)
    assert keys(inbox.account) == before
    assert kept.messages.get().subject == "Letter 1"


def test_a_copy_is_another_row(inbox: Mailbox, kept: Mailbox, mail_user: MailUser) -> None:
    with mail_user.imap() as client:
        client.select("INBOX")
        client.copy("3", "Kept")
    sync.refresh(kept)
    sync.refresh(inbox)
    assert (inbox.messages.count(), kept.messages.count()) == (3, 1)


def test_a_message_without_an_id_is_never_taken_for_another(inbox: Mailbox, kept: Mailbox, mail_user: MailUser) -> None:
    mail_user.append("INBOX", b"Subject: Nameless\r\n\r\nx\r\n")
    sync.refresh(inbox)
    before = keys(inbox.account)["Nameless"]
    move(mail_user, 4, "Kept")
    sync.refresh(inbox)
    sync.refresh(kept)
    assert kept.messages.get().pk != before


def test_a_renamed_mailbox_keeps_its_rows_and_those_of_its_messages(
    inbox: Mailbox, kept: Mailbox, mail_user: MailUser
) -> None:
    move(mail_user, 1, "Kept")
    sync.look(inbox.account)
    before = keys(inbox.account)
    with mail_user.imap() as client:
        client.rename("Kept", "Renamed")
    with pools.lend(inbox.account) as imap:
        tells = _tells_which_is_which(imap)
    sync.look(inbox.account)
    renamed = inbox.account.mailboxes.get(name="Renamed")
    assert not inbox.account.mailboxes.filter(name="Kept").exists()
    assert (renamed.pk == kept.pk) is tells
    if tells:
        assert keys(inbox.account) == before


def _tells_which_is_which(imap: Connection) -> bool:
    """Whether the server gives each mailbox an id, or a UIDVALIDITY of its own that stays."""
    validities = [info.status.uidvalidity for info in imap.mailboxes() if info.status]
    return imap.has("OBJECTID") or len(set(validities)) == len(validities)
