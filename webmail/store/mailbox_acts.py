"""Changes to the mailboxes themselves, recorded like every other (law 3): make, rename, delete, subscribe."""

from __future__ import annotations

from django.db import transaction

from webmail.models import Account, Job, Mailbox
from webmail.protocol.connection import MAX_NAME

from . import index
from .jobs import record
from .selecting import Frozen


def _nothing() -> Frozen:
    return Frozen("", 0, 0, 0)


class BadName(ValueError):
    """No mailbox can have this name; the sentence says why."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


def record_create(account: Account, title: str, *, inside: Mailbox | None = None, idem_key: str) -> Job:
    """Record that a mailbox is made. Its row is there at once, as `job.mailbox`: messages can be moved into it.

    Args:
        title: its name without those above it. inside: the mailbox that is to hold it.

    Raises:
        BadName: empty, too long, with the sign that separates levels, or taken.
    """
    before = Job.objects.filter(account=account, idem_key=idem_key).first()
    if before is not None:
        return before
    delimiter = _delimiter(account, inside)
    name = _full_name(account, title, inside.name if inside else "", delimiter)
    with transaction.atomic():
        mailbox = index.expect_mailbox(account, name, delimiter)
        return record(Job.Kind.CREATE, "create", mailbox, _nothing, idem_key)


def record_rename(mailbox: Mailbox, title: str, *, inside: Mailbox | None = None, idem_key: str) -> Job:
    """Record that a mailbox, and all below it, gets another name. It shows when the server has done it.

    Args:
        title: its new name without those above it. inside: the mailbox that is to hold it; None for the top level.

    Raises:
        BadName: as for `record_create`; or it is the inbox.
    """
    if mailbox.role == "inbox":
        raise BadName("The inbox can't be renamed.")
    delimiter = mailbox.delimiter
    name = _full_name(mailbox.account, title, inside.name if inside else "", delimiter, but=mailbox)
    if name.startswith(mailbox.name + delimiter) and delimiter:
        raise BadName("A mailbox can't be put inside itself.")
    return record(Job.Kind.RENAME, "rename", mailbox, _nothing, idem_key, arguments={"name": name})


def record_remove(mailbox: Mailbox, *, idem_key: str) -> Job:
    """Record that a mailbox is deleted with all its messages. It goes when the server has done it.

    Raises:
        BadName: it is the inbox.
    """
    if mailbox.role == "inbox":
        raise BadName("The inbox can't be deleted.")
    return record(Job.Kind.REMOVE, "remove", mailbox, _nothing, idem_key)


def record_subscribe(mailbox: Mailbox, *, on: bool = True, idem_key: str) -> Job:
    """Record that a mailbox is subscribed to, or isn't any more."""
    act = "subscribe" if on else "unsubscribe"
    return record(Job.Kind.SUBSCRIBE, act, mailbox, _nothing, idem_key, arguments={"on": on})


def _delimiter(account: Account, inside: Mailbox | None) -> str:
    if inside is not None:
        return inside.delimiter
    return account.mailboxes.exclude(delimiter="").values_list("delimiter", flat=True).first() or "/"


def _full_name(account: Account, title: str, above: str, delimiter: str, but: Mailbox | None = None) -> str:
    title = " ".join(title.split())
    if not title or any(not char.isprintable() for char in title):
        raise BadName("Give the mailbox a name.")
    if delimiter and delimiter in title:
        raise BadName(f"The name can't hold the sign “{delimiter}”: it separates a mailbox from those inside it.")
    if title.startswith("\N{REPLACEMENT CHARACTER}") or any(char in title for char in "%*"):
        raise BadName("The name can't hold the signs “%” and “*”.")
    name = f"{above}{delimiter}{title}" if above else title
    if len(name) > MAX_NAME // 4:
        raise BadName("This name is too long.")
    taken = Mailbox.objects.filter(account=account, name__iexact=name)
    if (taken.exclude(pk=but.pk) if but else taken).exists():
        raise BadName("There is a mailbox of this name already.")
    return name
