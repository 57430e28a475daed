"""`manage.py demo`: a provider, an administrator and mail, however often it is run."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.servers import MailUser
from webmail.demo import layout
from webmail.demo.imap_server import ImapServer
from webmail.models import Provider, User
from webmail.protocol.types import Security

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(
    dovecot: ImapServer, mailbox_user: Callable[..., MailUser], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MailUser:
    """Somebody new in place of the demo's people, and an environment that names the server."""
    person = mailbox_user()
    (tmp_path / "ca.pem").write_text(dovecot.ca_pem)
    monkeypatch.setenv("DEMO_IMAP", f"localhost:{dovecot.tls_port}")
    monkeypatch.setenv("DEMO_CA", str(tmp_path / "ca.pem"))
    monkeypatch.setattr(layout, "PEOPLE", {person.address: person.password})
    return person


def test_demo_makes_provider_and_administrator_once(people: MailUser, dovecot: ImapServer) -> None:
    call_command("demo", verbosity=0)
    admin = User.objects.get(username="admin")
    admin.set_password("changed by a person")
    admin.save()
    call_command("demo", verbosity=0)

    provider = Provider.objects.get()
    assert provider.name == "Demo"
    assert [domain.domain for domain in provider.domains.all()] == ["demo.test"]
    assert (provider.imap.host, provider.imap.port) == ("localhost", dovecot.tls_port)
    assert provider.imap.security is Security.TLS
    assert provider.imap.ca_pem == dovecot.ca_pem
    assert provider.imap.allow_private
    assert provider.sign_in_allowed
    admin.refresh_from_db()
    assert admin.is_superuser
    assert admin.check_password("changed by a person")


def test_the_administrator_signs_in_with_the_password_we_print(people: MailUser) -> None:
    call_command("demo", verbosity=0)
    assert User.objects.get(username="admin").check_password("demo")


def test_says_when_there_was_mail_already(people: MailUser) -> None:
    people.append("INBOX", b"Subject: mine\r\n\r\nHello\r\n")
    out = io.StringIO()
    call_command("demo", stdout=out)
    assert out.getvalue() == f"{people.address}: has mail already\n"


def test_a_silent_server_is_one_clear_sentence(people: MailUser, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("DEMO_IMAP", f"127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(CommandError, match="no IMAP server answers on 127"):
            call_command("demo", "--wait=0.2")
    assert not User.objects.exists()


@pytest.mark.parametrize("address", ["dovecot", ":993", "dovecot:imaps"])
def test_a_wrong_address_is_one_clear_sentence(people: MailUser, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DEMO_IMAP", address)
    with pytest.raises(CommandError, match="should be host:port"):
        call_command("demo")
