"""A large act that is cancelled while it is under way."""

from __future__ import annotations

import pytest

from tests.reader import letter
from tests.servers import MailUser
from tests.store.acting import alike, box_of, key, refresh, shown, work
from webmail.models import Account, Job
from webmail.protocol.connection import Connection
from webmail.store import jobs, sync, undoing
from webmail.store.kinds.moves import Moves
from webmail.store.selecting import Selection

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_large_one_is_stopped_under_way_and_undone(
    account: Account, mail_user: MailUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends after the slice at hand; what isn't done shows as the server has it, and Undo takes back the rest."""
    for number in range(1, 7):
        mail_user.append("INBOX", letter(number))
    with mail_user.imap() as client:
        client.create("Archive")
    sync.list_mailboxes(account)
    refresh(account, "INBOX", "Archive")
    box = box_of(account, "INBOX")
    monkeypatch.setattr(Moves, "most", 2)
    real = Connection.move

    def move(imap: Connection, *args: object, **more: object) -> object:
        assert undoing.cancel(Job.objects.get(pk=job.pk))
        return real(imap, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Connection, "move", move)
    job = jobs.record_archive(Selection(box), idem_key=key())
    assert shown(box) == []
    work(account)
    monkeypatch.undo()
    job.refresh_from_db()
    assert (job.state, job.done) == (Job.State.CANCELLED, 2)
    alike(mail_user, account, ["INBOX", "Archive"])
    assert len(shown(box)) == 4
    undoing.undo(job, key())
    work(account)
    assert shown(box) == [f"Letter {number}" for number in range(1, 7)]
    alike(mail_user, account, ["INBOX", "Archive"])
