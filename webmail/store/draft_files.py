"""The files of a message that is being written."""

from __future__ import annotations

import uuid
from uuid import UUID

from django.db import transaction

from webmail.models import Draft, DraftFile, User
from webmail.protocol.filenames import clean_filename
from webmail.protocol.mail_address import domain_of

from . import words
from .draft_room import largest, room
from .drafts import Attached, TooLarge, attached, lock

MAX_FILES = 200


def attach(
    user: User,
    draft_id: UUID,
    name: str,
    type_: str,
    data: bytes,
    *,
    shown: bool = False,
    content_id: str = "",
    carried: bool = False,
    key: UUID | None = None,
) -> Attached:
    """Add a file to a draft.

    Args:
        shown: it is a picture inside the text; `content_id`: by which the text shows it, made here where it is "".
        carried: it belongs to the message that is answered, so that nobody has touched the draft yet.
        key: of the file. What comes again by it, because its answer was lost, is there already; None makes one.

    Raises:
        Draft.DoesNotExist: the person has no such draft. OnItsWay: it is being sent. TooLarge: it doesn't fit.
    """
    with transaction.atomic():
        draft = lock(user, draft_id)
        there = DraftFile.objects.defer("data").filter(pk=key).first() if key else None
        if there is not None and there.draft_id == draft.pk:
            return attached(there)
        _check_room(draft, name, len(data))
        key = key if key and there is None else uuid.uuid4()
        file = DraftFile.objects.create(
            id=key,
            draft=draft,
            name=clean_filename(name, type_.lower())[:250],
            type=type_.lower()[:200],
            size=len(data),
            content_id=content_id[:250] or (f"{key.hex}@{domain_of(draft.account.address)}" if shown else ""),
            data=data,
        )
        draft.version = max(draft.version, 2 if draft.original_row and not carried else 1)
        Draft.objects.filter(pk=draft.pk).update(**draft.touch(), version=draft.version)
    return attached(file)


def detach(user: User, draft_id: UUID, file_id: UUID) -> None:
    """Take a file off a draft, which is touched then. Does nothing where it isn't there.

    Raises:
        Draft.DoesNotExist: the person has no such draft. OnItsWay: it is being sent.
    """
    with transaction.atomic():
        draft = lock(user, draft_id)
        if draft.files.filter(pk=file_id).delete()[0]:
            draft.version = max(draft.version, 2 if draft.original_row else 1)
            Draft.objects.filter(pk=draft.pk).update(**draft.touch(), version=draft.version)


def file_of(user: User, draft_id: UUID, file_id: UUID) -> tuple[Attached, bytes] | None:
    """A file of the person's draft with its octets: pictures are shown while one writes."""
    file = DraftFile.objects.filter(draft__account__user=user, draft_id=draft_id, pk=file_id).first()
    return (attached(file), bytes(file.data)) if file else None


def _check_room(draft: Draft, name: str, size: int) -> None:
    free = room(draft.pk, draft.account)
    if size > free:
        limit = words.size(largest(draft.account))
        raise TooLarge(
            f"{clean_filename(name)} has {words.size(size)} and doesn't fit: a message may have {limit} in all, "
            f"and files grow by a third on their way."
        )
    if draft.files.count() >= MAX_FILES:
        raise TooLarge(f"A message can carry {MAX_FILES} files at most.")
