"""Alice writes; her provider has a server for sending, which nobody asks in these tests."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.cast import client_of
from tests.reader import account, inbox, mail_user, received
from webmail.models import Account, Provider

__all__ = ["account", "inbox", "mail_user", "received"]


@pytest.fixture
def writer(account: Account) -> Client:
    """The browser of the owner of `account`, who can send."""
    Provider.objects.filter(pk=account.provider_id).update(smtp_host="127.0.0.1", smtp_port=2525)
    account.refresh_from_db()
    return client_of(account.user)
