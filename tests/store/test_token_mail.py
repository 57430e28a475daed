"""Mail by access token where no page waits for it: sent through a submission server, heard of while idle."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import MISSING, AuthResult
from django.utils import timezone

from tests.authorization import Authorization
from tests.protocol.scripted_smtp import PoliteSmtp
from tests.reader import letter
from tests.servers import append
from tests.store.test_watching import Copy, start, until
from tests.store.writing import send, use
from webmail.demo.imap_server import ImapServer
from webmail.demo.layout import free_port
from webmail.models import Account, Grant, Provider, Submission
from webmail.store import grants, presence, sending, sync

__all__ = ["start"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),  # on loopback
]


class Submissions:
    """aiosmtpd that takes tokens and nothing else, and whatever is sent after that."""

    def __init__(self, authorization: Authorization) -> None:
        self.authorization = authorization
        self.taken: list[tuple[str, list[str]]] = []
        self.refused = 0

    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> AuthResult:
        said = base64.b64decode(args[1]) if len(args) > 1 else await server.challenge_auth("")
        name, bearer = (field.partition(b"=")[2].decode() for field in said.split(b"\x01")[:2])
        who = self.authorization.introspect(bearer.removeprefix("Bearer "))
        if who["active"] and who["username"] == name:
            return AuthResult(success=True, auth_data=name)
        self.refused += 1
        assert await server.challenge_auth('{"status":"401"}', encode_to_b64=True) in (b"", MISSING)
        return AuthResult(success=False, handled=False)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append((session.auth_data, envelope.rcpt_tos))
        return "250 taken"


@pytest.fixture
def submissions(hers: Account, authorization: Authorization) -> Iterator[Submissions]:
    handler = Submissions(authorization)
    port = free_port()
    controller = Controller(
        handler,
        hostname="127.0.0.1",
        port=port,
        auth_required=True,
        auth_require_tls=False,
        auth_exclude_mechanism=["PLAIN", "LOGIN"],
    )
    controller.start()
    Provider.objects.update(smtp_host="127.0.0.1", smtp_port=port, smtp_security="none")
    sync.list_mailboxes(hers)
    hers.refresh_from_db()
    yield handler
    controller.stop()


def test_sent_with_a_token(hers: Account, submissions: Submissions, authorization: Authorization) -> None:
    """With the one that is kept; with a new one where that has run out, or is refused before its time."""
    for number, change in enumerate((lambda: None, authorization.end_access, lambda: None)):
        change()
        submission = send(hers)
        sending.carry_out(submission.pk)
        submission.refresh_from_db()
        assert submission.state in (Submission.State.SENT, Submission.State.FILED), submission.error
        assert submissions.taken[number] == ("alice@quay.test", ["bob@demo.test"])
    assert submissions.refused == 1
    assert len(authorization.asked) == 1


def test_without_a_permission_it_waits(hers: Account, submissions: Submissions) -> None:
    grants.end(hers)
    submission = send(hers)
    sending.carry_out(submission.pk)
    submission.refresh_from_db()
    assert submission.state == Submission.State.RETRY
    assert submission.error == "Sign in at Quay Mail again."
    assert submissions.taken == []


def test_a_submission_server_that_wants_no_sign_in(ready: Account, server: PoliteSmtp) -> None:
    """It is told no name and no password, whatever it offers."""
    use(ready, server, smtp_open=True)
    submission = send(ready)
    sending.carry_out(submission.pk)
    assert len(server.messages) == 1
    assert server.verbs()[:2] == ["EHLO", "MAIL"]


def test_a_token_that_runs_out_while_idle(
    hers: Account, token_dovecot: ImapServer, authorization: Authorization, start: Callable[[], Copy]
) -> None:
    """The connection goes on; the next one is opened with a new token."""
    sync.list_mailboxes(hers)
    inbox = hers.mailboxes.get(name="INBOX")
    copy = start()
    presence.touch(hers.user_id)
    until(lambda: len(copy.watching) == 1 and copy.accounts)
    Grant.objects.update(access_until=timezone.now())
    authorization.end_access()
    append(token_dovecot, hers.address, "INBOX", letter(1))
    until(lambda: inbox.pk in copy.mailboxes)
    assert authorization.asked == []
    copy.accounts.clear()
    copy.watching._idling._lines[hers.pk].sock.shutdown(socket.SHUT_RDWR)  # as if the server had hung up
    until(lambda: len(copy.watching) == 1 and copy.accounts)
    assert [form["grant_type"] for form in authorization.asked] == ["refresh_token"]
    hers.refresh_from_db()
    assert hers.state == Account.State.OK
