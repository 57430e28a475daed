"""Adding one more mailbox to a person, and giving an account a new secret: both only after a live check.

The secret is a password, or what the provider just granted. The room's one law: nothing is saved unless the IMAP server
took it. SMTP is checked too and its failure
told, but reading mail does not depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.conf import settings
from django.db import IntegrityError, transaction

from webmail.models import Account, Provider, Submission, User
from webmail.models.provider import SignInBy
from webmail.protocol import probe
from webmail.protocol.errors import ProtocolError
from webmail.protocol.mail_address import domain_of
from webmail.protocol.types import Login, Step

from . import audit, doctor, grants, logins, pools, providers, signing_in, words
from .logins import Secret


@dataclass(frozen=True, slots=True)
class Check:
    """What a live check found, step by step. `smtp` is () where the provider has no such server."""

    provider: Provider
    imap: tuple[Step, ...]
    smtp: tuple[Step, ...] = ()

    @property
    def reads(self) -> bool:
        """Whether mail can be read: every step of IMAP worked."""
        return bool(self.imap) and all(step.ok for step in self.imap)

    @property
    def sends(self) -> bool:
        """Whether mail can be sent: every step of SMTP worked."""
        return bool(self.smtp) and all(step.ok for step in self.smtp)


_ADVICE = {
    "DNS": "Check the name of the server.",
    "TCP": "Check the name of the server and its port.",
    "TLS": "Without a secure connection nothing was sent. Check the name of the server; else its owner has to mend it.",
    "Log in": "Check the address and the password. Some providers want a password made for mail programs.",
}
_ADVICE_ELSE = "Try again later. If it stays like this, ask the owner of the server."


class AlreadyThere(ProtocolError):
    """The person has this mailbox already."""

    sentence = "You have added this address already."


def add(
    user: User, address: str, secret: Secret, *, servers: Provider | None = None, login_name: str = ""
) -> tuple[Check, Account | None]:
    """Check the mailbox `address` and, if its IMAP server takes `secret`, add it to `user`'s accounts.

    Waits for the network up to about a minute; never call it inside a transaction.

    Args:
        address: normalised (`mail_address.normalise`).
        servers: what the person typed (`providers.propose`); else the servers are the administrator's for the domain,
            or those that the domain announces.
        login_name: only where it differs from what the provider asks for.

    Returns:
        the check, and the new account, or None where the check failed.

    Raises:
        AlreadyThere: see there.
        signing_in.NotHere, providers.NoServer: no server is known, and none may be or was found.
        LoginNeeded: the provider takes the other kind of secret. grants.NotLasting: see there.
        ProtocolError: the domain announces servers, but none can be used.
    """
    if servers is None and Account.objects.for_user(user).filter(address=address).exists():
        raise AlreadyThere
    proposals = [servers] if servers is not None else _proposals(address)
    check = _first_that_reads(proposals, address, secret, login_name)
    if not check.reads:
        return check, None
    announced = servers is None and check.provider.pk is None
    provider = providers.keep(check.provider, domain_of(address) if announced else "")
    account = Account(user=user, provider=provider, address=address, login_name=login_name)
    account.position = Account.objects.for_user(user).count()
    try:
        with transaction.atomic():
            account.save()
            logins.keep(account, secret)
    except IntegrityError:
        raise AlreadyThere from None
    return check, account


def is_anything_elsewhere() -> bool:
    """Whether there are mailboxes that are allowed at their provider."""
    return Provider.objects.filter(sign_in_by=SignInBy.OAUTH).exists()


def elsewhere(user: User, address: str) -> Provider | None:
    """The provider at which the mailbox of this normalised address is allowed; None where it has a password.

    Raises:
        AlreadyThere: see there.
    """
    provider = providers.of(address)
    if provider is None or not provider.by_oauth:
        return None
    if Account.objects.for_user(user).filter(address=address).exists():
        raise AlreadyThere
    return provider


def mend(account: Account, secret: Secret) -> Check:
    """Check `secret` with the account's servers and keep it if IMAP takes it.

    Raises:
        LoginNeeded, grants.NotLasting: as `add`.
    """
    check = _check(account.provider, logins.login_with(account.provider, account.imap_login_name, secret))
    if check.reads:
        logins.keep(account, secret)
        pools.forget(account)
        pools.note_state(account, Account.State.OK, "")
    return check


def disconnect(account: Account) -> None:
    """Forget what the account's owner has allowed at the provider, until they connect it again."""
    with transaction.atomic():
        if grants.end(account):
            audit.note(account, f"Disconnected from {account.provider.name}.")
    pools.forget(account)
    pools.note_state(account, Account.State.LOGIN_NEEDED, "It is not connected.")


def remove(account: Account) -> None:
    """Forget the account with its index, its password and its connections. Mail on the server is untouched."""
    pools.forget(account)
    doctor.forget(account.pk)
    with transaction.atomic():
        grants.end(account)
        audit.note(account, "Removed by its owner.", removed=True)
        account.delete()


def lost_with(account: Account) -> str:
    """What exists here alone and goes with the account, in a sentence; "" where there is nothing of that."""
    over = (Submission.State.FILED, Submission.State.CANCELLED)
    letters = account.submissions.exclude(state__in=over).count()
    drafts = account.drafts.exclude(submissions__state__in=Submission.LIVE).count()
    lost = [f"{words.messages(letters)} of the outbox"] if letters else []
    lost += [f"{words.count(drafts)} {'draft' if drafts == 1 else 'drafts'}"] if drafts else []
    return f"{' and '.join(lost)} {'is' if letters + drafts == 1 else 'are'} deleted with it." if lost else ""


def can_remove(account: Account) -> bool:
    """False for the one address that lets its owner in: without it they would be locked out of the rest."""
    if not account.signs_in or account.user.has_usable_password():
        return True
    others = Account.objects.for_user(account.user).filter(signs_in=True).exclude(pk=account.pk)
    return others.exists()


def _proposals(address: str) -> list[Provider]:
    known = providers.of(address)
    if known is not None:
        return [known]
    if not settings.OPEN_SIGN_IN:
        raise signing_in.NotHere
    return providers.search(address)


def _first_that_reads(proposals: list[Provider], address: str, secret: Secret, login_name: str) -> Check:
    """The check of the first proposal whose IMAP works, else of the first one."""
    checks = []
    for proposal in proposals:
        check = _check(proposal, logins.login_with(proposal, login_name or proposal.login_name(address), secret))
        if check.reads:
            return check
        checks.append(check)
    return checks[0]


def _check(provider: Provider, login: Login) -> Check:
    imap = _for_person(probe.probe(provider.imap, login))
    reads = all(step.ok for step in imap)
    smtp_login = None if provider.smtp_open else login
    smtp = _for_person(probe.probe_smtp(provider.smtp, smtp_login)) if reads and provider.smtp_host else ()
    return Check(provider, imap, smtp)


def _for_person(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps with advice for somebody who runs no server.

    The administrator's tells a name that leads into our own network from one that leads nowhere (security T9).
    """
    return tuple(step if step.ok else replace(step, advice=_ADVICE.get(step.name, _ADVICE_ELSE)) for step in steps)
