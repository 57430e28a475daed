"""What jobs make of the index before the server has done them: the second half of its one writer (law 4).

A job is laid on the index in the transaction that records it; laid again on whatever a sync writes (`rebase`); and in
the end it either comes true (`arrive`, `remove`) or is taken back (`retract`). Every function here is called inside a
transaction of its caller, and locks the mailboxes it counts in the order of their keys.

A row that leaves its mailbox lies where it will be, under a provisional UID, or in no mailbox; `origin` says where the
server has it. So it keeps its key, and with it its links and its place in Undo.

    (inbox, 5) ──lay──▶ (trash, provisional; origin inbox 5) ──arrive──▶ (trash, 901)
         ▲                                │
         └───────────retract──────────────┘
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from webmail.models import Job, Mailbox, Message
from webmail.models.message import PROVISIONAL, MessageQuerySet
from webmail.protocol import sets
from webmail.protocol.types import Flag

# Rows that a job is laid on at once. Beyond, the rest follows when the server has done it: 100,000 rows take the
# database seconds (measured: flags 0.6 s on SQLite, 2.2 s on PostgreSQL), and whoever clicked waits for it.
AT_ONCE = 2_000
# For how long a connection may keep a mailbox selected without looking at it anew: as long as a pool keeps it idle.
OLDEST_VIEW = timedelta(minutes=6)
DISPLACING = (Job.Kind.MOVE, Job.Kind.EXPUNGE)
_CHUNK = 500
_COUNTED = ("exists", "unread", "uidvalidity", "lowest_uid")  # what is asked of a mailbox whose row is locked
_RUN = 20  # UIDs in a row from which on a range is cheaper than naming them

_FLAGS = {flag.value for flag in Flag}


def lay_first(job: Job, unread: int) -> None:
    """Show a job's effect in the transaction that records it: on its newest AT_ONCE messages, in the counts for all.

    Args:
        unread: how many of its messages are.
    """
    uids = job.uids
    sign = _seen_sign(job) if job.kind == Job.Kind.FLAG else 0
    if len(uids) > AT_ONCE and job.kind in (*DISPLACING, Job.Kind.FLAG):
        job.laid = uids[-AT_ONCE]
        job.save(update_fields=["laid"])
    if job.kind == Job.Kind.FLAG:
        # Who writes many rows takes turns, so that no two wait for each other's; one that isn't counted needs no turn.
        boxes = _lock(job) if sign or len(uids) > 1 else {}
        changed = lay(job, uids[-AT_ONCE:])
        _count(boxes.get(job.mailbox_id), 0, sign * (job.count if job.laid else changed))
    elif job.kind in DISPLACING:
        Mailbox.objects.count_moved(job.mailbox_id, job.target_id, job.count, unread)
        lay(job, uids[-AT_ONCE:])
    elif job.kind == Job.Kind.SUBSCRIBE:
        Mailbox.objects.filter(jobs=job).update(subscribed=job.arguments["on"])


def lay(job: Job, uids: Sequence[int]) -> int:
    """Give the rows of these UIDs the effect of `job`. Return how many of them became read, or unread, by it."""
    if job.kind == Job.Kind.FLAG:
        return _set_flags(job, uids)
    if job.kind in DISPLACING:
        for among in chunks(uids):
            # What is on its way already goes on from there, and has its provisional UID.
            Message.objects.filter(among, mailbox=job.mailbox_id).update(
                origin=Coalesce("origin", "mailbox"),
                origin_uid=Coalesce("origin_uid", "uid"),
                mailbox=job.target_id,
                uid=F("pk") + PROVISIONAL,
                unlinked_at=None,
            )
    return 0


def rebase(mailbox: Mailbox, uids: Iterable[int], read_at: datetime, after: Collection[Job] = ()) -> None:
    """Lay the jobs that `read_at` may have missed on top of what was just written, in the order they were recorded.

    What was moved or deleted stays so even if it was answered later: a session that has had the mailbox selected for
    long may speak of it still, and a UID never comes back (RFC 9051 §2.3.1.1).

    Args:
        after: jobs that were done when the server was asked.
    """
    missed = Q(state=Job.State.DONE, finished_at__gte=read_at)
    gone = Q(state=Job.State.DONE, kind__in=DISPLACING, finished_at__gte=read_at - OLDEST_VIEW)
    jobs = mailbox.jobs.filter(
        Q(state__in=Job.PENDING) | missed | gone,
        kind__in=(Job.Kind.FLAG, *DISPLACING),
        uidvalidity=mailbox.uidvalidity,
    )
    wanted = sorted(set(uids))
    those = {key: sets.among(uid_set, wanted) for key, uid_set in jobs.order_by().values_list("pk", "uid_set")}
    touching = those.keys() - {job.pk for job in after}
    touching = {key for key in touching if those[key]}
    # Hundreds may wait, and few have to do with what was written.
    found = Job.objects.filter(pk__in=touching).order_by("sequence").defer("digests", "evidence") if touching else ()
    for job in found:
        touched = those[job.pk]
        if job.kind in DISPLACING:
            # What was done after the server had been asked is not there any more, whatever the answer says.
            over = touched if job.state == Job.State.DONE else [uid for uid in touched if uid <= job.reached]
            for among in chunks(over):
                mailbox.messages.filter(among).delete()
            lay(job, [uid for uid in touched if uid > job.reached] if not over else [])
        else:
            lay(job, touched)


def arrive(jobs: Sequence[Job], places: Mapping[int, int], uidvalidity: int) -> None:
    """The messages of a move are in its target: their rows get the UIDs they have there.

    Args:
        jobs: one, or several that are alike, in order.
        places: UID in the source → UID in the target; 0 where nobody knows, then a sync finds the row again.
        uidvalidity: of the target.
    """
    job = jobs[0]
    boxes = _lock(job)
    target = boxes.get(job.target_id)
    known = target is not None and uidvalidity and target.uidvalidity in (0, uidvalidity)
    lost = [uid for uid, place in places.items() if not place or not known]
    if target is not None and known:
        for source, place, length in runs(places):
            _arrive_run(job, target, source, place, length)
        _follow_on(jobs, target, places)
    for among in chunks(sorted(lost), "origin_uid"):
        _unlink(Message.objects.filter(among, origin=job.mailbox_id), F("origin_uid"))
    for among in chunks(sorted(lost)):
        _unlink(Message.objects.filter(among, mailbox=job.mailbox_id), F("uid"))


def leave_marked(job: Job, uids: Sequence[int]) -> None:
    """Messages that should be gone from their mailbox, but could only be marked there: they are hidden from now on."""
    hidden: list[int] = []
    for among in chunks(sorted(uids), "origin_uid"):
        hidden += _origin_uids(Message.objects.filter(among, origin=job.mailbox_id, mailbox=None))
    now = timezone.now()
    Message.objects.bulk_create(
        [
            Message(account_id=job.account_id, origin_id=job.mailbox_id, origin_uid=uid, uid=uid, date=now)
            for uid in sorted(set(uids) - set(hidden))
        ],
        batch_size=_CHUNK,
    )


def hide(mailbox: Mailbox, uid: int) -> None:
    """A message is about to be removed, by nobody's job: it is hidden at once, and not shown by a sync again."""
    rows = Message.objects.filter(mailbox=mailbox, uid=uid, origin=None)
    if rows.update(origin=F("mailbox"), origin_uid=F("uid"), mailbox=None, unlinked_at=None):
        Mailbox.objects.filter(pk=mailbox.pk, exists__gt=0).update(exists=F("exists") - 1)
    elif not Message.objects.filter(origin=mailbox, origin_uid=uid).exists():
        Message.objects.create(
            account_id=mailbox.account_id, origin=mailbox, origin_uid=uid, uid=uid, date=timezone.now()
        )


