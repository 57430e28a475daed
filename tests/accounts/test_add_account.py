"""Adding mailboxes, giving them a new password, removing them: on real servers, saved only if mail can be read."""

from __future__ import annotations

import socket

import pytest
from django.test import Client

from tests.cast import client_of, person
from webmail.models import Account, Message, Provider, ProviderDomain, User
from webmail.protocol import discovery, probe
from webmail.protocol.errors import Untrusted
from webmail.protocol.types import Server, Step
from webmail.store import credentials, pools

ADD = "/settings/accounts/add/"


@pytest.fixture
def client(alice) -> Client:
    return client_of(alice)


@pytest.fixture
def sends(provider, smtp_server):
    """The provider has an SMTP server too."""
    Provider.objects.update(
        smtp_host=smtp_server.host, smtp_port=smtp_server.tls_port, ca_pem=provider.ca_pem + smtp_server.ca_pem
    )


@pytest.fixture
def found(monkeypatch):
    """What discovery finds for each domain, and a probe that takes the password "demo" for the name `taken`."""
    told, tried = {}, []

    def check(server, login):
        tried.append((server.host, login.username))
        return (Step("Log in", login.password == "demo" and login.username in taken, 1.0, "it said so"),)

    taken = {"carol@found.test"}
    monkeypatch.setattr(discovery, "discover", lambda address: told.get(address.partition("@")[2], ()))
    monkeypatch.setattr(probe, "probe", check)
    monkeypatch.setattr(probe, "probe_smtp", check)
    told["tried"], told["taken"] = tried, taken
    return told


def add(client, address="bob@demo.test", password="demo", **more):
    return client.post(ADD, {"address": address, "password": password, **more})


def test_a_mailbox_at_the_administrators_provider(client, alice, sends):
    response = add(client)
    page = response.content.decode()
    assert response.status_code == 200
    assert page.count('data-state="done"') >= 8
    assert 'data-state="failed"' not in page
    account = alice.accounts.get(address="bob@demo.test")
    assert not account.signs_in
    assert credentials.unseal(account) == "demo"
    assert alice.accounts.first() != account
    assert "bob@demo.test" in client.get("/settings/").content.decode()


def test_a_wrong_password_adds_nothing_and_says_where_it_stopped(client, alice, sends):
    response = add(client, password="wrong-password")
    page = response.content.decode()
    assert response.status_code == 422
    assert "Nothing was added" in page
    assert 'data-state="failed"' in page
    assert "wrong-password" not in page
    assert alice.accounts.count() == 1


def test_a_server_that_only_reads_is_added_and_said_so(client, alice, sends):
    Provider.objects.update(smtp_port=1)
    page = add(client).content.decode()
    assert "sending would not work yet" in page
    assert alice.accounts.count() == 2


def test_twice_is_once(client, alice):
    add(client)
    assert "added this address already" in add(client, "BOB@demo.test").content.decode()
    assert alice.accounts.count() == 2


def test_the_same_mailbox_may_be_read_by_two_people(client, bob, alice):
    add(client)
    assert Account.objects.filter(address="bob@demo.test").count() == 2


@pytest.mark.parametrize("address", ["", "bob", "bob@", "@demo.test", "a\r\nb@demo.test", "bob@" + "x" * 300])
def test_what_is_no_address_is_said_beside_it(client, alice, address):
    response = add(client, address)
    assert response.status_code == 422
    assert 'class="error"' in response.content.decode()


def test_a_domain_that_tells_its_servers(client, alice, found):
    found["found.test"] = (
        discovery.Candidate(Server("imap.found.test", 993), Server("smtp.found.test", 465), "address"),
    )
    assert add(client, "carol@found.test").status_code == 200
    provider = alice.accounts.get(address="carol@found.test").provider
    assert provider.discovered
    assert (provider.imap_host, provider.smtp_host, provider.smtp_port) == ("imap.found.test", "smtp.found.test", 465)
    assert [domain.domain for domain in provider.domains.all()] == ["found.test"]


def test_a_server_that_wants_the_name_alone(client, alice, found):
    found["found.test"] = (discovery.Candidate(Server("imap.found.test", 993), None),)
    found["taken"] |= {"dave"}
    add(client, "dave@found.test")
    assert found["tried"] == [("imap.found.test", "dave@found.test"), ("imap.found.test", "dave")]
    assert alice.accounts.get(address="dave@found.test").imap_login_name == "dave"


def test_a_domain_that_tells_nothing(client, alice, found):
    assert "No mail server was found" in add(client, "carol@nowhere.test").content.decode()
    assert alice.accounts.count() == 1


def test_a_domain_with_a_bad_certificate(client, alice, monkeypatch):
    def discover(address):
        raise Untrusted

    monkeypatch.setattr(discovery, "discover", discover)
    assert "identity could not be verified" in add(client, "carol@found.test").content.decode()


