"""How messages are known again: by Message-ID, size and date of arrival, which a copy keeps (RFC 9051 §6.4.7).

Two messages may be alike in all three; then one found stands for one of them and never for both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db.models import Q

from webmail.models import Job, Mailbox, Message
from webmail.models.message import PROVISIONAL, hash_of
from webmail.protocol import text
from webmail.protocol.connection import Connection
from webmail.protocol.types import MessageData

from .. import overlay
from .kind import Run

Digest = list[object]  # Message-ID, size, date: as JSON keeps it


def row_digest(message: Message) -> Digest:
    """The digest of an index row."""
    return [message.message_id, message.size, int(message.date.timestamp())]


def wire_digest(data: MessageData) -> Digest:
    """The same of a message as FETCH described it."""
    date = int(data.internal_date.timestamp()) if data.internal_date else 0
    return [text.envelope(data.header or b"").message_id[:500], data.size, date]


def keep_digests(run: Run, imap: Connection) -> None:
    """See to it that the jobs know which message each UID of this go means: from the index, else from the server."""
    for job in run.jobs:
        mine = sorted(set(job.uids).intersection(run.uids)) if len(run.jobs) > 1 else run.uids
        missing = [uid for uid in mine if str(uid) not in job.digests]
        if not missing:
            continue
        found = _from_index(run.source, missing)
        if unknown := [uid for uid in missing if uid not in found]:
            fetched = imap.fetch(run.source.name, job.uidvalidity, unknown)
            found |= {data.uid: wire_digest(data) for data in fetched}
        # Of a large job only those of the go at hand are kept: what was done needs none.
        before = {str(uid): job.digests[str(uid)] for uid in mine if str(uid) in job.digests}
        job.digests = before | {str(uid): digest for uid, digest in found.items()}


def find(
    imap: Connection,
    target: Mailbox,
    uidvalidity: int,
    since: int,
    wanted: Mapping[int, Digest],
    taken: Collection[int] = (),
) -> dict[int, int]:
    """Where messages are in `target`, of those that came there since a UIDNEXT.

    Args:
        wanted: the digest of each UID; where several are alike the first ones are found first.
        taken: UIDs in the target that are known to be other messages.

    Returns:
        UID → UID in the target, without those that aren't there.
    """
    there: dict[str, list[int]] = defaultdict(list)
    for data in imap.fetch_range(target.name, uidvalidity, since, None):
        if data.uid not in taken:
            there[repr(wire_digest(data))].append(data.uid)
    found = {}
    for uid, digest in wanted.items():
        if alike := there.get(repr(digest)):
            found[uid] = alike.pop(0)
    return found


def digests_of(jobs: Iterable[Job], uids: Sequence[int]) -> dict[int, Digest]:
    """What the jobs know of these UIDs, in their order."""
    known: dict[str, Digest] = {}
    for job in jobs:
        known |= job.digests
    return {uid: known[str(uid)] for uid in uids if str(uid) in known}


def taken_by_others(run: Run, since: int) -> set[int]:
    """The UIDs from `since` on in the target that finished jobs are known to have put there."""
    done = run.account.jobs.filter(
        state=Job.State.DONE,
        target=run.target,
        target_uidvalidity=run.job.target_uidvalidity,
        target_uidnext__gte=since,
    )
    places = [each for evidence in done.values_list("evidence", flat=True) for each in evidence.get("places", ())]
    return {place for _, first, length in places for place in range(max(first, since), first + length)}


def is_any_alike(job: Job, uids: Sequence[int], wanted: Collection[tuple[object, ...]]) -> bool:
    """Whether one of these messages of the job is, by its digest, one of `wanted`, as far as the index knows them."""
    mine = set(uids)
    hashes = {hash_of(str(message_id)) for message_id, *_ in wanted}
    there = Q(mailbox=job.mailbox_id) | Q(origin=job.mailbox_id)
    rows = Message.objects.filter(there, account=job.account_id, message_hash__in=hashes)
    columns = ("pk", "mailbox", "uid", "origin", "origin_uid", "message_id", "size", "date")
    return any(
        tuple(row_digest(row)) in wanted and not mine.isdisjoint({row.uid, row.origin_uid, row.pk + PROVISIONAL})
        for row in rows.only(*columns)
    )


def _from_index(mailbox: Mailbox, uids: Sequence[int]) -> dict[int, Digest]:
    found: dict[int, Digest] = {}
    columns = ("pk", "uid", "origin", "origin_uid", "message_id", "size", "date")
    for among, leaving in zip(overlay.chunks(uids), overlay.chunks(uids, "origin_uid"), strict=True):
        rows = Message.objects.filter((among & Q(mailbox=mailbox)) | (leaving & Q(origin=mailbox))).only(*columns)
        found |= {row.server_uid: row_digest(row) for row in rows if row.size}
    return found
