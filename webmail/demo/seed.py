"""Put the demo's mail into the demo's IMAP server, once: a user whose INBOX holds mail is left alone.

Speaks IMAP with the standard library, as any other mail program would: the demo server is the outside world, and
the product's own connection is not for strangers' passwords or for writing history.
"""

from __future__ import annotations

import base64
import imaplib
import re
import socket
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from webmail.demo.mail.all import all_messages
from webmail.demo.mail.letters import DemoMail

MAILBOXES: tuple[str, ...] = (
    "Drafts", "Sent", "Archive", "Junk", "Trash", "Projects", "Projects/Harbour redesign", "Projects/Budget",
    "Family", "Newsletters", "Receipts", "Účty a smlouvy",
)  # fmt: skip


def seed(
    host: str,
    port: int,
    logins: Mapping[str, str],
    *,
    ca_pem: str = "",
    now: datetime | None = None,
    mails: Iterable[DemoMail] | None = None,
) -> dict[str, int]:
    """Fill the mailboxes of every user in `logins` that the demo has mail for.

    Args:
        host: where the IMAP server listens.
        port: its implicit TLS port if `ca_pem` is given, else its plain-text port.
        logins: address → password.
        ca_pem: the only authority trusted to have signed the server's certificate.
        now: what "today" is for the messages; the present moment if None.
        mails: what to put there instead of the demo's own mail.

    Returns:
        For each address how many messages were put there: 0 for a user who had mail already.

    Raises:
        OSError: the server cannot be reached.
        imaplib.IMAP4.error: it refused a log-in or a message.
    """
    # Writing the mail takes longer than filing it, so nobody does it for people who have theirs.
    waiting = [
        address for address, password in logins.items() if _is_empty(_connect(host, port, ca_pem), address, password)
    ]
    by_user: dict[str, list[DemoMail]] = {address: [] for address in logins}
    if waiting and mails is None:
        mails = all_messages(now or datetime.now().astimezone())
    for mail in mails or ():
        if mail.user in waiting:
            by_user[mail.user].append(mail)
    for address in waiting:
        _fill(_connect(host, port, ca_pem), address, logins[address], by_user[address])
    return {address: len(found) for address, found in by_user.items()}


def wait_for(host: str, port: int, *, ca_pem: str = "", seconds: float = 30.0) -> None:
    """Return once the server greets.  Raises TimeoutError when it hasn't after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            _connect(host, port, ca_pem).shutdown()
            return
        except (OSError, imaplib.IMAP4.error) as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no IMAP server answers on {host}, port {port}: {error}") from error
            time.sleep(0.1)


def encode_name(name: str) -> str:
    """A mailbox name as IMAP4rev1 sends it (modified UTF-7, RFC 3501 §5.1.3)."""

    def shift(match: re.Match[str]) -> str:
        if match[0] == "&":
            return "&-"
        return "&" + base64.b64encode(match[0].encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"

    return re.sub(r"&|[^ -~]+", shift, name)


def _connect(host: str, port: int, ca_pem: str) -> imaplib.IMAP4:
    imap = (
        imaplib.IMAP4_SSL(host, port, ssl_context=ssl.create_default_context(cadata=ca_pem), timeout=20)
        if ca_pem
        else imaplib.IMAP4(host, port, timeout=20)
    )
    # Every message waits for the server's "+": without this the end of each would wait for an acknowledgement too.
    imap.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return imap


def _is_empty(imap: imaplib.IMAP4, address: str, password: str) -> bool:
    with imap:
        imap.login(address, password)
        return _count(imap, "INBOX") == 0


def _fill(imap: imaplib.IMAP4, address: str, password: str, mails: Sequence[DemoMail]) -> None:
    with imap:
        imap.login(address, password)
        separator = _separator(imap)
        for name in MAILBOXES:
            # Special-use mailboxes may be there already: a refused CREATE is fine, a refused APPEND isn't.
            imap.create(_quoted(name, separator))
            imap.subscribe(_quoted(name, separator))
        # INBOX last: mail in it says that the user is done, mail in another one that a broken run got so far.
        for name in (*MAILBOXES, "INBOX"):
            here = sorted((mail for mail in mails if mail.mailbox == name), key=lambda mail: mail.date)
            if here and _count(imap, _quoted(name, separator)) == 0:
                _append_all(imap, _quoted(name, separator), here)


def _count(imap: imaplib.IMAP4, mailbox: str) -> int:
    _, counts = imap.select(mailbox, readonly=True)
    return int(counts[0] or b"0")


def _separator(imap: imaplib.IMAP4) -> str:
    _, lines = imap.list('""', '""')
    match = re.search(rb'\) "(.)"', lines[0]) if lines and isinstance(lines[0], bytes) else None
    return match[1].decode() if match else "/"


def _quoted(name: str, separator: str) -> str:
    return f'"{encode_name(name.replace("/", separator))}"'


def _append_all(imap: imaplib.IMAP4, mailbox: str, mails: Sequence[DemoMail]) -> None:
    """All or nothing where the server has MULTIAPPEND (RFC 3502), which is also the fastest; else one by one."""
    if "MULTIAPPEND" in imap.capabilities:
        _append(imap, mailbox, mails)
    else:
        for mail in mails:
            _append(imap, mailbox, [mail])


def _append(imap: imaplib.IMAP4, mailbox: str, batch: Sequence[DemoMail]) -> None:
    """One APPEND with every message of the batch, each as a literal the server is asked to take first.

    imaplib's own `append` sends one message and mends bare line ends, which some of ours have on purpose.
    """
    sends: list[bytes] = []
    line = f"APPEND {mailbox}"
    for mail in batch:
        sends.append(f"{line} ({' '.join(mail.flags)}) {_internal_date(mail.date)} {{{len(mail.raw)}}}\r\n".encode())
        sends.append(mail.raw)
        line = ""
    tag = b"seed"
    imap.send(tag + b" " + sends[0])
    for literal, following in zip(sends[1::2], [*sends[2::2], b"\r\n"], strict=True):
        _expect(imap, tag, b"+")
        imap.send(literal + following)
    _expect(imap, tag, tag + b" OK")


def _expect(imap: imaplib.IMAP4, tag: bytes, start: bytes) -> None:
    """Read lines up to the one that begins with `start`; untagged ones in between don't matter here."""
    while True:
        line = imap.readline()
        if line.startswith(start):
            return
        if not line or line.startswith(tag):
            raise imaplib.IMAP4.error(f"the server refused a demo message: {line[:200]!r}")


def _internal_date(date: datetime) -> str:
    # Locale plays no part: month names by hand (RFC 3501 §9, date-month).
    month = "JanFebMarAprMayJunJulAugSepOctNovDec"[date.month * 3 - 3 : date.month * 3]
    return f'"{date.day:2d}-{month}-{date:%Y %H:%M:%S %z}"'
