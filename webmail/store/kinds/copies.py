"""Messages copied to another mailbox. A second COPY makes a second copy: after any doubt it looks there first."""

from __future__ import annotations

from webmail.models import Job
from webmail.protocol.moving import Copied

from .. import pools
from ..failpoints import reach
from . import looking
from .kind import CannotUndo, Kind, Outcome, Reverse, Run, Unclear
from .moves import copied_before, keep_places, kept_places, note_target, seek, target_of


class Copies(Kind):
    most = 2_000

    def carry_out(self, run: Run) -> Outcome:
        target = target_of(run)
        name, job = run.source.name, run.job
        with pools.lend(run.account, name) as imap:
            places = copied_before(run)
            if run.in_doubt and job.target_uidnext:
                if imap.select(target.name, fresh=True).uidvalidity != job.target_uidvalidity:
                    raise Unclear("The mailbox it was copied to was renumbered meanwhile. Look there for it.")
                seek(run, imap, target, places)
                reach("copy.looked")
            else:
                note_target(run, imap, target)
                looking.keep_digests(run, imap)
                reach("copy.noted")
            run.on_wire()
            reach("copy.on_wire")
            todo = [uid for uid in run.uids if uid not in places]
            if todo:

                def copied(said: Copied) -> None:
                    places.update(said.uids)
                    reach("copy.copied")
                    run.check()

                run.check()
                imap.copy(name, job.uidvalidity, todo, target.name, copied=copied)
            seek(run, imap, target, places)
            reach("copy.answered")
        lost = [uid for uid in run.uids if uid not in places]
        return Outcome(places={uid: places.get(uid, 0) for uid in run.uids}, lost=lost)

    def settle(self, run: Run, outcome: Outcome) -> None:
        keep_places(run.job, dict(outcome.places), outcome)

    def after(self, run: Run) -> None:
        if run.target is not None and run.target.uidvalidity:
            run.look_later(run.target)

    def reverse(self, job: Job) -> list[Reverse]:
        """The copies go again, for good; what they are copies of stays."""
        if job.target is None:
            raise CannotUndo("The mailbox with the copies no longer exists.")
        uids = kept_places(job)
        if not uids:
            raise CannotUndo("Nobody knows where these copies are now, so this can't be undone.")
        return [Reverse(Job.Kind.EXPUNGE, "undo", job.target, job.target_uidvalidity, uids)]
