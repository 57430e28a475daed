"""A draft as the letter it becomes: its fields read, its sender allowed, its octets made; or what is wrong with it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from webmail.models import Account, Draft, User
from webmail.protocol import written
from webmail.protocol.compose import File, Letter, Outgoing, Priority, message_id, write, write_draft
from webmail.protocol.errors import Forbidden, ProtocolError
from webmail.protocol.field_writing import text_field
from webmail.protocol.recipients import Typed, read

from . import draft_room, house_style, identities, words
from .drafts import TooLarge
from .listing import zone_of

MAX_RECIPIENTS = 100
NO_SERVER = "Mail can't be sent from this account: its administrator has set no server for sending."


class NotReady(ProtocolError):
    """Something has to be put right before this can be sent. Nothing was lost.

    `problems` are pairs of a field's name ("to", "cc", "bcc", "reply_to", "from_address", "subject", "") and a
    sentence, in the order of the form.
    """

    sentence = "This message can't be sent yet."

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__(problems[0][1])
        self.problems = problems


def sender_of(account: Account, from_address: str) -> identities.Sender:
    """Whom the account writes as with this From address.

    Raises:
        NotReady: it may not.
    """
    try:
        return identities.sender_for(account, from_address)
    except ProtocolError as error:
        raise NotReady((("from_address", f"{error.sentence} Choose another From."),)) from None


def letter_of(draft: Draft) -> tuple[Letter, Outgoing]:
    """The draft's values as a letter, and that as it goes out.

    Args:
        draft: with account, provider and user.

    Raises:
        NotReady, TooLarge: what is wrong, in sentences.
    """
    account = draft.account
    sender = sender_of(account, draft.from_address)
    fields = _fields(draft)
    html = written.clean(draft.html) if draft.is_html else ""
    text, html = house_style.below(account.provider, sender.name, sender.address, text=draft.text, html=html)
    letter = _letter(draft, sender, message_id(uuid.uuid4(), sender.address), fields, text, html)
    return letter, _checked(account, letter, fields)


def copy_of(draft: Draft, identifier: str) -> bytes:
    """The draft as a message for the Drafts mailbox; what is no address yet is left out.

    Args:
        draft: with account, provider and user. identifier: its Message-ID, without brackets.

    Raises:
        Forbidden: a field can't be written.
    """
    try:
        sender = sender_of(draft.account, draft.from_address)
    except NotReady:
        sender = sender_of(draft.account, "")
    html = written.clean(draft.html) if draft.is_html else ""
    return write_draft(_letter(draft, sender, identifier, _fields(draft), draft.text, html), draft.pk)


def _fields(draft: Draft) -> dict[str, Typed]:
    return {name: read(getattr(draft, name)) for name in ("to", "cc", "bcc", "reply_to")}


def _letter(
    draft: Draft, sender: identities.Sender, identifier: str, fields: dict[str, Typed], text: str, html: str
) -> Letter:
    return Letter(
        message_id=identifier,
        date=in_zone(draft.account.user, timezone.now()),
        from_=sender.as_address,
        to=fields["to"].addresses,
        cc=fields["cc"].addresses,
        bcc=fields["bcc"].addresses,
        reply_to=fields["reply_to"].addresses or read(sender.reply_to).addresses,
        subject=" ".join(draft.subject.split()),
        text=text,
        html=html,
        files=tuple(_files(draft, html)),
        in_reply_to=tuple(draft.in_reply_to.split()),
        references=tuple(draft.references.split()),
        priority=Priority(draft.priority),
        wants_receipt=draft.wants_receipt,
    )


def _files(draft: Draft, html: str) -> Iterator[File]:
    """What goes along; a picture that was taken out of the text again doesn't."""
    seen = written.pictures(html)
    for file in draft.files.all():
        if not file.content_id or file.content_id in seen:
            yield File(file.name, file.type, bytes(file.data), file.content_id)


def _checked(account: Account, letter: Letter, fields: dict[str, Typed]) -> Outgoing:
    """The letter as it goes out, or what is wrong with it."""
    check_fields(account, fields)
    try:
        text_field("Subject", letter.subject)
    except Forbidden as error:
        raise NotReady((("subject", error.sentence),)) from error
    try:
        outgoing = write(letter)
    except Forbidden as error:
        raise NotReady((("", error.sentence),)) from error
    limit = draft_room.largest(account)
    if len(outgoing.message) > limit:
        raise TooLarge(
            f"With its files this message has {words.size(len(outgoing.message))}; at most {words.size(limit)} can be"
            " sent. Files grow by a third on their way."
        )
    return outgoing


def check_fields(account: Account, fields: dict[str, Typed]) -> None:
    """Raise NotReady for recipients that can't be written to, for none, and for too many."""
    problems = [(name, problem.sentence) for name, typed in fields.items() for problem in typed.problems]
    count = sum(len(fields[name].addresses) for name in ("to", "cc", "bcc"))
    if not account.provider.smtp_host:
        problems.append(("", NO_SERVER))
    if not count and not problems:
        problems.append(("to", "Say whom this is for."))
    if count > MAX_RECIPIENTS:
        problems.append(("to", f"These are {count} recipients; a message can have {MAX_RECIPIENTS} at most."))
    if problems:
        raise NotReady(tuple(problems))


def in_zone(user: User, when: datetime) -> datetime:
    """A moment in the person's own zone, in whole seconds."""
    return when.astimezone(zone_of(user)).replace(microsecond=0)
