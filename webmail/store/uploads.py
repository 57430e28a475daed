"""Files of mail sent up by a person, sealed in the database piece by piece until they are in a mailbox.

The room's one law: what lies here is read by the worker that imports it, and goes when that has ended, or after a time.
A piece that is sent twice is one piece, so an upload that was interrupted goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Max, Q, Sum
from django.utils import timezone

from webmail.models import Account, Job, Upload, UploadPiece
from webmail.models.sealed import SealError, seal_bytes, unseal_bytes
from webmail.protocol import mbox
from webmail.protocol.charsets import clean_text
from webmail.protocol.errors import Forbidden, GiveUp

from . import words

PIECE = 1 << 20  # octets
MOST_FILES = 2_000
UNFINISHED = timedelta(hours=12)  # for which an upload is kept that nobody finished
KEPT = timedelta(days=7)  # likewise of what came to a mailbox in part, to be tried again
_ENDED = (Job.State.DONE, Job.State.CANCELLED)
_PIECES_AT_ONCE = 64  # deleted in one transaction


class TooLarge(Forbidden):
    """There is no room for it; the sentence says how much there is."""


class NotWhole(Forbidden):
    """Not all of it has come."""

    sentence = "Not all of it was received. Please choose the files again."


class Lost(GiveUp):
    """Its key is gone."""

    sentence = "What was uploaded can't be read any more. Please import it again."


@dataclass(frozen=True, slots=True)
class Found:
    """A message in one of the files: which one, where there, and what reads it."""

    file: int
    place: mbox.Place
    read: mbox.Read


def begin(account: Account, form_key: str) -> Upload:
    """The upload of a form, new or begun before."""
    upload, _ = Upload.objects.get_or_create(account=account, form_key=form_key)
    return upload


def room(account: Account) -> int:
    """Octets that the person may still send up."""
    alive = Upload.objects.exclude(job__state__in=_ENDED)
    here = alive.aggregate(all=Sum("size"), own=Sum("size", filter=Q(account__user=account.user_id)))
    of_person: int = settings.IMPORT_BYTES_PER_PERSON - (here["own"] or 0)
    of_all: int = settings.IMPORT_BYTES - (here["all"] or 0)
    return max(0, min(of_person, of_all))


def take(upload: Upload, file: int, number: int, data: bytes) -> None:
    """Keep a piece. One that is here already is left as it is.

    Raises:
        TooLarge: there is no room. NotWhole: it is no piece of an upload that is still open.
    """
    if not 0 < len(data) <= PIECE or not 0 <= file < MOST_FILES or upload.job_id is not None:
        raise NotWhole
    if upload.pieces.filter(file=file, number=number).exists():
        return
    if len(data) > room(upload.account):
        raise TooLarge(f"There is no room for it: at most {words.size(settings.IMPORT_BYTES_PER_PERSON)} at once.")
    try:
        with transaction.atomic():
            sealed = seal_bytes(_context(upload, file, number), data)
            upload.pieces.create(file=file, number=number, size=len(data), data=sealed)
            Upload.objects.filter(pk=upload.pk).update(size=F("size") + len(data))
    except IntegrityError:
        return


def here(account: Account, form_key: str) -> dict[int, int]:
    """How many pieces of each file of an upload that is still open are here, of those that begin it without a gap."""
    pieces = UploadPiece.objects.filter(upload__account=account, upload__form_key=form_key, upload__job=None)
    found: dict[int, int] = {}
    for file, number in pieces.order_by("file", "number").values_list("file", "number"):
        if found.setdefault(file, 0) == number:
            found[file] += 1
    return found


def close(upload: Upload, files: Sequence[tuple[str, int]]) -> None:
    """All of it is here.

    Args:
        files: name and octets of each.

    Raises:
        NotWhole: pieces are missing.
    """
    here = upload.pieces.values_list("file").annotate(Count("pk"), Max("number"), Sum("size"))
    found = {file: rest for file, *rest in here}
    wanted = {number: [-(-size // PIECE), (size - 1) // PIECE, size] for number, (_, size) in enumerate(files) if size}
    if not wanted or len(files) > MOST_FILES or found != wanted:
        raise NotWhole
    upload.files = [[clean_text(name)[:200], size] for name, size in files]
    upload.save(update_fields=["files"])


def messages(upload: Upload, file: int = 0, begin: int = 0) -> Iterator[Found]:
    """Each message of its files, in order, from a place on.

    Raises:
        Lost: it can't be read any more.
    """
    for number, (name, size) in enumerate(upload.files):
        if number < file:
            continue
        alone = str(name).lower().endswith(".eml")
        read = reader(upload, number)
        for place in mbox.places(read, size, begin if number == file else 0, alone=alone):
            yield Found(number, place, read)


def reader(upload: Upload, file: int) -> mbox.Read:
    """What reads one of its files; the last pieces are kept at hand."""
    piece = lru_cache(maxsize=2)(partial(_piece, upload, file))

    def read(offset: int, length: int) -> bytes:
        first, last = offset // PIECE, (offset + length - 1) // PIECE
        start = offset - first * PIECE
        if first == last:
            return piece(first)[start : start + length]
        return b"".join(piece(number) for number in range(first, last + 1))[start : start + length]

    return read


def drop(upload: Upload) -> None:
    """Throw it away, some pieces at a time."""
    while some := list(upload.pieces.values_list("pk", flat=True)[:_PIECES_AT_ONCE]):
        UploadPiece.objects.filter(pk__in=some).delete()
    upload.delete()


def forget_old() -> None:
    """Throw away what has come to an end, or that nobody has gone on with."""
    now = timezone.now()
    old = Upload.objects.filter(
        Q(job__state__in=_ENDED)
        | Q(job=None, created_at__lt=now - UNFINISHED)
        | (Q(created_at__lt=now - KEPT) & ~Q(job__state__in=Job.PENDING))
    )
    for upload in old:
        drop(upload)


def _piece(upload: Upload, file: int, number: int) -> bytes:
    row = upload.pieces.filter(file=file, number=number).values_list("data", flat=True).first()
    if row is None:
        return b""
    try:
        return unseal_bytes(_context(upload, file, number), bytes(row))
    except SealError as error:
        raise Lost from error


def _context(upload: Upload, file: int, number: int) -> str:
    return f"upload:{upload.pk}:{file}:{number}"
