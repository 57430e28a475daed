"""`manage.py watch`: what a server says reaches a worker at once, for everybody who is online and for nobody else."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.protocol.scripted import CAPABILITIES, PoliteImap
from tests.reader import letter
from tests.servers import MailUser
from webmail.models import Account, Mailbox, Provider
from webmail.store import budget, claims, pools, presence, processes, watching
from webmail.store.bodies import client
from webmail.store.watching import Watching

pytestmark = pytest.mark.django_db(transaction=True)


def until(condition: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


@dataclass
class Copy:
    """One copy of `watch` in a thread, and whom it woke."""

    mailboxes: list[int] = field(default_factory=list)
    accounts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watching = Watching(self.mailboxes.append, self.accounts.append)
        self.thread = threading.Thread(target=self.watching.run, daemon=True)
        self.thread.start()

    def end(self) -> None:
        self.watching.leave()
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> Iterator[Callable[[], Copy]]:
    """A function that starts a copy whose patience is short, and which looks only when it has heard something."""
    monkeypatch.setattr(watching, "phase", lambda account_id, seconds: seconds)
    monkeypatch.setattr(watching, "CENSUS", 0.1)
    monkeypatch.setattr(watching, "FIRST_PAUSE", 0.2)
    monkeypatch.setattr(watching, "AFTERWARDS", 0.2)
    monkeypatch.setattr(watching, "SOON", 0.2)
    client.set("connections-since", 1)
    for account in presence.online_accounts():
        presence.client.zrem("presence", Account.objects.get(pk=account).user_id)
    copies: list[Copy] = []

    def begin() -> Copy:
        copies.append(Copy())
        return copies[-1]

    yield begin
    for copy in copies:
        copy.end()


@pytest.fixture
def polite(account: Account) -> Iterator[PoliteImap]:
    """The account's server, which does what the test says."""
    with PoliteImap(capabilities=CAPABILITIES + b" IDLE") as imap:
        imap.change = lambda verb, answer: b"+ idling\r\n" if verb == "IDLE" else answer
        Provider.objects.filter(pk=account.provider_id).update(
            imap_host="127.0.0.1", imap_port=imap.port, imap_security="none"
        )
        yield imap


def idles(copy: Copy, imap: PoliteImap) -> Callable[[], bool]:
    return lambda: len(copy.watching) == 1 and "IDLE" in imap.verbs()


def test_mail_that_arrives_wakes_at_once_while_its_owner_is_online(
    mail_user: MailUser, inbox: Mailbox, start: Callable[[], Copy]
) -> None:
    account = inbox.account
    copy = start()
    presence.touch(account.user_id)
    until(lambda: len(copy.watching) == 1)
    until(lambda: account.pk in copy.accounts)  # what happened before is looked for once
    mail_user.append("INBOX", letter(1))
    until(lambda: inbox.pk in copy.mailboxes)
    sent = account.mailboxes.get(name="Sent")
    mail_user.append("Sent", letter(2))
    until(lambda: sent.pk in copy.mailboxes)  # NOTIFY, not only the inbox
    assert budget.in_use(account.pk)[processes.name()] >= 1

    client.delete("presence")
    until(lambda: len(copy.watching) == 0)
    pools.forget(account)
    until(lambda: budget.in_use(account.pk) == {})
    assert not client.hexists("watched", str(account.pk))


