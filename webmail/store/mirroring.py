"""Drafts as other mail programs see them: one copy in the Drafts mailbox, replaced some time after typing has paused.

    draft changed ──▶ writing ──▶ UIDNEXT kept ──▶ APPEND ──▶ there ──▶ (a newer one is there) ──▶ unwanted ──▶ gone
                         │                            │                 (the draft is gone)            ▲
                         │ refused                    │ any doubt: looked for from that UIDNEXT on     │
                         ▼                            ▼                                                │
                       no row                   found: there     not there: lost ──found after all─────┘
                                                                 (another is written meanwhile)

A row is one message on the server (`DraftCopy`); it is written before the message is, and goes after it, so that after
any death somebody finds what is left to do. Only what a row names is removed, by its UID; the new copy is there before
the old one goes. Whether the old one is still there is looked at first: if another program took it away or
wrote a newer one, nothing of that is touched, both stay, and the person is told.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from io import BytesIO
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, Sum
from django.utils import timezone

from webmail.models import Account, Draft, DraftCopy, Mailbox, Submission
from webmail.models.draft import COPY_PAUSE
from webmail.protocol import text
from webmail.protocol.compose import DRAFT_KEY, message_id
from webmail.protocol.connection import Connection
from webmail.protocol.errors import (
    BadAnswer,
    LoginNeeded,
    NoSuchMailbox,
    ProtocolError,
    TryAgain,
    UidValidityChanged,
)
from webmail.protocol.types import Flag, Role

from . import changes, draft_copies, drafts, letters, overlay, pools, sync
from .draft_copies import CHANGED, NO_MAILBOX, REMOVED, unwant
from .failpoints import reach
from .holding import CLAIM, Claim, take

LARGE = 1_000_000  # octets of files from which on a copy is made at most every LARGE_EVERY while somebody writes
LARGE_PAUSE, LARGE_EVERY = timedelta(minutes=1), timedelta(minutes=10)
DOUBT = timedelta(seconds=10)  # what a server was sent it may still be filing
PAUSE, LONG_PAUSE = timedelta(minutes=1), timedelta(hours=1)
LOOKS = 3  # for a lost copy, ten times as far apart each
RECENT = 200  # newest messages that are looked through where the mailbox was renumbered
MOST_TRIES = 100  # to remove one
_HEADER = 16_384

State = DraftCopy.State


def due() -> list[UUID]:
    """The drafts whose copies are to follow."""
    rows = Draft.objects.filter(copy_at__lte=timezone.now(), account__user__is_active=True)
    rows = rows.exclude(submissions__state__in=Submission.LIVE)
    return list(rows.order_by("copy_at").values_list("pk", flat=True)[:1000])


def loose() -> list[int]:
    """The copies of which something is to be done beside that, and no worker at it."""
    return list(DraftCopy.objects.filter(_left(timezone.now())).values_list("pk", flat=True)[:1000])


def mirror(draft_id: UUID) -> None:
    """Put a draft as it stands into the Drafts mailbox, in the place of its last copy, if that is due."""
    now = timezone.now()
    rows = Draft.objects.filter(pk=draft_id, copy_at__lte=now).exclude(submissions__state__in=Submission.LIVE)
    draft = rows.select_related("account__provider", "account__user").first()
    if draft is None:
        return
    old = draft.copies.filter(state=State.THERE).first()
    is_untouched = draft.version == 1 and draft.original_row is not None
    if (old is None and _is_blank(draft)) or (is_untouched and (old is None or old.is_foreign)):
        _put_off(draft, None)
    elif (later := _later_for_its_size(draft, old, now)) > now:
        _put_off(draft, later)
    else:
        try:
            _begin(draft, old)
        except TryAgain:
            _put_off(draft, now + PAUSE)
        except ProtocolError as error:
            _put_off(draft, None, error.sentence)


def settle(copy_id: int) -> None:
    """Do what is left to do of a copy: look for it, or remove it. Harmless at any time."""
    while _settle_step(copy_id):
        pass


def _settle_step(copy_id: int) -> bool:
    """Whether there is more to do."""
    now = timezone.now()
    if not DraftCopy.objects.filter(_left(now), pk=copy_id).exists():
        return False
    with take(copy_id, _free(now), DraftCopy) as claim:
        if claim is None:
            return False
        copy = DraftCopy.objects.select_related("account__provider").get(pk=copy_id)
        try:
            return _settle(claim, copy)
        except NoSuchMailbox:
            _forget(copy)
        except ProtocolError as error:
            soon = isinstance(error, TryAgain)
            pause = min(LONG_PAUSE, DOUBT * 2 ** min(copy.attempts, 9)) if soon else LONG_PAUSE
            claim.held.update(not_before=timezone.now() + pause, claim="", claim_until=None)
            if copy.attempts > MOST_TRIES:
                _forget(copy)
    return False


def _left(now: datetime) -> Q:
    orphaned = Q(state=State.THERE, draft=None)
    return (~Q(state=State.THERE) | orphaned) & Q(not_before__lte=now) & _free(now)


def _free(now: datetime) -> Q:
    return Q(claim_until=None) | Q(claim_until__lt=now)


def _is_blank(draft: Draft) -> bool:
    return drafts.typed_in(draft).is_blank and not draft.files.exists()


def _later_for_its_size(draft: Draft, old: DraftCopy | None, now: datetime) -> datetime:
    """When the copy of a draft with large files is to be made."""
    if old is None or (draft.files.aggregate(sum=Sum("size"))["sum"] or 0) < LARGE:
        return now
    return min(draft.saved_at + LARGE_PAUSE, old.created_at + LARGE_EVERY)


def _put_off(draft: Draft, until: datetime | None, said: str = "") -> None:
    """Try again then, unless it is saved anew before; say why where it isn't tried again."""
    Draft.objects.filter(pk=draft.pk, saved_at=draft.saved_at).update(copy_at=until, copy_since=None)
    if said:
        told = said if said == NO_MAILBOX else f"No copy could be kept among your drafts on the mail server: {said}"
        Draft.objects.filter(pk=draft.pk).update(copy_said=told[:300])
        changes.publish(draft.account_id, kind="jobs")


