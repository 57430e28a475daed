"""Messages deleted for good. Doing it twice is doing it once; what another client marked is never touched."""

from __future__ import annotations

from webmail.models import Job

from .. import overlay, pools, sync
from ..failpoints import reach
from .kind import CannotUndo, Kind, Outcome, Reverse, Run
from .moves import marked


class Expunges(Kind):
    most = 5_000
    merges = True

    def carry_out(self, run: Run) -> Outcome:
        with pools.lend(run.account, run.source.name) as imap:
            also = marked(run, imap)
            run.on_wire()
            reach("expunge.on_wire")
            run.check()
            gone = imap.expunge(run.source.name, run.job.uidvalidity, run.uids, also=also)
            reach("expunge.answered")
        return Outcome(left=[] if gone else run.uids)

    def settle(self, run: Run, outcome: Outcome) -> None:
        for job in run.jobs:
            mine = sorted(set(job.uids).intersection(run.uids))
            if outcome.left:
                overlay.lay(job, mine)
                overlay.leave_marked(job, mine)
                job.evidence = {"left": job.evidence.get("left", 0) + len(mine)}
            else:
                overlay.remove(job, mine)
                job.evidence = {"gone": job.evidence.get("gone", 0) + len(mine)}

    def reread(self, run: Run) -> None:
        sync.reread(run.source, run.uids[-2_000:])

    def reverse(self, job: Job) -> list[Reverse]:
        raise CannotUndo("What was deleted for good can't be brought back.")
