"""A worker killed at every failpoint, with each set of capabilities: nothing is lost, nothing doubled (R2).

One person and one mailbox tree serve all deaths of a set. Each round has new letters and one job of each kind; worker
after worker dies at a failpoint by SIGKILL and the next finds what it left. In the end another client counts letters.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from tests.mortal import live
from tests.reader import letter, make_account
from tests.servers import MailUser
from tests.store.acting import (
    LACKING,
    alike,
    box_of,
    flags_of,
    key,
    lose,
    mark_deleted,
    on_server,
    refresh,
    rows,
    shown,
    work,
)
from webmail.models import Account, Job
from webmail.protocol.connection import Connection
from webmail.protocol.types import Flag
from webmail.store import bodies, jobs, mailbox_acts, overlay, sync, undoing, working
from webmail.store.selecting import Selection

pytestmark = pytest.mark.django_db(transaction=True)

BOXES = ("INBOX", "Archive", "Junk", "Papers")
FOREIGN = "Letter 900"  # somebody else has marked it as deleted, and not expunged it

# Where workers die, one after the other, over one set of jobs; each in the next job that it gets to.
DEATHS = (
    ("job.leased", "flag.on_wire", "move.noted", "copy.noted", "expunge.on_wire", "mailbox.looked"),
    ("job.answered", "move.on_wire", "copy.on_wire", "expunge.answered", "mailbox.on_wire"),
    ("flag.answered", "flag.looked", "move.labelled", "copy.answered", "copy.looked", "mailbox.answered"),
    ("job.settled", "move.copied", "move.looked", "move.expunged", "copy.copied"),
    ("job.indexed", "move.answered", "move.kept"),
)
WITHOUT_MOVE = ("move.kept", "move.expunged")  # with it there is nothing between the copy and its removal
LARGE = ("job.frozen", "flag.on_wire", "job.settled", "job.laid")
REFUSED = ("job.ended",)
SAVING = {"append.spooled", "append.on_wire", "append.piece", "append.answered", "append.looked"}  # see test_saving
IMPORTING = {"import.noted", "import.spooled", "import.sent"}  # see test_importing_mail


@pytest.fixture(params=LACKING)
def missing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ...]]:
    """What the server doesn't offer."""
    monkeypatch.setattr(Connection, "_welcome", Connection._welcome)  # put back in the end
    lose(LACKING[request.param])
    yield LACKING[request.param]


def test_every_failpoint_is_died_at() -> None:
    """A new failpoint fails here until it is in one of the lists."""
    store = Path(settings.BASE_DIR) / "webmail" / "store"
    files = [store / "working.py", store / "saving.py", *(store / "kinds").glob("*.py")]
    found = {name for path in files for name in re.findall(r'reach\("([a-z_.]+)"\)', path.read_text())}
    assert found == {*SAVING, *IMPORTING, *LARGE, *REFUSED, *(name for deaths in DEATHS for name in deaths)}
    assert len(found) >= 25


def test_killed_at_each_failpoint(missing: tuple[str, ...], mail_user: MailUser, redis_url: str) -> None:
    with mail_user.imap() as client:
        for name in BOXES[1:]:
            client.create(name)
    account = make_account(mail_user)
    sync.list_mailboxes(account)
    mail_user.append("INBOX", letter(900))
    refresh(account, *BOXES)
    mark_deleted(mail_user, "INBOX", "1")
    for number, deaths in enumerate(DEATHS):
        _deaths(account, mail_user, missing, 10 * number + 1, deaths)
    assert on_server(mail_user, "INBOX")[FOREIGN] == 1, "what another client marked"
    assert "\\Deleted" in flags_of(mail_user, "INBOX", FOREIGN)


