"""As whom one writes: only as oneself, unless the administrator allows more."""

from __future__ import annotations

import pytest

from webmail.models import Account, Identity, Provider, User
from webmail.store import identities
from webmail.store.identities import NotAnAddress, NotYours

pytestmark = pytest.mark.django_db


@pytest.fixture
def hers(alice: User) -> Account:
    alice.first_name, alice.last_name = "Alice", "Moreau"
    alice.save()
    return alice.accounts.select_related("provider", "user").get()


def test_without_any_it_is_the_account_itself(hers: Account, alice: User) -> None:
    [sender] = identities.senders(alice)
    assert (sender.identity, sender.name, sender.address) == (None, "Alice Moreau", "alice@demo.test")
    assert identities.sender_for(hers, "") == sender
    assert identities.sender_for(hers, "Alice+Shop@demo.test").address == "Alice+Shop@demo.test"
    with pytest.raises(NotYours, match=r"eve@demo\.test"):
        identities.sender_for(hers, "eve@demo.test")


def test_several_and_one_default(hers: Account, alice: User) -> None:
    first = identities.save(hers, address="alice@demo.test", name="Alice")
    second = identities.save(hers, address="alice+news@demo.test", name="Alice’s\r\nnews", is_default=True)
    assert [(each.name, each.is_default) for each in identities.senders(alice)] == [
        ("Alice’s news", True), ("Alice", False),
    ]  # fmt: skip
    assert identities.default_sender(hers).identity == second.pk
    assert identities.sender_for(hers, "alice+news@demo.test").name == "Alice’s news"
    assert identities.sender_for(hers, "alice+other@demo.test").name == "Alice"
    identities.remove(second)
    first.refresh_from_db()
    assert first.is_default
    with pytest.raises(NotYours, match="already"):
        identities.save(hers, address="ALICE@demo.test")
    changed = identities.save(hers, address="alice@demo.test", name="A. M.", identity=first)
    assert (changed.pk, changed.name, Identity.objects.count()) == (first.pk, "A. M.", 1)


@pytest.mark.parametrize(
    ("rule", "address", "allowed"),
    [
        ("own", "alice+x@demo.test", True),
        ("own", "info@demo.test", False),
        ("domains", "info@demo.test", True),
        ("domains", "alice@other.test", False),
        ("any", "alice@other.test", True),
    ],
)
def test_what_the_provider_allows(hers: Account, rule: str, address: str, allowed: bool) -> None:
    Provider.objects.update(sender_rule=rule)
    hers.provider.refresh_from_db()
    if allowed:
        assert identities.save(hers, address=address).address == address
        assert identities.sender_for(hers, address).address == address
    else:
        with pytest.raises(NotYours, match="People of Demo"):
            identities.save(hers, address=address)


def test_ones_own_address_stays_beside_others(hers: Account, alice: User) -> None:
    Provider.objects.update(sender_rule="domains")
    hers.provider.refresh_from_db()
    team = identities.save(hers, address="team@demo.test")
    assert [(each.address, each.is_default) for each in identities.senders(alice)] == [
        ("alice@demo.test", True), ("team@demo.test", False),
    ]  # fmt: skip
    assert identities.sender_of(hers, "alice+x@demo.test").address == "alice+x@demo.test"
    identities.save(hers, address="team@demo.test", is_default=True, identity=team)
    assert identities.default_sender(hers).address == "team@demo.test"
    own = identities.save(hers, address="alice@demo.test")
    assert not own.is_default
    identities.save(hers, address="team@demo.test", identity=team)
    assert identities.default_sender(hers).identity == own.pk


def test_what_an_administrator_allows_one_account(hers: Account) -> None:
    hers.aliases = "info@demo.test\n*@club.example"
    for address in ("info@demo.test", "Info+x@demo.test", "anybody@club.example"):
        identities.save(hers, address=address)
    for address in ("eve@demo.test", "info@club.test", "x@sub.club.example"):
        with pytest.raises(NotYours):
            identities.save(hers, address=address)


def test_signatures_are_cleaned_and_come_in_both_forms(hers: Account) -> None:
    html = (
        '<p onclick="x()">Alice <b>Moreau</b><br><a href="https://demo.test" style="x">site</a>'
        '<img src="https://demo.test/x.png"><script>x()</script><a href="javascript:x()">y</a></p>'
    )
    row = identities.save(hers, address="alice@demo.test", signature_html=html)
    assert row.signature_html == ('<p>Alice <b>Moreau</b><br><a href="https://demo.test">site</a>x()<a>y</a></p>')
    assert row.signature_text.startswith("Alice Moreau\nsite")
    row = identities.save(hers, address="alice@demo.test", signature_html=html, signature_text="A.", identity=row)
    assert row.signature_text == "A."


def test_bad_values(hers: Account) -> None:
    with pytest.raises(NotAnAddress, match="“alice”"):
        identities.save(hers, address="alice")
    with pytest.raises(NotAnAddress, match="no @"):
        identities.save(hers, address="alice@demo.test", reply_to="bob")


def test_mallory_writes_as_nobody_else(hers: Account, alice: User, mallory: User) -> None:
    identities.save(hers, address="alice@demo.test")
    assert [each.address for each in identities.senders(mallory)] == ["mallory@demo.test"]
    assert "alice@demo.test" not in identities.own_addresses(mallory)
    with pytest.raises(NotYours):
        identities.sender_for(mallory.accounts.select_related("user").get(), "alice@demo.test")


def test_what_is_no_longer_allowed_is_not_sent(hers: Account, alice: User) -> None:
    Provider.objects.update(sender_rule="any")
    hers.provider.refresh_from_db()
    identities.save(hers, address="boss@other.test", is_default=True)
    assert identities.default_sender(hers).address == "boss@other.test"
    Provider.objects.update(sender_rule="own")
    hers.provider.refresh_from_db()
    with pytest.raises(NotYours):
        identities.sender_for(hers, "boss@other.test")
    assert [each.address for each in identities.senders(alice)] == ["alice@demo.test"]
    assert identities.default_sender(hers).address == "alice@demo.test"


def test_one_signature_for_everybody(hers: Account, alice: User) -> None:
    identities.save(hers, address="alice@demo.test", name="Alice <M>", signature_text="My own")
    Provider.objects.update(signature_html="<b>{name}</b><br>{address}")
    hers.provider.refresh_from_db()
    [sender] = identities.senders(alice)
    assert sender.signature_html == "<b>Alice &lt;M&gt;</b><br>alice@demo.test"
    assert sender.signature_text == "Alice <M>\nalice@demo.test"
    Provider.objects.update(signature="{name}, Quay Ltd", signature_html="")
    [sender] = identities.senders(alice)
    assert (sender.signature_text, sender.signature_html) == ("Alice <M>, Quay Ltd", "<p>Alice &lt;M&gt;, Quay Ltd</p>")
