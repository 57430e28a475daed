"""What was done is tested with somebody's own mailbox on a real server."""

from tests.reader import account, inbox, mail_user, reader, received

__all__ = ["account", "inbox", "mail_user", "reader", "received"]
