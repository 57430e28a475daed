"""A draft begun from a message: reply, forward, edit as new. What it takes over never passes through the browser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from webmail.models import Draft, Message, User
from webmail.models.message import hash_of
from webmail.protocol import content, reply, text, trackers, written
from webmail.protocol.attributions import attribution
from webmail.protocol.errors import ProtocolError
from webmail.protocol.fields import fields
from webmail.protocol.folding import Line
from webmail.protocol.plain import lines_of
from webmail.protocol.readable import readable
from webmail.protocol.reply import Kind, Original
from webmail.protocol.types import Attachment, Content, Part

from . import draft_copies, draft_files, draft_room, drafts, house_style, identities, reading, texts, words
from .drafts import Written
from .enclosed import HEADER_LIMIT, read_sections, scope_of
from .listing import zone_of
from .signed import signed

MESSAGE = "message/rfc822"
KEPT = "The draft that you opened stays as it is: not all of it could be taken over into this one."
_WHOLE = 500_000  # octets of a text of which nothing is cut
_KINDS = {
    Kind.EDIT_AS_NEW: Draft.Kind.NEW,
    Kind.EDIT_DRAFT: Draft.Kind.NEW,
    Kind.FORWARD: Draft.Kind.FORWARD,
    Kind.FORWARD_ATTACHED: Draft.Kind.FORWARD,
}


@dataclass(frozen=True, slots=True)
class Begun:
    """The draft, and in sentences which files it could not take over."""

    draft: Written
    left_out: tuple[str, ...] = ()


def begin(
    user: User,
    message: Message,
    kind: Kind,
    *,
    form_key: str,
    is_html: bool | None = None,
    is_signed: bool = False,
    languages: str = "",
    also: Sequence[Message] = (),
) -> Begun:
    """Begin a draft from a message of the person. A second call with the same `form_key` gives the first one's draft.

    Of a message that was opened before, a reply asks the server for nothing but pictures that its text shows.

    Args:
        message: with mailbox, account and provider; found through `for_user`.
        is_html: write it with formatting; None for as the message was written.
        languages: the reader's, as their browser says them: of the line above the quote.
        is_signed: with the signature of whom the message was written to. What is edited has its own.
        also: further messages, found likewise, that are forwarded as attachments beside it.

    Raises:
        Message.DoesNotExist: it is somebody else's. ProtocolError: it can't be read now.
    """
    if any(each.account.user_id != user.pk for each in (message, *also)):
        raise Message.DoesNotExist
    shown = content.choose(scope_of(message, "").root)
    original = _original(user, message, shown, languages)
    start = reply.start(original, kind, identities.own_addresses(user))
    values = drafts.values_of(start, is_html=bool(original.html) if is_html is None else is_html)
    if is_signed and kind not in (Kind.EDIT_AS_NEW, Kind.EDIT_DRAFT):
        sender = identities.sender_of(message.account, values.from_address)
        values = signed(values, sender, is_answer=True)
    elif kind is Kind.EDIT_AS_NEW:
        sender = identities.sender_of(message.account, values.from_address)
        said = {"text": values.text, "html": values.html}
        plain, html = house_style.above(message.account.provider, sender.name, sender.address, **said)
        values = replace(values, text=plain, html=html)
    answered = message
    if kind is Kind.EDIT_DRAFT:
        form_key = f"of-{message.mailbox_id}-{message.uid}-{message.pk}"
        answered = _answered(message, start.in_reply_to) or message
    draft = drafts.start(
        message.account,
        values,
        form_key=form_key,
        kind=Draft.Kind.REPLY if answered is not message else _KINDS.get(kind, Draft.Kind.REPLY),
        original=answered,
        in_reply_to=start.in_reply_to,
        references=start.references,
    )
    if draft.files or draft.version > 1:
        return Begun(draft)
    left_out = tuple(_carry(user, message, draft, shown, kind))
    for each in also:
        left_out += tuple(_carry_whole(user, each, draft))
    if kind is Kind.EDIT_DRAFT:
        if not left_out and all(part.size <= _WHOLE for part in _texts(shown)):
            draft_copies.take_over(draft.id, message)
        else:
            left_out = (*left_out, KEPT)
    return Begun(drafts.find(user, draft.id) or draft, left_out)


def _answered(message: Message, identifiers: tuple[str, ...]) -> Message | None:
    """The message of the same account that a draft answers, where the index has it."""
    hashes = [hash_of(each) for each in identifiers]
    rows = Message.objects.filter(message_hash__in=hashes, account=message.account_id, mailbox__isnull=False)
    return rows.filter(message_id__in=identifiers).first()


def carry(user: User, draft_id: UUID, message: Message, item: Attachment, content_id: str = "") -> None:
    """Add an attachment of a message to a draft.

    Raises:
        ProtocolError: it can't be read, or doesn't fit.
    """
    free = draft_room.room_for(user, draft_id)
    if item.size > free:
        raise drafts.TooLarge(f"{item.name} has {words.size(item.size)}, for which there is no room.")
    _, pieces = reading.attachment(message, item.section)
    draft_files.attach(user, draft_id, item.name, item.type, b"".join(pieces), content_id=content_id, carried=True)


def _original(user: User, message: Message, shown: Content, languages: str) -> Original:
    """What of the message is quoted."""
    scope = scope_of(message, "")
    parts = _texts(shown)
    found = read_sections(message, {scope.header: HEADER_LIMIT, **texts.limits(parts)})
    envelope = text.envelope(found[scope.header], scope.root.text_charset)
    html = ""
    lines: list[Line] = []
    for part in parts:
        said = texts.decoded(part, found).words
        if part.type == "text/html":
            html += written.clean(trackers.without(said)).strip()
            lines += lines_of(readable(said))
        else:
            lines += _plain(part, said)
    if len(parts) > 1:
        html = ""  # several texts, one after the other: quoted as text
    when = envelope.date or message.date
    local = when.astimezone(zone_of(user))
    introduction = attribution(languages, reply.author(envelope), local)
    return Original(envelope, fields(found[scope.header]), tuple(lines), html, words.full_date(local), introduction)


def _texts(shown: Content) -> list[Part]:
    """The texts that are quoted: those that are shown. The plain version beside an HTML text was not fetched for that,
    and often says something else.
    """
    return [part for part in shown.sequence if part.type.startswith("text/")]


def _plain(part: Part, said: str) -> list[Line]:
    params = {name: value.lower() for name, value in part.params}
    return lines_of(said, flowed=params.get("format") == "flowed", delsp=params.get("delsp") == "yes")


def _carry(user: User, message: Message, draft: Written, shown: Content, kind: Kind) -> Iterator[str]:
    """Take over the files that belong to the draft; what can't be is told."""
    if kind is Kind.FORWARD_ATTACHED:
        yield from _carry_whole(user, message, draft)
        return
    pictures = written.pictures(draft.values.html) if draft.values.is_html else frozenset()
    for item in (*shown.inline, *shown.attachments):
        in_text = item.content_id in pictures
        if not in_text and (kind.is_reply or item in shown.inline):
            continue
        try:
            carry(user, draft.id, message, item, item.content_id if in_text else "")
        except ProtocolError as error:
            yield f"{item.name} was not taken over: {error.sentence}"


def _carry_whole(user: User, message: Message, draft: Written) -> Iterator[str]:
    """The message itself as a file of the draft."""
    name = f"{message.subject or 'message'}.eml"
    try:
        if message.size > draft_room.room_for(user, draft.id):
            raise drafts.TooLarge(f"It has {words.size(message.size)}, for which there is no room.")
        draft_files.attach(user, draft.id, name, MESSAGE, b"".join(reading.raw(message)), carried=True)
    except ProtocolError as error:
        yield f"“{message.subject or 'A message'}” was not attached: {error.sentence}"
