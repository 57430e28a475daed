"""The demo's submission server: takes mail from those who log in and files it in the demo's own mailboxes.

Nothing ever leaves this machine: an address that has no mailbox here gets its sender a delivery report (RFC 3464).
`python -m webmail.demo.smtp_server` is the `smtp` line of the Procfile.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import functools
import imaplib
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from webmail.demo.certificates import Certificates
from webmail.demo.layout import HOST, PEOPLE, current, free_port

LARGEST_MESSAGE = 35 * 2**20
IMAP_SECONDS = 30.0
NOBODY = "<>"  # who sends what is not to be answered, as aiosmtpd spells it


class MailDrop:
    """What happens to a message: each recipient's copy is APPENDed to the INBOX, as that recipient.

    Args:
        imap_port: plain-text port of the IMAP server on 127.0.0.1.
        people: address → password, on both servers.
    """

    def __init__(self, imap_port: int, people: Mapping[str, str]) -> None:
        self._imap_port = imap_port
        self._people = people

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        """Check a log-in; aiosmtpd answers 535 when it fails."""
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        address = data.login.decode("utf-8", "replace").lower()
        success = self._people.get(address) == data.password.decode("utf-8", "replace")
        return AuthResult(success=success, handled=False, auth_data=address)

    async def handle_MAIL(
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept a sender who is the one that logged in, as RFC 6409 §6.1 lets a submission server demand, whatever
        stands behind a "+" in it; or none, for what nobody is to answer.
        """
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        local, at, domain = address.lower().rpartition("@")
        if address != NOBODY and f"{local.partition('+')[0]}{at}{domain}" != session.auth_data:
            return f"553 5.7.1 {session.auth_data} may not send as {address}"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:
        """Deliver before answering, so that "250" means the message is in every mailbox."""
        try:
            await asyncio.to_thread(self._deliver, envelope, str(session.auth_data))
        except (OSError, imaplib.IMAP4.error) as error:
            return f"451 4.3.0 The mail server is away: {str(error)[:200]!a}"
        return "250 2.0.0 Delivered"

    def _deliver(self, envelope: Envelope, sender: str) -> None:
        content = envelope.content
        if not isinstance(content, bytes):
            raise TypeError("aiosmtpd was to hand over bytes")
        trace = (
            f"Return-Path: <{(envelope.mail_from or NOBODY).strip('<>')}>\r\n"
            f"Received: from {HOST} by demo.test (the demo's submission server) with ESMTPSA;\r\n"
            f"\t{email.utils.format_datetime(email.utils.localtime())}\r\n"
        )
        unknown = []
        for recipient in dict.fromkeys(address.lower() for address in envelope.rcpt_tos):
            if recipient in self._people:
                self._append(recipient, trace.encode() + content)
            else:
                unknown.append(recipient)
        if unknown and envelope.mail_from != NOBODY:
            self._append(sender, delivery_report(sender, unknown, content))

    def _append(self, address: str, message: bytes) -> None:
        with imaplib.IMAP4(HOST, self._imap_port, timeout=IMAP_SECONDS) as client:
            # imaplib writes a literal in pieces, and each would wait 40 ms for an answer to the one before.
            client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.login(address, self._people[address])
            status, answer = client.append("INBOX", "", "", message)
            if status != "OK":
                raise imaplib.IMAP4.error(f"APPEND answered {status} {answer!r}")


