"""What mailboxes are for, where the person knows better than the server."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.reader import account, inbox, mail_user, reader
from tests.servers import MailUser
from webmail.models import Account, Mailbox
from webmail.store import sync

__all__ = ["account", "inbox", "mail_user", "reader"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def attic(inbox: Mailbox, mail_user: MailUser) -> Mailbox:
    """A mailbox of which no server and no list of names knows what it is for."""
    with mail_user.imap() as client:
        client.create("Attic")
    sync.list_mailboxes(inbox.account)
    return inbox.account.mailboxes.get(name="Attic")


def roles(account: Account) -> dict[str, str]:
    return dict(account.mailboxes.exclude(role="").values_list("role", "name"))


def test_a_chosen_mailbox_takes_the_role_and_keeps_it(reader: Client, account: Account, attic: Mailbox) -> None:
    before = roles(account)
    page = reader.get(f"/settings/accounts/{account.pk}/").content.decode()
    assert f'<option value="{attic.pk}">Attic</option>' in page
    answer = reader.post(f"/settings/accounts/{account.pk}/roles/", {"archive": attic.pk})
    assert answer.status_code == 302
    assert roles(account) == before | {"archive": "Attic"}
    sync.list_mailboxes(account)
    assert roles(account) == before | {"archive": "Attic"}
    page = reader.get(f"/settings/accounts/{account.pk}/").content.decode()
    assert f'<option value="{attic.pk}" selected>Attic</option>' in page
    reader.post(f"/settings/accounts/{account.pk}/roles/", {})
    assert roles(account) == before


def test_one_mailbox_is_for_one_thing(reader: Client, account: Account, attic: Mailbox) -> None:
    before = roles(account)
    form = {"archive": attic.pk, "junk": attic.pk}
    answer = reader.post(f"/settings/accounts/{account.pk}/roles/", form)
    assert answer.status_code == 422
    assert "chosen above already" in answer.content.decode()
    assert roles(account) == before


def test_only_mailboxes_of_the_account_can_be_chosen(reader: Client, account: Account, attic: Mailbox) -> None:
    before = roles(account)
    answer = reader.post(f"/settings/accounts/{account.pk}/roles/", {"archive": attic.pk + 1000})
    assert answer.status_code == 422
    assert roles(account) == before
