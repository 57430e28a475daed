"""A message filed in a mailbox: `saving` makes it, and looks before it files it again."""

from __future__ import annotations

from webmail.models import Job

from .. import saving
from ..fetching import NotThere
from .kind import CannotBeDone, CannotUndo, Kind, Outcome, Reverse, Run, Unclear


class Appends(Kind):
    def carry_out(self, run: Run) -> Outcome:
        try:
            return Outcome(saving.save(run.account, run.job, run.on_wire, run.check))
        except saving.Unclear as error:
            raise Unclear(error.sentence) from error
        except NotThere as error:
            raise CannotBeDone("The message has no such attachment any more.") from error

    def after(self, run: Run) -> None:
        saving.show(run.job)

    def reverse(self, job: Job) -> list[Reverse]:
        uid = job.evidence.get("uid", 0)
        if job.target is None or not uid:
            raise CannotUndo("Nobody knows where it was saved, so this can't be undone.")
        return [Reverse(Job.Kind.EXPUNGE, "undo", job.target, job.evidence.get("uidvalidity", 0), [uid])]