def test_a_far_server_that_offers_compression_is_heard(
    mail_user: MailUser, inbox: Mailbox, start: Callable[[], Copy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webmail.protocol.compression.FROM_SECONDS", 0.0)
    copy = start()
    presence.touch(inbox.account.user_id)
    until(lambda: len(copy.watching) == 1)
    until(lambda: copy.accounts)
    mail_user.append("INBOX", letter(1))
    until(lambda: inbox.pk in copy.mailboxes)


def test_the_first_fact_wakes_at_once_and_those_behind_it_once_more(
    inbox: Mailbox, polite: PoliteImap, start: Callable[[], Copy]
) -> None:
    copy = start()
    presence.touch(inbox.account.user_id)
    until(idles(copy, polite))
    copy.mailboxes.clear()
    polite.tell_all(b"* 4 EXISTS\r\n" * 50)
    until(lambda: copy.mailboxes == [inbox.pk])
    first = time.monotonic()
    until(lambda: copy.mailboxes == [inbox.pk] * 2)
    assert time.monotonic() - first > watching.SOONEST / 2
    looked = len(copy.accounts)
    polite.tell_all(b'* LIST () "/" New\r\n')
    until(lambda: len(copy.accounts) > looked)
    assert copy.mailboxes == [inbox.pk] * 2


def test_what_goes_on_and_on_wakes_more_and_more_seldom(
    inbox: Mailbox, polite: PoliteImap, start: Callable[[], Copy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LATEST", 0.4)
    copy = start()
    presence.touch(inbox.account.user_id)
    until(idles(copy, polite))
    copy.mailboxes.clear()
    began = time.monotonic()
    while time.monotonic() < began + 1.5:
        polite.tell_all(b"* 4 EXISTS\r\n")
        time.sleep(0.02)
    # After 0, 0.1 and 0.3 s and every 0.4 from then on; a busy machine stutters, which is a rest.
    assert 1 <= len(copy.mailboxes) <= 0.7 * (time.monotonic() - began) / watching.SOONEST


def test_a_connection_that_breaks_is_opened_again_and_what_was_missed_is_looked_for(
    inbox: Mailbox, polite: PoliteImap, start: Callable[[], Copy]
) -> None:
    copy = start()
    presence.touch(inbox.account.user_id)
    until(idles(copy, polite))
    until(lambda: copy.accounts)
    looked = len(copy.accounts)
    polite.tell_all(b"* BYE restarting\r\n")
    polite.hang_up()
    until(lambda: polite.verbs().count("IDLE") == 2)
    until(lambda: len(copy.accounts) > looked)


def test_a_server_without_idle_is_asked_now_and_then(
    account: Account, polite: PoliteImap, start: Callable[[], Copy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK", 0.3)
    polite.capabilities = CAPABILITIES
    copy = start()
    presence.touch(account.user_id)
    until(lambda: len(copy.accounts) >= 3)
    assert polite.connections == 1
    assert len(copy.watching) == 0
    until(lambda: budget.in_use(account.pk) == {})


def test_where_one_connection_is_allowed_it_is_left_to_the_pages(
    account: Account, polite: PoliteImap, start: Callable[[], Copy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK", 0.3)
    Provider.objects.update(connection_cap=1)
    copy = start()
    presence.touch(account.user_id)
    until(lambda: copy.accounts)
    assert polite.connections == 0


def test_a_new_password_is_used(inbox: Mailbox, polite: PoliteImap, start: Callable[[], Copy]) -> None:
    copy = start()
    presence.touch(inbox.account.user_id)
    until(idles(copy, polite))
    processes._heard({"data": f"{pools.FORGET} {inbox.account_id} other:1:a".encode()})
    until(lambda: polite.verbs().count("IDLE") == 2)
    until(lambda: polite.open_now == 1)


def test_a_server_that_is_away_is_asked_by_nobody_until_it_is_back(
    account: Account, polite: PoliteImap, start: Callable[[], Copy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webmail.store.breaker.FIRST_PAUSE", 0.5)
    monkeypatch.setattr("webmail.store.breaker.LONGEST_PAUSE", 0.5)
    polite.greeting = b"* BYE go away\r\n"
    copy = start()
    presence.touch(account.user_id)
    until(lambda: Account.objects.get(pk=account.pk).state == Account.State.AWAY)
    polite.greeting = b""
    until(idles(copy, polite))
    until(lambda: Account.objects.get(pk=account.pk).state == Account.State.OK)


def test_redis_may_be_flushed(inbox: Mailbox, polite: PoliteImap, start: Callable[[], Copy]) -> None:
    copy = start()
    presence.touch(inbox.account.user_id)
    until(idles(copy, polite))
    until(lambda: copy.accounts)
    looked = len(copy.accounts)
    client.flushall()
    presence.touch(inbox.account.user_id)  # as an open page does every 25 seconds
    until(lambda: client.hget("watched", str(inbox.account_id)) == processes.name().encode())
    until(lambda: len(copy.watching) == 1)
    until(lambda: len(copy.accounts) > looked)  # wake-ups may be lost with the rest
    copy.mailboxes.clear()

    def heard() -> bool:
        polite.tell_all(b"* 4 EXISTS\r\n")
        return inbox.pk in copy.mailboxes

    until(heard)


def test_who_is_watched_is_given_back_at_the_end(inbox: Mailbox, polite: PoliteImap, start: Callable[[], Copy]) -> None:
    until(lambda: client.exists(f"{processes.PREFIX}{processes.name()}"))  # another test may have flushed it
    copy = start()
    presence.touch(inbox.account.user_id)
    until(idles(copy, polite))
    pools.forget(inbox.account)
    assert budget.in_use(inbox.account_id) == {processes.name(): 1}
    copy.end()
    assert budget.in_use(inbox.account_id) == {}
    assert not client.hexists("watched", str(inbox.account_id))
    assert not client.hexists("watchers", processes.name())
    until(lambda: polite.open_now == 0)


def test_copies_share_the_accounts_and_replace_the_dead(redis_url: str) -> None:
    client.delete("watched", "watchers")
    everybody = set(range(900_000, 900_010))
    assert claims.claim(everybody) == everybody
    client.hset("watchers", "other:1:a", 1)
    client.set(f"{processes.PREFIX}other:1:a", 1, ex=60)
    ours = claims.claim(everybody)
    assert ours is not None
    assert len(ours) == 5, "half of it for a copy that joined"
    assert claims.claim(everybody) == ours, "and it stays so"
    for account in everybody - ours:
        client.hset("watched", str(account), "other:1:a")
    assert claims.claim(everybody) == ours
    client.delete(f"{processes.PREFIX}other:1:a")
    assert claims.claim(everybody) == everybody
    claims.release(everybody)
    claims.leave()
    assert client.hlen("watched") == 0


def test_phases_are_even() -> None:
    phases = sorted(watching.phase(account, 60.0) for account in range(1, 601))
    gaps = [later - earlier for earlier, later in itertools.pairwise(phases)]
    assert max(gaps) < 0.5
    assert watching.phase(7, 60.0) == watching.phase(7, 60.0)


def test_it_ends_at_once_though_a_server_does_not_answer(
    account: Account, polite: PoliteImap, start: Callable[[], Copy]
) -> None:
    silence = threading.Event()
    polite.behave = lambda sock: silence.wait(60)  # type: ignore[assignment,return-value]
    copy = start()
    presence.touch(account.user_id)
    until(lambda: polite.connections)
    began = time.monotonic()
    copy.end()
    assert time.monotonic() - began < 5
    silence.set()
