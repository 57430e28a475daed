"""Messages that are being written: saved as they are typed, with a number that shows two tabs to one another.

The room's one law: what was typed is kept as it was typed. Nothing is refused for not being an address yet, and
nobody's words are written over by another tab's: who saves says which version they saw.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone

from webmail.models import Account, Draft, DraftFile, Message, Submission, User
from webmail.protocol import written
from webmail.protocol.charsets import clean_text
from webmail.protocol.errors import ProtocolError
from webmail.protocol.recipients import field_text
from webmail.protocol.reply import Start

from . import draft_copies, words

MOST_LISTED = 500
MAX_TYPED = 1_000_000  # characters of one field: what is longer would be cut when it is cleaned
UNTOUCHED = timedelta(hours=12)  # for which a reply that nobody wrote in is kept for the window it is open in


class Changed(ProtocolError):
    """The draft was saved from another window since it was loaded here. Nothing was written over."""

    sentence = "This draft was changed in another window. Nothing you typed is lost: choose which one to keep."

    def __init__(self, current: Written) -> None:
        super().__init__()
        self.current = current


class OnItsWay(ProtocolError):
    """The draft is being sent, or was."""

    sentence = "This message is on its way already, so it can't be changed any more."


class TooLarge(ProtocolError):
    """The files don't fit into a message."""

    sentence = "This is too large to be sent by mail."


@dataclass(frozen=True, slots=True)
class Values:
    """What a person fills in. Recipients as typed."""

    from_address: str = ""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    reply_to: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    is_html: bool = False
    priority: str = Draft.Priority.NORMAL.value
    wants_receipt: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed."""
        typed = (self.to, self.cc, self.bcc, self.subject, "" if self.is_html else self.text)
        return not any(each.strip() for each in typed) and (not self.is_html or written.is_blank(self.html))


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a draft, without its octets. `content_id` is "" unless the text shows it."""

    id: UUID
    name: str
    type: str
    size: int
    content_id: str = ""

    @property
    def shown_size(self) -> str:
        return words.size(self.size)


@dataclass(frozen=True, slots=True)
class Written:
    """A draft as it stands."""

    id: UUID
    account: int
    version: int
    kind: str
    values: Values
    files: tuple[Attached, ...]
    saved_at: datetime
    in_reply_to: str = ""
    original_row: int | None = None
    said: str = ""  # of its copy in the Drafts mailbox

    @property
    def is_untouched(self) -> bool:
        """Whether it was begun from a message and nothing was done to it since."""
        return self.version == 1 and self.original_row is not None

    @property
    def title(self) -> str:
        return self.values.subject.strip() or "(no subject)"


# What a list of drafts shows of their files: anything but their octets.
_FILES = Prefetch("files", DraftFile.objects.defer("data"))
_FIELDS = tuple(field.name for field in fields(Values))


def start(
    account: Account,
    values: Values,
    *,
    form_key: str,
    window: str = "",
    kind: str = Draft.Kind.NEW,
    original: Message | None = None,
    in_reply_to: Iterable[str] = (),
    references: Iterable[str] = (),
) -> Written:
    """Begin a draft. A second call with the same `form_key` gives the first one's draft.

    Args:
        window: as for `save`.
        original: the message it answers or forwards, found through `for_user`.
    """
    with transaction.atomic():
        draft, _ = Draft.objects.get_or_create(
            account=account,
            form_key=form_key,
            defaults={
                **_cleaned(values),
                "kind": kind,
                "saved_by": window,
                "original_row": original.pk if original else None,
                "in_reply_to": " ".join(in_reply_to),
                "references": " ".join(references),
                **({} if original else Draft().touch()),
            },
        )
    return current(draft)


def values_of(begin: Start, *, is_html: bool) -> Values:
    """A reply's or forward's beginning (`protocol.reply.start`) as what the form shows."""
    return Values(
        from_address=begin.from_address,
        to=field_text(begin.to),
        cc=field_text(begin.cc),
        bcc=field_text(begin.bcc),
        subject=begin.subject,
        text=begin.text,
        html=begin.html,
        is_html=is_html,
    )


def open_drafts(user: User) -> list[Written]:
    """The person's drafts, the last one first, without those that are on their way."""
    rows = Draft.objects.for_user(user).exclude(submissions__state__in=Submission.LIVE)
    return [current(draft) for draft in rows.prefetch_related(_FILES)[:MOST_LISTED]]


def find(user: User, draft_id: UUID) -> Written | None:
    """One draft of the person; None where there is none."""
    draft = Draft.objects.for_user(user).filter(pk=draft_id).first()
    return current(draft) if draft else None


def is_same(written: Written, values: Values) -> bool:
    """Whether these values, as they would be kept, are what the draft holds."""
    try:
        cleaned = _cleaned(values)
    except TooLarge:
        return False
    return all(getattr(written.values, name) == value for name, value in cleaned.items())