def forget_hidden(mailbox: Mailbox, uid: int) -> None:
    """It is removed."""
    Message.objects.filter(origin=mailbox, origin_uid=uid, mailbox=None).delete()


def marked(mailbox: Mailbox) -> list[int]:
    """The UIDs of messages that `leave_marked` has hidden in this mailbox, or that are about to be."""
    return _origin_uids(Message.objects.filter(origin=mailbox, mailbox=None))


def remove(job: Job, uids: Sequence[int]) -> None:
    """Messages are gone for good, or left for where nobody finds them: so are their rows."""
    _lock(job)
    for among in chunks(uids, "origin_uid"):
        Message.objects.filter(among, origin=job.mailbox_id).delete()
    for among in chunks(uids):
        Message.objects.filter(among, mailbox=job.mailbox_id).delete()


def retract(job: Job, uids: Sequence[int]) -> None:
    """Take back what the job showed of these UIDs; what the server says is read afterwards."""
    boxes = _lock(job)
    if job.kind == Job.Kind.FLAG:
        changed = {name: set(sets.unpack(packed)) for name, packed in job.arguments.get("changed", {}).items()}
        added = set(job.arguments.get("add", ()))
        for name, those in changed.items():
            for among in chunks(sorted(those.intersection(uids))):
                Message.objects.filter(among, mailbox=job.mailbox_id).update(**{name: name not in added})
        _count(boxes.get(job.mailbox_id), 0, -_seen_sign(job) * len(changed.get("seen", set()).intersection(uids)))
    elif job.kind in DISPLACING:
        unread = 0
        for among in chunks(uids, "origin_uid"):
            rows = Message.objects.filter(among, origin=job.mailbox_id)
            unread += rows.filter(seen=False).count()
            back = _origin_uids(rows)
            Message.objects.filter(mailbox=job.mailbox_id, uid__in=back).delete()
            rows.update(mailbox=F("origin"), uid=F("origin_uid"), origin=None, origin_uid=None)
        early = [uid - PROVISIONAL for uid in uids if uid >= PROVISIONAL]
        Message.objects.filter(pk__in=early, origin__isnull=False, mailbox=job.target_id).update(mailbox=job.mailbox_id)
        for box, sign in ((boxes.get(job.mailbox_id), 1), (boxes.get(job.target_id), -1)):
            if box is not None and box.is_complete and not job.laid:
                # Counted anew: another job may have taken them on, and part of this may be taken back already.
                unread_now = box.messages.filter(seen=False).count()
                Mailbox.objects.filter(pk=box.pk).update(exists=box.messages.count(), unread=unread_now)
            else:
                _count(box, sign * len(uids), sign * unread)
    elif job.kind == Job.Kind.SUBSCRIBE:
        Mailbox.objects.filter(jobs=job).update(subscribed=not job.arguments["on"])


