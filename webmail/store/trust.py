"""Whose remote images a person sees without being asked, and what may be offered beside "this message".

The room's one law: trust is given to who wrote, so it holds only for mail that says at least as well who that is as
the mail for which it was given; never for mail that failed the server's check, and never in Junk.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from webmail.models import Message, ProviderDomain, TrustedSender, User
from webmail.protocol.authentication import Verdict
from webmail.protocol.mail_address import domain_of, normalise
from webmail.protocol.public_hosts import one_owner
from webmail.protocol.types import Envelope

from .facts import authentication_of

MOST = 1_000  # trusted senders of one person
NEVER_TRUSTED = ("junk", "trash")  # roles of mailboxes

Kind = TrustedSender.Kind


@dataclass(frozen=True, slots=True)
class Standing:
    """How a message's sender stands with a person.

    Args:
        address: of the sender, where images may be allowed for it; else "". domain: the same for its whole domain.
        verified: whether the mail server found that the mail is from there.
        allowed: what the person allowed and what holds for this message.
    """

    address: str = ""
    domain: str = ""
    verified: bool = False
    allowed: TrustedSender | None = None


NOBODY = Standing()


def standing(user: User, message: Message, envelope: Envelope, header: bytes) -> Standing:
    """How the sender of `message` stands with `user`. Two queries at most.

    Args:
        message: with its mailbox, account and provider. envelope, header: of the message itself.
    """
    address = _sender(envelope)
    if not address or message.mailbox is None or message.mailbox.role in NEVER_TRUSTED:
        return NOBODY
    found = authentication_of(message, header, domain_of(address))
    if found is not None and found.verdict is Verdict.FAILED:
        return NOBODY
    verified = found is not None and found.verdict is Verdict.VERIFIED
    domain = one_owner(domain_of(address))
    given = list(TrustedSender.objects.for_user(user).filter(_named(address, domain)))
    holding = [one for one in given if verified or not one.verified]
    allowed = next(iter(sorted(holding, key=lambda one: one.kind)), None)  # the address before its domain
    if domain and allowed is None and _is_provider(domain):
        domain = ""
    return Standing(address, domain, verified, allowed)


def allow(user: User, standing: Standing, kind: str) -> bool:
    """From now on show the images of the sender, or of its whole domain. False where that isn't offered."""
    name = {Kind.ADDRESS.value: standing.address, Kind.DOMAIN.value: standing.domain}.get(kind, "")
    mine = TrustedSender.objects.for_user(user)
    if not name or mine.count() >= MOST:
        return False
    mine.update_or_create(user=user, kind=kind, name=name, defaults={"verified": standing.verified})
    return True


def forget(user: User, pk: int) -> str:
    """Ask again about the images of a sender; its name, or "" where it was forgotten already."""
    row = TrustedSender.objects.for_user(user).filter(pk=pk).first()
    if row is None:
        return ""
    row.delete()
    return row.name


def may_be_trusted(user: User, addresses: set[str]) -> set[str]:
    """Those of `addresses`, as the index has them, whose images the person allowed by name. One query."""
    names = set(TrustedSender.objects.for_user(user).values_list("kind", "name"))
    found = set()
    for address in addresses:
        try:
            spelt = normalise(address)
        except ValueError:
            continue
        if (Kind.ADDRESS, spelt) in names or (Kind.DOMAIN, one_owner(domain_of(spelt))) in names:
            found.add(address)
    return found


def _sender(envelope: Envelope) -> str:
    """The one address the mail says it is from; "" where it names several or none."""
    if len(envelope.from_) != 1:
        return ""
    try:
        return normalise(envelope.from_[0].address)
    except ValueError:
        return ""


def _named(address: str, domain: str) -> Q:
    by_domain = Q(kind=Kind.DOMAIN, name=domain) if domain else Q()
    return Q(kind=Kind.ADDRESS, name=address) | by_domain


def _is_provider(domain: str) -> bool:
    """Whether many people have addresses there: a mail host that an administrator has set up here."""
    return ProviderDomain.objects.filter(Q(domain=domain) | Q(domain__endswith=f".{domain}")).exists()
