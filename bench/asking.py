"""Somebody who acts on mail at random, and what must come of it: a model of every message, kept beside the jobs.

Used by `bench.kills` and by the tests; Django is set up before this is imported.
"""

from __future__ import annotations

import hashlib
import imaplib
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import DatabaseError, connection

from webmail.models import Account, Job, Mailbox, Message
from webmail.models.message import PROVISIONAL
from webmail.protocol.types import Flag
from webmail.store import jobs, undoing
from webmail.store.kinds.kind import CannotUndo
from webmail.store.selecting import Selection

BOXES = ("INBOX", "Archive", "Junk", "Trash", "Papers", "Letters")
MOST = 4  # messages of one act
PATIENCE = 60.0  # seconds until a database that is being restarted is back

_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)", re.IGNORECASE)

Place = tuple[str, int]  # mailbox and number of a message


def letter(number: int) -> bytes:
    """A message that is like no other."""
    body = "".join(random.Random(number).choices("abcdefghij \n", k=300)).replace("\n", "\r\n")
    return (
        f"From: Bob <bob@demo.test>\r\nTo: alice@demo.test\r\nSubject: Letter {number}\r\n"
        f"Message-ID: <asked-{number}@demo.test>\r\nDate: Thu, 26 Nov 2026 12:00:00 +0000\r\n\r\n{body}\r\n"
    ).encode()


T = TypeVar("T")


@dataclass(frozen=True)
class _Plan:
    """One act: `record` may be called again with the same key, `note` writes in the model what has to come of it."""

    record: Callable[[str], Job | None]
    note: Callable[[Job], None]


@dataclass
class Model:
    """Where each message has to be in the end, and how flagged. `digests`: of each message's octets."""

    places: dict[Place, set[str]] = field(default_factory=dict)
    digests: dict[str, int] = field(default_factory=dict)

    def file(self, mailbox: str, number: int) -> bytes:
        """Note a message that is put there; return its octets."""
        raw = letter(number)
        self.places[mailbox, number] = set()
        self.digests[hashlib.sha256(raw).hexdigest()] = number
        return raw


@dataclass(frozen=True)
class Verdict:
    """How the server differs from the model: each should be 0. `examples` in words, `numbers` of the messages."""

    lost: int
    doubled: int
    wrong_message: int
    wrong_flags: int
    examples: list[str]
    numbers: list[int]


