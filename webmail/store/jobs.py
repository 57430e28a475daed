"""The ledger of changes to mail: each is recorded with the request that asks for it, and shown at once (law 3).

Recording is all that happens here: the job's row and its effect on the index, in one transaction. `working` carries it
out, `undoing` takes it back, `activity` tells of it. Whoever records wakes a worker with `tasks.enqueue`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from webmail.models import Account, Job, Mailbox, Message, Upload
from webmail.models.compiled import Compiled, Parameter
from webmail.models.message import PROVISIONAL
from webmail.protocol import sets
from webmail.protocol.errors import Refused
from webmail.protocol.types import Attachment, Flag

from . import changes, draft_copies, overlay, saving
from .kinds import KINDS
from .kinds.looking import row_digest
from .selecting import Frozen, Selection, freeze

BULK = 500  # messages from which on a job lets smaller ones go first
_CHANGING = (Job.Kind.FLAG, Job.Kind.MOVE, Job.Kind.EXPUNGE)  # of what lies in the mailbox itself
_FROZEN = ("uid", "message_id", "size", "date", "keywords", *(flag.value for flag in Flag))  # columns a job looks at
_ONE = Compiled(
    lambda: Message.objects.filter(pk=Parameter("key", models.BigIntegerField())), ("pk", "mailbox_id", *_FROZEN)
)
SPAM, HAM = "$Junk", "$NotJunk"  # RFC 5788's registry

Messages = Sequence[Message] | Selection


class NoSuchPlace(Exception):
    """The account has no mailbox of the kind that is needed; the sentence says which."""

    def __init__(self, name: str) -> None:
        self.sentence = f"This account has no mailbox for {name} yet. Choose or make one in its settings."
        super().__init__(self.sentence)


def record_flags(
    messages: Messages,
    *,
    add: Sequence[Flag] = (),
    remove: Sequence[Flag] = (),
    label: Sequence[str] = (),
    unlabel: Sequence[str] = (),
    idem_key: str,
) -> Job:
    """Record that messages of one mailbox get and lose these flags and keywords, and show it in the index at once.

    Args:
        messages: rows of one mailbox, at least one, with their mailbox; or a selection.
        label, unlabel: keywords.
        idem_key: made by the form; a second call with it returns the first call's job.
    """
    arguments = {
        key: [str(getattr(flag, "value", flag)) for flag in flags]
        for key, flags in (("add", add), ("remove", remove), ("label", label), ("unlabel", unlabel))
        if flags
    }
    what = partial(_freeze, messages)
    if isinstance(messages, Selection):
        [(key, [word])] = arguments.items()  # of a selection one thing is changed at a time
        what = partial(freeze, messages, (key, word))

    def changed(frozen: Frozen) -> dict[str, Any]:
        return {"changed": _changed(frozen, arguments)}

    mailbox = _mailbox_of(messages)
    act = _flag_act(arguments)
    return record(Job.Kind.FLAG, act, mailbox, what, idem_key, arguments=arguments, learnt=changed)


def record_mark_read(selection: Selection, *, idem_key: str) -> Job:
    """Record that all of a selection get `\\Seen`. It is about those that are unread now: Undo gives that back."""
    return record_flags(selection, add=[Flag.SEEN], idem_key=idem_key)


def record_move(
    messages: Messages,
    target: Mailbox,
    *,
    idem_key: str,
    act: str = "move",
    label: Sequence[str] = (),
    unlabel: Sequence[str] = (),
) -> Job:
    """Record that messages go to another mailbox of the account. Their rows are there at once, and keep their keys.

    Args:
        act: what the person asked for, in a word. label, unlabel: keywords they get and lose on the way.

    Raises:
        ValueError: the target is theirs already, is another account's, or holds no messages.
    """
    mailbox = _mailbox_of(messages)
    if target.pk == mailbox.pk or target.account_id != mailbox.account_id or not target.selectable:
        raise ValueError("messages are moved to another mailbox of the same account")
    arguments = {key: list(words) for key, words in (("label", label), ("unlabel", unlabel)) if words}
    what = partial(_freeze, messages)
    return record(Job.Kind.MOVE, act, mailbox, what, idem_key, target=target, arguments=arguments)


def record_archive(messages: Messages, *, idem_key: str, places: Sequence[Mailbox] = ()) -> Job:
    """Record that messages go to the archive.

    Args:
        places: the account's mailboxes, where they are known already.

    Raises:
        NoSuchPlace: there is none.
    """
    archive = _place(messages, "archive", "archived mail", places)
    return record_move(messages, archive, idem_key=idem_key, act="archive")


def record_junk(messages: Messages, *, junk: bool = True, idem_key: str, places: Sequence[Mailbox] = ()) -> Job:
    """Record that messages are junk, and go there; or aren't, and go to the inbox. Filters learn by the keyword.

    Args:
        places: as for `record_archive`.

    Raises:
        NoSuchPlace: there is no mailbox for junk.
    """
    if junk:
        target = _place(messages, "junk", "junk", places)
        return record_move(messages, target, idem_key=idem_key, act="junk", label=[SPAM], unlabel=[HAM])
    target = _place(messages, "inbox", "new mail", places)
    return record_move(messages, target, idem_key=idem_key, act="not_junk", label=[HAM], unlabel=[SPAM])


def record_delete(messages: Messages, *, for_good: bool = False, idem_key: str, places: Sequence[Mailbox] = ()) -> Job:
    """Record that messages are deleted: they go to the trash; those that lie there, or `for_good`, are gone.

    Args:
        places: as for `record_archive`.

    Raises:
        NoSuchPlace: there is no trash.
    """
    mailbox = _mailbox_of(messages)
    if for_good or mailbox.role == "trash":
        return record(Job.Kind.EXPUNGE, "delete", mailbox, partial(_freeze, messages), idem_key)
    trash = _place(messages, "trash", "deleted mail", places)
    return record_move(messages, trash, idem_key=idem_key, act="trash")


def record_empty(mailbox: Mailbox, *, below: int = 0, idem_key: str) -> Job:
    """Record that everything in a mailbox is deleted for good.

    Args:
        below: UIDs from here on aren't meant: the UIDNEXT that the page showed; 0 for all there is now.
    """
    return record(Job.Kind.EXPUNGE, "empty", mailbox, partial(freeze, Selection(mailbox, below=below)), idem_key)


def record_copy(messages: Messages, target: Mailbox, *, idem_key: str) -> Job:
    """Record that messages are copied to another mailbox of the account. They show there when it is done.

    Raises:
        ValueError: the target is another account's, or holds no messages.
    """
    mailbox = _mailbox_of(messages)
    if target.account_id != mailbox.account_id or not target.selectable:
        raise ValueError("messages are copied to a mailbox of the same account")
    return record(Job.Kind.COPY, "copy", mailbox, partial(_freeze, messages), idem_key, target=target)


def record_append(message: Message, item: Attachment, target: Mailbox, *, idem_key: str) -> Job:
    """Record that an attachment of `message` is to be saved in `target`, a mailbox of the same account.

    Raises:
        Forbidden: it is too large.
    """
    if message.mailbox is None or not target.selectable or target.account_id != message.account_id:
        raise ValueError("an attachment is saved in a mailbox of the same account")
    arguments = saving.arguments_of(message, item)
    what = partial(_freeze, [message])
    return record(Job.Kind.APPEND, "save", message.mailbox, what, idem_key, target=target, arguments=arguments)


def record_import(upload: Upload, target: Mailbox, *, seen: bool) -> Job:
    """Record that what was uploaded goes into a mailbox of the account. How much that is a worker finds out.

    Args:
        seen: whether messages of which their file doesn't say it are marked as read.

    Raises:
        Refused: the mailbox can only be read.
    """
    if target.account_id != upload.account_id or not target.selectable:
        raise ValueError("mail is imported into a mailbox of the same account")
    frozen = Frozen("", 0, 0, 0, rest={"upload": str(upload.pk)})
    with transaction.atomic():
        job = record(
            Job.Kind.IMPORT, "import", target, lambda: frozen, upload.form_key, target=target, arguments={"seen": seen}
        )
        Upload.objects.filter(pk=upload.pk, job=None).update(job=job)
    return job


def record(
    kind: Job.Kind,
    act: str,
    mailbox: Mailbox,
    what: Callable[[], Frozen],
    idem_key: str,
    *,
    target: Mailbox | None = None,
    arguments: Mapping[str, Any] | None = None,
    learnt: Callable[[Frozen], Mapping[str, Any]] = lambda _frozen: {},
    uidvalidity: int | None = None,
    undoes: Job | None = None,
) -> Job:
    """Write a job and its effect on the index in one transaction, and tell the account's pages.

    Args:
        what: freezes what it is about. Called while the account's row is locked: what a worker ends just now, and what
            it makes of UIDs, is either before it or after.
        learnt: arguments that follow from that.
        uidvalidity: that the UIDs are of; None for the one the mailbox has now.

    Raises:
        Refused: it would change a mailbox that can only be read.
    """
    changed = (mailbox if kind in _CHANGING else None, target)
    if any(place.read_only for place in changed if place is not None):
        raise Refused("This mailbox can only be read: its server lets nobody change what is in it.", code="READ-ONLY")
    try:
        with transaction.atomic():
            sequence = Account.objects.count_job(mailbox.account_id)
            frozen = what()
            rest = {"rest": frozen.rest} if frozen.rest else {}
            nothing = KINDS[kind].about_messages and not frozen.count and not rest
            job = Job.objects.create(
                account_id=mailbox.account_id,
                sequence=sequence,
                idem_key=idem_key,
                kind=kind,
                act=act,
                bulk=frozen.count > BULK or bool(frozen.rest),
                mailbox=mailbox,
                mailbox_name=mailbox.name,
                uidvalidity=mailbox.uidvalidity if uidvalidity is None else uidvalidity,
                uid_set=frozen.uid_set,
                count=frozen.count,
                early=frozen.last >= PROVISIONAL,
                digests={str(row.uid): row_digest(row) for row in frozen.rows},
                arguments={**(arguments or {}), **learnt(frozen), **rest},
                target=target,
                target_name=target.name if target else "",
                undoes=undoes,
                state=Job.State.DONE if nothing else Job.State.QUEUED,
                finished_at=timezone.now() if nothing else None,
            )
            overlay.lay_first(job, frozen.unread)
            if kind in overlay.DISPLACING and mailbox.role == "drafts":
                draft_copies.leaving(mailbox)
            changes.publish_jobs([job])
    except IntegrityError:
        return Job.objects.get(account_id=mailbox.account_id, idem_key=idem_key)
    return job


def _mailbox_of(messages: Messages) -> Mailbox:
    if isinstance(messages, Selection):
        return messages.mailbox
    mailbox = messages[0].mailbox
    if mailbox is None or any(message.mailbox_id != mailbox.pk for message in messages):
        raise ValueError("the messages of a job lie in one mailbox")
    return mailbox


def _freeze(messages: Messages) -> Frozen:
    """What a job is about: of rows those that lie in their mailbox still, under the UIDs they have there now."""
    if isinstance(messages, Selection):
        return freeze(messages)
    those = {row.pk: row.mailbox_id for row in messages}
    if len(those) == 1:
        found = _ONE(key=messages[0].pk)
    else:
        found = list(Message.objects.filter(pk__in=those).only("mailbox_id", *_FROZEN).order_by("uid"))
    rows = [row for row in found if row.mailbox_id == those[row.pk]]
    uids = [row.uid for row in rows]
    return Frozen(sets.pack(uids), len(uids), sum(not row.seen for row in rows), uids[-1] if uids else 0, rows=rows)


def _place(messages: Messages, role: str, name: str, places: Sequence[Mailbox]) -> Mailbox:
    mailbox = _mailbox_of(messages)
    found = next((place for place in places if place.role == role and place.selectable), None)
    if found is None and not places:
        found = Mailbox.objects.filter(account=mailbox.account_id, role=role, selectable=True).first()
    if found is None:
        raise NoSuchPlace(name)
    return found


def _changed(frozen: Frozen, arguments: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """For each flag and keyword, the messages for which it is a change: what Undo gives back."""
    changed = {}
    for key, words in arguments.items():
        for word in words:
            if not frozen.rows:
                changed[word] = frozen.uid_set
                continue
            on = key in ("add", "label")
            uids = sorted(row.uid for row in frozen.rows if _has(row, key, word) != on)
            if uids:
                changed[word] = sets.pack(uids)
    return changed


def _has(row: Message, key: str, word: str) -> bool:
    return bool(getattr(row, word)) if key in ("add", "remove") else word in row.keywords.split()


def _flag_act(arguments: Mapping[str, Any]) -> str:
    """What flags were asked for, in a word."""
    for key, flag, act in (
        ("add", "seen", "read"),
        ("remove", "seen", "unread"),
        ("add", "flagged", "flag"),
        ("remove", "flagged", "unflag"),
    ):
        if flag in arguments.get(key, ()):
            return act
    if any(word.startswith("$") for word in arguments.get("label", ())):  # what programs tell one another
        return "flags"
    return "label" if arguments.get("label") else "unlabel" if arguments.get("unlabel") else "flags"