def delivery_report(sender: str, unknown: list[str], message: bytes) -> bytes:
    """Return the bytes of the report that `unknown` can't be reached (RFC 3462, RFC 3464).

    Args:
        sender: who sent it and gets the report.
        unknown: the addresses without a mailbox.
        message: what could not be delivered; its header goes into the report.
    """
    report = MIMEMultipart("report", report_type="delivery-status")
    report["From"] = "Mail Delivery System <mailer-daemon@demo.test>"
    report["To"] = sender
    report["Subject"] = "Undelivered mail returned to its sender"
    report["Date"] = email.utils.format_datetime(email.utils.localtime())
    report["Message-ID"] = email.utils.make_msgid(domain="demo.test")
    report["Auto-Submitted"] = "auto-replied"
    listed = "\n".join(f"    {address}" for address in unknown)
    report.attach(
        MIMEText(
            "This is the demo's mail server. It delivers to its own mailboxes only, so your message did not reach:\n\n"
            f"{listed}\n\nNothing has left this machine.\n"
        )
    )
    status = MIMENonMultipart("message", "delivery-status")
    # One block of fields about the report, one for each recipient.
    about = Message()
    about["Reporting-MTA"] = "dns; demo.test"
    blocks: list[Message | str] = [about]
    for address in unknown:
        block = Message()
        block["Final-Recipient"] = f"rfc822; {address}"
        block["Action"] = "failed"
        block["Status"] = "5.1.1"
        block["Diagnostic-Code"] = "smtp; 550 5.1.1 No such mailbox here"
        blocks.append(block)
    status.set_payload(blocks)
    report.attach(status)
    header = message.split(b"\r\n\r\n", 1)[0]
    headers = MIMENonMultipart("text", "rfc822-headers")
    headers.set_payload(header.decode("ascii", "replace") + "\r\n")
    report.attach(headers)
    return report.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@dataclass
class SmtpServer:
    """A submission server running in a thread of this process, for tests.

    Attributes:
        host: always 127.0.0.1.
        port: with STARTTLS, which it insists on.
        tls_port: implicit TLS.
        ca_pem: PEM text of the authority behind its certificate.
    """

    host: str
    port: int
    tls_port: int
    ca_pem: str
    _loop: asyncio.AbstractEventLoop = field(repr=False)
    _stopped: asyncio.Event = field(repr=False)
    _thread: threading.Thread = field(repr=False)

    def stop(self) -> None:
        """End it. May be called twice."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(IMAP_SECONDS)


def start_smtp(imap_port: int, people: Mapping[str, str], certificates: Certificates) -> SmtpServer:
    """Start a submission server on free ports and return once it listens.

    Args:
        imap_port: plain-text port of the IMAP server it delivers into.
        people: address → password, on both servers.
        certificates: what it shows.
    """
    ports = free_port(), free_port()
    loop = asyncio.new_event_loop()
    stopped = asyncio.Event()
    listening = threading.Event()
    serve = _serve(MailDrop(imap_port, people), *ports, certificates, stopped, listening.set)
    thread = threading.Thread(target=loop.run_until_complete, args=(serve,), name="smtp", daemon=True)
    thread.start()
    if not listening.wait(IMAP_SECONDS):
        raise RuntimeError(f"the submission server did not listen on {ports}")
    return SmtpServer(HOST, *ports, certificates.ca.read_text(), loop, stopped, thread)


async def _serve(
    drop: MailDrop,
    port: int,
    tls_port: int,
    certificates: Certificates,
    stopped: asyncio.Event,
    listening: Callable[[], None],
) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificates.certificate, certificates.key)
    loop = asyncio.get_running_loop()
    speak = functools.partial(
        SMTP,
        drop,
        hostname="demo.test",
        ident="Webmail demo",
        authenticator=drop.authenticate,
        data_size_limit=LARGEST_MESSAGE,
        enable_SMTPUTF8=True,
        loop=loop,
    )
    async with contextlib.AsyncExitStack() as stack:
        starttls = await loop.create_server(
            functools.partial(speak, tls_context=tls, require_starttls=True), HOST, port
        )
        # aiosmtpd only counts its own STARTTLS as TLS; here every byte is encrypted already.
        implicit = await loop.create_server(functools.partial(speak, auth_require_tls=False), HOST, tls_port, ssl=tls)
        await stack.enter_async_context(starttls)
        await stack.enter_async_context(implicit)
        listening()
        await stopped.wait()


def main() -> None:
    """Serve as `make run` laid it out, until SIGTERM or SIGINT."""
    layout = current()
    stopped = asyncio.Event()

    async def serve() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        ports = layout.submission_port, layout.submissions_port
        await _serve(MailDrop(layout.imap_port, PEOPLE), *ports, layout.certificates, stopped, lambda: None)

    asyncio.run(serve())


if __name__ == "__main__":
    main()