def provisional(job: Job) -> set[int]:
    """The UIDs that messages of a pending job have where they are shown, on their way there or beyond."""
    uids = job.uids
    found = {uid for uid in uids if uid >= PROVISIONAL}
    for among in chunks(uids, "origin_uid"):
        keys = Message.objects.filter(among, origin=job.mailbox_id).values_list("pk", flat=True)
        found.update(key + PROVISIONAL for key in keys)
    return found


def send_home(mailboxes: Iterable[Mailbox]) -> None:
    """These mailboxes are gone: what was on its way into them stays where the server has it."""
    coming = Message.objects.filter(mailbox__in=list(mailboxes), origin__isnull=False)
    coming.update(mailbox=F("origin"), uid=F("origin_uid"), origin=None, origin_uid=None)


def forget_leaving(mailbox: Mailbox) -> None:
    """The mailbox was renumbered: what rows that leave it know of their origin means nothing any more."""
    Message.objects.filter(origin=mailbox).delete()


def displaced(mailbox: Mailbox, low: int, high: int) -> set[int]:
    """The UIDs of rows that a job takes, or hides, from this mailbox: the server still has them here."""
    return set(_origin_uids(Message.objects.filter(origin=mailbox, origin_uid__range=(low, high))))


def shift(mailbox: Mailbox) -> int:
    """How many messages more than the server's count are shown: those on their way in, less those on the way out."""
    coming = mailbox.messages.filter(uid__gte=PROVISIONAL).count()
    return coming - Message.objects.filter(origin=mailbox).count()