def _begin(draft: Draft, old: DraftCopy | None) -> None:
    account = draft.account
    target = _drafts_mailbox(account)
    if target is None:
        first = Account.objects.filter(pk=account.pk, said_no_drafts=False).update(said_no_drafts=True)
        _put_off(draft, None, NO_MAILBOX if first else "")
        return
    identifier = message_id(uuid.uuid4(), account.address)
    octets = letters.copy_of(draft, identifier)
    try:
        with transaction.atomic():
            copy = DraftCopy.objects.create(
                account=account, draft=draft, message_id=identifier, saved_at=draft.saved_at,
                not_before=timezone.now() + CLAIM,
            )  # fmt: skip
    except IntegrityError:  # another worker is at it, or it is known to be in doubt
        return
    reach("copy.noted")
    with take(copy.pk, Q(state=State.WRITING, uidnext=0), DraftCopy) as claim:
        if claim is not None:
            try:
                _write(claim, draft, copy, old, target, octets)
            except ProtocolError as error:
                _failed(claim, draft, error)
    if old is not None:
        settle(old.pk)
    _show(account, target)


def _drafts_mailbox(account: Account) -> Mailbox | None:
    found = account.mailboxes.filter(role=Role.DRAFTS.value, selectable=True)
    if not found.exists():
        sync.list_mailboxes(account)
    return found.first()


