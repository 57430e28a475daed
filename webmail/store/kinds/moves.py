"""Messages moved to another mailbox: archive, junk, trash and wherever a person says.

A second MOVE of a UID that is gone answers OK and moves nothing, and a second COPY makes a second copy. So before the
first byte the jobs keep the target's UIDVALIDITY and UIDNEXT and a digest of each message; after any doubt:

    still in the source, not in the target ──▶ move it
    still in the source, and in the target ──▶ copied already: delete it from the source
    gone, and in the target ─────────────────▶ done
    gone, and nowhere ───────────────────────▶ somebody else took it: said, and left alone
    target renumbered, and something gone ───▶ nobody can tell
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from webmail.models import Job, Mailbox
from webmail.protocol.connection import Connection
from webmail.protocol.errors import NoSuchMailbox, Refused
from webmail.protocol.moving import Copied

from .. import overlay, pools, sync
from ..failpoints import reach
from . import looking
from .kind import CannotBeDone, CannotUndo, Kind, Outcome, Reverse, Run, Unclear

TARGET_GONE = "The mailbox it was to be put into no longer exists."


class Moves(Kind):
    most = 2_000
    merges = True

    def carry_out(self, run: Run) -> Outcome:
        target = target_of(run)
        name, validity = run.source.name, run.job.uidvalidity
        with pools.lend(run.account, name) as imap:
            todo, places = run.uids, dict(copied_before(run))
            if run.in_doubt and run.job.target_uidnext:
                todo, copied = self._look(run, imap, target, places)
                places |= copied
                reach("move.looked")
                if finished := [uid for uid in copied if uid in set(todo)]:
                    todo = [uid for uid in todo if uid not in copied]
                    run.check()
                    left = [] if imap.expunge(name, validity, finished, also=marked(run, imap)) else finished
                    reach("move.expunged")
                else:
                    left = []
            else:
                left = []
                note_target(run, imap, target)
                looking.keep_digests(run, imap)
                reach("move.noted")
            run.on_wire()
            reach("move.on_wire")
            if todo:
                run.check()
                self._label(run, imap, todo)
                done = self._move(run, imap, target, todo, places)
                left += todo if done.left else []
            reach("move.answered")
            seek(run, imap, target, places)
        lost = [uid for uid in run.uids if uid not in places]
        return Outcome(
            {}, places={uid: places.get(uid, 0) for uid in run.uids}, uidvalidity=run.job.target_uidvalidity,
            left=left, lost=lost,
        )  # fmt: skip

    def settle(self, run: Run, outcome: Outcome) -> None:
        for job in run.jobs:
            mine = set(job.uids) if len(run.jobs) > 1 else set(run.uids)
            keep_places(job, {uid: place for uid, place in outcome.places.items() if uid in mine}, outcome)
        overlay.arrive(run.jobs, outcome.places, outcome.uidvalidity)
        overlay.leave_marked(run.job, outcome.left)

    def after(self, run: Run) -> None:
        if run.target is None:
            return
        # What is shown nowhere until it is found there can't wait; nor can a mailbox that nobody has looked into yet:
        # only under its UIDVALIDITY can one act on what lies there now.
        if run.target.uidvalidity and all(len(kept_places(job)) == job.count for job in run.jobs):
            run.look_later(run.target)
        else:
            sync.refresh(run.target)

    def reread(self, run: Run) -> None:
        sync.reread(run.source, run.uids[-self.most :])

    def reverse(self, job: Job) -> list[Reverse]:
        """Back to where they came from; what changed about them on the way too."""
        if job.target is None or job.mailbox is None:
            raise CannotUndo("One of the mailboxes no longer exists, so this can't be undone.")
        uids = kept_places(job)
        if not uids:
            raise CannotUndo("Nobody knows where these messages are now, so this can't be undone.")
        arguments: dict[str, Any] = {}
        if job.arguments.get("label") or job.arguments.get("unlabel"):
            arguments = {"label": job.arguments.get("unlabel", []), "unlabel": job.arguments.get("label", [])}
        found = Reverse(Job.Kind.MOVE, "undo", job.target, job.target_uidvalidity, uids, job.mailbox, arguments)
        return [found]

    def _look(
        self, run: Run, imap: Connection, target: Mailbox, places: dict[int, int]
    ) -> tuple[list[int], dict[int, int]]:
        """What is still in the source, and where messages are in the target already."""
        there = imap.present(run.source.name, run.job.uidvalidity, run.uids)
        gone = [uid for uid in run.uids if uid not in set(there)]
        selected = imap.select(target.name, fresh=True)
        if selected.uidvalidity != run.job.target_uidvalidity:
            if gone:
                raise Unclear("The mailbox it was moved to was renumbered meanwhile. Look there for it.")
            note_target(run, imap, target)
            return there, {}
        since = min(job.target_uidnext for job in run.jobs)
        taken = looking.taken_by_others(run, since).union(places.values())
        wanted = looking.digests_of(run.jobs, [uid for uid in (*gone, *there) if uid not in places])
        found = looking.find(imap, target, selected.uidvalidity, since, wanted, taken)
        return there, {**found, **{uid: places[uid] for uid in there if uid in places}}

    def _move(self, run: Run, imap: Connection, target: Mailbox, uids: list[int], places: dict[int, int]) -> Copied:
        def copied(said: Copied) -> None:
            """Kept at once: a server without MOVE has two of each now, and this says which."""
            places.update(said.uids)
            reach("move.copied")
            if not imap.has("MOVE"):
                for job in run.jobs:
                    job.evidence = {**job.evidence, "copied": overlay.runs(places)}
                run.keep()
                reach("move.kept")
            run.check()

        return imap.move(run.source.name, run.job.uidvalidity, uids, target.name, copied=copied, also=marked(run, imap))

    def _label(self, run: Run, imap: Connection, uids: list[int]) -> None:
        """What is said of messages on their way: $Junk, $NotJunk (RFC 5788's registry)."""
        label, unlabel = run.job.arguments.get("label", ()), run.job.arguments.get("unlabel", ())
        if label or unlabel:
            with suppress(Refused):  # a mailbox that keeps no keywords is no reason not to move
                imap.store(run.source.name, run.job.uidvalidity, uids, add=label, remove=unlabel)
            reach("move.labelled")


def marked(run: Run, imap: Connection) -> list[int]:
    """What we have marked as deleted in the source before: only EXPUNGE, which takes all that is, need know it."""
    return [] if imap.has("UIDPLUS") else overlay.marked(run.source)


def target_of(run: Run) -> Mailbox:
    """The target, which must be there.

    Raises:
        CannotBeDone: it was deleted.
    """
    if run.target is None:
        raise CannotBeDone(TARGET_GONE)
    return run.target


def note_target(run: Run, imap: Connection, target: Mailbox) -> None:
    """Keep where in the target to look after any doubt.

    Raises:
        NoSuchMailbox: it isn't there.
    """
    status = imap.status([target.name]).get(target.name)
    if status is None or not status.uidvalidity:
        raise NoSuchMailbox(TARGET_GONE, code="TRYCREATE")
    uidnext = status.uidnext or max(imap.uids(target.name, status.uidvalidity), default=0) + 1
    for job in run.jobs:
        job.target_uidvalidity, job.target_uidnext = status.uidvalidity, uidnext


def seek(run: Run, imap: Connection, target: Mailbox, places: dict[int, int]) -> None:
    """Where COPYUID didn't say where they are, look: the row keeps its key, and Undo its way."""
    unknown = looking.digests_of(run.jobs, [uid for uid in run.uids if uid not in places])
    if unknown:
        since = min(job.target_uidnext for job in run.jobs)
        taken = looking.taken_by_others(run, since).union(places.values())
        places.update(looking.find(imap, target, run.job.target_uidvalidity, since, unknown, taken))


def copied_before(run: Run) -> dict[int, int]:
    """What an earlier try knows to have copied, of this go's UIDs."""
    known: dict[int, int] = {}
    for job in run.jobs:
        for source, place, length in job.evidence.get("copied", ()):
            known |= {source + step: place + step for step in range(length)}
    wanted = set(run.uids)
    return {uid: place for uid, place in known.items() if uid in wanted}


def kept_places(job: Job) -> list[int]:
    """The UIDs that the messages have in the target, as far as they are known, ascending."""
    places = job.evidence.get("places", ())
    return sorted(place for _, first, length in places for place in range(first, first + length))


def keep_places(job: Job, places: dict[int, int], outcome: Outcome) -> None:
    """Keep for Undo where the messages are now, and how many were gone."""
    lost = job.evidence.get("lost", 0) + len([uid for uid in outcome.lost if uid in places])
    left = job.evidence.get("left", 0) + len([uid for uid in outcome.left if uid in places])
    job.evidence = {
        "places": [*job.evidence.get("places", ()), *overlay.runs(places)],
        **({"lost": lost} if lost else {}),
        **({"left": left} if left else {}),
    }
