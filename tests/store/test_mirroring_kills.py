"""A worker killed at each step over a draft's copy, with each set of capabilities: one copy, and in the end none."""

from __future__ import annotations

import signal

import pytest

from tests.mortal import live
from tests.servers import MailUser
from tests.store.acting import box_of, shown
from tests.store.copying import again, carry_out, hers, missing, subjects
from tests.store.writing import write
from webmail.models import Account, DraftCopy
from webmail.store import bodies, drafts

__all__ = ["hers", "missing"]
pytestmark = pytest.mark.django_db(transaction=True)
STEPS = ("copy.noted", "copy.on_wire", "copy.answered", "copy.arrived", "copy.removing", "copy.removed")
LOOKING = "copy.answered copy.looked"


@pytest.mark.parametrize("step", [*STEPS, LOOKING])
def test_killed_at_each_step(missing: tuple[str, ...], hers: Account, mail_user: MailUser, step: str) -> None:
    """Replacing, and throwing away: one copy, then none; what another program marked as deleted stays."""
    mail_user.append("Drafts", b"Subject: Foreign\r\n\r\nx\r\n")
    draft = write(hers)
    carry_out()
    again(hers, draft, subject="Ferry 2")
    for place in step.split():
        assert live("tests.store.copying:be_a_worker", list(missing), failpoint=place) == -signal.SIGKILL
        bodies.client.flushdb()
    carry_out(3)
    assert subjects(mail_user) == ["Ferry 2", "Foreign"]
    drafts.discard(hers.user, draft.id)
    if step.startswith("copy.remov"):
        assert live("tests.store.copying:be_a_worker", list(missing), failpoint=step) == -signal.SIGKILL
    bodies.client.flushdb()
    carry_out(2)
    assert subjects(mail_user) == ["Foreign"]
    assert shown(box_of(hers, "Drafts")) == ["Foreign"]
    assert not DraftCopy.objects.exists()
