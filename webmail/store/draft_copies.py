"""The copies that drafts have in Drafts mailboxes, as everybody but their worker (`mirroring`) sees them.

The room's one law: what another program wrote is removed only where its words were taken over here and saved, thrown
away or sent by the person.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from webmail.models import Draft, DraftCopy, Mailbox, Message, Submission, User

from . import overlay

State = DraftCopy.State
NO_MAILBOX = "This account has no mailbox for drafts, so they are kept here alone: other mail programs don't see them."
REMOVED = "Another mail program took this draft out of its mailbox. What stands here is kept, and lies there again."
CHANGED = "Another mail program changed this draft as well. Both are kept: the other one lies among your drafts."


def of_message(message: Message) -> DraftCopy | None:
    """The copy that this message is, if it is one of a draft that is still here.

    Args:
        message: with its mailbox.
    """
    copies = DraftCopy.objects.filter(state=State.THERE, draft__isnull=False, account=message.account_id)
    mailbox = message.mailbox
    if mailbox is None:
        return None
    return copies.filter(mailbox_name=mailbox.name, uidvalidity=mailbox.uidvalidity, uid=message.uid).first()


def draft_of(message: Message) -> UUID | None:
    """The draft that this message is a copy of."""
    copy = of_message(message) if message.draft else None
    return copy.draft_id if copy else None


def uids_in(mailbox: Mailbox, uids: Iterable[int]) -> frozenset[int]:
    """Which of these messages of a mailbox are copies of drafts that are still here."""
    copies = DraftCopy.objects.filter(state=State.THERE, draft__isnull=False, account=mailbox.account_id)
    ours = copies.filter(mailbox_name=mailbox.name, uidvalidity=mailbox.uidvalidity, uid__in=list(uids))
    return frozenset(uid for uid in ours.values_list("uid", flat=True) if uid)


def take_over(draft_id: UUID, message: Message) -> None:
    """The draft was made of this message, another program's: the first copy of ours takes its place.

    Args:
        message: with its mailbox.
    """
    mailbox = message.mailbox
    if mailbox is None:
        return
    with transaction.atomic():
        draft = Draft.objects.select_for_update().get(pk=draft_id)
        if not draft.copies.exists():
            DraftCopy.objects.create(
                account_id=message.account_id, draft=draft, mailbox_name=mailbox.name, uidvalidity=mailbox.uidvalidity,
                uid=message.uid, message_id=message.message_id, saved_at=draft.saved_at, is_foreign=True,
                state=State.THERE,
            )  # fmt: skip


def let_go(draft_id: UUID | None) -> None:
    """The draft is thrown away, sent, or another account's: its copies are removed, and hidden at once.

    Called inside a transaction of its caller.
    """
    if draft_id is None:
        return
    for copy in DraftCopy.objects.filter(draft=draft_id, state=State.THERE):
        unwant(copy)


def let_go_sent(submission: Submission, *, draft_too: bool = False) -> None:
    """What was sent is no draft any more: its copies go and, once nothing of it is needed, the draft itself.

    Where something was typed into it since, all of it stays. Called inside a transaction of its caller.
    """
    if submission.draft_id is None or submission.draft_saved_at is None:
        return
    draft = Draft.objects.filter(pk=submission.draft_id, saved_at=submission.draft_saved_at)
    if draft.exists():
        let_go(submission.draft_id)
        if draft_too:
            draft.delete()


def unwant(copy: DraftCopy) -> None:
    """Have one removed; it is hidden at once. Called inside a transaction of its caller."""
    DraftCopy.objects.filter(pk=copy.pk).update(
        state=State.UNWANTED, not_before=timezone.now(), attempts=0, claim="", claim_until=None
    )
    mailbox = mailbox_of(copy)
    if mailbox is not None and copy.uid:
        overlay.hide(mailbox, copy.uid)


def mailbox_of(copy: DraftCopy) -> Mailbox | None:
    """The row of the mailbox that it lies in, under the name it has now; None where it is gone."""
    boxes = Mailbox.objects.filter(account=copy.account_id, uidvalidity=copy.uidvalidity)
    return boxes.filter(name=copy.mailbox_name).first() or boxes.first()


def hurry(draft_id: UUID) -> None:
    """Its writer is done with it for now: the copy follows at once."""
    Draft.objects.filter(pk=draft_id, copy_at__isnull=False).update(copy_at=timezone.now())


def leaving(mailbox: Mailbox) -> None:
    """The person moves or deletes messages of this mailbox by a job: copies among them go as the messages they are.

    A draft goes along with its copy if that holds all of its words; else it stays, and is not put there again until it
    is saved anew. Called inside the transaction that records the job.
    """
    copies = DraftCopy.objects.filter(account=mailbox.account_id, state=State.THERE, uidvalidity=mailbox.uidvalidity)
    uids = copies.filter(mailbox_name=mailbox.name).values_list("uid", flat=True)
    going = Message.objects.filter(origin=mailbox, origin_uid__in=list(uids)).values_list("origin_uid", flat=True)
    for copy in copies.filter(mailbox_name=mailbox.name, uid__in=list(going)):
        draft = Draft.objects.select_for_update().filter(copies=copy).first()
        copy.delete()
        if draft is None:
            continue
        if draft.saved_at <= copy.saved_at and not draft.submissions.filter(state__in=Submission.LIVE).exists():
            draft.delete()
        else:
            Draft.objects.filter(pk=draft.pk).update(copy_at=None, copy_since=None)


def untouched_ended(user: User) -> None:
    """Drafts of this person are gone in which nobody wrote: what other programs wrote stays as it is."""
    DraftCopy.objects.filter(account__user=user, is_foreign=True, draft=None, state=State.THERE).delete()
