"""What the tests of acts on mail share: somebody with letters on Dovecot, as seen by us and by another client."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterable

import pytest
from django.utils import timezone

from tests.reader import letter, make_account
from tests.servers import MailUser
from webmail.models import Account, Job, Mailbox, Message
from webmail.protocol.connection import Connection
from webmail.store import pools, sync, working

ALL = [f"Letter {number}" for number in range(1, 7)]
# What a server may lack of what Dovecot has.
LACKING = {"move+uidplus": (), "uidplus": ("MOVE",), "neither": ("MOVE", "UIDPLUS")}


def key() -> str:
    """What a form makes."""
    return os.urandom(8).hex()


def box_of(account: Account, name: str) -> Mailbox:
    return account.mailboxes.select_related("account__provider").get(name=name)


def rows(box: Mailbox, *numbers: int) -> list[Message]:
    """The rows of “Letter 1” and so on, wherever they are shown in this mailbox."""
    wanted = [f"Letter {number}" for number in numbers]
    return list(box.messages.select_related("mailbox", "account").filter(subject__in=wanted).order_by("subject"))


def shown(box: Mailbox) -> list[str]:
    """The subjects that a list of this mailbox shows."""
    return sorted(box.messages.values_list("subject", flat=True))


def counts(box: Mailbox) -> tuple[int, int]:
    box.refresh_from_db()
    return box.exists, box.unread


def on_server(user: MailUser, mailbox: str) -> Counter[str]:
    """The letters in a mailbox as another client sees them, marked as deleted or not, with how often each is there."""
    with user.imap() as client:
        status, exists = client.select(f'"{mailbox}"', readonly=True)
        if status != "OK" or exists == [b"0"]:
            return Counter()
        _, data = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        return Counter(item[1].decode().partition(":")[2].strip() for item in data if isinstance(item, tuple))


def flags_of(user: MailUser, mailbox: str, subject: str) -> str:
    with user.imap() as client:
        client.select(f'"{mailbox}"', readonly=True)
        _, found = client.search(None, "SUBJECT", f'"{subject}"')
        _, answer = client.fetch(found[0].split()[0].decode(), "(FLAGS)")
        return str(answer[0])


def mark_deleted(user: MailUser, mailbox: str, number: str, sign: str = "+") -> None:
    """What another client does that has not expunged yet."""
    with user.imap() as client:
        client.select(mailbox)
        client.store(number, f"{sign}FLAGS", "(\\Deleted)")


def work(account: Account, turns: int = 6) -> None:
    """Carry out all that waits, also for its next try. A turn of a worker ends after a while."""
    for _ in range(turns):
        Job.objects.pending().filter(account=account).update(not_before=timezone.now())
        working.work(account.pk)
        if not Job.objects.pending().filter(account=account).exists():
            return


def lose(missing: Iterable[str]) -> None:
    """Make all connections of this process believe that the server doesn't offer these."""
    real = Connection._welcome

    def welcome(imap: Connection, capabilities: frozenset[str]) -> None:
        real(imap, capabilities - set(missing))

    Connection._welcome = welcome  # type: ignore[method-assign]


def work_without(account_id: int, missing: list[str], seconds: float = 0.0) -> None:
    """What a worker does on such a server; for a process of its own (`tests.mortal`).

    Args:
        seconds: until it dies, wherever it is then; 0 for never.
    """
    lose(missing)
    if seconds:
        # Nobody handles this signal: it ends the process as SIGKILL does.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)
    working.work(account_id)


def state(job: Job) -> str:
    job.refresh_from_db()
    return job.state


def refresh(account: Account, *names: str) -> None:
    """What a visit to these mailboxes does."""
    for name in names:
        box = box_of(account, name)
        (sync.reconcile if box.lowest_uid else sync.refresh)(box)


def alike(user: MailUser, account: Account, names: Iterable[str]) -> None:
    """The index shows what the server has, message by message."""
    for name in names:
        hidden = set(Message.objects.filter(origin__name=name, account=account).values_list("origin_uid", flat=True))
        box = box_of(account, name)
        with pools.lend(account, name) as imap:
            validity = imap.select(name, fresh=True).uidvalidity
            there = {change.uid: change.flags for change in imap.flags(name, validity)}
        ours = {row.uid: row for row in box.messages.all()}
        assert ours.keys() == there.keys() - hidden, name
        assert all(row.seen == ("seen" in there[uid].set) for uid, row in ours.items()), name
        assert counts(box) == (len(ours), sum(not row.seen for row in ours.values())), name


@pytest.fixture(params=LACKING)
def lacking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """What the server doesn't offer."""
    monkeypatch.setattr(Connection, "_welcome", Connection._welcome)  # put back in the end
    lose(LACKING[request.param])
    return LACKING[request.param]


@pytest.fixture
def mailbox_on(mail_user: MailUser, redis_url: str) -> Account:
    """An account with six letters in the inbox, the second and fourth of them read; all its mailboxes indexed."""
    for number in range(1, 7):
        mail_user.append("INBOX", letter(number), "\\Seen" if number in (2, 4) else "")
    with mail_user.imap() as client:
        for name in ("Trash", "Archive", "Junk", "Papers"):
            client.create(name)
    account = make_account(mail_user)
    sync.list_mailboxes(account)
    refresh(account, "INBOX", "Trash", "Archive", "Junk", "Papers")
    return account


@pytest.fixture
def box(mailbox_on: Account) -> Mailbox:
    return box_of(mailbox_on, "INBOX")