def shown(mailbox: Mailbox, exists: int) -> int:
    """The server's count of messages with the pending jobs applied."""
    return mailbox.exists if is_unsettled(mailbox) else max(0, exists + shift(mailbox))


def is_unsettled(mailbox: Mailbox) -> bool:
    """Whether a large job is in the counts of the mailbox, but not on all its rows yet: they can't be counted."""
    large = Job.objects.pending().filter(Q(mailbox=mailbox) | Q(target=mailbox), laid__gt=0)
    return large.exists()


def chunks(uids: Sequence[int], column: str = "uid") -> Iterator[Q]:
    """Conditions that together name all of these UIDs (ascending), each small enough for one statement."""
    few: list[int] = []
    for low, high in sets.ranges(uids):
        if high - low >= _RUN:
            yield Q(**{f"{column}__range": (low, high)})
            continue
        few += range(low, high + 1)
        if len(few) >= _CHUNK:
            yield Q(**{f"{column}__in": few})
            few = []
    if few:
        yield Q(**{f"{column}__in": few})


def runs(places: Mapping[int, int]) -> list[tuple[int, int, int]]:
    """(source, target, length) for each run of UIDs that were numbered anew in the same order; 0 targets left out."""
    found: list[tuple[int, int, int]] = []
    for source in sorted(places):
        place = places[source]
        if not place:
            continue
        if found:
            first, at, length = found[-1]
            if first + length == source and at + length == place:
                found[-1] = (first, at, length + 1)
                continue
        found.append((source, place, 1))
    return found


def _arrive_run(job: Job, target: Mailbox, source: int, place: int, length: int) -> None:
    there = target.messages.filter(uid__range=(place, place + length - 1))
    there.delete()  # a sync met them first; ours have the keys that people hold
    leaving = Message.objects.filter(origin=job.mailbox_id, origin_uid__range=(source, source + length - 1))
    resting = Message.objects.filter(mailbox=job.mailbox_id, uid__range=(source, source + length - 1))
    resting.filter(uid__in=leaving.values("origin_uid")).delete()  # there can be but one
    number = F("origin_uid") + (place - source)
    if leaving.filter(mailbox=target).update(uid=number, origin=None, origin_uid=None, modseq=0) == length:
        return
    # A later job may have taken the row on to another mailbox, or to none: then this is only where it is now.
    leaving.update(origin=target, origin_uid=number, modseq=0)
    resting.update(mailbox=target, uid=F("uid") + (place - source), modseq=0)


def _follow_on(jobs: Sequence[Job], target: Mailbox, places: Mapping[int, int]) -> None:
    """Later jobs that named the messages by provisional UIDs learn the real ones."""
    later_ones = Job.objects.pending().filter(account=jobs[0].account_id, mailbox=target, early=True)
    behind = later_ones.filter(sequence__gt=jobs[0].sequence).order_by("sequence")
    if len(jobs) > 1 and not behind.exists():
        return
    for job in jobs:
        mine = {uid: places[uid] for uid in job.uids if uid in places} if len(jobs) > 1 else places
        _tell_uids(list(behind.filter(sequence__gt=job.sequence)), target, mine)