class Asker:
    """Acts at random on the mail of one account, as the index shows it, and keeps the model true.

    Args:
        account: its mailboxes are BOXES, indexed. model: what is there. seed: of the random numbers.

    Attributes:
        asked, kinds: what was. shown_twice: how often a list had one message twice.
    """

    def __init__(self, account: Account, model: Model, seed: int) -> None:
        self.asked: list[Job] = []
        self.kinds: Counter[str] = Counter()
        self.shown_twice = 0
        self._account, self._model, self._random = account, model, random.Random(seed)
        self._touched: dict[Place, object] = {}
        self._undoable: list[tuple[Job, list[tuple[Place, Place]]]] = []

    def ask(self) -> Job:
        """Record one job; the same again, with its key, until it is known to be recorded."""
        acts: list[tuple[int, Callable[[], _Plan | None]]] = [
            (40, self._flag),
            (30, self._move),
            (10, self._special),
            (8, self._copy),
            (6, self._delete),
            (6, self._undo),
            (2, self._read_all),
        ]
        while True:
            act = self._random.choices([act for _, act in acts], [weight for weight, _ in acts])[0]
            plan = patiently(act)
            if plan is None:
                continue
            key = f"asked-{self._random.getrandbits(60)}"
            job = patiently(lambda plan=plan, key=key: plan.record(key))
            if job is not None:
                plan.note(job)
                self.asked.append(job)
                self.kinds[job.act] += 1
                return job

    def _flag(self) -> _Plan | None:
        rows = self._some()
        if not rows:
            return None
        flag, on = self._random.choice([Flag.SEEN, Flag.FLAGGED]), self._random.random() < 0.6

        def note(job: Job) -> None:
            for place, _ in rows:
                (self._model.places[place].add if on else self._model.places[place].discard)(flag.value)
                self._touched[place] = job

        add, remove = ([flag], []) if on else ([], [flag])
        return _Plan(lambda key: jobs.record_flags(_rows(rows), add=add, remove=remove, idem_key=key), note)

    def _move(self) -> _Plan | None:
        return self._to(self._random.choice(BOXES), lambda rows, box, key: jobs.record_move(rows, box, idem_key=key))

    def _special(self) -> _Plan | None:
        verb, name = self._random.choice(
            [(jobs.record_archive, "Archive"), (jobs.record_junk, "Junk"), (jobs.record_delete, "Trash")]
        )
        return self._to(name, lambda rows, _box, key: verb(rows, idem_key=key))

    def _to(self, name: str, record: Callable[[list[Message], Mailbox, str], Job]) -> _Plan | None:
        rows = [(place, row) for place, row in self._some() if (name, place[1]) not in self._model.places]
        if not rows or rows[0][0][0] == name:
            return None
        box = self._box(name)

        def note(job: Job) -> None:
            ways = []
            for (before, number), _ in rows:
                self._model.places[name, number] = self._model.places.pop((before, number))
                self._touched[name, number] = job
                ways.append(((before, number), (name, number)))
            self._undoable.append((job, ways))

        return _Plan(lambda key: record(_rows(rows), box, key), note)

    def _copy(self) -> _Plan | None:
        name = self._random.choice(BOXES)
        rows = [(place, row) for place, row in self._some() if (name, place[1]) not in self._model.places]
        if not rows or rows[0][0][0] == name:
            return None
        box = self._box(name)

        def note(job: Job) -> None:
            for place, _ in rows:
                self._model.places[name, place[1]] = set(self._model.places[place])
                self._touched[place] = self._touched[name, place[1]] = job

        return _Plan(lambda key: jobs.record_copy(_rows(rows), box, idem_key=key), note)

    def _delete(self) -> _Plan | None:
        rows = self._some()[:2]
        if not rows:
            return None

        def note(_job: Job) -> None:
            for place, _ in rows:
                del self._model.places[place]

        return _Plan(lambda key: jobs.record_delete(_rows(rows), for_good=True, idem_key=key), note)

    def _read_all(self) -> _Plan | None:
        name = self._random.choice(BOXES)
        box = self._box(name)

        def note(job: Job) -> None:
            # A copy may be on the server and not in the index yet: then nobody has seen it, and it isn't meant.
            meant = {*job.uids, *patiently(lambda: Job.objects.get(pk=job.pk).uids)}
            rows = Message.objects.filter(mailbox=box) | Message.objects.filter(origin=box)

            def numbers(row: Message) -> set[int]:
                return {row.uid, row.origin_uid, row.pk + PROVISIONAL}

            ids = {row.message_id for row in patiently(lambda: list(rows)) if numbers(row) & meant}
            for (mailbox, number), flags in self._model.places.items():
                if mailbox == name and f"asked-{number}@demo.test" in ids:
                    flags.add("seen")
                    self._touched[mailbox, number] = job

        return _Plan(lambda key: jobs.record_mark_read(Selection(box), idem_key=key), note)

    def _undo(self) -> _Plan | None:
        """Take back a move of which nothing was touched since."""
        self._random.shuffle(self._undoable)
        for entry in self._undoable:
            job, ways = entry
            free = all(self._touched.get(now) is job and now in self._model.places for _, now in ways)
            if free and not any(before in self._model.places for before, _ in ways):
                return self._undoing(entry)
        return None

    def _undoing(self, entry: tuple[Job, list[tuple[Place, Place]]]) -> _Plan:
        job, ways = entry

        def record(key: str) -> Job | None:
            known = Job.objects.get(pk=job.pk)
            try:
                return undoing.undo(known, key)
            except CannotUndo:  # it is under way; or it was cancelled, and we weren't told
                return known if known.state == Job.State.CANCELLED else None

        def note(back: Job) -> None:
            self._undoable.remove(entry)
            for before, now in ways:
                self._model.places[before] = self._model.places.pop(now)
                self._touched[before] = back

        return _Plan(record, note)

    def _some(self) -> list[tuple[Place, Message]]:
        """A few messages of one mailbox that the index shows where the model has them."""
        name = self._random.choice(BOXES)
        numbers = [number for mailbox, number in self._model.places if mailbox == name]
        chosen = self._random.sample(numbers, min(len(numbers), self._random.randint(1, MOST)))
        ids = {f"asked-{number}@demo.test": number for number in chosen}
        rows = self._box(name).messages.filter(message_id__in=ids).select_related("mailbox", "account")
        found = [((name, ids[row.message_id]), row) for row in rows.order_by("message_id")]
        if len(found) > len(dict(found)):
            self.shown_twice += 1
            return []
        return found

    def _box(self, name: str) -> Mailbox:
        return Mailbox.objects.select_related("account__provider").get(account=self._account, name=name)