def is_under_way(user: User, draft_id: UUID) -> bool:
    """Whether the person's draft is being sent, or was."""
    return Draft.objects.for_user(user).filter(pk=draft_id, submissions__state__in=Submission.LIVE).exists()


def save(user: User, draft_id: UUID, values: Values, *, version: int, window: str = "") -> Written:
    """Keep what was typed, if the draft is as it was when it was loaded.

    Args:
        version: of the draft as the form shows it.
        window: a word of the window's own. Whose save was the last one may not have heard of it, and goes on.

    Raises:
        Draft.DoesNotExist: the person has no such draft. OnItsWay: it is being sent. TooLarge: a text is too long.
        Changed: it was saved from elsewhere meanwhile; the error holds it as it stands. What is the same there as here
            is no conflict.
    """
    with transaction.atomic():
        draft = lock(user, draft_id)
        cleaned = _cleaned(values)
        same = all(getattr(draft, name) == value for name, value in cleaned.items())
        if same:
            return current(draft)
        if draft.version != version and not (window and draft.saved_by == window):
            raise Changed(current(draft))
        for name, value in cleaned.items():
            setattr(draft, name, value)
        draft.version += 1
        draft.saved_by = window
        draft.touch()
        draft.save()
    return current(draft)


def move(user: User, draft_id: UUID, account: Account) -> Written:
    """Let another account of the person send it.

    Raises:
        Draft.DoesNotExist: the person has no such draft. OnItsWay: it is being sent.
    """
    if account.user_id != user.pk:
        raise Draft.DoesNotExist
    with transaction.atomic():
        draft = lock(user, draft_id)
        if draft.account_id != account.pk:
            draft_copies.let_go(draft.pk)
            draft.account = account
            draft.save(update_fields=["account", *draft.touch()])
    return current(draft)


def discard(user: User, draft_id: UUID) -> None:
    """Throw a draft away with its files. Does nothing where there is none.

    Raises:
        OnItsWay: it is being sent.
    """
    with transaction.atomic():
        try:
            draft = lock(user, draft_id)
        except Draft.DoesNotExist:
            return
        draft_copies.let_go(draft.pk)
        draft.delete()


def forget_untouched(user: User) -> None:
    """Throw away the replies that were begun some time ago and to which nothing was done since."""
    untouched = Draft.objects.for_user(user).filter(version=1, original_row__isnull=False, submissions=None)
    untouched.filter(saved_at__lt=timezone.now() - UNTOUCHED).delete()
    draft_copies.untouched_ended(user)


def lock(user: User, draft_id: UUID) -> Draft:
    """The person's draft, held for the rest of the transaction.

    Raises:
        Draft.DoesNotExist: there is none. OnItsWay: it is being sent.
    """
    draft = (
        Draft.objects.for_user(user)
        .select_related("account__provider")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=draft_id)
    )
    if draft.submissions.filter(state__in=Submission.LIVE).exists():
        raise OnItsWay
    return draft


def typed_in(draft: Draft) -> Values:
    """What its writer filled in."""
    return Values(**{name: getattr(draft, name) for name in _FIELDS})


def current(draft: Draft) -> Written:
    """A row as a value."""
    prefetch_related_objects([draft], _FILES)
    return Written(
        id=draft.pk,
        account=draft.account_id,
        version=draft.version,
        kind=draft.kind,
        values=typed_in(draft),
        files=tuple(attached(file) for file in draft.files.all()),
        saved_at=draft.saved_at,
        in_reply_to=draft.in_reply_to,
        original_row=draft.original_row,
        said=draft.copy_said,
    )


def attached(file: DraftFile) -> Attached:
    """A row as a value, without its octets."""
    return Attached(file.pk, file.name, file.type, file.size, file.content_id)


def is_as_read(draft: Draft) -> bool:
    """Whether the row in the database is still what `draft` was read from, its files included."""
    return Draft.objects.filter(pk=draft.pk, version=draft.version, saved_at=draft.saved_at).exists()


def _cleaned(values: Values) -> dict[str, object]:
    """The values as the database can hold them: without NUL, HTML clean."""
    cleaned = {name: getattr(values, name) for name in _FIELDS}
    for name, value in cleaned.items():
        if isinstance(value, str):
            if len(value) > MAX_TYPED:
                raise TooLarge("This text is too long for a message. Send it as a file.")
            cleaned[name] = clean_text(value)
    cleaned["from_address"] = values.from_address[:254]
    cleaned["html"] = written.clean(values.html) if values.html else ""
    if values.priority not in Draft.Priority.values:
        cleaned["priority"] = Draft.Priority.NORMAL.value
    return cleaned
