"""Mail from a person's files put into a mailbox: each message once, some hundred in a go.

APPEND is the one change that is not the same twice, so each message is looked for before it is sent, by its octets, in
the mailbox's index, which is brought up to date at the beginning of each go. What is there isn't sent: that holds for
what lay there before, for a file imported twice, and for what a go that was killed had already sent. Of these, what has
a UID of at least the mailbox's UIDNEXT before that go is our own, and Undo takes it back with the rest.

    go ──▶ index up to date ──▶ UIDNEXT kept ──▶ on_wire ──▶ for each message: there? else APPEND ──▶ evidence kept
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from webmail.models import Account, Job, Mailbox, Upload
from webmail.models.message import PROVISIONAL, MessageQuerySet, hash_of
from webmail.protocol import mbox, sets, text
from webmail.protocol.appending import MOST_APPENDED
from webmail.protocol.connection import Connection
from webmail.protocol.errors import BadAnswer, ConnectionLost, NoSuchMailbox, NoSuchMessage, Refused
from webmail.protocol.mbox_marks import marks
from webmail.protocol.types import Flag

from .. import pools, sync, uploads, words
from ..failpoints import reach
from ..uploads import Found
from .kind import CannotBeDone, CannotUndo, Kind, Outcome, Reverse, Run

MOST = 250_000  # messages of one import
GO_SECONDS = 5.0
TOLD = 50  # messages of which it is told why they were left out
_IN_MEMORY = 1 << 20
_SLACK = 8  # octets of empty lines at its end that a message may have gained or lost
_ALIKE = 20  # messages of one size and Message-ID that are looked into
_FATAL = ("OVERQUOTA", "NOPERM", "READ-ONLY", "CONTACTADMIN", "PRIVACYREQUIRED", "EXPIRED")
_REFUSALS = 20  # one after the other, after which it isn't the messages
_BREAKS = 3  # times that the connection ends over a message, after which it is left out


class Imports(Kind):
    most = 200
    brings = True

    def find_rest(self, account: Account, job: Job) -> Iterable[int]:
        count = 0
        for count, _ in enumerate(uploads.messages(_upload_of(job)), 1):
            if count > MOST:
                raise CannotBeDone(f"There are over {words.count(MOST)} messages in it. Import it in several parts.")
        if not count:
            raise CannotBeDone("There is no mail in it.")
        return range(1, count + 1)

    def carry_out(self, run: Run) -> Outcome:
        target, job = run.source, run.job
        _complete_index(target, run.check)
        with pools.lend(run.account, target.name) as imap:
            selected = imap.select(target.name, fresh=True)
            if job.evidence.get("uidvalidity", selected.uidvalidity) != selected.uidvalidity:
                raise CannotBeDone("The mail server has renumbered this mailbox. Import the files again to go on.")
            if job.target_uidnext and job.target_uidvalidity != selected.uidvalidity:
                raise CannotBeDone("The mail server has renumbered this mailbox. Import the files again to go on.")
            if not job.target_uidnext:
                uidnext = selected.uidnext or max(imap.uids(target.name, selected.uidvalidity), default=0) + 1
                job.target_uidvalidity, job.target_uidnext = selected.uidvalidity, uidnext
            reach("import.noted")
            run.on_wire()
            go = _Go(run, imap, _upload_of(job), selected.uidvalidity)
            go.all()
        if go.unplaced:
            sync.refresh(target)
            go.place()
        return Outcome(go.evidence())

    def after(self, run: Run) -> None:
        for upload in Upload.objects.filter(job=run.job):
            uploads.drop(upload)
        sync.refresh(run.source)

    def reverse(self, job: Job) -> list[Reverse]:
        uids = sets.unpack(job.evidence.get("uids", ""))
        if job.mailbox is None or not uids:
            raise CannotUndo("No message was brought in, so there is nothing to undo.")
        return [Reverse(Job.Kind.EXPUNGE, "undo", job.mailbox, job.evidence["uidvalidity"], uids)]


@dataclass(slots=True)
class _Letter:
    """A message as it is to be sent, in a file without a name.

    Args:
        bare: its octets without the empty lines at its end, and `digest` their SHA-256.
    """

    spool: BinaryIO
    head: bytes
    bare: int
    digest: bytes
    had_nul: bool

    @property
    def message_id(self) -> str:
        return text.envelope(self.head).message_id[:500]


@dataclass(slots=True)
class _Go:
    """One go: what it has come to so far is what the evidence will say."""

    run: Run
    imap: Connection
    upload: Upload
    uidvalidity: int
    uids: set[int] = field(default_factory=set)
    there: int = 0
    notes: list[tuple[int, str]] = field(default_factory=list)
    at: tuple[int, int] = (0, 0)
    made: dict[bytes, int] = field(default_factory=dict)
    unplaced: list[_Letter] = field(default_factory=list)
    refused: int = 0

    def all(self) -> None:
        """Each message of the go, until its time is over; `run.uids` says in the end which those were."""
        until = time.monotonic() + GO_SECONDS
        self.at = tuple(self.run.job.evidence.get("at", (0, 0)))
        self.refused = self.run.job.evidence.get("refused", 0)
        numbers = self.run.uids if self.run.job.attempts <= 2 else self.run.uids[:1]
        done: list[int] = []
        for number, found in zip(numbers, uploads.messages(self.upload, *self.at), strict=False):
            if done and time.monotonic() > until:
                break
            try:
                if not self._one(number, found):
                    break
            except Refused:
                if not done:
                    raise
                break  # the next go meets it again, and keeps what this one did
            done.append(number)
            self.at = (found.file, found.place.next)
        self.run.uids = done

    def place(self) -> None:
        """Of what was sent, learn the UIDs that the server didn't say (no UIDPLUS)."""
        for letter in self.unplaced:
            rows = _alike(self.run.source, letter).filter(uid__gte=self.run.job.target_uidnext)
            if uid := rows.exclude(uid__in=self.uids).order_by("uid").values_list("uid", flat=True).first():
                self.uids.add(uid)

    def evidence(self) -> Mapping[str, Any]:
        """The job's, with this go's added."""
        before = self.run.job.evidence
        notes = [*before.get("notes", []), *map(list, self.notes)]
        return {
            "at": list(self.at),
            "uidvalidity": self.uidvalidity,
            "uids": sets.pack(sorted({*sets.unpack(before.get("uids", "")), *self.uids})),
            "there": before.get("there", 0) + self.there,
            "bad": before.get("bad", 0) + sum(not why.startswith(_MENDED) for _, why in self.notes),
            "notes": notes[:TOLD],
            "refused": self.refused,
        }

    def _one(self, number: int, found: Found) -> bool:
        """See to one message. False where it isn't to be sent any more."""
        with SpooledTemporaryFile(_IN_MEMORY) as spool:
            try:
                letter = _spool(found, cast(BinaryIO, spool))
            except _LeftOut as error:
                self.notes.append((number, error.why))
                return True
            about = marks(letter.head, found.place.separator)
            if about.is_gone:
                self.notes.append((number, "it was deleted in Thunderbird"))
                return True
            reach("import.spooled")
            if uid := self._find(letter):
                ours = uid >= self.run.job.target_uidnext and uid not in self.uids
                if ours:
                    self.uids.add(uid)
                else:
                    self.there += 1
                return True
            if self.run.job.arguments.get("stop"):
                return False
            flags = set(about.flags)
            if self.run.job.arguments.get("seen") and not about.is_marked:
                flags.add(Flag.SEEN)
            self._send(number, letter, flags, about.date or datetime.now(UTC))
            if letter.had_nul:
                self.notes.append((number, f"{_MENDED}NUL octets, which no mail server takes, were left out"))
        return True

    def _send(self, number: int, letter: _Letter, flags: Iterable[Flag | str], date: datetime) -> None:
        broken = self.run.job.evidence.get("broken", [0, 0])
        if broken[0] == number and broken[1] >= _BREAKS:
            self.notes.append((number, "the mail server ended the connection over it each time"))
            return
        self.run.check()
        try:
            appended = self.imap.append(self.run.source.name, letter.spool, flags=flags, date=date)
        except NoSuchMailbox:
            raise
        except Refused as error:
            self.refused += 1
            if error.code in _FATAL or self.refused >= _REFUSALS:
                raise
            self.notes.append((number, f"the mail server refused it ({error.detail[:100]})"))
            return
        except (ConnectionLost, BadAnswer):
            times = broken[1] + 1 if broken[0] == number else 1
            self.run.job.evidence = {**self.run.job.evidence, "broken": [number, times]}
            raise
        reach("import.sent")
        self.refused = 0
        if appended.uid and appended.uidvalidity == self.uidvalidity:
            self.uids.add(appended.uid)
        else:
            self.unplaced.append(letter)
        self.made[letter.digest] = appended.uid or -1

    def _find(self, letter: _Letter) -> int:
        """The UID of the same message in the mailbox; -1 where it is there under one that isn't known, 0 nowhere."""
        if letter.digest in self.made:
            return self.made[letter.digest]
        alike = _alike(self.run.source, letter).order_by("uid").values_list("uid", flat=True)
        for uid in alike[:_ALIKE]:
            with suppress(NoSuchMessage):
                body = self.imap.stream(self.run.source.name, self.uidvalidity, uid, "")
                if _bare_digest(body)[1] == letter.digest:
                    return uid
        return 0


