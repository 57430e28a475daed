"""A letter ready to be sent, and a mail server to send it through: what the tests of the outbox share."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from tests.protocol.scripted_smtp import PoliteSmtp
from tests.servers import MailUser
from webmail.models import Account, Provider, Submission
from webmail.store import drafts, outbox, sync
from webmail.store.drafts import Values

LETTER = Values(to="Bob Novák <bob@demo.test>", subject="Ferry", text="It leaves at nine.")


def use(account: Account, server: PoliteSmtp, **changes: object) -> None:
    """Let the account's provider send through this server."""
    values = {"smtp_host": "127.0.0.1", "smtp_port": server.port, "smtp_security": "none"} | changes
    Provider.objects.filter(pk=account.provider_id).update(**values)
    account.refresh_from_db()


def write(account: Account, values: Values = LETTER, **more: object) -> drafts.Written:
    """A draft as the person has it."""
    return drafts.start(account, values, form_key=uuid.uuid4().hex, **more)  # type: ignore[arg-type]


def send(account: Account, values: Values = LETTER, **more: object) -> Submission:
    """A letter in the outbox."""
    draft = write(account, values)
    return outbox.send(account.user, draft.id, version=draft.version, form_key=uuid.uuid4().hex, **more)  # type: ignore[arg-type]


def state(submission: Submission) -> str:
    """Where it stands now; the row is read again."""
    submission.refresh_from_db()
    return submission.state


def time_passes(submission: Submission, **more: timedelta) -> None:
    """What it waits for is over, and whoever had it is dead."""
    past = timezone.now() - timedelta(seconds=1)
    Submission.objects.filter(pk=submission.pk).update(send_after=past, not_before=past)
    Submission.objects.filter(pk=submission.pk, claim_until__isnull=False).update(claim_until=past)


def sent_copies(user: MailUser, mailbox: str = "Sent") -> list[bytes]:
    """What lies in the Sent mailbox, as another client sees it."""
    with user.imap() as client:
        client.select(mailbox, readonly=True)
        _, found = client.search(None, "ALL")
        return [client.fetch(number.decode(), "(BODY.PEEK[])")[1][0][1] for number in found[0].split()]  # type: ignore[index]


def draft_is_open(account: Account) -> bool:
    """Whether the person finds a draft to go on with."""
    return bool(drafts.open_drafts(account.user))


def message_ids(messages: list[bytes]) -> list[str]:
    """Their Message-IDs."""
    return [found[1].decode() for each in messages if (found := re.search(rb"(?m)^Message-ID: <([^>]+)>", each))]


@pytest.fixture
def server() -> Iterator[PoliteSmtp]:
    with PoliteSmtp() as server:
        yield server


@pytest.fixture
def ready(account: Account, server: PoliteSmtp) -> Account:
    """An account that can send, with a mailbox for what was sent."""
    use(account, server)
    sync.list_mailboxes(account)
    assert account.mailboxes.filter(role="sent").exists()
    return Account.objects.select_related("provider", "user").get(pk=account.pk)


def at_once(count: int, act: Callable[[int], object]) -> list[object]:
    """What `count` threads get that do it at the same moment."""
    start = threading.Barrier(count)
    results: list[object] = []

    def run(number: int) -> None:
        try:
            start.wait(20)
            results.append(act(number))
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results