def test_typed_servers_serve_their_account_alone(client, alice, found):
    """Else somebody could make her own server the one that all people of a domain send their passwords to."""
    more = {
        "imap_host": "imap.mallory.test",
        "imap_port": "993",
        "imap_security": "tls",
        "smtp_port": "465",
        "smtp_security": "tls",
    }
    found["taken"] |= {"victim@bank.test"}
    assert add(client, "victim@bank.test", **more).status_code == 200
    provider = alice.accounts.get(address="victim@bank.test").provider
    assert not ProviderDomain.objects.filter(domain="bank.test").exists()
    assert not provider.sign_in_allowed
    assert not provider.allow_private


def test_two_people_at_the_same_found_server_share_a_provider(client, alice, bob, found):
    found["taken"] |= {"dave@found.test"}
    found["found.test"] = (discovery.Candidate(Server("imap.found.test", 993), None, "address"),)
    add(client, "carol@found.test")
    add(client_of(bob), "dave@found.test")
    assert Provider.objects.filter(imap_host="imap.found.test").count() == 1


def test_a_closed_house_adds_its_own_domains_only(client, alice, settings, found):
    settings.OPEN_SIGN_IN = False
    assert "imap_host" not in client.get(ADD).content.decode()
    more = {"imap_host": "imap.found.test", "imap_port": "993", "imap_security": "tls"}
    assert add(client, "carol@found.test", **more).status_code == 422
    assert found["tried"] == []
    assert add(client, "carol@demo.test").status_code == 422
    assert alice.accounts.count() == 1


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "127.1",
        "[::1]",
        "::1",
        "10.0.0.1",
        "a b.test",
        "x\r\ny.test",
        "169.254.169.254",
    ],
)
def test_what_is_no_name_of_a_public_host(client, alice, host):
    response = add(client, "carol@found.test", imap_host=host)
    assert "not the name of a server" in response.content.decode()


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "64:ff9b::7f00:1"])
def test_a_name_that_leads_inside_looks_like_one_that_leads_nowhere(client, alice, monkeypatch, address):
    """T9: the answers tell nothing about our own network, and nothing is connected to."""
    connected = []
    monkeypatch.setattr(socket, "create_connection", lambda *args, **more: connected.append(args))

    def page(answers):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET

        def look_up(*args, **more):
            if not answers:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return [(family, socket.SOCK_STREAM, 6, "", (each, 993)) for each in answers]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        text = add(client, "carol@found.test", imap_host="imap.found.test").content.decode()
        after = text.partition('<ol class="steps">')[2]
        steps = after.partition("</ol>")[0]
        return [line for line in steps.splitlines() if "ms</time>" not in line]

    assert page([address]) == page([]) != []
    assert connected == []
    assert alice.accounts.count() == 1


def test_mending_a_password(provider):
    alice = person("alice@demo.test", provider, password="the old one")
    Account.objects.update(state=Account.State.LOGIN_NEEDED, state_detail="Authentication failed.")
    client, account = client_of(alice), alice.accounts.get()
    path = f"/settings/accounts/{account.pk}/"
    assert "Enter password" in client.get("/settings/").content.decode()
    assert "Authentication failed." in client.get(path).content.decode()
    assert client.post(path, {"password": "wrong"}).status_code == 422
    account.refresh_from_db()
    assert credentials.unseal(account) == "the old one"
    assert client.post(path, {"password": "demo"}).status_code == 302
    account.refresh_from_db()
    assert credentials.unseal(account) == "demo"
    assert account.state == Account.State.OK


def test_removing_an_account_forgets_all_of_it(client, alice):
    add(client)
    account = alice.accounts.get(address="bob@demo.test")
    inbox = account.mailboxes.create(name="INBOX", role="inbox")
    inbox.messages.create(account=account, uid=1, date=alice.date_joined)
    pools._pool(account)
    path = f"/settings/accounts/{account.pk}/remove/"
    assert "untouched" in client.get(path).content.decode()
    assert "deleted with it" not in client.get(path).content.decode()
    draft = account.drafts.create(form_key="x")
    account.drafts.create(form_key="y")
    account.submissions.create(draft=draft, idem_key="x", message_id="x", size=0)
    assert "1 message of the outbox and 1 draft are deleted with it." in client.get(path).content.decode()
    assert Account.objects.filter(pk=account.pk).exists()
    response = client.post(path, follow=True)
    assert "Its mail is untouched on its server" in response.content.decode()
    assert not Account.objects.filter(pk=account.pk).exists()
    assert not Message.objects.exists()
    assert account.pk not in pools._pools


def test_the_address_one_signs_in_with_stays(client, alice):
    account = alice.accounts.get()
    path = f"/settings/accounts/{account.pk}/remove/"
    assert path not in client.get(f"/settings/accounts/{account.pk}/").content.decode()
    client.post(path)
    assert alice.accounts.count() == 1


def test_with_a_local_password_every_address_can_go(admin, provider):
    account = Account.objects.create(user=admin, provider=provider, address="bob@demo.test", signs_in=True)
    client_of(admin).post(f"/settings/accounts/{account.pk}/remove/")
    assert not User.objects.get(pk=admin.pk).accounts.exists()
