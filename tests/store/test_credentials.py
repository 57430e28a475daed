"""Sealed passwords: bound to their row, readable under every present key, rotated in place."""

from __future__ import annotations

import time

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from webmail.models import Account, Provider, User, sealed
from webmail.store import credentials

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def provider(db):
    return Provider.objects.create(name="Somewhere", imap_host="imap.somewhere.test")


def account_of(provider, name="alice", secret=None):
    account = Account(user=User.objects.create(username=name), provider=provider, address=f"{name}@somewhere.test")
    if secret is not None:
        account.credential = credentials.seal(account, secret)
    account.save()
    return account


def test_what_was_sealed_is_read_again(provider):
    alice = account_of(provider, secret="pass wörd \U0001f511")
    assert credentials.unseal(Account.objects.get()) == "pass wörd \U0001f511"
    assert b"pass" not in bytes(alice.credential)


def test_a_credential_moved_to_another_row_is_refused(provider):
    alice, mallory = account_of(provider, secret="secret"), account_of(provider, "mallory")
    mallory.credential = alice.credential
    with pytest.raises(credentials.CredentialUnreadable, match="another account"):
        credentials.unseal(mallory)


def test_none_stored_is_said_so(provider):
    with pytest.raises(credentials.CredentialUnreadable, match="No password is stored"):
        credentials.unseal(account_of(provider))


def test_a_lost_key_is_said_so_without_the_key(provider, settings):
    alice = account_of(provider, secret="secret")
    settings.CREDENTIAL_KEYS = [NEW]
    with pytest.raises(credentials.CredentialUnreadable) as caught:
        credentials.unseal(alice)
    assert NEW not in str(caught.value)


@pytest.mark.parametrize("keys", [[], [""], ["short"]])
def test_no_key_is_no_start(provider, settings, keys):
    settings.CREDENTIAL_KEYS = keys
    with pytest.raises(ImproperlyConfigured):
        account_of(provider, secret="secret")


def test_bytes_come_back_for_their_own_context_only():
    made = sealed.seal_bytes("account 1, part 2", b"body" * 1000)
    assert sealed.unseal_bytes("account 1, part 2", made) == b"body" * 1000
    for context, data in [
        ("account 2, part 2", made),
        ("account 1, part 2", made[:-1]),
        ("account 1, part 2", made[:5]),
        ("account 1, part 2", b""),
        ("account 1, part 2", b"\x02" + made[1:]),
    ]:
        with pytest.raises(sealed.SealError):
            sealed.unseal_bytes(context, data)


def test_bytes_outlive_a_rotation(settings):
    settings.CREDENTIAL_KEYS = [OLD]
    made = sealed.seal_bytes("here", b"body")
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    assert sealed.unseal_bytes("here", made) == b"body"


def test_rotation_leaves_nothing_under_the_old_key(provider, settings, capsys):
    settings.CREDENTIAL_KEYS = [OLD]
    for number in range(7):
        account_of(provider, f"person{number}", secret=f"secret{number}")
    account_of(provider, "nobody")
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    call_command("rotate_credentials", batch=3)
    assert "8 accounts: 7 sealed with the newest key, 1 already were, 0 unreadable" in capsys.readouterr().out
    settings.CREDENTIAL_KEYS = [NEW]
    assert [credentials.unseal(a) for a in Account.objects.exclude(credential=b"")] == [f"secret{n}" for n in range(7)]


def test_rotation_can_be_stopped_and_started_again(provider, settings):
    settings.CREDENTIAL_KEYS = [OLD]
    for number in range(6):
        account_of(provider, f"person{number}", secret="secret")
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    next(credentials.rotate(batch=2))
    *_, last = credentials.rotate(batch=2)
    assert (last.seen, last.sealed, last.current) == (6, 4, 2)


def test_a_password_changed_during_rotation_wins(provider, settings, monkeypatch):
    settings.CREDENTIAL_KEYS = [OLD]
    alice = account_of(provider, secret="old")
    settings.CREDENTIAL_KEYS = [NEW, OLD]

    def change_meanwhile(fernet, credential, _opens=credentials._opens):
        Account.objects.update(credential=credentials.seal(alice, "new"))
        return _opens(fernet, credential)

    monkeypatch.setattr(credentials, "_opens", change_meanwhile)
    list(credentials.rotate())
    assert credentials.unseal(Account.objects.get()) == "new"


def test_unreadable_passwords_are_counted_and_fail_the_command(provider, settings):
    settings.CREDENTIAL_KEYS = [OLD]
    account_of(provider, secret="secret")
    settings.CREDENTIAL_KEYS = [NEW]
    with pytest.raises(CommandError, match="1 stored passwords"):
        call_command("rotate_credentials")


def test_a_thousand_credentials_rotate_in_six_seconds(provider, settings):
    """R15 at a tenth: 10,000 in 60 s."""
    settings.CREDENTIAL_KEYS = [OLD]
    user = User.objects.create(username="many")
    rows = [Account(user=user, provider=provider, address=f"a{number}@somewhere.test") for number in range(1000)]
    for row in rows:
        row.credential = credentials.seal(row, "secret")
    Account.objects.bulk_create(rows)
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    start = time.monotonic()
    list(credentials.rotate())
    assert time.monotonic() - start < 6