def _write(claim: Claim, draft: Draft, copy: DraftCopy, old: DraftCopy | None, target: Mailbox, octets: bytes) -> None:
    with pools.lend(draft.account, target.name) as imap:
        said = _elsewhere(imap, draft, old) if old is not None else ""
        selected = imap.select(target.name, fresh=True)
        copy.mailbox_name, copy.uidvalidity = target.name, selected.uidvalidity
        uidnext = selected.uidnext or max(imap.uids(target.name, selected.uidvalidity), default=0) + 1
        claim.update(
            states=(State.WRITING,), mailbox_name=target.name, uidvalidity=selected.uidvalidity, uidnext=uidnext
        )
        reach("copy.on_wire")
        appended = imap.append(target.name, BytesIO(octets), flags=[Flag.DRAFT, Flag.SEEN], check=claim.check)
        reach("copy.answered")
        copy.uidnext, copy.uid = uidnext, appended.uid
        if not copy.uid:
            copy.uid = _look(imap, copy)
        if not copy.uid:
            raise BadAnswer(detail="the draft was filed, and isn't there")
    _arrive(claim, copy, said)


def _elsewhere(imap: Connection, draft: Draft, old: DraftCopy) -> str:
    """What another program did to the draft since its last copy, in words; "" for nothing."""
    _follow_renaming(old)
    try:
        there = imap.present(old.mailbox_name, old.uidvalidity, [old.uid])
    except (NoSuchMailbox, UidValidityChanged):
        return ""  # nothing can be said of it; `_remove` looks for it by its Message-ID
    mine = set(draft.account.draft_copies.values_list("message_id", flat=True)) - {""}
    newer = []
    for found in imap.fetch_range(old.mailbox_name, old.uidvalidity, old.uid + 1, None)[-RECENT:]:
        identifier = text.envelope(found.header or b"").message_id
        if identifier and identifier == old.message_id:
            return CHANGED
        if identifier not in mine:
            newer.append(found.uid)
    key = f"{DRAFT_KEY}: {draft.pk.hex}".lower().encode()
    heads = imap.peek(old.mailbox_name, old.uidvalidity, newer, "HEADER", _HEADER) if newer else {}
    if any(key in head.lower() for head in heads.values()):
        return CHANGED
    return "" if there else REMOVED


def _look(imap: Connection, copy: DraftCopy) -> int:
    """The UID of the copy, among what came since its UIDNEXT, else (renumbered) among the newest; 0 where it isn't."""
    selected = imap.select(copy.mailbox_name, fresh=True)
    if not selected.exists:
        return 0
    if selected.uidvalidity == copy.uidvalidity:
        found = imap.fetch_range(copy.mailbox_name, copy.uidvalidity, copy.uidnext, None)
    else:
        copy.uidvalidity = selected.uidvalidity
        _, found = imap.newest(copy.mailbox_name, RECENT)
    return next((each.uid for each in found if text.envelope(each.header or b"").message_id == copy.message_id), 0)


def _arrive(claim: Claim, copy: DraftCopy, said: str = "") -> None:
    """The copy is known to be there: it takes the place of the one before, or goes, where it is too late."""
    with transaction.atomic():
        draft = Draft.objects.select_for_update().filter(copies=copy.pk).first()
        newer = DraftCopy.objects.filter(draft=draft, pk__gt=copy.pk).exists() if draft else True
        old = DraftCopy.objects.filter(draft=draft, state=State.THERE).first() if draft and not newer else None
        if old is not None:
            if said == REMOVED:
                old.delete()
            else:
                unwant(old)
        claim.update(
            states=(State.WRITING, State.LOST), state=State.UNWANTED if newer else State.THERE, uid=copy.uid,
            uidvalidity=copy.uidvalidity, not_before=timezone.now(), attempts=0, claim="", claim_until=None,
        )  # fmt: skip
        if newer:
            copy.state = State.UNWANTED
            unwant(copy)
        elif draft is not None:
            if draft.saved_at <= copy.saved_at:
                draft.copy_at = draft.copy_since = None
            else:  # typed into meanwhile: the next one follows in its turn
                draft.copy_since = timezone.now()
                draft.copy_at = draft.copy_since + COPY_PAUSE
            draft.copy_said = said or (draft.copy_said if draft.copy_said in (REMOVED, CHANGED) else "")
            draft.save(update_fields=["copy_at", "copy_since", "copy_said"])
    reach("copy.arrived")


