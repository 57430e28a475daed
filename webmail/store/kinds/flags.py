"""Flags and keywords set and cleared: never a toggle, so doing it twice is doing it once."""

from __future__ import annotations

import time

from webmail.models import Job
from webmail.protocol import sets
from webmail.protocol.types import Flag

from .. import index, pools, sync
from ..failpoints import reach
from .kind import CannotUndo, Kind, Outcome, Reverse, Run

GO_SECONDS = 1.0  # what a go at very many messages takes: then others get their turn
READ_BACK = 1_000  # messages whose flags are asked for after they were set; of more, the next sync hears


class Flags(Kind):
    """Set and clear flags; after any doubt, look which messages still need it."""

    most = 20_000
    paces_itself = True
    merges = True

    def carry_out(self, run: Run) -> Outcome:
        arguments, name, validity = run.job.arguments, run.source.name, run.job.uidvalidity
        add = [*map(Flag, arguments.get("add", ())), *arguments.get("label", ())]
        remove = [*map(Flag, arguments.get("remove", ())), *arguments.get("unlabel", ())]
        uids = run.uids
        with pools.lend(run.account, name) as imap:
            if run.in_doubt and len(uids) <= READ_BACK:
                there = {c.uid: c for c in imap.flags(name, validity, uids[0], uids[-1]) if c.uid in set(uids)}
                words = {uid: change.flags.set | change.flags.keywords for uid, change in there.items()}
                uids = [uid for uid, has in words.items() if not (set(add) <= has and not set(remove) & has)]
                reach("flag.looked")
                if not uids:
                    return Outcome({"flags": run.job.done + len(there)}, flags=list(there.values()))
            run.on_wire()
            reach("flag.on_wire")
            run.check()
            if len(run.uids) > READ_BACK:
                until = time.monotonic() + GO_SECONDS

                def go_on() -> bool:
                    run.check()
                    return len(run.jobs) > 1 or time.monotonic() < until

                stored = imap.store_silently(name, validity, uids, add=add, remove=remove, go_on=go_on)
                run.uids = uids[:stored]
                return Outcome({"flags": run.job.done + stored})
            changes = imap.store(name, validity, uids, add=add, remove=remove)
            reach("flag.answered")
        return Outcome({"flags": run.job.done + len(changes)}, flags=changes)

    def settle(self, run: Run, outcome: Outcome) -> None:
        if outcome.flags:
            index.apply_flags(run.source, outcome.flags, read_at=run.read_at, after=run.jobs)

    def reread(self, run: Run) -> None:
        sync.reread(run.source, run.uids[-READ_BACK:])

    def reverse(self, job: Job) -> list[Reverse]:
        """Exactly those that were changed get back what they had, flag by flag."""
        if job.mailbox is None:
            raise CannotUndo("The mailbox no longer exists, so this can't be undone.")
        found = []
        for name, packed in job.arguments.get("changed", {}).items():
            was = name in job.arguments.get("remove", ()) or name in job.arguments.get("unlabel", ())
            known = name in [flag.value for flag in Flag]
            key = ("add" if was else "remove") if known else ("label" if was else "unlabel")
            uids = [uid for uid in sets.unpack(packed) if job.state != Job.State.CANCELLED or uid <= job.reached]
            if uids:
                back = {key: [name], "changed": {name: sets.pack(uids)}}
                found.append(Reverse(Job.Kind.FLAG, "undo", job.mailbox, job.uidvalidity, uids, arguments=back))
        if not found:
            raise CannotUndo("Nothing was changed by this, so there is nothing to undo.")
        return found
