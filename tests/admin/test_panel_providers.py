"""Making and changing providers, and the sentences for what can't be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.urls import reverse

from tests.cast import client_of
from webmail.models import Provider

ADD = "/admin/webmail/provider/add/"


def fields(**changes: str) -> dict[str, str]:
    return {
        "name": "Example",
        "domains": "example.test",
        "imap_host": "imap.example.test",
        "imap_port": "993",
        "imap_security": "tls",
        "smtp_host": "smtp.example.test",
        "smtp_port": "465",
        "smtp_security": "tls",
        "sieve_host": "",
        "sieve_port": "4190",
        "sieve_security": "starttls",
        "login_format": "address",
        "ca_pem": "",
        "sign_in_allowed": "on",
        "connection_cap": "3",
        "sender_rule": "own",
        "sign_in_by": "password",
        **changes,
    }


def errors_of(response) -> dict[str, list[str]]:
    assert response.status_code == 200
    return dict(response.context["adminform"].form.errors)


def test_made_with_its_domains(admin):
    response = client_of(admin).post(ADD, fields(domains="Example.Test, @other.example\nbücher.example"))
    assert response.status_code == 302
    provider = Provider.objects.get()
    assert [row.domain for row in provider.domains.all()] == ["example.test", "other.example", "xn--bcher-kva.example"]
    assert not provider.discovered
    entry = LogEntry.objects.get()
    assert (entry.user, entry.action_flag, entry.object_repr) == (admin, ADDITION, "Example")


def test_domains_come_and_go(admin):
    client = client_of(admin)
    client.post(ADD, fields(domains="a.example b.example"))
    provider = Provider.objects.get()
    kept = provider.domains.get(domain="b.example").pk
    address = reverse("admin:webmail_provider_change", args=[provider.pk])
    assert client.post(address, fields(domains="b.example c.example")).status_code == 302
    assert {row.domain for row in provider.domains.all()} == {"b.example", "c.example"}
    assert provider.domains.get(domain="b.example").pk == kept
    change = LogEntry.objects.filter(action_flag=CHANGE).get()
    assert "domains" in change.get_change_message()


def test_a_domain_has_one_provider(admin, provider):
    response = client_of(admin).post(ADD, fields(domains="demo.test"))
    assert errors_of(response)["domains"] == ["demo.test is already served by “Demo”."]


@pytest.mark.parametrize(
    "word", ["nodots", "-x.example", "a b@", "under_score.example", "127.0.0.1", "x" * 64 + ".test"]
)
def test_no_domain(admin, word):
    assert "is not a mail domain" in str(errors_of(client_of(admin).post(ADD, fields(domains=word)))["domains"])


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"imap_host": "https://mail.example.test/"}, "imap_host", "without “https://”"),
        ({"imap_host": "mail example"}, "imap_host", "is not the name of a host"),
        ({"imap_host": "127.1"}, "imap_host", "is not the name of a host"),
        ({"imap_host": "mail\r\nLOGOUT"}, "imap_host", "is not the name of a host"),
        ({"imap_host": "mailserver"}, "imap_host", "write it in full"),
        ({"imap_host": "10.0.0.1"}, "imap_host", "is not an address of the internet"),
        ({"imap_host": "::1"}, "imap_host", "is not an address of the internet"),
        ({"imap_host": "169.254.169.254", "allow_private": "on"}, "imap_host", "metadata addresses are never used"),
        ({"smtp_host": "192.168.0.1"}, "smtp_host", "is not an address of the internet"),
        ({"sieve_host": "192.168.0.1"}, "sieve_host", "is not an address of the internet"),
        ({"imap_security": "none", "imap_port": "143"}, "imap_security", "passwords would travel readable"),
        ({"imap_security": "starttls"}, "imap_security", "Port 993 speaks TLS from the first byte"),
        ({"imap_port": "143"}, "imap_security", "choose STARTTLS, or better port 993"),
        ({"smtp_port": "587"}, "smtp_security", "choose STARTTLS, or better port 465"),
        ({"imap_port": "22"}, "imap_port", "Only the ports 143, 465, 587, 993"),
        ({"imap_port": "70000", "allow_private": "on"}, "imap_port", "less than or equal to 65535"),
        ({"connection_cap": "11"}, "connection_cap", "less than or equal to 10"),
    ],
)
def test_what_cannot_be(admin, changes, field, words):
    errors = errors_of(client_of(admin).post(ADD, fields(**changes)))
    assert words in str(errors[field])
    assert not Provider.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"imap_host": "127.0.0.1", "imap_port": "10143", "imap_security": "none"},
        {"imap_host": "dovecot", "imap_port": "31993"},
        {"imap_host": "[fd12::1]"},
    ],
)
def test_ones_own_network(admin, changes):
    assert client_of(admin).post(ADD, fields(allow_private="on", **changes)).status_code == 302


def test_a_host_is_kept_as_it_is_connected_to(admin):
    client_of(admin).post(ADD, fields(imap_host=" IMAP.Bücher.Example. ", smtp_host=""))
    assert Provider.objects.get().imap_host == "imap.xn--bcher-kva.example"


def certificate(*, authority: bool = True, days: int = 30, issuer: str = "Example Authority") -> tuple[str, str]:
    """A certificate and its key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example Authority")]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM).decode(), secret.decode()