# A note about a message that is in all the same begins with this.
_MENDED = "it is in, but "


class _LeftOut(Exception):
    """A message that can't be put in; `why` goes on from its number."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


def _upload_of(job: Job) -> Upload:
    upload = Upload.objects.filter(job=job).first()
    if upload is None:
        raise CannotBeDone("What was uploaded is no longer kept. Please import it again.")
    return upload


def _complete_index(target: Mailbox, check: Callable[[], None]) -> None:
    """Have the mailbox indexed to its first message: what isn't in the index can't be found again."""
    sync.refresh(target)
    while sync.backfill(target):
        check()


def _alike(target: Mailbox, letter: _Letter) -> MessageQuerySet:
    """The rows of messages in the mailbox that may be the same."""
    size = (letter.bare, letter.bare + _SLACK)
    return target.messages.filter(uid__lt=PROVISIONAL, size__range=size, message_hash=hash_of(letter.message_id))


def _spool(found: Found, spool: BinaryIO) -> _Letter:
    """Write a message as it is to be sent.

    Raises:
        _LeftOut: it can't be.
    """
    place = found.place
    if place.end - place.start > MOST_APPENDED:
        raise _LeftOut(f"it has over {words.size(MOST_APPENDED)}")
    head, had_nul = b"", False

    def pieces() -> Iterable[bytes]:
        nonlocal head, had_nul
        for piece in mbox.octets(found.read, place):
            clean = piece.replace(b"\0", b"")
            had_nul = had_nul or len(clean) != len(piece)
            head = head or clean[: mbox.HEADER_LIMIT]
            spool.write(clean)
            yield clean

    bare, digest = _bare_digest(pieces())
    if not bare:
        raise _LeftOut("it is empty")
    if not mbox.is_mail(head):
        raise _LeftOut(_what_else(head))
    if spool.tell() > MOST_APPENDED:
        raise _LeftOut(f"it has over {words.size(MOST_APPENDED)}")
    header = head.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    return _Letter(spool, header, bare, digest, had_nul)


def _bare_digest(pieces: Iterable[bytes]) -> tuple[int, bytes]:
    """The number and the SHA-256 of octets without the line ends behind them."""
    size, digest, kept = 0, hashlib.sha256(), b""
    for piece in pieces:
        rest = piece.rstrip(b"\r\n")
        if rest:
            digest.update(kept)
            digest.update(rest)
            size += len(kept) + len(rest)
            kept = b""
        kept += piece[len(rest) :]
    return size, digest.digest()


def _what_else(head: bytes) -> str:
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")):
        return "it is an archive: unpack it first"
    if head.startswith((b"\xd0\xcf\x11\xe0", b"!BDN")):
        return "it is a file of Outlook's own: export it as .eml or mbox first"
    return "it is no mail message"
