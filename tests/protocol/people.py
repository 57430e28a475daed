"""Somebody with mail on a real server, and a connection to it: what the tests of the verbs share."""

from __future__ import annotations

from tests.servers import MailUser
from webmail.protocol.connection import Connection, connect
from webmail.protocol.types import Login, Security, Server

PNG = b"iVBORw0KGgo" * 9000
MESSAGE = (
    b"Date: Mon, 23 Nov 2026 08:11:07 +0000\r\nFrom: Bob <bob@demo.test>\r\nTo: alice@demo.test\r\n"
    b"Subject: Ferry %d\r\nMessage-ID: <ferry%d@demo.test>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe ferry leaves at nine.\r\n"
    b"--b\r\nContent-Type: image/png; name*=utf-8''%%C3%%9A%%C4%%8Det.png\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-Disposition: attachment\r\n\r\n" + PNG + b"\r\n--b--\r\n"
)


def with_mail(person: MailUser) -> MailUser:
    for number in range(6):
        person.append("INBOX", MESSAGE % (number, number), "\\Seen" if number % 2 else "")
    return person


def dial(person: MailUser, security: Security = Security.NONE, **changes: object) -> Connection:
    server = person.server
    port = server.tls_port if security is Security.TLS else server.port
    values = {"ca_pem": server.ca_pem, "allow_private": True} | changes
    return connect(Server("127.0.0.1", port, security, **values), Login(person.address, person.password))  # type: ignore[arg-type]


def uidvalidity(imap: Connection, name: str = "INBOX") -> int:
    return imap.select(name).uidvalidity


def expunge(person: MailUser, uid: int) -> None:
    with person.imap() as other:
        other.select("INBOX")
        other.uid("STORE", str(uid), "+FLAGS", "(\\Deleted)")
        other.uid("EXPUNGE", str(uid))