def _failed(claim: Claim, draft: Draft, error: ProtocolError) -> None:
    """It wasn't put there, or nobody knows."""
    now = timezone.now()
    if isinstance(error, TryAgain | BadAnswer) and claim.held.exclude(uidnext=0).exists():
        claim.held.update(not_before=now + DOUBT, claim="", claim_until=None)
        _put_off(draft, now + DOUBT + COPY_PAUSE)
        return
    claim.held.delete()
    if isinstance(error, TryAgain | LoginNeeded):
        _put_off(draft, now + PAUSE * (1 if isinstance(error, TryAgain) else 5))
    else:
        _put_off(draft, None, error.sentence)


def _settle(claim: Claim, copy: DraftCopy) -> bool:
    """Do the next thing; whether there is more to do."""
    if copy.state == State.THERE:  # its draft is gone
        if copy.is_foreign:
            claim.held.delete()
            return False
        with transaction.atomic():
            unwant(copy)
        return True
    if copy.state == State.UNWANTED:
        _remove(claim, copy)
        return False
    if copy.uidnext == 0:  # its worker died before anything was sent
        _again(copy)
        claim.held.delete()
        return False
    _follow_renaming(copy)
    with pools.lend(copy.account, copy.mailbox_name) as imap:
        copy.uid = _look(imap, copy)
    reach("copy.looked")
    if copy.uid:
        _arrive(claim, copy)
        return True
    if copy.state == State.WRITING:
        claim.update(
            states=(State.WRITING,), state=State.LOST, not_before=timezone.now() + PAUSE, attempts=0, claim="",
            claim_until=None,
        )  # fmt: skip
        _again(copy)
    elif copy.attempts >= LOOKS:
        claim.held.delete()
    else:
        claim.held.update(not_before=timezone.now() + PAUSE * 10**copy.attempts, claim="", claim_until=None)
    return False


def _again(copy: DraftCopy) -> None:
    """Have the draft copied anew."""
    Draft.objects.filter(copies=copy).update(copy_at=timezone.now(), copy_since=None)


def _remove(claim: Claim, copy: DraftCopy) -> None:
    """Remove one from its mailbox by its UID; what others marked as deleted stays (no plain EXPUNGE over it)."""
    _follow_renaming(copy)
    mailbox = draft_copies.mailbox_of(copy)
    also = overlay.marked(mailbox) if mailbox is not None else []
    gone = True
    with pools.lend(copy.account, copy.mailbox_name) as imap:
        reach("copy.removing")
        try:
            gone = imap.expunge(copy.mailbox_name, copy.uidvalidity, [copy.uid], also=also)
        except UidValidityChanged:
            copy.uid = _look(imap, copy)
            gone = not copy.uid or imap.expunge(copy.mailbox_name, copy.uidvalidity, [copy.uid])
    reach("copy.removed")
    if gone:
        _forget(copy)
        return
    claim.held.update(
        uid=copy.uid, uidvalidity=copy.uidvalidity, not_before=timezone.now() + LONG_PAUSE, claim="", claim_until=None
    )


def _follow_renaming(copy: DraftCopy) -> None:
    """The mailbox may have another name by now."""
    mailbox = draft_copies.mailbox_of(copy)
    if mailbox is not None and mailbox.name != copy.mailbox_name:
        copy.mailbox_name = mailbox.name
        DraftCopy.objects.filter(pk=copy.pk).update(mailbox_name=mailbox.name)


def _forget(copy: DraftCopy) -> None:
    """The message is gone, or nobody can get at it: so is its row."""
    mailbox = draft_copies.mailbox_of(copy)
    with transaction.atomic():
        if mailbox is not None:
            overlay.forget_hidden(mailbox, copy.uid)
        DraftCopy.objects.filter(pk=copy.pk).delete()


def _show(account: Account, target: Mailbox) -> None:
    """Bring the index of the Drafts mailbox up to date; else its next visit will."""
    target.refresh_from_db()
    if target.uidvalidity:
        target.account = account
        with suppress(ProtocolError):
            sync.refresh(target)
