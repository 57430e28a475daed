"""The mail that the browser's tests read."""

from __future__ import annotations

import imaplib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.message import letters
from tests.reader import indexed, letter
from tests.servers import MailUser
from webmail.models import Account, Mailbox, Message

PLAIN = "Budget for Q3"
NEWSLETTER = "Bread for beginners"
ATTACHMENTS = "Plans"
FILLERS = 3


@dataclass(frozen=True)
class Mail:
    """Somebody's indexed inbox."""

    account: Account
    inbox: Mailbox

    @property
    def path(self) -> str:
        """The inbox's page."""
        return f"/mailbox/{self.inbox.pk}/"

    def message(self, subject: str) -> Message:
        """The message with this subject."""
        return self.inbox.messages.get(subject=subject)

    def path_of(self, subject: str) -> str:
        """Its page."""
        return f"/message/{self.message(subject).pk}/"


def fill(mail_user: MailUser, account: Account) -> Mail:
    """Three small letters, then a plain one, a newsletter and one with attachments: the newest, all unread.

    The newsletter says how it is left; whoever sent the attachments wants a receipt.
    """
    fillers = [letter(number) for number in range(1, FILLERS + 1)]
    newsletter = b"List-Unsubscribe: <mailto:leave@bakery.test>\r\n" + letters.newsletter()
    attachments = b"Disposition-Notification-To: bob@demo.test\r\n" + letters.with_attachments()
    deliver(mail_user, [*fillers, letters.plain(), newsletter, attachments])
    return read(account)


def deliver(mail_user: MailUser, messages: Sequence[bytes], mailbox: str = "INBOX") -> None:
    """File messages, a second apart from one another, over one connection."""
    start = int(time.time()) - len(messages)
    with mail_user.imap() as client:
        for number, message in enumerate(messages):
            when = imaplib.Time2Internaldate(start + number)
            # The list goes by the Date field, which says the same, so that the order is the order of delivery.
            dated = re.sub(rb"(?im)^Date: .*$", f"Date: {_date(start + number)}".encode(), message, count=1)
            status, answer = client.append(f'"{mailbox}"', "", when, dated)
            assert status == "OK", answer


def read(account: Account) -> Mail:
    """List the account's mailboxes and index its inbox, all of it."""
    return Mail(account, indexed(account))


def _date(seconds: int) -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S +0000\r", time.gmtime(seconds))
