"""Sending through a real Postfix, which asks a real Dovecot who may: what it takes, refuses, and reports later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.postfix import LARGEST, Postfix, start_postfix
from tests.reader import make_account
from tests.servers import PASSWORD, MailUser
from tests.store.writing import sent_copies, write
from webmail.demo.imap_server import start_dovecot
from webmail.demo.layout import free_port
from webmail.models import Account, Provider, Report, Submission
from webmail.protocol import smtp, smtp_outcome
from webmail.protocol.compose import Outgoing
from webmail.protocol.errors import LoginNeeded
from webmail.protocol.smtp_session import open_session
from webmail.protocol.types import Login
from webmail.store import draft_files, draft_room, drafts, outbox, outbox_page, prefetch, sending, sync
from webmail.store.drafts import Values

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = ("dana@demo.test", "bob@demo.test", "jiří@demo.test")
LOGIN = Login("dana@demo.test", PASSWORD)
IN_8_BITS = "From: eve@demo.test\r\nSubject: Ferry\r\n\r\nŽlutý kůň.\r\n".encode()


@pytest.fixture
def dana(worker_dir: Path) -> Iterator[tuple[MailUser, Postfix]]:
    """Somebody on a Dovecot, and the Postfix that asks it who may send."""
    home, auth_port = worker_dir / "postfix", free_port()
    for path in (home, home / "dovecot"):
        path.mkdir()
    imap = start_dovecot(home / "dovecot", dict.fromkeys(PEOPLE, PASSWORD), auth_port=auth_port)
    (home / "mta").mkdir(mode=0o755)
    try:
        postfix = start_postfix(home / "mta", PEOPLE, auth_port)
        try:
            yield MailUser(imap, LOGIN.username), postfix
        finally:
            postfix.stop()
    finally:
        imap.stop()


@pytest.fixture
def account(dana: tuple[MailUser, Postfix], redis_url: str) -> Account:
    """Theirs, which sends through that Postfix."""
    user, postfix = dana
    found = make_account(user)
    server = postfix.server
    Provider.objects.update(
        smtp_host=server.host,
        smtp_port=server.port,
        smtp_security=server.security.value,
        ca_pem=user.server.ca_pem + server.ca_pem,
    )
    sync.list_mailboxes(found)
    return Account.objects.select_related("provider", "user").get(pk=found.pk)


def test_postfix(account: Account, dana: tuple[MailUser, Postfix]) -> None:
    user, postfix = dana
    session = open_session(postfix.server, LOGIN)
    assert {"SMTPUTF8", "8BITMIME", "CHUNKING", "DSN", "PIPELINING"} <= session.offers.keys()
    session.close()
    everybody = "bob@demo.test, jiří@demo.test, nobody@demo.test, dan@gone.test"
    draft = write(account, Values(to=everybody, subject="Plán", text="At nine.\n.\nTwo lines."))
    draft_files.attach(account.user, draft.id, "ferry.eml", "message/rfc822", IN_8_BITS)
    draft = drafts.find(account.user, draft.id) or draft
    submission = outbox.send(account.user, draft.id, version=draft.version, form_key="a-key")
    octets = bytes(submission.message or b"")
    sending.carry_out(submission.pk)
    submission.refresh_from_db()
    assert submission.state == Submission.State.FILED
    assert len(sent_copies(user)) == 1
    fates = {address: (fate, words) for address, fate, words in submission.recipients}
    assert {address: fate for address, (fate, _) in fates.items()} == {
        "bob@demo.test": "accepted", "jiří@demo.test": "accepted", "nobody@demo.test": "refused",
        "dan@gone.test": "accepted",
    }  # fmt: skip
    assert fates["nobody@demo.test"][1].startswith("550 5.1.1 <nobody@demo.test>")

    for address in ("bob@demo.test", "jiří@demo.test"):
        [arrived] = postfix.mail(address)
        assert arrived.endswith(octets.replace(b"\r\n", b"\n")), "octet for octet"
        assert b" with UTF8SMTPSA " in arrived and b"\nReturn-Path: <dana@demo.test>\n" in b"\n" + arrived

    [report] = postfix.mail("dana@demo.test")
    user.append("INBOX", report.replace(b"\n", b"\r\n"))
    inbox = account.mailboxes.select_related("account__provider").get(role="inbox")
    sync.refresh(inbox)
    prefetch.read_previews(inbox, 200)
    assert f"Original-Envelope-Id: {submission.pk.hex}".encode() in report
    told = Report.objects.get()
    assert (told.recipient, told.outcome) == ("dan@gone.test", "failed")
    assert "Connection refused" in told.said
    [entry] = outbox_page.entries(account.user)
    assert {line.address: line.fate for line in entry.refused} == {
        "nobody@demo.test": "refused", "dan@gone.test": "could not be delivered",
    }  # fmt: skip

    account.refresh_from_db()
    assert account.provider.smtp_size_limit == draft_room.largest(account) == LARGEST
    large = Outgoing(b"x" * 70 + b"\r\n" * LARGEST, LOGIN.username, ("bob@demo.test",))
    with pytest.raises(smtp_outcome.TooLarge):
        smtp.submit(postfix.server, LOGIN, large)
    with pytest.raises(LoginNeeded):
        smtp.submit(postfix.server, replace(LOGIN, password="guess"), large)
    with pytest.raises(smtp_outcome.RecipientsRefused):
        smtp.submit(postfix.server, LOGIN, replace(large, message=octets, recipients=("nobody@demo.test",)))
    assert len(postfix.mail("bob@demo.test", 2, 0.5)) == 1
