"""Signing in with a mail address and its password, or what its provider granted, for django.contrib.auth.

Local passwords are ModelBackend's, the limits `limits.Handler`'s; both come before in AUTHENTICATION_BACKENDS.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from webmail.models import User
from webmail.protocol.errors import Busy, Forbidden, LoginNeeded, ProtocolError, TryAgain
from webmail.protocol.mail_address import domain_of, normalise
from webmail.protocol.oauth import Tokens
from webmail.store import grants, providers, signing_in

from . import limits

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why signing in failed: a sentence, and the field it belongs beside ("" for the form as a whole)."""

    field: str
    sentence: str


class MailBackend(BaseBackend):
    """Asks the mail server; permissions are ModelBackend's business."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        token: Tokens | None = None,
        **kwargs: Any,
    ) -> User | None:
        """The person whose mailbox these open, else None with `request.sign_in_problem` set."""
        secret = token or password
        if request is None or not username or not secret:
            return None
        try:
            address = normalise(username)
        except ValueError:
            return None  # a local name, and ModelBackend has said no
        try:
            return signing_in.sign_in(address, secret)
        except LoginNeeded:
            return None  # in the words of any wrong password
        except ProtocolError as error:
            log.info("Sign-in: %s: %s", domain_of(address), error)
            if isinstance(error, TryAgain) and providers.of(address) is not None:
                limits.pardon(request)
            request.sign_in_problem = _problem(error, domain_of(address))  # type: ignore[attr-defined]  # for the view
            return None

    def get_user(self, user_id: int) -> User | None:
        """The signed-in person of each request; None as soon as an administrator has switched them off."""
        return User.objects.filter(pk=user_id, is_active=True).first()


def _problem(error: ProtocolError, domain: str) -> Problem:
    if isinstance(error, (providers.NoServer, Forbidden)):
        return Problem(
            "username", f"No mail server was found for {domain}. Check the address, or ask your administrator."
        )
    if isinstance(error, (signing_in.NotHere, signing_in.NameTaken, signing_in.SwitchedOff, grants.NotLasting)):
        return Problem("username", error.sentence)
    if isinstance(error, TryAgain) and not isinstance(error, Busy):
        return Problem("", f"{error.sentence} Your password was not refused: try again in a few minutes.")
    return Problem("", error.sentence)
