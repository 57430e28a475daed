"""A person's templates: kept with their HTML cleaned, and filled for the message they go into."""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction
from django.utils import timezone

from webmail.models import Account, Contact, Template, User
from webmail.protocol.errors import ProtocolError
from webmail.protocol.mail_address import normalise
from webmail.protocol.placeholders import fill, people
from webmail.protocol.recipients import read
from webmail.protocol.signing_off import as_formatted, both_forms
from webmail.protocol.types import Address
from webmail.protocol.words import one_line

from . import identities, words
from .drafts import Values
from .listing import zone_of

MAX_TEMPLATES = 200  # of one person

# A message, to show a template in.
_EXAMPLE = Values(to="Bob Novak <bob@harbour.example>", subject="The boat at nine")


class NotATemplate(ProtocolError):
    """What was typed is none."""

    sentence = "A template has a name and some words."


def save(user: User, *, name: str, text: str = "", html: str = "", template: Template | None = None) -> Template:
    """Keep a template of the person, a new one or `template` changed. Its text is made from the HTML where it is empty.

    Raises:
        NotATemplate: it has no name or no words, its name is another one's, or there are too many.
    """
    name = " ".join(one_line(name).split())[:100]
    text, html = both_forms(text, html)
    if not name or not text.strip():
        raise NotATemplate
    with transaction.atomic():
        others = Template.objects.for_user(user)
        if template is not None:
            others = others.exclude(pk=template.pk)
        if others.filter(name=name).exists():
            raise NotATemplate(f"You have a template called “{name}” already.")
        if template is None and others.count() >= MAX_TEMPLATES:
            raise NotATemplate(f"There can be {MAX_TEMPLATES} templates at most.")
        row = template or Template(user=user)
        row.name, row.text, row.html = name, text, html
        row.save()
    return row


def filled(user: User, template: Template, values: Values, account: int) -> tuple[str, str]:
    """The template's text and HTML for a message.

    Args:
        template: the person's own. values: what is typed of the message. account: that sends.
    """
    facts = _facts(user, values, account)
    html = template.html or f"<div>{as_formatted(template.text)}</div>"
    return fill(template.text, facts), fill(html, facts, is_html=True)


def example(user: User, text: str, html: str) -> tuple[str, str]:
    """The words of a template, clean in both forms, filled as for a message to somebody."""
    return filled(user, Template(text=text, html=html), _EXAMPLE, 0)


def with_template(user: User, template: Template, values: Values, account: int) -> Values:
    """The message with the template above all that stands in it."""
    text, html = filled(user, template, values, account)
    if values.is_html:
        return replace(values, html=f"{html}{values.html}")
    return replace(values, text=f"{text}\n{values.text}")


def _facts(user: User, values: Values, account: int) -> dict[str, str]:
    sender = _sender(user, values, account)
    today = words.long_day(timezone.localdate(timezone=zone_of(user)))
    return {
        **people([_named(user, each) for each in read(values.to).addresses]),
        "subject": values.subject.strip(),
        "date": today,
        "my_name": (sender.name if sender else "") or user.get_full_name(),
        "my_address": sender.address if sender else "",
    }


def _sender(user: User, values: Values, account: int) -> identities.Sender | None:
    rows = Account.objects.for_user(user).select_related("provider", "user")
    row = rows.filter(pk=account).first() or rows.order_by("pk").first()
    return identities.sender_of(row, values.from_address) if row else None


def _named(user: User, person: Address) -> Address:
    """With the name that the address book has, where none was typed."""
    if person.name:
        return person
    contact = Contact.objects.for_user(user).filter(key=normalise(person.address)).first()
    return Address(contact.name, person.address) if contact else person
