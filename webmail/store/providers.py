"""Which provider an address belongs to: an administrator's, one found before, or one its domain announces now.

A domain's provider decides who gets to see the passwords of its people. So only an administrator or the domain itself
(its DNS, its autoconfig file) can tie one to the other, and only after a log-in there worked; servers that somebody
typed into their settings serve their account alone.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction

from webmail.models import Provider, ProviderDomain
from webmail.models.provider import LoginFormat
from webmail.protocol import discovery
from webmail.protocol.errors import GiveUp
from webmail.protocol.mail_address import domain_of
from webmail.protocol.types import Server


class NoServer(GiveUp):
    """Nothing is known of a mail server for the address, and nothing was found."""

    sentence = "No mail server was found for this address."


def of(address: str) -> Provider | None:
    """The provider that serves the domain of a normalised address, or None where none is known."""
    return Provider.objects.filter(domains__domain=domain_of(address)).first()


def search(address: str) -> list[Provider]:
    """Providers that the domain of a normalised address announces, best first, none of them saved.

    Takes up to `discovery.SECONDS`; never call it inside a transaction.

    Raises:
        NoServer: there is none.
        ProtocolError: there is one, and this is why it can't be used.
    """
    found = [
        proposal
        for candidate in discovery.discover(address)
        for proposal in (
            [propose(candidate.imap, candidate.smtp, candidate.login_format)]
            if candidate.login_format
            # Nothing says what the server wants as user name: most want the address, some what stands before the @.
            else [propose(candidate.imap, candidate.smtp, each) for each in (LoginFormat.ADDRESS, LoginFormat.LOCAL)]
        )
    ]
    if not found:
        raise NoServer
    return found


def propose(imap: Server, smtp: Server | None, login_format: str = LoginFormat.ADDRESS) -> Provider:
    """A provider for these servers, not saved, serving no domain and signing nobody in."""
    provider = Provider(
        name=imap.host[:80],
        imap_host=imap.host,
        imap_port=imap.port,
        imap_security=imap.security.value,
        login_format=login_format,
        sign_in_allowed=False,
        discovered=True,
    )
    if smtp is not None:
        provider.smtp_host, provider.smtp_port, provider.smtp_security = smtp.host, smtp.port, smtp.security.value
    return provider


def keep(proposal: Provider, domain: str = "") -> Provider:
    """The saved provider for what was proposed, reusing one that is the same.

    Args:
        proposal: from `search` or `propose`, or a saved provider, which is returned as it is.
        domain: the domain to tie it to: one whose own announcement led to the proposal, after a log-in worked.
    """
    if proposal.pk:
        return proposal
    proposal.sign_in_allowed = bool(domain)
    with transaction.atomic():
        provider = Provider.objects.filter(
            discovered=True,
            sign_in_allowed=proposal.sign_in_allowed,
            imap_host=proposal.imap_host,
            imap_port=proposal.imap_port,
            imap_security=proposal.imap_security,
            smtp_host=proposal.smtp_host,
            smtp_port=proposal.smtp_port,
            smtp_security=proposal.smtp_security,
            login_format=proposal.login_format,
            allow_private=False,
            ca_pem="",
        ).first()
        if provider is None:
            provider = proposal
            provider.name = _free_name(proposal.name)
            provider.save()
        if domain:
            return _tie(provider, domain)
    return provider


def _tie(provider: Provider, domain: str) -> Provider:
    """Tie `domain` to `provider`; where somebody else's first sign-in was faster, theirs is the domain's provider."""
    try:
        with transaction.atomic():
            ProviderDomain.objects.create(provider=provider, domain=domain)
    except IntegrityError:
        return Provider.objects.get(domains__domain=domain)
    return provider


def _free_name(name: str) -> str:
    """`name`, with a number where it is taken."""
    taken = set(Provider.objects.filter(name__startswith=name[:70]).values_list("name", flat=True))
    if name not in taken:
        return name
    return next(free for number in range(2, len(taken) + 3) if (free := f"{name[:70]} ({number})") not in taken)
