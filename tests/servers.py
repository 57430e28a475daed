"""Real servers for the tests, one of each kind per process, and the people whose mailboxes are on them."""

from __future__ import annotations

import imaplib
import socket
import ssl
from dataclasses import dataclass

from webmail.demo.imap_server import ImapServer

PASSWORD = "demo"
CAST = ("alice@demo.test", "bob@demo.test", "mallory@demo.test")
# Handed out one by one by the fixture `mailbox_user`; far more than there are tests.
# Those of quay.test, whose provider takes access tokens; they have passwords for the tests that look on.
QUAY = ("alice@quay.test", "bob@quay.test", "mallory@quay.test")
STRANGERS = tuple(f"u{number}@demo.test" for number in range(2000))
USERS = dict.fromkeys((*CAST, *QUAY, *STRANGERS), PASSWORD)


@dataclass(frozen=True)
class MailUser:
    """Somebody with a mailbox on a real server. `address` is also the user name."""

    server: ImapServer
    address: str
    password: str = PASSWORD

    def append(self, mailbox: str, message: bytes, flags: str = "") -> int:
        """File one message, as `append` does."""
        return append(self.server, self.address, mailbox, message, flags, password=self.password)

    def append_exactly(self, mailbox: str, message: bytes) -> int:
        """File one message octet for octet and return its UID: `append` of imaplib mends line ends."""
        with self.imap() as client:
            client.literal = message
            status, answer = client._simple_command("APPEND", mailbox)
            if status != "OK":
                raise AssertionError(f"APPEND answered {status} {answer!r}")
            _, uids = client.response("APPENDUID")
            return int(uids[-1].split()[1])

    def imap(self) -> imaplib.IMAP4:
        """Return a logged-in connection of the standard library: the other client that looks on."""
        client = imaplib.IMAP4(self.server.host, self.server.port, timeout=20)
        # imaplib writes a literal in pieces, and each would wait 40 ms for an answer to the one before.
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.login(self.address, self.password)
        return client

    def imap_tls(self) -> imaplib.IMAP4_SSL:
        """Likewise over TLS, with the certificate checked."""
        context = ssl.create_default_context(cadata=self.server.ca_pem)
        client = imaplib.IMAP4_SSL(self.server.host, self.server.tls_port, ssl_context=context, timeout=20)
        client.login(self.address, self.password)
        return client


def append(
    server: ImapServer, user: str, mailbox: str, message: bytes, flags: str = "", *, password: str = PASSWORD
) -> int:
    """File one message with an IMAP client of its own and return its UID (both servers have UIDPLUS).

    Args:
        server: where.
        user: whose mailbox.
        mailbox: name as on the wire (modified UTF-7); it must exist.
        message: the bytes, lines ended by CR LF.
        flags: as on the wire, such as "\\Seen $Forwarded".
    """
    with MailUser(server, user, password).imap() as client:
        status, answer = client.append(f'"{mailbox}"', f"({flags})", "", message)
        if status != "OK":
            raise AssertionError(f"APPEND answered {status} {answer!r}")
        _, uids = client.response("APPENDUID")
        return int(uids[-1].split()[1])