def test_an_authority_is_kept_without_remarks(admin):
    pem, _ = certificate()
    client = client_of(admin)
    client.post(ADD, fields(ca_pem=f"our own authority\n{pem}\n\n"))
    provider = Provider.objects.get()
    assert provider.ca_pem == pem
    page = client.get(reverse("admin:webmail_provider_change", args=[provider.pk])).content.decode()
    assert "Pinned: CN=Example Authority, valid until" in page


@pytest.mark.parametrize(
    ("pem", "words"),
    [
        ("nonsense", "not a certificate in PEM form"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "not a certificate in PEM form"),
        ("x" * 70_000, "too long"),
        ("".join(certificate()), "private key"),
        (certificate(days=-1)[0], "expired on"),
        (certificate(authority=False, issuer="Another Authority")[0], "certificate of a server"),
    ],
    ids=["nonsense", "empty", "long", "key", "expired", "server"],
)
def test_what_is_no_authority(admin, pem, words):
    response = client_of(admin).post(ADD, fields(ca_pem=pem))
    assert words in str(errors_of(response)["ca_pem"])


def test_with_accounts_it_stays(admin, alice, provider):
    client = client_of(admin)
    address = reverse("admin:webmail_provider_delete", args=[provider.pk])
    assert "has 1 account: remove them" in client.get(address).content.decode()
    client.post(address, {"post": "yes"})
    assert Provider.objects.filter(pk=provider.pk).exists()
    client.post(
        reverse("admin:webmail_provider_changelist"),
        {"action": "delete_selected", "_selected_action": [provider.pk], "post": "yes"},
    )
    assert Provider.objects.filter(pk=provider.pk).exists()


def test_without_accounts_it_goes(admin, provider):
    client_of(admin).post(reverse("admin:webmail_provider_delete", args=[provider.pk]), {"post": "yes"})
    assert not Provider.objects.exists()
    assert LogEntry.objects.get().is_deletion()


def test_whose_checks_of_senders_are_believed(admin):
    client = client_of(admin)
    assert (
        client.post(ADD, fields(authserv_ids="MX.example.test; mx2.example.test,MX.example.test ")).status_code == 302
    )
    provider = Provider.objects.get()
    assert provider.authserv_ids == "mx.example.test, mx2.example.test"
    assert provider.trusted_servers == ["mx.example.test", "mx2.example.test"]
    response = client.post(ADD, fields(name="Other", domains="", authserv_ids="(anybody)"))
    assert errors_of(response)["authserv_ids"] == ["“(anybody)” is not the name of a server."]


def test_who_may_write_as_whom_and_what_stands_below(admin):
    client = client_of(admin)
    hostile = "<b onclick=x>Quay</b><script>x</script><img src=x>"
    values = fields(
        sender_rule="domains", files_sent="on", footer="Quay Ltd", footer_html=hostile, signature_html=hostile
    )
    assert client.post(ADD, values).status_code == 302
    provider = Provider.objects.get()
    assert (provider.sender_rule, provider.files_sent, provider.footer) == ("domains", True, "Quay Ltd")
    assert provider.footer_html == provider.signature_html == "<b>Quay</b>x"
    assert "sender_rule" in errors_of(client.post(ADD, fields(name="Other", domains="", sender_rule="all")))
