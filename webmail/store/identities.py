"""As whom a person writes: the addresses they may use, with name and signature; one of each account is the default.

The room's one law: a From address passes `sender_for` before anything is sent with it, which asks the provider's rule
each time: what an administrator no longer allows is not sent. An account always writes as its own
address, too; everything in front of a "+" is one address with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

from django.db import transaction
from django.db.models import Max

from webmail.models import Account, Identity, Provider, User
from webmail.models.provider import SenderRule
from webmail.protocol.errors import ProtocolError
from webmail.protocol.mail_address import deliverable, domain_of, normalise
from webmail.protocol.recipients import read
from webmail.protocol.reply import Own
from webmail.protocol.signing_off import both_forms
from webmail.protocol.types import Address
from webmail.protocol.words import one_line

from . import house_style

MAX_IDENTITIES = 50  # of one account


class NotYours(ProtocolError):
    """The From address is none that this account may use."""

    sentence = "You can't write as this address."


class NotAnAddress(ProtocolError):
    """What was typed is no mail address."""

    sentence = "This is not a mail address."


@dataclass(frozen=True, slots=True)
class Sender:
    """One line of the choice "From".

    Args:
        identity: key of the row, None for the account's own address where nothing was set up.
        address: as mail goes out with it. reply_to: where answers go, as typed, or "".
        signature_text, signature_html: in both forms; `is_below`: it goes below the quote.
        footer: what the administrator puts below all that is sent, as text.
    """

    account: int
    identity: int | None
    address: str
    name: str = ""
    reply_to: str = ""
    signature_text: str = ""
    signature_html: str = ""
    is_below: bool = False
    is_default: bool = True
    footer: str = ""

    @property
    def as_address(self) -> Address:
        return Address(self.name, self.address)


def senders(user: User) -> tuple[Sender, ...]:
    """As whom the person may write, over all accounts in their order; the default of each account first."""
    accounts = list(Account.objects.for_user(user).select_related("user", "provider"))
    rows = Identity.objects.for_user(user).order_by("account_id", "-is_default", "position", "pk")
    by_account = {key: list(group) for key, group in groupby(rows, key=lambda row: row.account_id)}
    return tuple(sender for account in accounts for sender in _senders(account, by_account.get(account.pk, [])))


def default_sender(account: Account) -> Sender:
    """As whom this account writes unless told otherwise."""
    return _senders(account, list(account.identities.order_by("-is_default", "position", "pk")))[0]


def sender_of(account: Account, address: str) -> Sender:
    """Likewise for an address that a message came to; the default where the account may not use it."""
    try:
        return sender_for(account, address)
    except NotYours:
        return default_sender(account)


def own_addresses(user: User) -> Own:
    """All addresses that are the person's own: for replies, which leave them out."""
    accounts = Account.objects.for_user(user).values_list("address", flat=True)
    return Own([*accounts, *Identity.objects.for_user(user).values_list("address", flat=True)])


def sender_for(account: Account, address: str) -> Sender:
    """The sender with this From address; of one with a "+" the one without gives name and signature.

    Args:
        address: "" for the default.

    Raises:
        NotYours: the account may not use it.
    """
    if not address:
        return default_sender(account)
    mine = _senders(account, list(account.identities.order_by("-is_default", "position", "pk")))
    exact = next((each for each in mine if _same(each.address, address)), None)
    if exact is not None:
        return exact
    detailed = next((each for each in mine if address in Own([each.address])), None)
    if detailed is None:
        raise NotYours(f"You can't write as {one_line(address)[:254]}.")
    return replace(detailed, address=deliverable(address), is_default=False)


def written_address(typed: str) -> str:
    """What somebody typed as an address that mail can be sent to.

    Raises:
        NotAnAddress: it is none.
    """
    try:
        return deliverable(typed)
    except ValueError:
        raise NotAnAddress(f"“{one_line(typed)[:80]}” is not a mail address.") from None


