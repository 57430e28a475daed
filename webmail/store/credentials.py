"""Secrets at rest: mail passwords, each bound to its account's row, and bytes kept in caches.

The room's one law: plain text lives in memory only. The keys come from `settings.CREDENTIAL_KEYS`, never from
the database, and are neither logged nor shown (security §5.3).

Passwords are Fernet tokens of a JSON object that names the account's `key`, so a token copied into another
row is refused. Cached bytes are AES-256-GCM with a key derived from the newest credential key; the context
(account, mailbox, UID …) is authenticated beside them, so a value moved to another place is refused too.
"""

from __future__ import annotations

import base64
import functools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from webmail.models import Account
from webmail.protocol.errors import LoginNeeded

_NONCE = 12  # octets, as AES-GCM wants them (NIST SP 800-38D §5.2.1.1)
_VERSION = b"\x01"  # first octet of sealed bytes: the format below


class CredentialUnreadable(LoginNeeded):
    """There is no stored password, or no key opens it, or it belongs to another row: the person must type it again."""

    sentence = "The stored password can't be read. Please enter it again."


class SealError(ValueError):
    """Sealed bytes that no key opens, or that were sealed for another context: treat them as absent."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """How far `rotate` came: rows looked at, sealed again, already under the newest key, and unreadable."""

    seen: int = 0
    sealed: int = 0
    current: int = 0
    unreadable: int = 0


def seal(account: Account, secret: str) -> bytes:
    """The password `secret` as `account.credential` holds it. Nothing is saved.

    Bound to `account.key`, which exists before the row is first saved.
    """
    return _fernet().encrypt(json.dumps({"account": account.key.hex, "secret": secret}).encode())


def unseal(account: Account) -> str:
    """The password of `account`.

    Raises:
        CredentialUnreadable: none is stored, no key opens it, or it was sealed for another account.
    """
    if not account.credential:
        raise CredentialUnreadable(detail="No password is stored.")
    try:
        sealed = json.loads(_fernet().decrypt(bytes(account.credential)))
    except InvalidToken:
        raise CredentialUnreadable(detail="No key in CREDENTIAL_KEYS opens the stored password.") from None
    if sealed["account"] != account.key.hex:
        raise CredentialUnreadable(detail="The stored password was sealed for another account.")
    return str(sealed["secret"])


def seal_bytes(context: str, data: bytes) -> bytes:
    """`data` encrypted for `context`, a text that names the one place it may be read from again."""
    nonce = os.urandom(_NONCE)
    return _VERSION + nonce + _ciphers()[0].encrypt(nonce, data, context.encode())


def unseal_bytes(context: str, sealed: bytes) -> bytes:
    """What `seal_bytes` sealed for the same `context`, under any of the present keys.

    Raises:
        SealError: no key opens it, or the context differs.
    """
    if sealed[:1] == _VERSION:
        nonce, data = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        for cipher in _ciphers():
            try:
                return cipher.decrypt(nonce, data, context.encode())
            except (InvalidTag, ValueError):  # ValueError: cut off inside the nonce
                continue
    raise SealError("No key opens these bytes for this context.")


def rotate(batch: int = 500) -> Iterator[Rotation]:
    """Seal every stored password again with the newest key, `batch` rows a transaction; yields the sum after each.

    May be stopped and started again at any moment: what is under the newest key already is left alone. A
    password that a person changes meanwhile wins, because a row is only written if it still holds what was read.
    """
    newest, anyone = Fernet(_keys()[0]), _fernet()
    seen = sealed = current = unreadable = last = 0
    while rows := list(
        Account.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "credential")[:batch],
    ):
        with transaction.atomic():
            for pk, stored in rows:
                credential = bytes(stored)
                if not credential or _opens(newest, credential):
                    current += 1
                elif _opens(anyone, credential):
                    sealed += Account.objects.filter(pk=pk, credential=stored).update(
                        credential=anyone.rotate(credential)
                    )
                else:
                    unreadable += 1
        seen += len(rows)
        last = rows[-1][0]
        yield Rotation(seen, sealed, current, unreadable)


def _opens(fernet: Fernet | MultiFernet, credential: bytes) -> bool:
    try:
        fernet.decrypt(credential)
    except InvalidToken:
        return False
    return True


def _keys() -> tuple[str, ...]:
    keys = tuple(key for key in settings.CREDENTIAL_KEYS if key)
    if not keys:
        raise ImproperlyConfigured("CREDENTIAL_KEYS is empty: no mail password can be stored or read.")
    return keys


def _fernet() -> MultiFernet:
    return _fernet_of(_keys())


def _ciphers() -> tuple[AESGCM, ...]:
    return _ciphers_of(_keys())


# Kept per tuple of keys, so that a test (or a rotation under way) that changes the setting is obeyed.
@functools.lru_cache(maxsize=4)
def _fernet_of(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        # The library's message is fine, but its chain would carry the key into a log.
        raise ImproperlyConfigured(
            "A key in CREDENTIAL_KEYS is not 32 octets in URL-safe base64. "
            "Make one with: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
        ) from None


@functools.lru_cache(maxsize=4)
def _ciphers_of(keys: tuple[str, ...]) -> tuple[AESGCM, ...]:
    return tuple(
        AESGCM(
            HKDF(algorithm=SHA256(), length=32, salt=None, info=b"webmail cached bytes").derive(
                base64.urlsafe_b64decode(key)
            )
        )
        for key in keys
    )
