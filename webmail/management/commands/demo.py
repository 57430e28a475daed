"""Make the demo ready: its provider, its administrator, its mail.  For demos only: everybody knows these passwords."""

from __future__ import annotations

import imaplib
import os
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from webmail.demo import layout
from webmail.demo.seed import seed, wait_for
from webmail.models import Provider, ProviderDomain, User
from webmail.models.provider import SecurityChoice

# Name and password, as `make run` prints them.
ADMINISTRATOR = ("admin", "demo")
DOMAIN = "demo.test"


class _Servers(NamedTuple):
    imap_host: str
    imap_port: int
    smtp_host: str
    smtp_port: int
    ca_pem: str


class Command(BaseCommand):
    help = (
        "Make the demo ready: the provider of demo.test, the administrator “admin” (password “demo”), and mail for "
        "alice and bob. The servers are those of `make run`, or what the environment says: DEMO_IMAP=host:port and "
        "DEMO_CA=file. May be run again: it adds only what is missing, and never touches mail that is there."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wait", type=float, default=30.0, help="seconds for the IMAP server to come up (30)")

    def handle(self, *args: Any, wait: float, **options: Any) -> None:
        servers = _servers()
        try:
            wait_for(servers.imap_host, servers.imap_port, ca_pem=servers.ca_pem, seconds=wait)
            _make_provider(servers)
            _make_administrator()
            counts = seed(servers.imap_host, servers.imap_port, layout.PEOPLE, ca_pem=servers.ca_pem)
        except (OSError, imaplib.IMAP4.error) as error:
            raise CommandError(f"The demo's mail could not be put in place: {error}") from error
        if options["verbosity"] > 0:
            for address, count in counts.items():
                self.stdout.write(f"{address}: {count} messages" if count else f"{address}: has mail already")


def _servers() -> _Servers:
    """Where the demo's mail servers are.  Raises CommandError if there are none."""
    address = os.environ.get("DEMO_IMAP")
    if address:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise CommandError(f"DEMO_IMAP={address} should be host:port")
        try:
            ca_pem = Path(os.environ.get("DEMO_CA", "")).read_text("ascii")
        except OSError as error:
            raise CommandError(f"DEMO_CA should name the PEM file of the IMAP server's authority: {error}") from error
        return _Servers(host, int(port), "", 465, ca_pem)
    try:
        place = layout.current()
    except RuntimeError as error:
        raise CommandError(str(error)) from error
    ca_pem = place.certificates.ca.read_text("ascii")
    return _Servers(layout.HOST, place.imaps_port, layout.HOST, place.submissions_port, ca_pem)


@transaction.atomic
def _make_provider(servers: _Servers) -> None:
    """The provider “Demo”, its servers as they are now: ports change from one run to another."""
    provider, _ = Provider.objects.update_or_create(
        name="Demo",
        defaults={
            **servers._asdict(),
            "imap_security": SecurityChoice.TLS,
            "smtp_security": SecurityChoice.TLS,
            "allow_private": True,
            "sign_in_allowed": True,
            "authserv_ids": "mx.demo.test",
        },
    )
    ProviderDomain.objects.update_or_create(domain=DOMAIN, defaults={"provider": provider})


def _make_administrator() -> None:
    """The user “admin”, unless somebody made or changed it already."""
    name, password = ADMINISTRATOR
    if not User.objects.filter(username=name).exists():
        User.objects.create_superuser(name, password=password)