def save(
    account: Account,
    *,
    address: str,
    name: str = "",
    reply_to: str = "",
    signature_text: str = "",
    signature_html: str = "",
    is_below: bool = False,
    is_default: bool = False,
    identity: Identity | None = None,
) -> Identity:
    """Keep an identity of the account, a new one or `identity` changed.

    The signature's HTML is cleaned; its text is made from that where it is empty.

    Raises:
        NotAnAddress: an address is none. NotYours: the provider doesn't let its people write as `address`, or there
            are too many.
    """
    address = written_address(address)
    if problems := read(reply_to).problems:
        raise NotAnAddress(problems[0].sentence)
    if not _allowed(account, address):
        raise NotYours(f"People of {account.provider.name} can't write as {address}.")
    text, html = both_forms(signature_text, signature_html)
    values = {
        "address": address,
        "name": " ".join(one_line(name).split())[:200],
        "reply_to": one_line(reply_to)[:500],
        "signature_html": html,
        "signature_text": text.strip(),
        "signature_place": Identity.Place.BELOW if is_below else Identity.Place.ABOVE,
    }
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)
        others = account.identities.all()
        if identity is not None:
            others = others.exclude(pk=identity.pk)
        if any(_same(row.address, address) for row in others):
            raise NotYours(f"{address} is among your addresses already.")
        if identity is None and others.count() >= MAX_IDENTITIES:
            raise NotYours(f"An account can have {MAX_IDENTITIES} addresses at most.")
        if identity is None:
            last = others.aggregate(last=Max("position"))["last"] or 0
            identity = Identity(account=account, position=last + 1)
        for field, value in values.items():
            setattr(identity, field, value)
        is_own = _same(address, account.address) and not others.filter(is_default=True).exists()
        identity.is_default = is_default or is_own
        if identity.is_default:
            others.update(is_default=False)
        identity.save()
        _settle_default(account)
    return identity


def remove(identity: Identity) -> None:
    """Forget an identity; the account's own address becomes the default where this was it."""
    with transaction.atomic():
        account = Account.objects.select_for_update(no_key=True).get(pk=identity.account_id)
        identity.delete()
        _settle_default(account)


def _settle_default(account: Account) -> None:
    """Where no row is the default, the one with the account's own address is; without one that address is it anyway."""
    rows = list(account.identities.all())
    own = next((row.pk for row in rows if _same(row.address, account.address)), None)
    if own and not any(row.is_default for row in rows):
        account.identities.filter(pk=own).update(is_default=True)


def _senders(account: Account, rows: list[Identity]) -> list[Sender]:
    """The rows that are still allowed, as values; the account's own address is always among them."""
    found = [
        Sender(
            account.pk,
            row.pk,
            row.address,
            row.name,
            row.reply_to,
            row.signature_text,
            row.signature_html,
            row.signature_place == Identity.Place.BELOW,
            row.is_default,
        )
        for row in rows
        if _allowed(account, row.address)
    ]
    if not any(_same(sender.address, account.address) for sender in found):
        has_default = any(sender.is_default for sender in found)
        own = Sender(account.pk, None, account.address, account.user.get_full_name(), is_default=not has_default)
        found.insert(len(found) if has_default else 0, own)
    return [_signed(account.provider, sender) for sender in found]


def _signed(provider: Provider, sender: Sender) -> Sender:
    """With the footer, and the signature that the administrator gives everybody, if there is one."""
    text, html = house_style.signature_of(provider, sender.name, sender.address)
    sender = replace(sender, footer=house_style.footer_of(provider, sender.name, sender.address)[0])
    return replace(sender, signature_text=text, signature_html=html) if text else sender


def _allowed(account: Account, address: str) -> bool:
    provider = account.provider
    if address in Own([account.address]) or provider.sender_rule == SenderRule.ANY:
        return True
    if address in Own(account.aliases.split()) or f"*@{domain_of(normalise(address))}" in account.aliases.split():
        return True
    if provider.sender_rule == SenderRule.DOMAINS:
        domain = domain_of(normalise(address))
        return domain == domain_of(account.address) or provider.domains.filter(domain=domain).exists()
    return False


def _same(one: str, other: str) -> bool:
    try:
        return normalise(one) == normalise(other)
    except ValueError:
        return False
