"""Messages moved into a mailbox that nobody has looked into yet can be acted on there, and come back by Undo."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.reader import letter
from webmail.models import Job, Message
from webmail.store import jobs, undoing, working

pytestmark = pytest.mark.django_db(transaction=True)


def test_there_and_back(received: Callable[..., Message]) -> None:
    message = received(letter(1))
    archive = message.account.mailboxes.get(role="archive")
    assert archive.is_cold
    there = jobs.record_archive([message], idem_key="there")
    assert not working.work(message.account_id)
    row = Message.objects.select_related("mailbox").get(pk=message.pk)
    assert row.mailbox is not None
    assert not row.mailbox.is_cold
    flag = jobs.record_flags([row], label=["Kept"], idem_key="flag")
    back = undoing.undo(there, "back")
    assert not working.work(message.account_id)
    for job in (there, flag, back):
        job.refresh_from_db()
        assert (job.state, job.error) == (Job.State.DONE, "")
    assert Message.objects.get(pk=message.pk).mailbox.role == "inbox"