def patiently(call: Callable[[], T]) -> T:
    """Call it; again while the database is away."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return call()
        except DatabaseError:
            if time.monotonic() > deadline:
                raise
            connection.close()
            time.sleep(0.2)


def _rows(found: list[tuple[Place, Message]]) -> list[Message]:
    return [row for _, row in found]


def judge(client: imaplib.IMAP4, model: Model, *, marked_are_gone: bool) -> Verdict:
    """Compare what another client sees with the model, message by message, by the digest of its octets.

    Args:
        marked_are_gone: what carries `\\Deleted` counts as deleted: all a server without UIDPLUS may do at times.
    """
    there: Counter[Place] = Counter()
    flags: dict[Place, set[str]] = {}
    for name in BOXES:
        for digest, words in messages(client, name):
            number = model.digests.get(digest)
            if number is not None and not (marked_are_gone and "\\deleted" in words):
                there[name, number] += 1
                flags[name, number] = {word.lstrip("\\") for word in words} & {"seen", "flagged"}
    wanted, found = Counter(dict.fromkeys(model.places, 1)), there
    in_all = Counter(number for _, number in wanted)
    found_in_all: Counter[int] = Counter()
    for (_, number), many in found.items():
        found_in_all[number] += many
    lost = sum(max(0, many - found_in_all[number]) for number, many in in_all.items())
    doubled = sum(max(0, many - in_all[number]) for number, many in found_in_all.items() if in_all[number])
    stayed = [number for number in found_in_all if not in_all[number]]  # it should have been deleted
    misplaced = [p for p in wanted if not found[p] and in_all[p[1]] <= found_in_all[p[1]]]
    differing = [p for p in wanted if p in flags and flags[p] != model.places[p]]
    places = wanted.keys() | found.keys()
    examples = [f"{p}: wanted {wanted[p]}, found {found[p]}" for p in places if wanted[p] != found[p]]
    examples += [f"{p}: wanted {sorted(model.places[p])}, found {sorted(flags[p])}" for p in differing]
    numbers = sorted({p[1] for p in [*differing, *(p for p in places if wanted[p] != found[p])]})
    return Verdict(lost, doubled, len(stayed) + len(misplaced), len(differing), sorted(examples)[:8], numbers)


def history(asked: list[Job], number: int) -> list[str]:
    """What was done to a message, one line a job: to see why a verdict is as it is."""
    found = Job.objects.filter(pk__in=[job.pk for job in asked]).order_by("sequence")
    return [
        f"{job.sequence} {job.kind} {job.act} {job.arguments} {job.mailbox_name} {job.uid_set} -> {job.target_name} "
        f"{job.state} {job.attempts} {job.evidence} {job.error}"
        for job in found
        if f"asked-{number}@demo.test" in str(job.digests) + str(job.arguments.get("ids", ""))
    ]


def messages(client: imaplib.IMAP4, name: str) -> list[tuple[str, set[str]]]:
    """Every message of a mailbox: the digest of its octets, and its flags in lower case."""
    _, exists = client.select(f'"{name}"', readonly=True)
    if exists == [b"0"]:
        return []
    fetched = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")[1]
    found = []
    for number, item in enumerate(fetched):
        if not isinstance(item, tuple):
            continue
        after = fetched[number + 1] if number + 1 < len(fetched) else b""
        match = _FLAGS.search(item[0]) or _FLAGS.search(after if isinstance(after, bytes) else b"")
        words = set(match[1].decode().lower().split()) if match else set()
        found.append((hashlib.sha256(item[1]).hexdigest(), words))
    return found


def prepare(client: imaplib.IMAP4, each: Mapping[str, int]) -> Model:
    """Make the mailboxes and file so many messages in each. Return the model of them."""
    model, number = Model(), 0
    for name in BOXES[1:]:
        client.create(name)
    for name, many in each.items():
        for _ in range(many):
            number += 1
            client.append(name, "", "", model.file(name, number))
    return model
