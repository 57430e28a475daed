"""Mailboxes that can only be read: known as such, and what would change them is refused before it is recorded."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.protocol.scripted import LOGIN, PoliteImap
from tests.reader import letter, reader
from tests.servers import MailUser
from webmail.models import Account, Job, Mailbox, Provider, User
from webmail.protocol.errors import Refused
from webmail.protocol.types import Flag
from webmail.store import credentials, jobs, sync

__all__ = ["reader"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def closed(inbox: Mailbox, mail_user: MailUser) -> Mailbox:
    """An inbox with a letter, in which its server lets nobody change anything."""
    mail_user.append("INBOX", letter(1))
    sync.refresh(inbox)
    Mailbox.objects.filter(pk=inbox.pk).update(read_only=True)
    inbox.refresh_from_db()
    return inbox


def test_the_server_says_so(db: None) -> None:
    def refuse(verb: str, answer: bytes) -> bytes:
        return answer.replace(b"READ-WRITE", b"READ-ONLY") if verb == "SELECT" else answer

    with PoliteImap(change=refuse) as polite:
        provider = Provider.objects.create(
            name="Polite", imap_host="127.0.0.1", imap_port=polite.port, imap_security="none", allow_private=True
        )
        account = Account(user=User.objects.create_user("alice"), provider=provider, address=LOGIN.username)
        account.credential = credentials.seal(account, LOGIN.password)
        account.save()
        sync.list_mailboxes(account)
        inbox = account.mailboxes.select_related("account__provider").get(role="inbox")
        sync.refresh(inbox)
        assert inbox.read_only


def test_a_change_is_refused_and_nothing_is_recorded(closed: Mailbox) -> None:
    message = closed.messages.select_related("mailbox").get()
    with pytest.raises(Refused, match="can only be read"):
        jobs.record_flags([message], add=[Flag.FLAGGED], idem_key="k")
    assert not Job.objects.exists()
    assert not closed.messages.get().flagged


def test_opening_a_message_there_marks_nothing(closed: Mailbox, reader: Client) -> None:
    pk = closed.messages.get().pk
    assert reader.get(f"/message/{pk}/").status_code == 200
    assert not Job.objects.exists()
    answer = reader.post(f"/message/{pk}/flag/", {"flag": "flagged", "on": "1", "idem_key": "a-key-of-the-test"})
    assert "can only be read" in answer.content.decode()
    assert not Job.objects.exists()