def test_a_large_job_goes_on_where_it_was(mail_user: MailUser, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that reaches beyond the index, and whose effect is laid on the newest rows alone at first."""
    monkeypatch.setattr(overlay, "AT_ONCE", 1)
    for number in range(1, 7):
        mail_user.append("INBOX", letter(number), "\\Seen" if number == 4 else "")
    account = make_account(mail_user)
    sync.list_mailboxes(account)
    refresh(account, "INBOX")
    box = box_of(account, "INBOX")
    box.messages.filter(uid__lt=3).delete()
    box.lowest_uid = 3
    box.save()
    job = jobs.record_mark_read(Selection(box), idem_key=key())
    assert [row.seen for row in box.messages.order_by("uid")] == [False, True, False, True], (
        "the newest, and one before"
    )
    for place in LARGE:
        _die(account, place)
    work(account)
    job.refresh_from_db()
    assert (job.state, job.count) == (Job.State.DONE, 5)
    assert all("\\Seen" in flags_of(mail_user, "INBOX", f"Letter {number}") for number in range(1, 7))
    undoing.undo(job, key())
    work(account)
    read = [number for number in range(1, 7) if "\\Seen" in flags_of(mail_user, "INBOX", f"Letter {number}")]
    assert read == [4]


def test_met_in_its_new_mailbox_before_its_move_is_known_to_be_done(
    missing: tuple[str, ...], mail_user: MailUser, redis_url: str
) -> None:
    """A sync finds what a dead worker has moved: it is shown once, and moved on as one."""
    with mail_user.imap() as client:
        client.create("Papers")
        client.create("Archive")
    for number in (1, 2):
        mail_user.append("INBOX", letter(number))
    account = make_account(mail_user)
    sync.list_mailboxes(account)
    refresh(account, "INBOX", "Papers", "Archive")
    papers, archive = box_of(account, "Papers"), box_of(account, "Archive")
    jobs.record_move(rows(box_of(account, "INBOX"), 1, 2), papers, idem_key=key())
    _die(account, "move.answered", missing)
    mail_user.append("Papers", letter(3))
    refresh(account, "INBOX", "Papers")
    assert shown(papers) == ["Letter 1", "Letter 2", "Letter 3"], "each once"
    jobs.record_move(rows(papers, 1), archive, idem_key=key())
    refresh(account, "Papers")
    assert shown(papers) == ["Letter 2", "Letter 3"]
    work(account)
    assert set(Job.objects.values_list("state", flat=True)) == {Job.State.DONE}
    assert on_server(mail_user, "Archive") == {"Letter 1": 1}
    alike(mail_user, account, ["INBOX", "Papers", "Archive"])


def test_a_copy_that_is_taken_away_before_it_is_known_to_be_done(
    missing: tuple[str, ...], mail_user: MailUser, redis_url: str
) -> None:
    """Whoever looks for it then must still find it: else it is copied again."""
    with mail_user.imap() as client:
        client.create("Papers")
        client.create("Archive")
    mail_user.append("INBOX", letter(1))
    account = make_account(mail_user)
    sync.list_mailboxes(account)
    refresh(account, "INBOX", "Papers", "Archive")
    papers, archive = box_of(account, "Papers"), box_of(account, "Archive")
    copy = jobs.record_copy(rows(box_of(account, "INBOX"), 1), papers, idem_key=key())
    _die(account, "copy.answered", missing)
    refresh(account, "Papers")
    jobs.record_move(rows(papers, 1), archive, idem_key=key())
    Job.objects.filter(pk=copy.pk).update(not_before=timezone.now() + timedelta(minutes=1))
    working.work(account.pk)
    work(account)
    assert set(Job.objects.values_list("state", flat=True)) == {Job.State.DONE}
    assert (on_server(mail_user, "Papers"), on_server(mail_user, "Archive")) == ({}, {"Letter 1": 1})


@pytest.mark.parametrize("first", ["in doubt", "waits"])
def test_a_copy_of_it_comes_before_it_is_known_to_be_done(
    missing: tuple[str, ...], first: str, mail_user: MailUser, redis_url: str
) -> None:
    """Two of the same message go to one mailbox; neither may be taken for the other."""
    with mail_user.imap() as client:
        client.create("Papers")
        client.create("Archive")
        mail_user.append("INBOX", letter(1))
        client.select("INBOX")
        client.copy("1", "Papers")  # with its date of arrival
    account = make_account(mail_user)
    sync.list_mailboxes(account)
    refresh(account, "INBOX", "Papers", "Archive")
    archive = box_of(account, "Archive")
    moves = [jobs.record_move(rows(box_of(account, name), 1), archive, idem_key=key()) for name in ("INBOX", "Papers")]
    doubted, other = moves if first == "in doubt" else moves[::-1]
    Job.objects.filter(pk=other.pk).update(not_before=timezone.now() + timedelta(minutes=1))
    _die(account, "move.on_wire", missing)
    Job.objects.filter(pk=doubted.pk).update(not_before=timezone.now() + timedelta(minutes=1))
    Job.objects.filter(pk=other.pk).update(not_before=timezone.now())
    working.work(account.pk)
    work(account)
    assert set(Job.objects.values_list("state", flat=True)) == {Job.State.DONE}
    assert [on_server(mail_user, name) for name in ("INBOX", "Papers", "Archive")] == [{}, {}, {"Letter 1": 2}]
    alike(mail_user, account, ["INBOX", "Papers", "Archive"])


def test_two_of_it_that_were_sent_together_and_then_each_alone(
    missing: tuple[str, ...], mail_user: MailUser, redis_url: str
) -> None:
    """A batch that kills its worker twice is tried one by one: what came of the first isn't the second's."""
    with mail_user.imap() as client:
        client.create("Archive")
        mail_user.append("INBOX", letter(1))
        client.select("INBOX")
        client.copy("1", "INBOX")
    account = make_account(mail_user)
    sync.list_mailboxes(account)
    refresh(account, "INBOX", "Archive")
    archive = box_of(account, "Archive")
    for row in rows(box_of(account, "INBOX"), 1):
        jobs.record_move([row], archive, idem_key=key())
    _die(account, "move.on_wire", missing)
    Job.objects.update(attempts=5)  # in company often enough
    work(account)
    assert set(Job.objects.values_list("state", flat=True)) == {Job.State.DONE}
    assert [on_server(mail_user, name) for name in ("INBOX", "Archive")] == [{}, {"Letter 1": 2}]
    alike(mail_user, account, ["INBOX", "Archive"])


def test_killed_when_it_was_refused(mail_user: MailUser, redis_url: str) -> None:
    with mail_user.imap() as client:
        client.create("Papers")
    mail_user.append("INBOX", letter(1))
    account = make_account(mail_user)
    sync.list_mailboxes(account)
    refresh(account, "INBOX", "Papers")
    job = jobs.record_move(rows(box_of(account, "INBOX"), 1), box_of(account, "Papers"), idem_key=key())
    with mail_user.imap() as client:
        client.delete("Papers")
    for place in REFUSED:
        _die(account, place)
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    alike(mail_user, account, ["INBOX"])


def _die(account: Account, place: str, missing: tuple[str, ...] = ()) -> None:
    """A worker dies; and time passes."""
    died = live("tests.store.acting:work_without", account.pk, list(missing), failpoint=place)
    assert died == -signal.SIGKILL, f"{place} was not reached"
    Account.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    Job.objects.pending().update(not_before=timezone.now(), attempts=0)  # what was tried goes last otherwise
    bodies.client.flushdb()  # Redis may lose everything; here it forgets the connections of the dead at once


def _deaths(account: Account, user: MailUser, missing: tuple[str, ...], first: int, deaths: tuple[str, ...]) -> None:
    """Letters `first` to `first` + 6 and six jobs; deaths; and all as it should be."""
    for number in range(first, first + 7):
        user.append("INBOX", letter(number))
    refresh(account, "INBOX")
    box = box_of(account, "INBOX")
    seen, junk, copied, moved, alone, gone = (rows(box, first + step)[0] for step in range(6))
    keys = {row.subject: row.pk for row in (junk, moved, alone)}
    recorded = [
        jobs.record_flags([seen], add=[Flag.SEEN], idem_key=key()),
        jobs.record_junk([junk], idem_key=key()),
        jobs.record_copy([copied], box_of(account, "Archive"), idem_key=key()),
        jobs.record_move([moved, alone], box_of(account, "Papers"), idem_key=key()),
        jobs.record_delete([gone], for_good=True, idem_key=key()),
        mailbox_acts.record_create(account, f"New {first}", idem_key=key()),
    ]
    for place in deaths:
        if "MOVE" in missing or place not in WITHOUT_MOVE:
            _die(account, place, missing)
    work(account)
    states = {
        str(job): state for job in recorded for state in Job.objects.filter(pk=job.pk).values_list("state", flat=True)
    }
    assert set(states.values()) == {Job.State.DONE}, (deaths, states)
    ours = {f"Letter {number}" for number in range(first, first + 7)}
    there = {name: {s: n for s, n in on_server(user, name).items() if s in ours} for name in BOXES}
    stays = {copied.subject: 1, seen.subject: 1, f"Letter {first + 6}": 1}
    if "UIDPLUS" in missing:  # nothing may be expunged beside what another client has marked: it stays, marked
        stays |= {row.subject: 1 for row in (junk, moved, alone, gone)}
    assert there["INBOX"] == stays, deaths
    assert there["Junk"] == {junk.subject: 1}, deaths
    assert there["Archive"] == {copied.subject: 1}, deaths
    assert there["Papers"] == {moved.subject: 1, alone.subject: 1}, deaths
    assert "\\Seen" in flags_of(user, "INBOX", seen.subject), deaths
    assert "$Junk" in flags_of(user, "Junk", junk.subject), deaths
    assert account.mailboxes.filter(name=f"New {first}").exists(), deaths
    refresh(account, *BOXES)
    alike(user, account, BOXES)
    after = {row.subject: row.pk for name in ("Junk", "Papers") for row in box_of(account, name).messages.all()}
    assert {subject: after[subject] for subject in keys} == keys, "rows keep their keys"
