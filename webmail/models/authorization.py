"""OAuth 2.0: where people of a provider allow us their mail, and what they have allowed."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.db import models

from webmail.protocol.oauth import Client

from .account import Account
from .provider import Provider
from .sealed import SealedText, Unreadable


class AuthorizationServer(models.Model):
    """A provider's authorization server, and what this product is called there. The administrator's."""

    provider = models.OneToOneField(
        Provider, primary_key=True, on_delete=models.CASCADE, related_name="authorization_server"
    )
    authorization_endpoint = models.CharField(max_length=500)
    token_endpoint = models.CharField(max_length=500)
    revocation_endpoint = models.CharField(max_length=500, blank=True)
    client_id = models.CharField(max_length=255)
    client_secret = SealedText(null=True, editable=False)  # None for a public client
    scopes = models.CharField(max_length=1000)

    def __str__(self) -> str:
        return self.token_endpoint

    @property
    def issuer(self) -> str:
        """Whose tokens these are: they are sent to nobody else."""
        return f"{self.client_id} at {urlsplit(self.token_endpoint).hostname}"

    @property
    def secret(self) -> str:
        """The client's; "" for a public client, and where no key opens it, so that it can be typed again."""
        try:
            return self.client_secret or ""
        except Unreadable:
            return ""

    @property
    def client(self) -> Client:
        """As `protocol` takes it."""
        return Client(
            self.authorization_endpoint,
            self.token_endpoint,
            self.client_id,
            self.secret,
            self.scopes,
            self.provider.ca_pem,
            self.provider.allow_private,
            self.revocation_endpoint,
        )


class Grant(models.Model):
    """What the owner of an account has allowed. Written by `store.grants` alone.

    Tokens are sealed for this row. `refresh_token` is None once the provider has ended the permission; `access_until`
    is when `access_token` is used no more, some time before it runs out. Whoever renews it holds the row until
    `renewing_until`, over all processes.
    """

    account = models.OneToOneField(Account, primary_key=True, on_delete=models.CASCADE, related_name="grant")
    issuer = models.CharField(max_length=520)
    refresh_token = SealedText(null=True)
    access_token = SealedText(null=True)
    access_until = models.DateTimeField(null=True)
    renewing_until = models.DateTimeField(null=True)
    granted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"permission for {self.account_id}"
