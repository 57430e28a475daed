"""A mail host: its IMAP, SMTP and Sieve servers and the domains whose people it serves."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from webmail.protocol.types import Security, Server


class SecurityChoice(models.TextChoices):
    """`webmail.protocol.types.Security` for forms."""

    TLS = Security.TLS.value, "TLS (recommended)"
    STARTTLS = Security.STARTTLS.value, "STARTTLS"
    NONE = Security.NONE.value, "None (only to this machine itself)"


class LoginFormat(models.TextChoices):
    """What the server wants as user name."""

    ADDRESS = "address", "The whole address"
    LOCAL = "local", "The part before the @"


class SignInBy(models.TextChoices):
    """How the people of a provider let us at their mail."""

    PASSWORD = "password", "With a mail password"
    OAUTH = "oauth", "At the provider (OAuth 2.0)"


class SenderRule(models.TextChoices):
    """As whom the people of a provider may write. What the mail server allows is its own affair still."""

    OWN = "own", "Their own address"
    DOMAINS = "domains", "Any address of the provider's domains"
    ANY = "any", "Any address"


# These put what they are given to send into the Sent mailbox, whatever anybody ticks.
KEEP_SENT = ("smtp.gmail.com", "smtp.googlemail.com", "smtp.office365.com", "smtp-mail.outlook.com")


def _port(default: int) -> models.PositiveIntegerField[int, int]:
    return models.PositiveIntegerField(default=default, validators=[MinValueValidator(1), MaxValueValidator(65535)])


def _security() -> models.CharField[str, str]:
    return models.CharField(max_length=8, choices=SecurityChoice.choices, default=SecurityChoice.TLS)


class Provider(models.Model):
    """One mail host. Administrators make these; discovery makes the rest (`discovered`)."""

    name = models.CharField(max_length=80, unique=True)
    imap_host = models.CharField("IMAP host", max_length=253)
    imap_port = _port(993)
    imap_security = _security()
    smtp_host = models.CharField("SMTP host", max_length=253, blank=True)
    smtp_port = _port(465)
    smtp_security = _security()
    smtp_open = models.BooleanField(
        "wants no sign-in",
        default=False,
        help_text="The server takes mail from this machine as it is, such as a relay in your own network.",
    )
    sieve_host = models.CharField("Sieve host", max_length=253, blank=True)
    sieve_port = _port(4190)
    sieve_security = models.CharField(max_length=8, choices=SecurityChoice.choices, default=SecurityChoice.STARTTLS)
    login_format = models.CharField(max_length=8, choices=LoginFormat.choices, default=LoginFormat.ADDRESS)
    ca_pem = models.TextField(
        "CA certificate", blank=True, help_text="PEM of the only authority to trust; empty for the system's."
    )
    allow_private = models.BooleanField(
        "private addresses allowed",
        default=False,
        help_text="The servers may have a loopback or private network address.",
    )
    sign_in_by = models.CharField(
        "people sign in",
        max_length=8,
        choices=SignInBy.choices,
        default=SignInBy.PASSWORD,
        help_text="Gmail and Microsoft 365 take no passwords any more: people allow it there, and nothing but the"
        " permission is kept here.",
    )
    sign_in_allowed = models.BooleanField(
        default=True, help_text="People of these domains may sign in here with their mail."
    )
    connection_cap = models.PositiveSmallIntegerField(
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="Connections to IMAP at the same time for each account.",
    )
    authserv_ids = models.CharField(
        "names in Authentication-Results",
        max_length=500,
        blank=True,
        help_text="The authserv-id of the mail servers whose checks of senders are believed, with commas between: "
        "only of servers that remove such fields from what they receive. Empty: nobody's checks are shown.",
    )
    sender_rule = models.CharField(
        "people may write as",
        max_length=8,
        choices=SenderRule.choices,
        default=SenderRule.OWN,
        help_text="From addresses that people may add; an address with “+” in it counts as the one without.",
    )
    files_sent = models.BooleanField(
        "keeps sent mail itself",
        default=False,
        help_text="The server puts a copy of what it is given to send into the Sent mailbox, as Gmail and Outlook do.",
    )
    smtp_size_limit = models.PositiveBigIntegerField(default=0, editable=False)  # as the server said last; 0 unknown
    footer = models.TextField(
        "footer",
        blank=True,
        help_text="Put below whatever people of this provider send; {name} and {address} are the sender's.",
    )
    footer_html = models.TextField(
        "formatted footer", blank=True, help_text="In HTML, for messages with formatting. Empty, the one above is used."
    )
    signature = models.TextField(
        "signature for everybody",
        blank=True,
        help_text="People of this provider have this one instead of their own; {name} and {address} are the sender's. "
        "They see it in what they write and can change it there; what must stand below is the footer.",
    )
    signature_html = models.TextField(
        "formatted signature",
        blank=True,
        help_text="In HTML, for messages with formatting. Empty, the one above is used.",
    )
    discovered = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def imap(self) -> Server:
        """The IMAP server as `protocol` takes it."""
        return self._server(self.imap_host, self.imap_port, self.imap_security)

    @property
    def smtp(self) -> Server:
        """The SMTP submission server as `protocol` takes it; its host is "" where the provider has none."""
        return self._server(self.smtp_host, self.smtp_port, self.smtp_security)

    @property
    def by_oauth(self) -> bool:
        """Whether its servers are given access tokens (see `Grant`), not passwords."""
        return self.sign_in_by == SignInBy.OAUTH

    @property
    def keeps_sent(self) -> bool:
        """Whether the server itself files what it sends."""
        return self.files_sent or self.smtp_host.lower() in KEEP_SENT

    @property
    def trusted_servers(self) -> list[str]:
        """The names (authserv-id, RFC 8601 §2.5) under which this host's own servers say what they checked."""
        return [name for part in self.authserv_ids.split(",") if (name := part.strip().lower())]

    def login_name(self, address: str) -> str:
        """The user name this host wants for `address`."""
        return address.rpartition("@")[0] if self.login_format == LoginFormat.LOCAL else address

    def _server(self, host: str, port: int, security: str) -> Server:
        return Server(host, port, Security(security), self.ca_pem, self.allow_private)


class ProviderDomain(models.Model):
    """A mail domain served by a provider, lower case, as ASCII (IDNA)."""

    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="domains")
    domain = models.CharField(max_length=253, unique=True)

    class Meta:
        ordering = ["domain"]

    def __str__(self) -> str:
        return self.domain

    def clean(self) -> None:
        self.domain = self.domain.strip().lower()
