"""“Test connection” on real servers: its steps, in order, as they finish; and nothing of it is kept."""

from __future__ import annotations

import socket
import threading

import pytest
from django.urls import reverse

from tests.cast import client_of, provider_on
from webmail.models import Account
from webmail.store import credentials


def page_of(provider) -> str:
    return reverse("admin:webmail_provider_test", args=[provider.pk])


def body(response) -> str:
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


def names(page: str) -> list[str]:
    return [piece.split("<")[0] for piece in page.split('<li data-state="done">\n        <b>')[1:]]


def test_an_accounts_stored_password(admin, alice):
    page = body(client_of(admin).post(reverse("admin:webmail_account_test", args=[alice.accounts.get().pk])))
    assert names(page) == ["DNS", "TCP", "TLS", "Greeting", "Log in", "List"]
    assert "Everything works." in page
    assert "Webmail demo authority" in page


def test_a_provider_with_a_typed_log_in(admin, provider, caplog):
    client = client_of(admin)
    right = body(client.post(page_of(provider), {"address": "alice@demo.test", "password": "demo"}))
    assert "Everything works." in right
    wrong = body(client.post(page_of(provider), {"address": "alice@demo.test", "password": "canary-31"}))
    assert "Stopped at “Log in”." in wrong
    assert 'class="advice"' in wrong
    assert "canary-31" not in wrong + caplog.text
    assert not Account.objects.exists()


def test_a_provider_without_a_log_in(admin, provider):
    page = body(client_of(admin).post(page_of(provider)))
    assert names(page) == ["DNS", "TCP", "TLS", "Greeting"]
    assert "the log-in was not tried" in page


@pytest.mark.parametrize("typed", [{"address": "alice@demo.test"}, {"password": "canary"}, {"address": "nonsense"}])
def test_half_a_log_in(admin, provider, typed):
    response = client_of(admin).post(page_of(provider), typed)
    assert response.status_code == 422
    assert "canary" not in response.content.decode()


def test_sending_is_tested_too(admin, alice, provider, smtp_server):
    provider.smtp_host, provider.smtp_port = "127.0.0.1", 1
    provider.save()
    page = body(client_of(admin).post(reverse("admin:webmail_account_test", args=[alice.accounts.get().pk])))
    assert "Sending mail (SMTP)" in page
    assert "Everything works." in page
    assert "Stopped at “TCP”." in page


def test_no_stored_password(admin, alice):
    Account.objects.update(credential=b"")
    page = body(client_of(admin).post(reverse("admin:webmail_account_test", args=[alice.accounts.get().pk])))
    assert "Stopped at “Stored password”." in page
    assert names(page) == ["DNS", "TCP", "TLS", "Greeting"]


def test_a_password_under_a_lost_key(admin, alice, settings):
    account = alice.accounts.get()
    settings.CREDENTIAL_KEYS = ["YW5vdGhlciBrZXkgYWx0b2dldGhlciwgMzIgb2N0LiA="]
    with pytest.raises(credentials.CredentialUnreadable):
        credentials.unseal(account)
    page = body(client_of(admin).post(reverse("admin:webmail_account_test", args=[account.pk])))
    assert "No key in CREDENTIAL_KEYS opens the stored password." in page


def test_steps_are_sent_as_they_finish(admin, provider):
    """A server that accepts and says nothing: the steps before that are on the page already."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        provider.imap_port = silent.getsockname()[1]
        provider.save()
        response = client_of(admin).post(page_of(provider))
        pieces = iter(response.streaming_content)
        seen = b""
        while b"TCP<" not in seen:
            seen += next(pieces)
        assert b"Next step" in seen
        assert b"</html>" not in seen
        held = []
        threading.Thread(target=lambda: held.append(silent.accept()), daemon=True).start()
        response.close()


def test_what_a_server_says_is_shown_as_text(admin, provider):
    """T18: a greeting that is HTML."""

    def greet(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"* BYE <script>alert(1)</script>\r\n")

    with socket.create_server(("127.0.0.1", 0)) as hostile:
        provider.imap_port, provider.imap_security = hostile.getsockname()[1], "none"
        provider.save()
        threading.Thread(target=greet, args=(hostile,), daemon=True).start()
        page = body(client_of(admin).post(page_of(provider)))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_looking_at_the_page_connects_to_nothing(admin, dovecot):
    nowhere = provider_on(dovecot, "Nowhere", "")
    with socket.create_server(("127.0.0.1", 0)) as watched:
        nowhere.imap_port = watched.getsockname()[1]
        nowhere.save()
        client_of(admin).get(page_of(nowhere))
        watched.settimeout(0.2)
        with pytest.raises(TimeoutError):
            watched.accept()


def test_an_address_of_nobody(admin):
    assert client_of(admin).get("/admin/webmail/provider/999/test/").status_code == 404
    assert client_of(admin).post("/admin/webmail/account/999/test/").status_code == 404
