"""Fixtures of this room: people with six messages, and connections to their servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.protocol.people import dial, with_mail
from tests.servers import MailUser
from webmail.demo.imap_server import ImapServer
from webmail.protocol.connection import Connection


@pytest.fixture
def person(imap_server: ImapServer, mailbox_user: Callable[..., MailUser]) -> MailUser:
    """Somebody with six messages, on each server in turn."""
    return with_mail(mailbox_user(imap_server))


@pytest.fixture
def rich(dovecot: ImapServer, mailbox_user: Callable[..., MailUser]) -> MailUser:
    """Somebody with six messages, on Dovecot."""
    return with_mail(mailbox_user(dovecot))


@pytest.fixture
def imap(person: MailUser) -> Iterator[Connection]:
    """A connection of `person`."""
    connection = dial(person)
    yield connection
    connection.close()
