"""Whatever another client does, and whatever the server can tell of it: then the index is the server, row by row."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest

from bench.noise import Noise
from bench.truth import Fact, Rows, differing, on_server
from tests.reader import letter
from tests.servers import MailUser
from tests.store.acting import lose
from webmail.models import Account
from webmail.protocol.connection import Connection
from webmail.store import sync, upkeep

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS, CHANGES = 8, 12
FLAGS = ("seen", "answered", "flagged", "deleted", "draft", "forwarded")
LACKING = {
    "all": (),
    "no QRESYNC": ("QRESYNC",),
    "no CONDSTORE": ("QRESYNC", "CONDSTORE", "ENABLE"),
    "nothing": (
        "QRESYNC",
        "CONDSTORE",
        "ENABLE",
        "LIST-STATUS",
        "LIST-EXTENDED",
        "ESEARCH",
        "SPECIAL-USE",
        "NAMESPACE",
    ),
}


@pytest.fixture(params=LACKING)
def lacking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What Dovecot seems not to offer."""
    monkeypatch.setattr(Connection, "_welcome", Connection._welcome)  # put back in the end
    lose(LACKING[request.param])
    return str(request.param)


@pytest.fixture
def mail_user(mailbox_user: Callable[..., MailUser]) -> MailUser:
    """Somebody with mail in two mailboxes."""
    user = mailbox_user()
    for number in range(30):
        user.append(("INBOX", "Archive")[number % 2], letter(number), ("", "\\Seen")[number % 3 == 0])
    return user


@pytest.fixture
def noise(mail_user: MailUser) -> Iterator[Noise]:
    """The other client, the same in every run."""
    client = Noise(mail_user.server.port, mail_user.address, mail_user.password, ["INBOX", "Archive"], seed=5)
    yield client
    client.close()


def in_index(account: Account) -> Rows:
    """What `bench.truth.in_index` reads, from the tests' own database."""
    columns = ("mailbox__name", "uid", "size", "message_id", "keywords", *FLAGS)
    rows = account.messages.filter(mailbox__isnull=False).values_list(*columns)
    return {
        (name, uid): Fact(
            frozenset([*keywords.lower().split(), *(flag for flag, on in zip(FLAGS, flags, strict=True) if on)]),
            size,
            message_id,
        )
        for name, uid, size, message_id, keywords, *flags in rows
    }


def test_the_index_is_the_server(
    lacking: str, account: Account, mail_user: MailUser, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "FIRST_CHUNK", 5)
    monkeypatch.setattr(sync, "CHUNK", 7)
    chance = random.Random(7)
    for _ in range(ROUNDS):
        noise.make(CHANGES)
        if chance.random() < 0.5:
            mailbox = account.mailboxes.filter(name="INBOX").first()
            if mailbox is not None and mailbox.lowest_uid:
                sync.refresh(mailbox)
        else:
            sync.look(account)
        upkeep.work()
    sync.look(account)
    upkeep.work()
    for mailbox in account.mailboxes.filter(selectable=True):
        sync.refresh(mailbox)
    server = on_server(mail_user.server.port, mail_user.address, mail_user.password)
    assert differing(server, in_index(account)) == []
    for mailbox in account.mailboxes.filter(selectable=True):
        assert sync.reconcile(mailbox).total == 0
        mailbox.refresh_from_db()
        assert mailbox.exists == sum(name == mailbox.name for name, _ in server)
        assert mailbox.unread == sum(
            "seen" not in fact.flags for (name, _), fact in server.items() if name == mailbox.name
        )