def _tell_uids(waiting: list[Job], target: Mailbox, places: Mapping[int, int]) -> None:
    """Likewise of one job's messages, to the jobs behind it.

    A message may come to the same mailbox twice. What was recorded after it was to leave again means its second stay.
    """
    if not waiting:
        return
    arrived = list(places.values())
    rows = Message.objects.filter(Q(mailbox=target, uid__in=arrived) | Q(origin=target, origin_uid__in=arrived))
    real = {row.pk + PROVISIONAL: row.server_uid for row in rows.only("pk", "uid", "origin", "origin_uid")}
    for later in waiting:
        uids = later.uids
        meant = real.keys() & set(uids)
        if not meant:
            continue
        later.digests = {str(real.get(int(uid), int(uid))): digest for uid, digest in later.digests.items()}
        changed = later.arguments.get("changed", {})
        for name, packed in changed.items():
            changed[name] = sets.pack(sorted(real.get(uid, uid) for uid in sets.unpack(packed)))
        later.uids = [real.get(uid, uid) for uid in uids]
        later.early = any(uid >= PROVISIONAL for uid in later.uids)
        later.uidvalidity = target.uidvalidity or later.uidvalidity
        later.save(update_fields=["uid_set", "count", "early", "digests", "arguments", "uidvalidity"])
        if later.kind in DISPLACING:
            # One that is to come back lies in the target already, as if it had never left: it goes all the way again.
            lay(later, sorted(real[uid] for uid in meant))
            for after in _early_after(later):
                lay(after, sorted(meant.intersection(after.uids)))
            real = {uid: place for uid, place in real.items() if uid not in meant}


def _early_after(job: Job) -> Iterator[Job]:
    """The jobs behind it that take away what is still on its way, in order."""
    behind = Job.objects.pending().filter(account=job.account_id, early=True, sequence__gt=job.sequence)
    yield from behind.filter(kind__in=DISPLACING).defer("digests", "evidence").order_by("sequence")


def _unlink(rows: MessageQuerySet, uid: F) -> None:
    rows.update(mailbox=None, uid=uid, origin=None, origin_uid=None, unlinked_at=timezone.now())


def _set_flags(job: Job, uids: Sequence[int]) -> int:
    changed = 0
    values = {name: True for name in job.arguments.get("add", ()) if name in _FLAGS}
    values |= {name: False for name in job.arguments.get("remove", ()) if name in _FLAGS}
    seen = values.pop("seen", None)
    add, remove = job.arguments.get("label", ()), job.arguments.get("unlabel", ())
    for among in chunks(uids):
        rows = Message.objects.filter(among, mailbox=job.mailbox_id)
        if seen is not None:
            changed += rows.filter(seen=not seen).update(seen=seen)
        if values:
            rows.update(**values)
        if add or remove:
            labelled = list(rows.only("pk", "keywords"))
            for row in labelled:
                row.keywords = " ".join(sorted((set(row.keywords.split()) | set(add)) - set(remove)))[:1000]
            Message.objects.bulk_update(labelled, ["keywords"], batch_size=_CHUNK)
    return changed


def _seen_sign(job: Job) -> int:
    """What the job does to the count of unread messages: 1 for each that it marks as unread, -1 as read, 0 nothing."""
    return ("seen" in job.arguments.get("remove", ())) - ("seen" in job.arguments.get("add", ()))


def _lock(job: Job) -> dict[int | None, Mailbox]:
    """The rows of the job's mailboxes, locked in the order of their keys."""
    keys = [key for key in (job.mailbox_id, job.target_id) if key]
    rows = Mailbox.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk").only(*_COUNTED)
    return {row.pk: row for row in rows}


def _origin_uids(rows: MessageQuerySet) -> list[int]:
    """Under which UIDs the server has rows that have an origin."""
    return [uid for uid in rows.values_list("origin_uid", flat=True) if uid is not None]


def _count(mailbox: Mailbox | None, messages: int, unread: int) -> None:
    """Change the counts of a mailbox."""
    if mailbox is None or not (messages or unread):
        return
    mailbox.exists, mailbox.unread = max(0, mailbox.exists + messages), max(0, mailbox.unread + unread)
    Mailbox.objects.filter(pk=mailbox.pk).update(exists=mailbox.exists, unread=mailbox.unread)
