"""The store is tested with somebody's own mailbox on a real server."""

from tests.reader import account, inbox, mail_user, reader, received
from tests.store.writing import ready, server

__all__ = ["account", "inbox", "mail_user", "reader", "ready", "received", "server"]
